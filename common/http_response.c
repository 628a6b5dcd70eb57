/* SPDX-License-Identifier: ISC */
/*
 * Building a response: the callee's header lines, checked, and the head as
 * it goes on the wire.
 */
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "clock.h"
#include "http_conn.h"
#include "http_date.h"

#define BODY_MAX	(64 * 1024 * 1024)

void
http_response_init(struct http_response *r, int status)
{
	memset(r, 0, sizeof(*r));
	r->status = status;
	buf_init(&r->head, HTTP_MAX_RESPONSE_HEAD);
	buf_init(&r->body, BODY_MAX);
	r->fd = -1;
}

void
http_response_done(struct http_response *r)
{
	buf_done(&r->head);
	if (r->secret)
		buf_wipe(&r->body);
	else
		buf_done(&r->body);
	if (r->fd != -1)
		close(r->fd);
	r->fd = -1;
}

static bool
is_clean(const char *p, size_t len)
{
	size_t i;

	for (i = 0; i < len; i++) {
		if (((unsigned char)p[i] < 0x20 && p[i] != '\t') ||
		    p[i] == 0x7f)
			return false;
	}
	return true;
}

void
http_response_header(struct http_response *r, const char *name,
    const char *fmt, ...)
{
	size_t start;
	va_list ap;

	(void)buf_addf(&r->head, "%s: ", name);
	start = r->head.len;
	va_start(ap, fmt);
	(void)buf_addvf(&r->head, fmt, ap);
	va_end(ap);
	if (!buf_failed(&r->head) &&
	    !is_clean(r->head.data + start, r->head.len - start))
		r->head.failed = true;
	(void)buf_add(&r->head, "\r\n", 2);
}

void
http_response_body(struct http_response *r, const void *data, size_t len)
{
	(void)buf_add(&r->body, data, len);
}

void
http_response_file(struct http_response *r, int fd, uint64_t offset,
    uint64_t length)
{
	if (r->fd != -1)
		close(r->fd);
	r->fd = fd;
	r->offset = offset;
	r->length = length;
}

static bool
status_has_content(int status)
{
	return status >= 200 && status != 204 && status != 304;
}

bool
http_response_has_content(const struct http_exchange *ex)
{
	return ex->req.method != HTTP_HEAD &&
	    status_has_content(ex->resp.status);
}

static uint64_t
content_length(const struct http_exchange *ex)
{
	const struct http_response *r = &ex->resp;

	if (r->fd != -1 || (ex->req.method == HTTP_HEAD && r->length > 0))
		return r->length;
	return r->body.len;
}

static void
format_framing(struct http_exchange *ex)
{
	struct http_conn *c = ex->conn;

	if (!status_has_content(ex->resp.status))
		return;
	if (ex->produce == NULL)
		(void)buf_addf(&ex->head, "Content-Length: %llu\r\n",
		    (unsigned long long)content_length(ex));
	else if (ex->req.minor > 0) {
		ex->chunked = true;
		(void)buf_addstr(&ex->head, "Transfer-Encoding: chunked\r\n");
	} else
		c->keep_alive = false;	/* its end is the connection's */
}

static void
format_connection(struct http_exchange *ex)
{
	struct http_conn *c = ex->conn;

	if (c->server->draining)
		c->keep_alive = false;
	if (!c->keep_alive)
		(void)buf_addstr(&ex->head, "Connection: close\r\n");
	else if (ex->req.minor == 0)
		(void)buf_addstr(&ex->head, "Connection: keep-alive\r\n");
}

int
http_response_format(struct http_exchange *ex)
{
	struct http_response *r = &ex->resp;
	char date[HTTP_DATE_SIZE];

	if (buf_failed(&r->head) || buf_failed(&r->body))
		return -1;
	buf_done(&ex->head);
	buf_init(&ex->head, HTTP_MAX_RESPONSE_HEAD + 1024);
	(void)buf_addf(&ex->head, "HTTP/1.1 %d %s\r\nDate: %s\r\n", r->status,
	    http_status_text(r->status),
	    http_date_format(date, clock_wall()));
	(void)buf_add(&ex->head, r->head.data, r->head.len);
	format_framing(ex);
	format_connection(ex);
	(void)buf_add(&ex->head, "\r\n", 2);
	buf_done(&r->head);
	return buf_failed(&ex->head) ? -1 : 0;
}

static const struct {
	int		 status;
	const char	*text;
} status_texts[] = {
	{ 100, "Continue" },
	{ 200, "OK" },
	{ 201, "Created" },
	{ 202, "Accepted" },
	{ 204, "No Content" },
	{ 206, "Partial Content" },
	{ 301, "Moved Permanently" },
	{ 302, "Found" },
	{ 303, "See Other" },
	{ 304, "Not Modified" },
	{ 307, "Temporary Redirect" },
	{ 308, "Permanent Redirect" },
	{ 400, "Bad Request" },
	{ 401, "Unauthorized" },
	{ 403, "Forbidden" },
	{ 404, "Not Found" },
	{ 405, "Method Not Allowed" },
	{ 406, "Not Acceptable" },
	{ 408, "Request Timeout" },
	{ 409, "Conflict" },
	{ 410, "Gone" },
	{ 411, "Length Required" },
	{ 412, "Precondition Failed" },
	{ 413, "Content Too Large" },
	{ 414, "URI Too Long" },
	{ 415, "Unsupported Media Type" },
	{ 416, "Range Not Satisfiable" },
	{ 417, "Expectation Failed" },
	{ 421, "Misdirected Request" },
	{ 422, "Unprocessable Content" },
	{ 426, "Upgrade Required" },
	{ 428, "Precondition Required" },
	{ 429, "Too Many Requests" },
	{ 431, "Request Header Fields Too Large" },
	{ 500, "Internal Server Error" },
	{ 501, "Not Implemented" },
	{ 502, "Bad Gateway" },
	{ 503, "Service Unavailable" },
	{ 504, "Gateway Timeout" },
	{ 505, "HTTP Version Not Supported" },
	{ 507, "Insufficient Storage" },
};

const char *
http_status_text(int status)
{
	size_t i;

	for (i = 0; i < sizeof(status_texts) / sizeof(status_texts[0]); i++) {
		if (status_texts[i].status == status)
			return status_texts[i].text;
	}
	return "Unknown";
}
