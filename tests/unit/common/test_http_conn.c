/* SPDX-License-Identifier: ISC */
/*
 * Whole connections over socket pairs, with a real event loop.  What the
 * server does with a request hangs on its target; see on_request().
 */
#include <sys/socket.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "buf.h"
#include "http.h"
#include "loop.h"
#include "str.h"

#define OUTPUT_MAX	(64 * 1024 * 1024)

struct fixture {
	struct loop		*loop;
	struct http_limits	 limits;
	struct http_server	*server;
	struct loop_timer	*stop;
	int			 client;
	bool			 eof;		/* seen by the client */
	struct buf		 output;	/* what the client got */
	struct buf		 record;	/* what the server saw */
	struct http_exchange	*pending;	/* of /later, /never, /hold */
	unsigned		 started;
	unsigned		 done;
	unsigned		 room;
	unsigned		 empty;
	int			 file;
};

/* The state of one exchange. */
struct task {
	struct fixture	*f;
	struct buf	 body;
	unsigned	 calls;
	bool		 failed;
};

static void
on_stop(void *arg)
{
	loop_stop(arg);
}

/* Let the server run for a while. */
static void
turn(struct fixture *f, uint64_t ms)
{
	assert_int_equal(loop_timer_start(f->stop, ms), 0);
	assert_int_equal(loop_run(f->loop), 0);
}

static void
respond(struct http_exchange *ex, int status, const char *body)
{
	struct http_response r;

	http_response_init(&r, status);
	http_response_body(&r, body, strlen(body));
	http_respond(ex, &r);
}

static ssize_t
on_echo(struct http_exchange *ex, const void *data, size_t len, bool end,
    void *arg)
{
	struct task *task = http_data(ex);
	struct http_response r;

	(void)arg;
	if (data == NULL) {
		assert_false(task->failed);
		task->failed = true;
		buf_addstr(&task->f->record, "failed ");
		return 0;
	}
	assert_false(task->failed);
	buf_add(&task->body, data, len);
	if (end) {
		assert_int_equal(len, 0);
		http_response_init(&r, 200);
		http_response_body(&r, task->body.data, task->body.len);
		http_respond(ex, &r);
	}
	return (ssize_t)len;
}

static void
resume_later(void *arg)
{
	struct fixture *f = arg;

	if (f->pending != NULL)
		http_body_resume(f->pending);
}

/* Takes three bytes of each piece, then has to be asked again. */
static ssize_t
on_nibble(struct http_exchange *ex, const void *data, size_t len, bool end,
    void *arg)
{
	struct task *task = http_data(ex);

	if (data == NULL || end || len <= 3)
		return on_echo(ex, data, len, end, arg);
	(void)on_echo(ex, data, 3, false, arg);
	if (task->calls++ % 2 == 0)
		http_body_resume(ex);
	else
		assert_int_equal(loop_defer(task->f->loop, resume_later,
		    task->f), 0);
	return 3;
}

/* Takes one piece and then nothing any more. */
static ssize_t
on_hold(struct http_exchange *ex, const void *data, size_t len, bool end,
    void *arg)
{
	struct task *task = http_data(ex);

	if (data == NULL)
		return on_echo(ex, data, len, end, arg);
	assert_false(end);
	return task->calls++ == 0 ? (ssize_t)len : 0;
}

static ssize_t
on_refuse(struct http_exchange *ex, const void *data, size_t len, bool end,
    void *arg)
{
	struct task *task = http_data(ex);

	(void)arg;
	assert_false(end);
	assert_non_null(data);
	assert_int_equal(task->calls++, 0);
	respond(ex, 413, "too much\n");
	return (ssize_t)len;
}

static ssize_t
on_break(struct http_exchange *ex, const void *data, size_t len, bool end,
    void *arg)
{
	struct task *task = http_data(ex);

	(void)data;
	(void)len;
	(void)end;
	(void)arg;
	assert_int_equal(task->calls++, 0);
	return -1;
}

static int
produce(struct http_exchange *ex, struct buf *b, void *arg)
{
	struct task *task = http_data(ex);
	const char *target = http_request(ex)->target;

	(void)arg;
	if (strcmp(target, "/break") == 0 && task->calls == 1)
		return -1;
	switch (task->calls++) {
	case 0:
		buf_addstr(b, "one ");
		return 1;
	case 1:
		return 1;
	case 2:
		buf_addstr(b, "two ");
		return 1;
	default:
		if (strcmp(target, "/stream") == 0)
			buf_addstr(b, "three");
		return 0;
	}
}

