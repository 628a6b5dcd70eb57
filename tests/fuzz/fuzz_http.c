/* SPDX-License-Identifier: ISC */
/*
 * A connection gets the input in one piece, and again cut at points that
 * the input itself chooses: the server must have understood the same.
 * Targets choose what is done: /e answers at once, /m in the middle of the
 * body, /p takes it in bits, anything else reads it and answers.
 */
#include <sys/socket.h>

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "buf.h"
#include "http.h"
#include "loop.h"

#define INPUT_MAX	65536
#define RECORD_MAX	(16 * 1024 * 1024)
#define TURNS_MAX	100000

int	LLVMFuzzerTestOneInput(const uint8_t *, size_t);

static struct loop *loop;
static struct loop_timer *stop;
static struct buf record;
static unsigned running;
static struct http_exchange *paused;

static void
must(bool ok)
{
	if (!ok)
		abort();
}

static void
on_stop(void *arg)
{
	loop_stop(arg);
}

static void
turn(void)
{
	must(loop_timer_start(stop, 0) == 0);
	must(loop_run(loop) == 0);
}

static void
respond(struct http_exchange *ex)
{
	struct http_response r;

	http_response_init(&r, 200);
	http_response_body(&r, "x", 1);
	http_respond(ex, &r);
}

static void
resume(void *arg)
{
	(void)arg;
	if (paused != NULL)
		http_body_resume(paused);
}

static ssize_t
on_body(struct http_exchange *ex, const void *data, size_t len, bool end,
    void *arg)
{
	char kind = http_request(ex)->target[1];

	(void)arg;
	if (data == NULL) {
		buf_addstr(&record, "!");
		return 0;
	}
	if (end) {
		buf_addstr(&record, ".");
		respond(ex);
		return 0;
	}
	if (kind == 'm') {
		respond(ex);
		return (ssize_t)len;
	}
	if (kind == 'p' && len > 2) {
		len = 2;
		paused = ex;
		must(loop_defer(loop, resume, NULL) == 0);
	}
	buf_add(&record, data, len);
	return (ssize_t)len;
}

static void
on_request(struct http_exchange *ex, void *arg)
{
	const struct http_request *req = http_request(ex);
	size_t i;

	(void)arg;
	running++;
	buf_addf(&record, "<%s %s %u", req->method_name, req->target,
	    req->minor);
	for (i = 0; i < req->nheaders; i++)
		buf_addf(&record, "|%s=%s", req->headers[i].name,
		    req->headers[i].value);
	must(req->nheaders > 0 || req->minor == 0);
	must(!req->chunked || req->content_length == 0);
	buf_addstr(&record, ">");
	if (req->target[1] == 'e')
		respond(ex);
	else
		http_body_read(ex, on_body, NULL);
}

static void
on_done(struct http_exchange *ex, void *arg)
{
	(void)arg;
	must(running-- == 1);
	if (paused == ex)
		paused = NULL;
	/* Whether the peer was still there is a matter of time. */
	buf_addf(&record, "%d\n", http_status(ex));
}

static void
on_bad_request(const struct peer *peer, int status, const char *reason,
    struct buf *body, const char **type, void *arg)
{
	(void)peer;
	(void)type;
	(void)arg;
	buf_addf(&record, "[%d %s]", status, reason);
	buf_addstr(body, reason);
}

static const struct http_server_ops ops = {
	on_request, on_done, on_bad_request
};

static void
swallow(int fd)
{
	char data[4096];

	while (read(fd, data, sizeof(data)) > 0)
		continue;
}

/* Pieces of 1 to 256 bytes, chosen by what was sent before; or all. */
static size_t
piece(const uint8_t *data, size_t at, size_t len, bool cut)
{
	size_t n = len - at;

	if (cut && n > 1 + (size_t)(data[at] ^ (at * 31 & 0xff)))
		n = 1 + (size_t)(data[at] ^ (at * 31 & 0xff));
	return n;
}

static char *
understand(const uint8_t *data, size_t len, bool cut)
{
	static const struct peer peer = { "192.0.2.1", 1 };
	struct http_limits limits = http_limits_default;
	struct http_server *server;
	unsigned turns = 0;
	size_t at = 0;
	ssize_t n;
	int fds[2];

	limits.max_head_size = 2048;
	limits.max_target = 256;
	limits.max_headers = 20;
	must((server = http_server_new(loop, &limits, &ops, NULL)) != NULL);
	must(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fds) == 0);
	must(http_server_add(server, fds[1], &peer, NULL) == 0);
	while (at < len) {
		n = write(fds[0], data + at, piece(data, at, len, cut));
		if (n == -1 && turns++ < TURNS_MAX &&
		    http_server_connections(server) > 0)
			n = 0;
		if (n == -1)
			break;
		at += (size_t)n;
		turn();
		swallow(fds[0]);
	}
	must(shutdown(fds[0], SHUT_WR) == 0);
	while (http_server_connections(server) > 0) {
		must(turns++ < TURNS_MAX);
		turn();
		swallow(fds[0]);
	}
	must(running == 0);
	http_server_free(server);
	close(fds[0]);
	turn();
	return buf_steal(&record, NULL);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	char *whole, *parts;

	if (len > INPUT_MAX)
		return 0;
	if (loop == NULL) {
		must((loop = loop_new()) != NULL);
		must((stop = loop_timer_new(loop, on_stop, loop)) != NULL);
		buf_init(&record, RECORD_MAX);
	}
	whole = understand(data, len, false);
	parts = understand(data, len, true);
	must(whole != NULL && parts != NULL && strcmp(whole, parts) == 0);
	free(whole);
	free(parts);
	return 0;
}
