/* SPDX-License-Identifier: ISC */
/*
 * What the callee of the HTTP layer sees of a request: its parts, its body,
 * and the one answer.  Nothing here calls out or sends; each function notes
 * what is wanted and lets the connection run soon.
 */
#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "clock.h"
#include "http_conn.h"
#include "http_header.h"

#define REFUSAL_MAX	4096

struct http_exchange *
http_exchange_new(struct http_conn *c)
{
	struct http_exchange *ex;

	if ((ex = calloc(1, sizeof(*ex))) == NULL)
		return NULL;
	ex->conn = c;
	http_response_init(&ex->resp, 0);
	return ex;
}

void
http_exchange_free(struct http_exchange *ex)
{
	http_request_done(&ex->req);
	http_response_done(&ex->resp);
	buf_done(&ex->head);
	buf_done(&ex->stream);
	free(ex);
}

const struct http_request *
http_request(const struct http_exchange *ex)
{
	return &ex->req;
}

const char *
http_request_header(const struct http_exchange *ex, const char *name)
{
	return http_headers_find(&ex->req, name);
}

size_t
http_request_header_count(const struct http_exchange *ex, const char *name)
{
	return http_headers_count(&ex->req, name);
}

void
http_set_data(struct http_exchange *ex, void *data)
{
	ex->data = data;
}

void *
http_data(const struct http_exchange *ex)
{
	return ex->data;
}

void
http_body_read(struct http_exchange *ex, http_body_fn *fn, void *arg)
{
	struct http_conn *c = ex->conn;

	if (ex->answered || ex->body_fn != NULL)
		return;
	ex->body_fn = fn;
	ex->body_arg = arg;
	c->body = HTTP_BODY_READ;
	if (ex->req.expect_continue && c->in.off == c->in.len)
		http_send_continue(c);
	http_conn_wake(c);
}

void
http_body_resume(struct http_exchange *ex)
{
	ex->body_resumed = true;
	if (!ex->body_paused)
		return;
	ex->body_paused = false;
	http_conn_wake(ex->conn);
}

uint64_t
http_body_received(const struct http_exchange *ex)
{
	return ex->body_received;
}

/*
 * The callee wants no more of the body: the rest is thrown away if it is
 * not too much, else the connection cannot go on.
 */
static void
settle_body(struct http_exchange *ex)
{
	struct http_conn *c = ex->conn;
	uint64_t left;

	if (c->body != HTTP_BODY_UNREAD && c->body != HTTP_BODY_READ)
		return;
	/* We cannot know whether a client that waits sends it after all. */
	if (ex->req.expect_continue && ex->body_fn == NULL) {
		c->keep_alive = false;
		return;
	}
	left = http_parser_left(&c->parser);
	if (left != UINT64_MAX && left > c->server->limits.max_discard)
		c->keep_alive = false;
	c->body = HTTP_BODY_DISCARD;
}

static void
answer(struct http_exchange *ex, struct http_response *r,
    http_produce_fn *produce, void *arg)
{
	struct http_conn *c = ex->conn;

	if (ex->refused) {
		http_response_done(r);
		return;
	}
	assert(!ex->answered);
	ex->answered = true;
	ex->resp = *r;
	http_response_init(r, 0);
	ex->produce = produce;
	ex->produce_arg = arg;
	settle_body(ex);
	if (http_response_format(ex) == -1) {
		http_response_done(&ex->resp);
		http_response_init(&ex->resp, 500);
		ex->produce = NULL;
		if (http_response_format(ex) == -1) {
			c->abort = true;
			http_conn_wake(c);
			return;
		}
	}
	http_send_begin(ex);
	http_conn_wake(c);
}

void
http_respond(struct http_exchange *ex, struct http_response *r)
{
	answer(ex, r, NULL, NULL);
}

void
http_respond_stream(struct http_exchange *ex, struct http_response *r,
    http_produce_fn *produce, void *arg)
{
	answer(ex, r, produce, arg);
}

int
http_exchange_refuse(struct http_exchange *ex, int status, const char *reason)
{
	struct http_server *s = ex->conn->server;
	struct http_response r;
	const char *type = "text/plain; charset=utf-8";

	http_response_init(&r, status);
	r.body.max = REFUSAL_MAX;
	if (s->ops->on_bad_request != NULL)
		s->ops->on_bad_request(&ex->conn->peer, status, reason,
		    &r.body, &type, s->arg);
	else
		(void)buf_addf(&r.body, "%s\n", reason);
	http_response_header(&r, "Content-Type", "%s", type);
	/* 414 and others might be kept by a cache for what comes later. */
	http_response_header(&r, "Cache-Control", "no-store");
	ex->conn->keep_alive = false;
	answer(ex, &r, NULL, NULL);
	ex->refused = true;
	return ex->conn->abort ? -1 : 0;
}

void
http_abort(struct http_exchange *ex)
{
	ex->answered = ex->refused = true;
	ex->conn->abort = true;
	http_conn_wake(ex->conn);
}

int
http_status(const struct http_exchange *ex)
{
	return ex->resp.status;
}

uint64_t
http_sent(const struct http_exchange *ex)
{
	return ex->sent;
}

int
http_file_error(const struct http_exchange *ex)
{
	return ex->file_error;
}

bool
http_completed(const struct http_exchange *ex)
{
	return ex->completed;
}

uint64_t
http_elapsed_us(const struct http_exchange *ex)
{
	if (ex->elapsed_us != 0)
		return ex->elapsed_us;
	return clock_monotonic_us() - ex->started_us;
}