static void
answer_later(void *arg)
{
	struct fixture *f = arg;

	if (f->pending != NULL)
		respond(f->pending, 200, "late\n");
}

static void
send_file(struct http_exchange *ex, struct fixture *f, const char *target)
{
	struct http_response r;
	int fd;

	fd = dup(f->file);
	assert_int_not_equal(fd, -1);
	http_response_init(&r, 200);
	http_response_header(&r, "X-Name", "%s", target);
	if (strcmp(target, "/file") == 0)
		http_response_file(&r, fd, 2, 5);
	else if (strcmp(target, "/file/empty") == 0)
		http_response_file(&r, fd, 0, 0);
	else if (strcmp(target, "/file/short") == 0)
		http_response_file(&r, fd, 0, 1000);
	else
		http_response_file(&r, fd, 0,
		    (uint64_t)lseek(fd, 0, SEEK_END));
	http_respond(ex, &r);
}

static void
bad_header(struct http_exchange *ex)
{
	struct http_response r;

	http_response_init(&r, 200);
	http_response_header(&r, "X-Split", "a\r\nSet-Cookie: b");
	http_response_body(&r, "never", 5);
	http_respond(ex, &r);
}

static bool
answer_at_once(struct http_exchange *ex, struct fixture *f, const char *target)
{
	struct http_response r;

	if (strcmp(target, "/hello") == 0)
		respond(ex, 200, "hello\n");
	else if (strcmp(target, "/early") == 0)
		respond(ex, 401, "no\n");
	else if (strcmp(target, "/204") == 0)
		respond(ex, 204, "not sent");
	else if (strcmp(target, "/304") == 0)
		respond(ex, 304, "not sent");
	else if (strcmp(target, "/bad-header") == 0)
		bad_header(ex);
	else if (strcmp(target, "/abort") == 0)
		http_abort(ex);
	else if (strncmp(target, "/file", 5) == 0)
		send_file(ex, f, target);
	else if (strcmp(target, "/stream") == 0 ||
	    strcmp(target, "/stream/empty-end") == 0 ||
	    strcmp(target, "/break") == 0) {
		http_response_init(&r, 200);
		http_respond_stream(ex, &r, produce, NULL);
	} else
		return false;
	return true;
}

static void
on_request(struct http_exchange *ex, void *arg)
{
	struct fixture *f = arg;
	const char *target = http_request(ex)->target;
	struct task *task;

	f->started++;
	assert_non_null(task = calloc(1, sizeof(*task)));
	task->f = f;
	buf_init(&task->body, OUTPUT_MAX);
	http_set_data(ex, task);
	if (answer_at_once(ex, f, target))
		return;
	f->pending = ex;
	if (strcmp(target, "/echo") == 0)
		http_body_read(ex, on_echo, NULL);
	else if (strcmp(target, "/nibble") == 0)
		http_body_read(ex, on_nibble, NULL);
	else if (strcmp(target, "/hold") == 0)
		http_body_read(ex, on_hold, NULL);
	else if (strcmp(target, "/refuse") == 0)
		http_body_read(ex, on_refuse, NULL);
	else if (strcmp(target, "/break-body") == 0)
		http_body_read(ex, on_break, NULL);
	else if (strcmp(target, "/later") == 0)
		assert_int_equal(loop_defer(f->loop, answer_later, f), 0);
	else
		assert_string_equal(target, "/never");
}

static void
on_done(struct http_exchange *ex, void *arg)
{
	struct fixture *f = arg;
	struct task *task = http_data(ex);

	f->done++;
	if (f->pending == ex)
		f->pending = NULL;
	buf_addf(&f->record, "%s %d %llu %s\n", http_request(ex)->target,
	    http_status(ex), (unsigned long long)http_sent(ex),
	    http_completed(ex) ? "ok" : "cut");
	buf_done(&task->body);
	free(task);
}

static void
on_bad_request(const struct peer *peer, int status, const char *reason,
    struct buf *body, const char **type, void *arg)
{
	struct fixture *f = arg;

	assert_string_equal(peer->addr, "192.0.2.1");
	*type = "text/x-bad";
	buf_addf(body, "%d %s", status, reason);
	buf_addf(&f->record, "bad %d\n", status);
}

static const struct http_server_ops ops = {
	on_request, on_done, on_bad_request
};

