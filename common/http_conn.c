/* SPDX-License-Identifier: ISC */
/*
 * One connection on the server's side: its life from accept to close, and
 * how requests become exchanges, one after the other.  Runs in the workers.
 * Callbacks are called from its runs and its timer only; see http_conn.h.
 */
#include "http_conn.h"

#include <sys/socket.h>

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "clock.h"

static void on_io(int, unsigned, void *);

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
	c->timer = loop_timer_new(server->loop, http_wait_on_timer, c);
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
	http_input_drop(c);
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
	http_send_done(c);
	c->ex = NULL;
	http_exchange_free(ex);
}

void
http_conn_lost(struct http_conn *c)
{
	if (c->ex != NULL) {
		if (!c->abort)
			http_body_tell_failed(c);
		exchange_end(c, false);
	}
	http_conn_close(c);
}

/* Answer, and read on for a while, so that a reset does not eat it. */
static void
linger_start(struct http_conn *c)
{
	http_input_drop(c);
	if (c->eof) {
		http_conn_close(c);
		return;
	}
	http_conn_shutdown(c);
	c->discarded = 0;
	c->state = HTTP_CONN_LINGER;
}

bool
http_conn_has_lingered(const struct http_conn *c)
{
	return c->discarded > c->server->limits.max_discard;
}

static bool
step_linger(struct http_conn *c)
{
	int r;

	if (http_conn_has_lingered(c))
		return false;
	if ((r = http_input_fill(c, HTTP_READ_MIN)) == 0)
		return false;
	if (r == -1) {
		http_conn_close(c);
		return false;
	}
	c->discarded += c->in.len;
	http_input_drop(c);
	return true;
}

/* A request that never becomes an exchange for the callee. */
bool
http_conn_refuse(struct http_conn *c, int status, const char *reason)
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

	if (http_input_left(c) == 0) {
		r = http_input_fill(c, c->server->limits.max_pipelined);
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

	if (http_input_left(c) == 0) {
		r = http_input_fill(c, c->server->limits.max_pipelined);
		if (r == -1)
			http_conn_close(c);
		if (r != 1)
			return false;
	}
	r = http_parser_head(&c->parser, c->in.data + c->in.off,
	    http_input_left(c), &used, &req, &keep_alive, &reason);
	c->in.off += used;
	if (r == 0)
		return true;
	if (r == 200)
		return exchange_start(c, &req, keep_alive);
	return http_conn_refuse(c, r, reason);
}

/* After an exchange and its body: the next request, or the end. */
static bool
next_request(struct http_conn *c)
{
	if (!c->keep_alive || c->server->closing) {
		linger_start(c);
		return true;
	}
	http_parser_reset(&c->parser);
	c->state = HTTP_CONN_IDLE;
	return true;
}

static bool
step_discard(struct http_conn *c)
{
	if (c->body == HTTP_BODY_DONE || c->body == HTTP_BODY_FAILED)
		return next_request(c);
	return http_body_step(c);
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

	again = http_body_step(c);
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
	if (c->state != HTTP_CONN_CLOSED && http_wait_settle(c) == -1)
		http_conn_lost(c);
	/* Many small requests or chunks at once: let others have a turn. */
	if (steps == HTTP_STEPS_TURN)
		http_conn_wake(c);
	if (c->state == HTTP_CONN_CLOSED)
		http_input_drop(c);
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
