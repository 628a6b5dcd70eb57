/* SPDX-License-Identifier: ISC */
/*
 * control: a served socket in a child process, asked by the client and by
 * raw bytes; strangers, limits, clients that leave.
 */
#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "control.h"
#include "loop.h"

#define TIMEOUT_MS	20000
#define LARGE		(1u << 20)

struct server {
	struct loop	*loop;
	struct loop_timer *timer;
	struct control_call *waiting;
	unsigned	 ticks, gone;
};

static char dir[64], path[96];
static pid_t child;

/* ---- the server ---- */

static void
on_gone(struct control_call *call, void *arg)
{
	struct server *srv = arg;

	srv->gone++;
	srv->waiting = NULL;
	loop_timer_stop(srv->timer);
	control_error(call, "nobody reads this");
}

static void
on_timer(void *arg)
{
	struct server *srv = arg;

	if (srv->ticks++ < 3) {
		control_progress(srv->waiting, json_pack("{si}", "tick",
		    (int)srv->ticks));
		loop_timer_start(srv->timer, 1);
		return;
	}
	control_result(srv->waiting, json_pack("{ss}", "after", "ticks"));
	srv->waiting = NULL;
}

static json_t *
large(void)
{
	char *text = malloc(LARGE + 1);
	json_t *value;

	memset(text, 'x', LARGE);
	text[LARGE] = '\0';
	value = json_string(text);
	free(text);
	return value;
}

static void
on_request(struct control_call *call, const char *command, json_t *request,
    void *arg)
{
	struct server *srv = arg;
	size_t i;

	if (strcmp(command, "echo") == 0)
		control_result(call, json_incref(json_object_get(request,
		    "value")));
	else if (strcmp(command, "fail") == 0)
		control_error(call, "no: \xff %s", "reason");
	else if (strcmp(command, "later") == 0) {
		srv->waiting = call;
		srv->ticks = 0;
		control_on_gone(call, on_gone, srv);
		loop_timer_start(srv->timer, 1);
	} else if (strcmp(command, "never") == 0)
		control_on_gone(call, on_gone, srv);
	else if (strcmp(command, "gone") == 0)
		control_result(call, json_integer((json_int_t)srv->gone));
	else if (strcmp(command, "uid") == 0)
		control_result(call, json_integer((json_int_t)
		    control_uid(call)));
	else if (strcmp(command, "large") == 0)
		control_result(call, large());
	else if (strcmp(command, "toolarge") == 0) {
		json_t *list = json_array();

		for (i = 0; i < 5; i++)
			json_array_append_new(list, large());
		control_result(call, list);
	} else if (strcmp(command, "flood") == 0) {
		for (i = 0; i < 64; i++)
			control_progress(call, large());
		control_result(call, json_true());
	} else
		control_error(call, "%s: unknown", command);
}

static _Noreturn void
serve(int fd)
{
	struct server srv = { 0 };
	struct control *control;

	if ((srv.loop = loop_new()) == NULL || (srv.timer =
	    loop_timer_new(srv.loop, on_timer, &srv)) == NULL ||
	    (control = control_new(srv.loop, fd, on_request, &srv)) == NULL)
		_exit(1);
	loop_run(srv.loop);
	_exit(1);
}

static int
setup(void **state)
{
	char error[256];
	int fd;

	(void)state;
	snprintf(dir, sizeof(dir), "/tmp/test_control.XXXXXX");
	assert_non_null(mkdtemp(dir));
	snprintf(path, sizeof(path), "%s/a/b/sock", dir);
	fd = control_listen(path, (uid_t)-1, (gid_t)-1, error, sizeof(error));
	if (fd == -1)
		fail_msg("%s", error);
	if ((child = fork()) == 0)
		serve(fd);
	close(fd);
	return child == -1 ? -1 : 0;
}

static int
teardown(void **state)
{
	char command[128];
	int status;

	(void)state;
	kill(child, SIGKILL);
	waitpid(child, &status, 0);
	snprintf(command, sizeof(command), "rm -rf %s", dir);
	/* It was there until the end: nothing made it exit. */
	return WIFSIGNALED(status) && system(command) == 0 ? 0 : -1;
}

/* ---- the client ---- */

static enum control_status
ask(const char *request, json_t **result, char *error, size_t errsize)
{
	struct control_client *client;
	enum control_status status;

	client = control_connect(path, TIMEOUT_MS);
	assert_non_null(client);
	*result = NULL;
	error[0] = '\0';
	status = control_call(client, json_loads(request, 0, NULL),
	    TIMEOUT_MS, NULL, NULL, result, error, errsize);
	control_close(client);
	return status;
}