static void
add_client(struct fixture *f, int *client)
{
	static const struct peer peer = { "192.0.2.1", 1234 };
	int fds[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0,
	    fds), 0);
	*client = fds[0];
	assert_int_equal(http_server_add(f->server, fds[1], &peer, NULL), 0);
}

static void
connect_client(struct fixture *f)
{
	if (f->client != -1)
		close(f->client);
	f->eof = false;
	buf_reset(&f->output);
	add_client(f, &f->client);
}

static void
set_limits(struct fixture *f, const struct http_limits *limits)
{
	http_server_free(f->server);
	f->limits = *limits;
	f->server = http_server_new(f->loop, &f->limits, &ops, f);
	assert_non_null(f->server);
	connect_client(f);
}

static int
setup(void **state)
{
	struct fixture *f;
	char name[] = "/tmp/test_http_conn.XXXXXX";

	assert_non_null(f = calloc(1, sizeof(*f)));
	buf_init(&f->output, OUTPUT_MAX);
	buf_init(&f->record, OUTPUT_MAX);
	assert_non_null(f->loop = loop_new());
	assert_non_null(f->stop = loop_timer_new(f->loop, on_stop, f->loop));
	f->client = -1;
	assert_int_not_equal(f->file = mkstemp(name), -1);
	unlink(name);
	assert_int_equal(write(f->file, "0123456789", 10), 10);
	set_limits(f, &http_limits_default);
	*state = f;
	return 0;
}

static int
teardown(void **state)
{
	struct fixture *f = *state;

	http_server_free(f->server);
	assert_int_equal(f->started, f->done);
	if (f->client != -1)
		close(f->client);
	close(f->file);
	loop_timer_free(f->stop);
	loop_free(f->loop);
	buf_done(&f->output);
	buf_done(&f->record);
	free(f);
	return 0;
}

/* Take what there is; true when something came. */
static bool
receive(struct fixture *f)
{
	char data[65536];
	ssize_t n;

	n = read(f->client, data, sizeof(data));
	if (n == 0 || (n == -1 && errno == ECONNRESET))
		f->eof = true;
	if (n <= 0)
		return false;
	assert_int_equal(buf_add(&f->output, data, (size_t)n), 0);
	return true;
}

static void
settle(struct fixture *f)
{
	unsigned quiet = 0;

	while (quiet < 3) {
		turn(f, 1);
		quiet = receive(f) ? 0 : quiet + 1;
	}
}

static void
send_bytes(struct fixture *f, const char *data, size_t len)
{
	ssize_t n;

	while (len > 0) {
		n = send(f->client, data, len, MSG_NOSIGNAL);
		if (n == -1) {
			assert_int_equal(errno, EAGAIN);
			turn(f, 1);
			(void)receive(f);
			continue;
		}
		data += n;
		len -= (size_t)n;
	}
}

/* Dates differ; everything else is compared as it is. */
static void
drop_dates(struct buf *b)
{
	char *p, *end;

	while (b->len > 0 && (p = strstr(b->data, "Date: ")) != NULL) {
		end = strstr(p, "\r\n");
		assert_non_null(end);
		memmove(p, end + 2, strlen(end + 2) + 1);
		b->len -= (size_t)(end + 2 - p);
	}
}

static void
expect_output(struct fixture *f, const char *want)
{
	settle(f);
	drop_dates(&f->output);
	assert_string_equal(buf_str(&f->output), want);
	buf_reset(&f->output);
}

static void
expect_record(struct fixture *f, const char *want)
{
	assert_string_equal(buf_str(&f->record), want);
	buf_reset(&f->record);
}

static void
say(struct fixture *f, const char *text)
{
	send_bytes(f, text, strlen(text));
}

#define GET(target)	"GET " target " HTTP/1.1\r\nHost: a\r\n\r\n"
#define PUT(target, n)	"PUT " target " HTTP/1.1\r\nHost: a\r\n" \
			"Content-Length: " n "\r\n\r\n"
#define PUTC(target)	"PUT " target " HTTP/1.1\r\nHost: a\r\n" \
			"Transfer-Encoding: chunked\r\n\r\n"
#define HELLO		"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nhello\n"

static void
test_keeps_alive_and_pipelines(void **state)
{
	struct fixture *f = *state;

	say(f, GET("/hello"));
	expect_output(f, HELLO);
	say(f, GET("/hello") GET("/later") PUT("/echo", "3") "abc"
	    GET("/hello"));
	expect_output(f, HELLO
	    "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nlate\n"
	    "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabc" HELLO);
	expect_record(f, "/hello 200 6 ok\n/hello 200 6 ok\n/later 200 5 ok\n"
	    "/echo 200 3 ok\n/hello 200 6 ok\n");
	assert_false(f->eof);
}

