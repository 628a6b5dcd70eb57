/* SPDX-License-Identifier: ISC */
/*
 * The body of a request on its way from the input to the callee, or to
 * nowhere when it was answered already.
 */
#include "http_conn.h"

#include <assert.h>

void
http_body_tell_failed(struct http_conn *c)
{
	struct http_exchange *ex = c->ex;
	bool reading = ex != NULL && c->body == HTTP_BODY_READ;

	c->body = HTTP_BODY_FAILED;
	c->keep_alive = false;
	if (reading && !ex->answered)
		(void)ex->body_fn(ex, NULL, 0, false, ex->body_arg);
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

void
http_body_break(struct http_conn *c, int status, const char *reason)
{
	http_body_tell_failed(c);
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

	if (http_input_left(c) == 0 &&
	    (r = http_input_fill(c, body_want(c))) != 1) {
		if (r == 0)
			return 0;
		/* Half closed: an answer on its way is still sent. */
		if (c->ex != NULL && !c->ex->answered) {
			http_conn_lost(c);
			return -1;
		}
		http_body_tell_failed(c);
		return -1;
	}
	if (http_parser_body(&c->parser, c->in.data + c->in.off,
	    http_input_left(c), &skip, &span) == -1) {
		http_body_break(c, 400, "malformed chunked body");
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

bool
http_body_is_active(const struct http_conn *c)
{
	return c->body == HTTP_BODY_DISCARD ||
	    (c->body == HTTP_BODY_READ && !c->ex->body_paused);
}

/* One step with the body; false when it waits for something. */
bool
http_body_step(struct http_conn *c)
{
	if (!http_body_is_active(c))
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