static void
test_answers(void **state)
{
	static const struct {
		const char	*request;
		enum control_status status;
		const char	*text;		/* in the error */
	} cases[] = {
		{ "{\"command\":\"echo\",\"value\":\"v\"}", CONTROL_OK, "" },
		{ "{\"command\":\"fail\"}", CONTROL_REFUSED, "reason" },
		{ "{\"command\":\"other\"}", CONTROL_REFUSED,
		    "other: unknown" },
		/* an answer that could not be made */
		{ "{\"command\":\"echo\"}", CONTROL_REFUSED,
		    "out of memory" },
		{ "{\"command\":\"large\"}", CONTROL_OK, "" },
		{ "{\"command\":\"toolarge\"}", CONTROL_REFUSED,
		    "too large" },
		{ "{\"command\":7}", CONTROL_REFUSED, "expected an object" },
		{ "{\"command\":\"\"}", CONTROL_REFUSED, "expected an" },
		{ "[]", CONTROL_REFUSED, "expected an object" },
	};
	char error[CONTROL_ERROR_SIZE];
	json_t *result;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		assert_int_equal(ask(cases[i].request, &result, error,
		    sizeof(error)), cases[i].status);
		if (strstr(error, cases[i].text) == NULL)
			fail_msg("%s: %s", cases[i].request, error);
		assert_int_equal(result != NULL,
		    cases[i].status == CONTROL_OK);
		json_decref(result);
	}
}

static void
count(const json_t *progress, void *arg)
{
	int *n = arg;

	assert_int_equal(json_integer_value(json_object_get(progress,
	    "tick")), ++*n);
}

static void
test_progress(void **state)
{
	struct control_client *client = control_connect(path, TIMEOUT_MS);
	char error[CONTROL_ERROR_SIZE];
	json_t *result = NULL;
	int i, n;

	(void)state;
	assert_non_null(client);
	/* A connection serves many requests. */
	for (i = 0; i < 3; i++) {
		n = 0;
		assert_int_equal(control_call(client, json_pack("{ss}",
		    "command", "later"), TIMEOUT_MS, count, &n, &result,
		    error, sizeof(error)), CONTROL_OK);
		assert_int_equal(n, 3);
		json_decref(result);
	}
	assert_int_equal(control_call(client, json_pack("{ss}", "command",
	    "uid"), TIMEOUT_MS, NULL, NULL, &result, error, sizeof(error)),
	    CONTROL_OK);
	assert_int_equal(json_integer_value(result), geteuid());
	json_decref(result);
	control_close(client);
}

static void
test_silence(void **state)
{
	struct control_client *client = control_connect(path, TIMEOUT_MS);
	char error[CONTROL_ERROR_SIZE];
	json_int_t gone;
	json_t *result;
	int tries = 0;

	(void)state;
	assert_int_equal(control_call(client, json_pack("{ss}", "command",
	    "never"), 20, NULL, NULL, &result, error, sizeof(error)),
	    CONTROL_SILENT);
	assert_string_equal(error, "no answer in time");
	control_close(client);
	/* The server hears that this client has gone. */
	do {
		assert_true(tries++ < 1000);
		usleep(1000);
		assert_int_equal(ask("{\"command\":\"gone\"}", &result,
		    error, sizeof(error)), CONTROL_OK);
		gone = json_integer_value(result);
		json_decref(result);
	} while (gone == 0);
}

/* ---- raw bytes ---- */

static int
raw_connect(void)
{
	struct sockaddr_un sun = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	snprintf(sun.sun_path, sizeof(sun.sun_path), "%.90s", path);
	assert_int_equal(connect(fd, (struct sockaddr *)&sun, sizeof(sun)),
	    0);
	return fd;
}

/* Everything until the server closes, or "lines" lines. */
static char *
raw_read(int fd, size_t lines)
{
	static char text[8192];
	size_t len = 0, i, n = 0;
	ssize_t got;

	while (n < lines && (got = recv(fd, text + len,
	    sizeof(text) - 1 - len, 0)) > 0) {
		len += (size_t)got;
		for (n = i = 0; i < len; i++)
			n += text[i] == '\n';
	}
	text[len] = '\0';
	return text;
}

static void
test_nonsense(void **state)
{
	static const char *const lines[] = { "\n", "x\n", "{\n", "null\n",
	    "{\"command\":\"echo\",\"command\":\"echo\"}\n",
	    "{\"command\":\"\\u0000\"}\n", "\xff\xfe\n",
	    "[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[\n" };
	char *text;
	size_t i;
	int fd;

	(void)state;
	for (i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		fd = raw_connect();
		send(fd, lines[i], strlen(lines[i]), MSG_NOSIGNAL);
		/* One error, then the end. */
		text = raw_read(fd, 2);
		assert_int_equal(strncmp(text, "{\"error\":\"", 10), 0);
		assert_ptr_equal(strchr(text, '\n'), text + strlen(text) - 1);
		close(fd);
	}
}

static void
test_long_line(void **state)
{
	char *text = malloc(CONTROL_REQUEST_MAX);
	int fd = raw_connect();

	(void)state;
	memset(text, ' ', CONTROL_REQUEST_MAX);
	send(fd, text, CONTROL_REQUEST_MAX, MSG_NOSIGNAL);
	assert_string_equal(raw_read(fd, 2),
	    "{\"error\":\"the request is too long\"}\n");
	close(fd);
	free(text);
}

