/* SPDX-License-Identifier: ISC */
/*
 * One connection on the server's side: what it waits for, the bytes that
 * come in, and how they become exchanges, one after the other.  Runs in the
 * workers.  http_conn_run() is the only place that calls out; see http_conn.h.
 */
#include "http_conn.h"

#include <sys/socket.h>

#include <assert.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "clock.h"

static void on_io(int, unsigned, void *);
static void on_timer(void *);

struct http_conn *
http_conn_new(struct http_server *server, int fd, const struct peer *peer,
    struct tls_context *tls)
{
	struct http_conn *c;
	int on = 1;

	if ((c = calloc(1, sizeof(*c))) == NULL)
		return NULL;
	c->server = server;
	c->fd = -1;		/* stays the caller's until we succeed */
	c->peer = *peer;
	c->can_write = true;
	c->read_size = HTTP_SCRATCH_SIZE;
	c->state = tls != NULL ? HTTP_CONN_HANDSHAKE : HTTP_CONN_IDLE;
	c->io = loop_io_new(server->loop, fd, on_io, c);
	c->timer = loop_timer_new(server->loop, on_timer, c);
	if (c->io == NULL || c->timer == NULL ||
	    http_parser_init(&c->parser, &server->strict) == -1 ||
	    (tls != NULL && (c->tls = tls_accept(tls, fd)) == NULL)) {
		http_conn_free(c);
		return NULL;
	}
	/* Not TCP on a unix socket; then there is nothing to switch off. */
	(void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	c->fd = fd;
	return c;
}

/* Let go of everything outside; the struct lives on to the end of turn. */
static void
release(struct http_conn *c)
{
	tls_conn_free(c->tls);
	c->tls = NULL;
	loop_io_free(c->io);
	c->io = NULL;
	loop_timer_free(c->timer);
	c->timer = NULL;
	if (c->fd != -1)
		close(c->fd);
	c->fd = -1;
}

void
http_conn_free(struct http_conn *c)
{
	release(c);
	http_parser_done(&c->parser);
	if (c->in.own)
		free(c->in.data);
	free(c->tls_out.data);
	free(c);
}

void
http_conn_close(struct http_conn *c)
{
	if (c->state == HTTP_CONN_CLOSED)
		return;
	/* Anywhere else the peer must be able to see that it was cut. */
	if (c->state == HTTP_CONN_IDLE && c->tls != NULL)
		tls_shutdown(c->tls);
	c->state = HTTP_CONN_CLOSED;
	release(c);
	http_server_bury(c);
}

/* The end of an exchange, however it came. */
static void
exchange_end(struct http_conn *c, bool completed)
{
	struct http_exchange *ex = c->ex;

	ex->completed = completed;
	ex->elapsed_us = clock_monotonic_us() - ex->started_us;
	if (!ex->internal)
		c->server->ops->on_done(ex, c->server->arg);
	c->ex = NULL;
	http_exchange_free(ex);
	http_send_done(c);
}

static void
tell_body_failed(struct http_conn *c)
{
	struct http_exchange *ex = c->ex;
	bool reading = c->body == HTTP_BODY_READ;

	c->body = HTTP_BODY_FAILED;
	c->keep_alive = false;
	if (reading && !ex->answered)
		(void)ex->body_fn(ex, NULL, 0, false, ex->body_arg);
}

void
http_conn_lost(struct http_conn *c)
{
	if (c->ex != NULL) {
		if (!c->abort)
			tell_body_failed(c);
		exchange_end(c, false);
	}
	http_conn_close(c);
}

static size_t
input_left(const struct http_conn *c)
{
	return c->in.len - c->in.off;
}

static void
input_drop(struct http_conn *c)
{
	if (c->in.own)
		free(c->in.data);
	memset(&c->in, 0, sizeof(c->in));
}

/* 1: there is input now; 0: wait for it; -1: none will come. */
static int
input_fill(struct http_conn *c, size_t want)
{
	ssize_t n;

	if (c->eof)
		return -1;
	if (!c->can_read)
		return 0;
	input_drop(c);
	n = http_conn_read(c, c->server->scratch, want);
	c->can_read = false;
	if (n > 0) {
		c->in.data = c->server->scratch;
		c->in.len = (size_t)n;
		c->got_some = true;
		return 1;
	}
	if (n == -1 && errno == EAGAIN)
		return 0;
	c->eof = true;
	return -1;
}

/* The scratch buffer is the next connection's: keep what is left apart. */
static int
input_keep(struct http_conn *c)
{
	size_t left = input_left(c);
	char *copy;

	if (left == 0) {
		input_drop(c);
		return 0;
	}
	if (c->in.own)
		return 0;
	if ((copy = malloc(left)) == NULL) {
		memset(&c->in, 0, sizeof(c->in));
		return -1;
	}
	memcpy(copy, c->in.data + c->in.off, left);
	c->in.data = copy;
	c->in.off = 0;
	c->in.len = left;
	c->in.own = true;
	return 0;
}

/* Answer, and read on for a while, so that a reset does not eat it. */
static void
linger_start(struct http_conn *c)
{
	input_drop(c);
	if (c->eof) {
		http_conn_close(c);
		return;
	}
	http_conn_shutdown(c);
	c->discarded = 0;
	c->state = HTTP_CONN_LINGER;
}

static bool
linger_full(const struct http_conn *c)
{
	return c->discarded > c->server->limits.max_discard;
}

static bool
step_linger(struct http_conn *c)
{
	int r;

	if (linger_full(c) || (r = input_fill(c, HTTP_READ_MIN)) == 0)
		return false;
	if (r == -1) {
		http_conn_close(c);
		return false;
	}
	c->discarded += c->in.len;
	input_drop(c);
	return true;
}

/* A request that never becomes an exchange for the callee. */
static bool
refuse(struct http_conn *c, int status, const char *reason)
{
	struct http_exchange *ex;

	if ((ex = http_exchange_new(c)) == NULL) {
		http_conn_close(c);
		return false;
	}
	ex->internal = true;
	ex->req.minor = 1;
	if (http_parser_is_head(&c->parser))
		ex->req.method = HTTP_HEAD;
	c->ex = ex;
	c->state = HTTP_CONN_EXCHANGE;
	c->body = HTTP_BODY_DONE;
	c->keep_alive = false;
	if (http_exchange_refuse(ex, status, reason) == -1)
		http_conn_lost(c);
	return true;
}

static bool
step_handshake(struct http_conn *c)
{
	static const char answer[] = "HTTP/1.0 400 Bad Request\r\n"
	    "Connection: close\r\nContent-Type: text/plain\r\n\r\n"
	    "Client sent an HTTP request to an HTTPS server.\n";
	enum tls_result r;

	if (!c->can_read)
		return false;
	r = tls_handshake(c->tls);
	c->can_read = false;
	c->read_wants_write = r == TLS_WANT_WRITE;
	switch (r) {
	case TLS_OK:
		c->can_read = true;
		c->state = HTTP_CONN_IDLE;
		return true;
	case TLS_WANT_READ:
	case TLS_WANT_WRITE:
		return false;
	case TLS_HTTP:
		tls_conn_free(c->tls);
		c->tls = NULL;
		(void)http_conn_write(c, answer, sizeof(answer) - 1);
		linger_start(c);
		return true;
	default:
		http_conn_close(c);
		return false;
	}
}

static bool
step_idle(struct http_conn *c)
{
	int r;

	if (input_left(c) == 0) {
		r = input_fill(c, c->server->limits.max_pipelined);
		if (r == -1)
			http_conn_close(c);
		if (r != 1)
			return false;
	}
	c->state = HTTP_CONN_HEAD;
	return true;
}

static bool
exchange_start(struct http_conn *c, struct http_request *req, bool keep_alive)
{
	struct http_server *s = c->server;
	struct http_exchange *ex;

	if ((ex = http_exchange_new(c)) == NULL) {
		http_request_done(req);
		http_conn_close(c);
		return false;
	}
	ex->req = *req;
	ex->req.peer = c->peer;
	ex->req.tls = c->tls != NULL;
	ex->started_us = clock_monotonic_us();
	c->ex = ex;
	c->state = HTTP_CONN_EXCHANGE;
	c->body = req->has_body ? HTTP_BODY_UNREAD : HTTP_BODY_DONE;
	c->body_span = 0;
	c->discarded = 0;
	c->keep_alive = keep_alive && ++c->requests < s->limits.max_requests;
	s->ops->on_request(ex, s->arg);
	return true;
}

static bool
step_head(struct http_conn *c)
{
	struct http_request req;
	const char *reason = "";
	bool keep_alive = false;
	size_t used;
	int r;

	if (input_left(c) == 0) {
		r = input_fill(c, c->server->limits.max_pipelined);
		if (r == -1)
			http_conn_close(c);
		if (r != 1)
			return false;
	}
	r = http_parser_head(&c->parser, c->in.data + c->in.off,
	    input_left(c), &used, &req, &keep_alive, &reason);
	c->in.off += used;
	if (r == 0)
		return true;
	if (r == 200)
		return exchange_start(c, &req, keep_alive);
	return refuse(c, r, reason);
}

/* After an exchange and its body: the next request, or the end. */
static bool
next_request(struct http_conn *c)
{
	if (!c->keep_alive || c->server->draining) {
		linger_start(c);
		return true;
	}
	http_parser_reset(&c->parser);
	c->state = HTTP_CONN_IDLE;
	return true;
}

/* Reading up to the end of a body leaves little for the next request. */
static size_t
body_want(const struct http_conn *c)
{
	uint64_t left = http_parser_left(&c->parser);

	if (left >= c->read_size)
		return c->read_size;
	left += c->server->limits.max_pipelined;
	return left < c->read_size ? (size_t)left : c->read_size;
}

static void
body_broken(struct http_conn *c, int status, const char *reason)
{
	tell_body_failed(c);
	if (c->ex != NULL && !c->ex->answered &&
	    http_exchange_refuse(c->ex, status, reason) == -1)
		c->abort = true;
}

/* 1: go on with input; 0: wait; -1: the body has ended in some way. */
static int
body_fill(struct http_conn *c)
{
	size_t skip, span;
	int r;

	if (input_left(c) == 0 && (r = input_fill(c, body_want(c))) != 1) {
		if (r == 0)
			return 0;
		/* Half closed: an answer on its way is still sent. */
		if (c->ex != NULL && !c->ex->answered) {
			http_conn_lost(c);
			return -1;
		}
		tell_body_failed(c);
		return -1;
	}
	if (http_parser_body(&c->parser, c->in.data + c->in.off,
	    input_left(c), &skip, &span) == -1) {
		body_broken(c, 400, "malformed chunked body");
		return -1;
	}
	c->in.off += skip;
	c->body_span = span;
	return 1;
}

static void
body_take(struct http_conn *c)
{
	struct http_exchange *ex = c->ex;
	size_t span = c->body_span;
	ssize_t n;

	ex->body_resumed = false;
	n = ex->body_fn(ex, c->in.data + c->in.off, span, false,
	    ex->body_arg);
	if (n < 0) {
		c->abort = true;
		return;
	}
	assert((size_t)n <= span);
	c->in.off += (size_t)n;
	c->body_span -= (size_t)n;
	ex->body_received += (uint64_t)n;
	if ((size_t)n == span) {
		if (c->read_size < HTTP_SCRATCH_SIZE)
			c->read_size *= 2;
		return;
	}
	/* What a slow callee does not take is held: read less next time. */
	if (c->read_size > HTTP_READ_MIN)
		c->read_size /= 2;
	ex->body_paused = !ex->body_resumed;
}

static void
body_discard(struct http_conn *c)
{
	c->discarded += c->body_span;
	c->in.off += c->body_span;
	c->body_span = 0;
	if (c->discarded > c->server->limits.max_discard) {
		c->body = HTTP_BODY_FAILED;
		c->keep_alive = false;
	}
}

static void
body_end(struct http_conn *c)
{
	bool reading = c->body == HTTP_BODY_READ;
	struct http_exchange *ex = c->ex;

	c->body = HTTP_BODY_DONE;
	if (reading && ex->body_fn(ex, "", 0, true, ex->body_arg) < 0)
		c->abort = true;
}

static bool
body_active(const struct http_conn *c)
{
	return c->body == HTTP_BODY_DISCARD ||
	    (c->body == HTTP_BODY_READ && !c->ex->body_paused);
}

/* One step with the body; false when it waits for something. */
static bool
step_body(struct http_conn *c)
{
	if (!body_active(c))
		return false;
	if (c->body_span == 0 && http_parser_ended(&c->parser))
		body_end(c);
	else if (c->body_span == 0)
		return body_fill(c) != 0;
	else if (c->body == HTTP_BODY_READ)
		body_take(c);
	else
		body_discard(c);
	return true;
}

static bool
step_discard(struct http_conn *c)
{
	if (c->body == HTTP_BODY_DONE || c->body == HTTP_BODY_FAILED)
		return next_request(c);
	return step_body(c);
}

static bool
exchange_finish(struct http_conn *c)
{
	exchange_end(c, true);
	if (c->keep_alive && c->body != HTTP_BODY_DONE) {
		c->state = HTTP_CONN_DISCARD;
		return true;
	}
	return next_request(c);
}

static bool
step_send(struct http_conn *c)
{
	enum http_send_result r = HTTP_SEND_DONE;

	if (c->interim_left == 0 && !c->ex->answered)
		return false;
	if (!c->can_write)
		return false;
	if (c->interim_left > 0)
		r = http_send_interim(c);
	if (r == HTTP_SEND_DONE && c->ex->answered) {
		r = http_send_run(c);
		if (r == HTTP_SEND_DONE)
			return exchange_finish(c);
	}
	if (r == HTTP_SEND_FAILED) {
		http_conn_lost(c);
		return true;
	}
	if (r != HTTP_SEND_DONE)
		c->can_write = false;
	return false;
}

static bool
step_exchange(struct http_conn *c)
{
	bool again;

	again = step_body(c);
	if (c->state != HTTP_CONN_EXCHANGE || c->abort)
		return true;
	return step_send(c) || again;
}

static bool
step(struct http_conn *c)
{
	if (c->abort && c->state != HTTP_CONN_CLOSED) {
		http_conn_lost(c);
		return false;
	}
	switch (c->state) {
	case HTTP_CONN_HANDSHAKE:
		return step_handshake(c);
	case HTTP_CONN_IDLE:
		return step_idle(c);
	case HTTP_CONN_HEAD:
		return step_head(c);
	case HTTP_CONN_EXCHANGE:
		return step_exchange(c);
	case HTTP_CONN_DISCARD:
		return step_discard(c);
	case HTTP_CONN_LINGER:
		return step_linger(c);
	default:
		return false;
	}
}

static bool
wants_write(const struct http_conn *c)
{
	return c->ex != NULL && (c->ex->answered || c->interim_left > 0);
}

static bool
wants_read(const struct http_conn *c)
{
	switch (c->state) {
	case HTTP_CONN_EXCHANGE:
	case HTTP_CONN_DISCARD:
		return !c->eof && body_active(c);
	case HTTP_CONN_LINGER:
		return !linger_full(c);
	default:
		return true;
	}
}

static enum http_wait
wait_kind(const struct http_conn *c)
{
	switch (c->state) {
	case HTTP_CONN_HANDSHAKE:
		return HTTP_WAIT_HANDSHAKE;
	case HTTP_CONN_IDLE:
		return HTTP_WAIT_IDLE;
	case HTTP_CONN_HEAD:
		return HTTP_WAIT_HEAD;
	case HTTP_CONN_LINGER:
		return HTTP_WAIT_LINGER;
	default:
		if (wants_write(c))
			return HTTP_WAIT_SEND;
		return wants_read(c) ? HTTP_WAIT_BODY : HTTP_WAIT_NONE;
	}
}

static uint64_t
wait_limit(const struct http_conn *c, enum http_wait wait)
{
	const struct http_limits *l = &c->server->limits;

	switch (wait) {
	case HTTP_WAIT_HANDSHAKE:
		return l->tls_timeout_ms;
	case HTTP_WAIT_IDLE:
		return l->idle_timeout_ms;
	case HTTP_WAIT_HEAD:
		return l->head_timeout_ms;
	case HTTP_WAIT_BODY:
		return l->body_timeout_ms;
	case HTTP_WAIT_SEND:
		return l->send_timeout_ms;
	default:
		return HTTP_LINGER_MS;
	}
}

/*
 * Only progress of the kind that is waited for moves a deadline.  The timer
 * is moved only when it would be late; when it is early it starts again.
 */
static int
set_deadline(struct http_conn *c)
{
	enum http_wait wait = wait_kind(c);
	uint64_t now;
	bool moved;

	moved = wait != c->wait ||
	    (wait == HTTP_WAIT_BODY && c->got_some) ||
	    (wait == HTTP_WAIT_SEND && c->sent_some);
	c->got_some = c->sent_some = false;
	c->wait = wait;
	if (!moved || wait == HTTP_WAIT_NONE)
		return 0;
	now = clock_monotonic_ms();
	c->deadline = now + wait_limit(c, wait);
	if (c->timer_at != 0 && c->timer_at <= c->deadline)
		return 0;
	c->timer_at = c->deadline;
	return loop_timer_start(c->timer, c->deadline - now);
}

/* What to wait for after a run; -1 when that cannot be set up. */
static int
settle(struct http_conn *c)
{
	unsigned events = 0;

	if (input_keep(c) == -1)
		return -1;
	if (wants_read(c))
		events |= c->read_wants_write ? LOOP_WRITE : LOOP_READ;
	if (wants_write(c))
		events |= c->write_wants_read ? LOOP_READ : LOOP_WRITE;
	if (loop_io_want(c->io, events) == -1 || set_deadline(c) == -1)
		return -1;
	/* Bytes inside the TLS library do not wake the descriptor. */
	if (c->tls != NULL && wants_read(c) && tls_pending(c->tls)) {
		c->can_read = true;
		http_conn_wake(c);
	}
	return 0;
}

void
http_conn_run(struct http_conn *c)
{
	unsigned steps = 0;

	if (c->running || c->state == HTTP_CONN_CLOSED)
		return;
	c->running = true;
	while (steps < HTTP_STEPS_TURN && step(c))
		steps++;
	c->running = false;
	if (c->state != HTTP_CONN_CLOSED && settle(c) == -1)
		http_conn_lost(c);
	/* Many small requests or chunks at once: let others have a turn. */
	if (steps == HTTP_STEPS_TURN)
		http_conn_wake(c);
	if (c->state == HTTP_CONN_CLOSED)
		input_drop(c);
}

void
http_conn_wake(struct http_conn *c)
{
	if (c->running || c->queued || c->state == HTTP_CONN_CLOSED)
		return;
	c->queued = true;
	TAILQ_INSERT_TAIL(&c->server->run, c, run_entry);
	http_server_schedule(c->server);
}

static void
on_io(int fd, unsigned events, void *arg)
{
	struct http_conn *c = arg;

	(void)fd;
	/* TLS may need either direction for either purpose. */
	if ((events & LOOP_READ) != 0 || c->tls != NULL)
		c->can_read = true;
	if ((events & LOOP_WRITE) != 0 || c->tls != NULL)
		c->can_write = true;
	http_conn_run(c);
}

static void
on_deadline(struct http_conn *c)
{
	switch (c->wait) {
	case HTTP_WAIT_HEAD:
		refuse(c, 408, "the request took too long");
		break;
	case HTTP_WAIT_BODY:
		if (c->ex == NULL)
			c->body = HTTP_BODY_FAILED;
		else
			body_broken(c, 408, "the request body stalled");
		c->keep_alive = false;
		break;
	default:
		http_conn_lost(c);
		break;
	}
	http_conn_run(c);
}

static void
on_timer(void *arg)
{
	struct http_conn *c = arg;
	uint64_t now = clock_monotonic_ms();

	c->timer_at = 0;
	if (c->wait == HTTP_WAIT_NONE)
		return;
	if (now >= c->deadline) {
		on_deadline(c);
		return;
	}
	c->timer_at = c->deadline;
	if (loop_timer_start(c->timer, c->deadline - now) == -1)
		http_conn_lost(c);
}