static void
test_byte_by_byte(void **state)
{
	struct fixture *f = *state;
	const char *in = GET("/hello") PUTC("/echo")
	    "2\r\nab\r\n1;x=y\r\nc\r\n0\r\nT: u\r\n\r\n" GET("/hello");

	for (; *in != '\0'; in++) {
		send_bytes(f, in, 1);
		turn(f, 0);
	}
	expect_output(f, HELLO
	    "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabc" HELLO);
}

/* More than one turn's worth of requests and chunks in one piece. */
static void
test_many_at_once(void **state)
{
	struct fixture *f = *state;
	unsigned i;

	for (i = 0; i < 300; i++)
		say(f, GET("/204"));
	say(f, PUTC("/echo"));
	for (i = 0; i < 1000; i++)
		say(f, "1\r\na\r\n");
	say(f, "0\r\n\r\n" GET("/hello"));
	settle(f);
	assert_int_equal(f->done, 302);
	drop_dates(&f->output);
	assert_memory_equal(f->output.data + f->output.len - strlen("a" HELLO),
	    "a" HELLO, strlen("a" HELLO));
	assert_non_null(strstr(buf_str(&f->record), "/echo 200 1000 ok\n"));
}

static void
test_connection_header(void **state)
{
	struct fixture *f = *state;

	say(f, "GET /hello HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
	expect_output(f, "HTTP/1.1 200 OK\r\nContent-Length: 6\r\n"
	    "Connection: keep-alive\r\n\r\nhello\n");
	say(f, "GET /hello HTTP/1.0\r\n\r\n");
	expect_output(f, "HTTP/1.1 200 OK\r\nContent-Length: 6\r\n"
	    "Connection: close\r\n\r\nhello\n");
	assert_true(f->eof);
	connect_client(f);
	say(f, "GET /hello HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"
	    GET("/hello"));
	expect_output(f, "HTTP/1.1 200 OK\r\nContent-Length: 6\r\n"
	    "Connection: close\r\n\r\nhello\n");
	assert_true(f->eof);
	assert_int_equal(f->done, 3);
}

static void
test_responses_without_body(void **state)
{
	struct fixture *f = *state;

	say(f, "HEAD /hello HTTP/1.1\r\nHost: a\r\n\r\n"
	    "HEAD /file HTTP/1.1\r\nHost: a\r\n\r\n"
	    "HEAD /stream HTTP/1.1\r\nHost: a\r\n\r\n"
	    GET("/204") GET("/304") GET("/bad-header"));
	expect_output(f, "HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\n"
	    "HTTP/1.1 200 OK\r\nX-Name: /file\r\nContent-Length: 5\r\n\r\n"
	    "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
	    "HTTP/1.1 204 No Content\r\n\r\n"
	    "HTTP/1.1 304 Not Modified\r\n\r\n"
	    "HTTP/1.1 500 Internal Server Error\r\nContent-Length: 0\r\n\r\n");
	expect_record(f, "/hello 200 0 ok\n/file 200 0 ok\n/stream 200 0 ok\n"
	    "/204 204 0 ok\n/304 304 0 ok\n/bad-header 500 0 ok\n");
}

static void
test_continue(void **state)
{
	struct fixture *f = *state;

	say(f, "PUT /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n"
	    "Expect: 100-continue\r\n\r\n");
	expect_output(f, "HTTP/1.1 100 Continue\r\n\r\n");
	say(f, "ok");
	expect_output(f, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
	say(f, "PUT /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n"
	    "Expect: 100-continue\r\n\r\nok");
	expect_output(f, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
	say(f, "PUT /early HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n"
	    "Expect: 100-continue\r\n\r\n");
	expect_output(f, "HTTP/1.1 401 Unauthorized\r\nContent-Length: 3\r\n"
	    "Connection: close\r\n\r\nno\n");
	assert_true(f->eof);
}

static void
test_pauses_and_resumes(void **state)
{
	struct fixture *f = *state;

	say(f, PUT("/nibble", "20") "0123456789abcdefghij" GET("/hello"));
	expect_output(f, "HTTP/1.1 200 OK\r\nContent-Length: 20\r\n\r\n"
	    "0123456789abcdefghij" HELLO);
	say(f, PUTC("/nibble") "a\r\n0123456789\r\n5\r\nabcde\r\n0\r\n\r\n"
	    GET("/hello"));
	expect_output(f, "HTTP/1.1 200 OK\r\nContent-Length: 15\r\n\r\n"
	    "0123456789abcde" HELLO);
}

/* A paused body stops the client, and only so much is read ahead. */
static void
test_paused_body_is_not_read(void **state)
{
	struct fixture *f = *state;
	char data[65536];
	size_t sent = 0;
	ssize_t n = 0;
	unsigned i;

	memset(data, 'x', sizeof(data));
	say(f, PUT("/hold", "1000000000"));
	for (i = 0; i < 200; i++) {
		n = send(f->client, data, sizeof(data), MSG_NOSIGNAL);
		if (n > 0)
			sent += (size_t)n;
		turn(f, 1);
	}
	assert_int_equal(n, -1);
	assert_int_equal(errno, EAGAIN);
	assert_true(sent < 2 * 1024 * 1024);
	assert_int_equal(f->done, 0);
	close(f->client);
	f->client = -1;
	http_body_resume(f->pending);
	turn(f, 5);
	assert_int_equal(f->done, 0);	/* paused again at once */
}

static void
test_large_body(void **state)
{
	struct fixture *f = *state;
	size_t i, len = 3 * 1024 * 1024;
	char *data;

	assert_non_null(data = malloc(len));
	for (i = 0; i < len; i++)
		data[i] = (char)(i * 7 + i / 251);
	say(f, PUT("/echo", "3145728"));
	send_bytes(f, data, len);
	settle(f);
	assert_true(f->output.len > len);
	assert_memory_equal(f->output.data + f->output.len - len, data, len);
	expect_record(f, "/echo 200 3145728 ok\n");
	free(data);
}

static void
test_unread_body_is_discarded(void **state)
{
	struct fixture *f = *state;

	/* The body looks like a request, and must not be taken for one. */
	assert_int_equal(strlen(GET("/hello")), 32);
	say(f, PUT("/early", "32") GET("/hello") GET("/hello"));
	expect_output(f, "HTTP/1.1 401 Unauthorized\r\nContent-Length: 3\r\n"
	    "\r\nno\n" HELLO);
	assert_int_equal(f->started, 2);
	say(f, PUTC("/refuse") "5\r\nhello\r\n5\r\nhello\r\n0\r\n\r\n"
	    GET("/hello"));
	expect_output(f, "HTTP/1.1 413 Content Too Large\r\n"
	    "Content-Length: 9\r\n\r\ntoo much\n" HELLO);
}

/* The answer arrives although the client is still sending. */
static void
test_early_answer_to_large_body(void **state)
{
	struct fixture *f = *state;
	static char data[65536];
	unsigned i;

	memset(data, 'G', sizeof(data));
	say(f, PUT("/early", "100000000"));
	for (i = 0; i < 100 && f->output.len == 0; i++) {
		(void)send(f->client, data, sizeof(data), MSG_NOSIGNAL);
		turn(f, 1);
		(void)receive(f);
	}
	expect_output(f, "HTTP/1.1 401 Unauthorized\r\nContent-Length: 3\r\n"
	    "Connection: close\r\n\r\nno\n");
	assert_true(f->eof);
	expect_record(f, "/early 401 3 ok\n");
	for (i = 0; i < 100; i++) {
		(void)send(f->client, data, sizeof(data), MSG_NOSIGNAL);
		turn(f, 0);
	}
	assert_int_equal(f->started, 1);
	shutdown(f->client, SHUT_RDWR);
	settle(f);
	assert_int_equal(http_server_connections(f->server), 1);
}

static void
test_callee_breaks_off(void **state)
{
	struct fixture *f = *state;

	say(f, PUT("/break-body", "5") "hello");
	expect_output(f, "");
	assert_true(f->eof);
	connect_client(f);
	say(f, GET("/abort"));
	expect_output(f, "");
	assert_true(f->eof);
	connect_client(f);
	say(f, GET("/break"));
	expect_output(f, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n"
	    "\r\n4\r\none \r\n");
	assert_true(f->eof);
	expect_record(f, "/break-body 0 0 cut\n/abort 0 0 cut\n"
	    "/break 200 4 cut\n");
}

static void
test_streams(void **state)
{
	struct fixture *f = *state;

	say(f, GET("/stream") GET("/stream/empty-end") GET("/hello"));
	expect_output(f, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n"
	    "\r\n4\r\none \r\n4\r\ntwo \r\n5\r\nthree\r\n0\r\n\r\n"
	    "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n"
	    "\r\n4\r\none \r\n4\r\ntwo \r\n0\r\n\r\n" HELLO);
	expect_record(f, "/stream 200 13 ok\n/stream/empty-end 200 8 ok\n"
	    "/hello 200 6 ok\n");
	say(f, "GET /stream HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
	expect_output(f, "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n"
	    "one two three");
	assert_true(f->eof);
}

static void
test_files(void **state)
{
	struct fixture *f = *state;

	say(f, GET("/file") GET("/file/empty") GET("/file/all"));
	expect_output(f, "HTTP/1.1 200 OK\r\nX-Name: /file\r\n"
	    "Content-Length: 5\r\n\r\n23456"
	    "HTTP/1.1 200 OK\r\nX-Name: /file/empty\r\n"
	    "Content-Length: 0\r\n\r\n"
	    "HTTP/1.1 200 OK\r\nX-Name: /file/all\r\n"
	    "Content-Length: 10\r\n\r\n0123456789");
	assert_false(f->eof);
	say(f, GET("/file/short"));
	expect_output(f, "HTTP/1.1 200 OK\r\nX-Name: /file/short\r\n"
	    "Content-Length: 1000\r\n\r\n0123456789");
	assert_true(f->eof);
	expect_record(f, "/file 200 5 ok\n/file/empty 200 0 ok\n"
	    "/file/all 200 10 ok\n/file/short 200 10 cut\n");
}

static void
test_large_file_to_a_slow_client(void **state)
{
	struct fixture *f = *state;
	size_t len = 5 * 1024 * 1024, i;

	for (i = 0; i < len; i += 8)
		assert_int_equal(dprintf(f->file, "%07zu\n", i), 8);
	say(f, GET("/file/all") GET("/hello"));
	turn(f, 20);
	assert_int_equal(f->done, 0);
	settle(f);
	assert_int_equal(f->done, 2);
	drop_dates(&f->output);
	assert_non_null(strstr(f->output.data, "\r\n\r\n0123456789" "0000000\n"
	    "0000008\n"));
	assert_non_null(strstr(f->output.data, "5242872\n" HELLO));
	assert_int_equal(f->output.len, len + 10 + strlen(HELLO) +
	    strlen("HTTP/1.1 200 OK\r\nX-Name: /file/all\r\n"
	    "Content-Length: 5242890\r\n\r\n"));
}

static void
test_refuses_with_an_answer(void **state)
{
	struct fixture *f = *state;

	say(f, GET("/hello") "GET / HTTP/1.1\r\n\r\n" GET("/hello"));
	expect_output(f, HELLO "HTTP/1.1 400 Bad Request\r\n"
	    "Content-Type: text/x-bad\r\nContent-Length: 23\r\n"
	    "Connection: close\r\n\r\n400 missing Host header");
	assert_true(f->eof);
	expect_record(f, "/hello 200 6 ok\nbad 400\n");
	connect_client(f);
	say(f, "HEAD / HTTP/1.1\r\n\r\n");
	expect_output(f, "HTTP/1.1 400 Bad Request\r\n"
	    "Content-Type: text/x-bad\r\nContent-Length: 23\r\n"
	    "Connection: close\r\n\r\n");
	expect_record(f, "bad 400\n");
	connect_client(f);
	say(f, PUTC("/echo") "5\r\nhello\r\nxyz\r\n" GET("/hello"));
	expect_output(f, "HTTP/1.1 400 Bad Request\r\n"
	    "Content-Type: text/x-bad\r\nContent-Length: 26\r\n"
	    "Connection: close\r\n\r\n400 malformed chunked body");
	assert_true(f->eof);
	expect_record(f, "failed bad 400\n/echo 400 26 ok\n");
}

/* An answer to an exchange that was broken off is dropped, not asserted on. */
static void
test_late_answer_is_dropped(void **state)
{
	struct fixture *f = *state;

	say(f, PUTC("/hold") "5\r\nhello\r\n");
	turn(f, 5);
	assert_non_null(f->pending);
	http_abort(f->pending);
	respond(f->pending, 200, "late");
	expect_output(f, "");
	expect_record(f, "/hold 0 0 cut\n");
}

static void
test_client_goes_away(void **state)
{
	struct fixture *f = *state;

	say(f, PUT("/echo", "100") "part");
	turn(f, 5);
	close(f->client);
	f->client = -1;
	turn(f, 5);
	expect_record(f, "failed /echo 0 0 cut\n");
	assert_int_equal(http_server_connections(f->server), 0);

	assert_int_equal(ftruncate(f->file, 20 * 1024 * 1024), 0);
	connect_client(f);
	say(f, GET("/file/all"));
	turn(f, 5);
	close(f->client);
	f->client = -1;
	turn(f, 5);
	assert_int_equal(f->done, 2);
	assert_non_null(strstr(buf_str(&f->record), " cut\n"));
	assert_int_equal(http_server_connections(f->server), 0);
}

/* Shut down for sending, but still waiting for the answer. */
static void
test_half_closed_client(void **state)
{
	struct fixture *f = *state;

	say(f, GET("/later"));
	shutdown(f->client, SHUT_WR);
	expect_output(f, "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nlate\n");
	assert_true(f->eof);
	connect_client(f);
	say(f, "GET /he");
	shutdown(f->client, SHUT_WR);
	expect_output(f, "");
	assert_true(f->eof);
	assert_int_equal(http_server_connections(f->server), 0);
}

static void
test_timeouts(void **state)
{
	struct fixture *f = *state;
	struct http_limits limits = http_limits_default;

	limits.head_timeout_ms = limits.idle_timeout_ms = 20;
	limits.body_timeout_ms = limits.send_timeout_ms = 20;
	set_limits(f, &limits);
	turn(f, 60);
	expect_output(f, "");
	assert_true(f->eof);

	connect_client(f);
	say(f, "GET / HTTP/1.1\r\n");
	turn(f, 10);
	say(f, "Host: a\r\n");		/* does not move the deadline */
	turn(f, 60);
	expect_output(f, "HTTP/1.1 408 Request Timeout\r\n"
	    "Content-Type: text/x-bad\r\nContent-Length: 29\r\n"
	    "Connection: close\r\n\r\n408 the request took too long");
	expect_record(f, "bad 408\n");

	connect_client(f);
	say(f, PUT("/echo", "9") "part");
	turn(f, 60);
	expect_output(f, "HTTP/1.1 408 Request Timeout\r\n"
	    "Content-Type: text/x-bad\r\nContent-Length: 28\r\n"
	    "Connection: close\r\n\r\n408 the request body stalled");
	expect_record(f, "failed bad 408\n/echo 408 28 ok\n");

	assert_int_equal(ftruncate(f->file, 20 * 1024 * 1024), 0);
	connect_client(f);
	say(f, GET("/file/all"));
	turn(f, 60);
	assert_int_equal(f->done, 2);
	assert_non_null(strstr(buf_str(&f->record), " cut\n"));
}

/* Slow is not stalled, and a callee may take its time. */
static void
test_progress_moves_deadlines(void **state)
{
	struct fixture *f = *state;
	struct http_limits limits = http_limits_default;
	unsigned i;

	limits.body_timeout_ms = limits.send_timeout_ms = 40;
	limits.idle_timeout_ms = 40;
	set_limits(f, &limits);
	say(f, PUT("/echo", "8"));
	for (i = 0; i < 8; i++) {
		turn(f, 15);
		say(f, "x");
	}
	expect_output(f, "HTTP/1.1 200 OK\r\nContent-Length: 8\r\n\r\n"
	    "xxxxxxxx");
	say(f, GET("/never"));
	turn(f, 100);
	assert_non_null(f->pending);
	respond(f->pending, 200, "now\n");
	expect_output(f, "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nnow\n");
}

static void
count(void *arg)
{
	++*(unsigned *)arg;
}

static void
test_drains(void **state)
{
	static const char get[] = GET("/hello");
	struct fixture *f = *state;
	char answer[512];
	int idle;
	ssize_t n;

	add_client(f, &idle);
	assert_int_equal(write(idle, get, sizeof(get) - 1), sizeof(get) - 1);
	say(f, GET("/never"));
	turn(f, 5);
	assert_true(read(idle, answer, sizeof(answer)) > 0);
	assert_int_equal(http_server_connections(f->server), 2);
	http_server_drain(f->server, count, &f->empty);
	/* Who asks again in that moment is answered, once. */
	assert_int_equal(write(idle, get, sizeof(get) - 1), sizeof(get) - 1);
	turn(f, 5);
	n = read(idle, answer, sizeof(answer) - 1);
	assert_true(n > 0);
	answer[n] = '\0';
	assert_non_null(strstr(answer, "Connection: close"));
	close(idle);
	turn(f, 5);
	assert_int_equal(http_server_connections(f->server), 1);
	assert_int_equal(f->empty, 0);
	respond(f->pending, 200, "bye\n");
	expect_output(f, "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n"
	    "Connection: close\r\n\r\nbye\n");
	assert_true(f->eof);
	close(f->client);
	f->client = -1;
	turn(f, 5);
	assert_int_equal(f->empty, 1);
	assert_int_equal(http_server_connections(f->server), 0);
}

/* Who has just connected is heard, for a moment. */
static void
test_drain_answers_fresh_connections(void **state)
{
	static const char get[] = GET("/hello");
	struct fixture *f = *state;
	char answer[512];
	int silent;
	ssize_t n;

	add_client(f, &silent);
	http_server_drain(f->server, count, &f->empty);
	turn(f, 5);
	assert_int_equal(http_server_connections(f->server), 2);
	assert_int_equal(write(f->client, get, sizeof(get) - 1),
	    sizeof(get) - 1);
	turn(f, 20);
	n = read(f->client, answer, sizeof(answer) - 1);
	assert_true(n > 0);
	answer[n] = '\0';
	assert_non_null(strstr(answer, "HTTP/1.1 200 OK"));
	assert_non_null(strstr(answer, "Connection: close"));
	close(f->client);
	f->client = -1;
	assert_int_equal(f->empty, 0);
	turn(f, 1200);
	assert_int_equal(f->empty, 1);
	assert_int_equal(read(silent, answer, 1), 0);
	close(silent);
}

static void
test_drains_when_empty(void **state)
{
	struct fixture *f = *state;

	close(f->client);
	f->client = -1;
	turn(f, 5);
	http_server_drain(f->server, count, &f->empty);
	assert_int_equal(f->empty, 0);
	turn(f, 5);
	assert_int_equal(f->empty, 1);
}

static void
test_says_when_there_is_room(void **state)
{
	struct fixture *f = *state;
	struct http_limits limits = http_limits_default;
	struct peer peer = { "192.0.2.1", 1 };
	int fds[2], other;

	limits.max_connections = 2;
	set_limits(f, &limits);
	http_server_on_room(f->server, count, &f->room);
	add_client(f, &other);
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
	assert_int_equal(http_server_add(f->server, fds[1], &peer, NULL), -1);
	assert_int_equal(read(fds[0], fds, 1), 0);
	close(fds[0]);
	turn(f, 5);
	assert_int_equal(f->room, 0);
	close(other);
	turn(f, 5);
	assert_int_equal(f->room, 1);
	assert_int_equal(http_server_connections(f->server), 1);
}

static void
test_limits_requests_per_connection(void **state)
{
	struct fixture *f = *state;
	struct http_limits limits = http_limits_default;

	limits.max_requests = 2;
	set_limits(f, &limits);
	say(f, GET("/hello") GET("/hello") GET("/hello"));
	expect_output(f, HELLO "HTTP/1.1 200 OK\r\nContent-Length: 6\r\n"
	    "Connection: close\r\n\r\nhello\n");
	assert_true(f->eof);
	assert_int_equal(f->started, 2);
}

int
main(void)
{
#define TEST(fn)	cmocka_unit_test_setup_teardown(fn, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_keeps_alive_and_pipelines),
		TEST(test_byte_by_byte),
		TEST(test_many_at_once),
		TEST(test_connection_header),
		TEST(test_responses_without_body),
		TEST(test_continue),
		TEST(test_pauses_and_resumes),
		TEST(test_paused_body_is_not_read),
		TEST(test_large_body),
		TEST(test_unread_body_is_discarded),
		TEST(test_early_answer_to_large_body),
		TEST(test_callee_breaks_off),
		TEST(test_streams),
		TEST(test_files),
		TEST(test_large_file_to_a_slow_client),
		TEST(test_refuses_with_an_answer),
		TEST(test_late_answer_is_dropped),
		TEST(test_client_goes_away),
		TEST(test_half_closed_client),
		TEST(test_timeouts),
		TEST(test_progress_moves_deadlines),
		TEST(test_drains),
		TEST(test_drain_answers_fresh_connections),
		TEST(test_drains_when_empty),
		TEST(test_says_when_there_is_room),
		TEST(test_limits_requests_per_connection),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