static void
test_pipelined(void **state)
{
	static const char text[] =
	    "{\"command\":\"echo\",\"value\":1}\n"
	    "{\"command\":\"later\"}\n"
	    "{\"command\":\"echo\",\"value\":2}\n";
	int fd = raw_connect();

	(void)state;
	send(fd, text, sizeof(text) - 1, MSG_NOSIGNAL);
	assert_string_equal(raw_read(fd, 6), "{\"result\":1}\n"
	    "{\"progress\":{\"tick\":1}}\n{\"progress\":{\"tick\":2}}\n"
	    "{\"progress\":{\"tick\":3}}\n"
	    "{\"result\":{\"after\":\"ticks\"}}\n{\"result\":2}\n");
	close(fd);
}

/* Nobody reads: the queue has an end, and others are served. */
static void
test_no_reader(void **state)
{
	static const char text[] = "{\"command\":\"flood\"}\n";
	char error[CONTROL_ERROR_SIZE];
	json_t *result;
	int fd = raw_connect();

	(void)state;
	send(fd, text, sizeof(text) - 1, MSG_NOSIGNAL);
	assert_int_equal(ask("{\"command\":\"uid\"}", &result, error,
	    sizeof(error)), CONTROL_OK);
	json_decref(result);
	close(fd);
}

static void
test_many_clients(void **state)
{
	int fds[CONTROL_CLIENTS_MAX], i;
	char error[CONTROL_ERROR_SIZE];
	json_t *result;

	(void)state;
	for (i = 0; i < CONTROL_CLIENTS_MAX; i++) {
		fds[i] = raw_connect();
		send(fds[i], "{\"command\":\"uid\"}\n", 18, MSG_NOSIGNAL);
		raw_read(fds[i], 1);
	}
	/* One more waits until another has gone. */
	close(fds[0]);
	assert_int_equal(ask("{\"command\":\"uid\"}", &result, error,
	    sizeof(error)), CONTROL_OK);
	json_decref(result);
	for (i = 1; i < CONTROL_CLIENTS_MAX; i++)
		close(fds[i]);
}

static void
test_socket(void **state)
{
	char error[256];
	struct stat st;

	(void)state;
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	/* Somebody listens there. */
	assert_int_equal(control_listen(path, (uid_t)-1, (gid_t)-1, error,
	    sizeof(error)), -1);
	assert_non_null(strstr(error, "in use"));
	assert_int_equal(control_listen("/dev/null/x", (uid_t)-1, (gid_t)-1,
	    error, sizeof(error)), -1);
	assert_null(control_connect("/nonexistent/sock", TIMEOUT_MS));
	assert_int_equal(errno, ENOENT);
}

/* Somebody listens, and takes no client: neither end waits for ever. */
static void
test_full_queue(void **state)
{
	struct sockaddr_un sun = { .sun_family = AF_UNIX };
	struct control_client *clients[8];
	char error[256];
	size_t n = 0;
	int fd;

	(void)state;
	snprintf(sun.sun_path, sizeof(sun.sun_path), "%s/full", dir);
	fd = socket(AF_UNIX, SOCK_STREAM, 0);
	assert_int_equal(bind(fd, (struct sockaddr *)&sun, sizeof(sun)), 0);
	assert_int_equal(listen(fd, 0), 0);
	while (n < 8 && (clients[n] = control_connect(sun.sun_path, 20)) !=
	    NULL)
		n++;
	assert_in_range(n, 1, 7);
	/* Some systems refuse, as if nobody were there. */
	assert_true(errno == EAGAIN || errno == ECONNREFUSED);
	if (errno == EAGAIN) {
		assert_int_equal(control_listen(sun.sun_path, (uid_t)-1,
		    (gid_t)-1, error, sizeof(error)), -1);
		assert_non_null(strstr(error, "in use"));
	}
	while (n > 0)
		control_close(clients[--n]);
	close(fd);
}

/*
 * A connection counts as of who made it.  Only root can become somebody else;
 * for others the mode of the socket has to do.
 */
static void
test_stranger(void **state)
{
	char command[128];
	struct stat st;
	int fd;

	(void)state;
	if (geteuid() != 0) {
		assert_int_equal(stat(path, &st), 0);
		assert_int_equal(st.st_mode & 077, 0);
		return;
	}
	snprintf(command, sizeof(command), "chmod -R a+rwX %s", dir);
	assert_int_equal(system(command), 0);
	assert_int_equal(seteuid(65534), 0);
	fd = raw_connect();
	assert_int_equal(seteuid(0), 0);
	assert_non_null(strstr(raw_read(fd, 2), "only root and the user"));
	close(fd);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_answers),
		cmocka_unit_test(test_progress),
		cmocka_unit_test(test_silence),
		cmocka_unit_test(test_nonsense),
		cmocka_unit_test(test_long_line),
		cmocka_unit_test(test_pipelined),
		cmocka_unit_test(test_no_reader),
		cmocka_unit_test(test_many_clients),
		cmocka_unit_test(test_socket),
		cmocka_unit_test(test_full_queue),
		cmocka_unit_test(test_stranger),
	};

	signal(SIGPIPE, SIG_IGN);
	return cmocka_run_group_tests(tests, setup, teardown);
}
