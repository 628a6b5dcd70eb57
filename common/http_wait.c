/* SPDX-License-Identifier: ISC */
/*
 * What a connection waits for between two runs: which directions of its
 * socket, and until when.
 */
#include "http_conn.h"

#include "clock.h"

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
		return !c->eof && http_body_is_active(c);
	case HTTP_CONN_LINGER:
		return !http_conn_has_lingered(c);
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
 * Only progress of the kind that is waited for moves a deadline, and for a
 * body not every single byte: drops would keep a connection for ever.  The
 * timer is moved only when it would be late; when it is early it starts again.
 */
static int
set_deadline(struct http_conn *c)
{
	enum http_wait wait = wait_kind(c);
	uint64_t now;
	bool moved;

	moved = wait != c->wait ||
	    (wait == HTTP_WAIT_BODY && c->got >= HTTP_BODY_PROGRESS) ||
	    (wait == HTTP_WAIT_SEND && c->sent_some);
	c->sent_some = false;
	c->wait = wait;
	if (!moved)
		return 0;
	c->got = 0;
	if (wait == HTTP_WAIT_NONE)
		return 0;
	now = clock_monotonic_ms();
	c->deadline = now + wait_limit(c, wait);
	if (c->timer_at != 0 && c->timer_at <= c->deadline)
		return 0;
	c->timer_at = c->deadline;
	return loop_timer_start(c->timer, c->deadline - now);
}

/* What to wait for after a run; -1 when that cannot be set up. */
int
http_wait_settle(struct http_conn *c)
{
	unsigned events = 0;

	if (http_input_keep(c) == -1)
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

static void
on_deadline(struct http_conn *c)
{
	switch (c->wait) {
	case HTTP_WAIT_HEAD:
		http_conn_refuse(c, 408, "the request took too long");
		break;
	case HTTP_WAIT_BODY:
		if (c->ex == NULL)
			c->body = HTTP_BODY_FAILED;
		else
			http_body_break(c, 408, "the request body stalled");
		c->keep_alive = false;
		break;
	default:
		http_conn_lost(c);
		break;
	}
	http_conn_run(c);
}

void
http_wait_on_timer(void *arg)
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
