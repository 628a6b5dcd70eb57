/* SPDX-License-Identifier: ISC */
/*
 * A server and its client over a socket pair, with a real event loop.  What
 * the server does with a request hangs on its target; see on_request().
 */
#ifndef HTTP_FIXTURE_H
#define HTTP_FIXTURE_H

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
	unsigned i;

	/* At least some turns, however late the timer comes. */
	for (i = 0; i < 8; i++) {
		assert_int_equal(loop_timer_start(f->stop, i == 0 ? ms : 0),
		    0);
		assert_int_equal(loop_run(f->loop), 0);
	}
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

/* Lines as configurations and tags may add them, up to the limit and not. */
static void
many_headers(struct http_exchange *ex, size_t bytes)
{
	struct http_response r;

	http_response_init(&r, 204);
	for (; bytes >= 32; bytes -= 32)
		http_response_header(&r, "X-Name", "%022d", 1);
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
	else if (strcmp(target, "/many-headers") == 0)
		many_headers(ex, HTTP_MAX_RESPONSE_HEAD);
	else if (strcmp(target, "/too-many-headers") == 0)
		many_headers(ex, HTTP_MAX_RESPONSE_HEAD + 32);
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

static inline void
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

#endif
