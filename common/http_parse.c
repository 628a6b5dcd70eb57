/* SPDX-License-Identifier: ISC */
/*
 * What a head means: method, target and its authority, and where the body
 * ends (RFC 9112 sections 3 and 6).  Whatever two servers could understand
 * differently is refused.  Runs in the workers; knows no sockets.
 */
#include "http_parse.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "http_header.h"
#include "secret.h"
#include "str.h"

#define MAX_LENGTH_DIGITS	19

static int
refuse(const char **reason, int status, const char *text)
{
	*reason = text;
	return status;
}

int
http_parser_init(struct http_parser *p, const struct http_strict_limits *limits)
{
	memset(p, 0, sizeof(*p));
	p->wire = http_wire_new(limits);
	return p->wire != NULL ? 0 : -1;
}

void
http_parser_done(struct http_parser *p)
{
	http_wire_free(p->wire);
	p->wire = NULL;
}

void
http_parser_reset(struct http_parser *p)
{
	http_wire_reset(p->wire);
	p->chunked = false;
	p->left = 0;
}

static enum http_method
method_of(const char *name)
{
	static const char *const names[] = {
		[HTTP_GET] = "GET", [HTTP_HEAD] = "HEAD",
		[HTTP_POST] = "POST", [HTTP_PUT] = "PUT",
		[HTTP_PATCH] = "PATCH", [HTTP_DELETE] = "DELETE",
		[HTTP_OPTIONS] = "OPTIONS",
	};
	size_t i;

	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (strcmp(names[i], name) == 0)
			return (enum http_method)i;
	}
	return HTTP_OTHER;
}

static bool
is_authority(const char *s, size_t len)
{
	size_t i;

	for (i = 0; i < len; i++) {
		if (strchr("/?#@\\\"<>^`{|} \t", s[i]) != NULL ||
		    (unsigned char)s[i] >= 0x7f)
			return false;
	}
	return len > 0;
}

static int
check_host(const struct http_request *req, const char **reason)
{
	size_t n = http_headers_count(req, "Host");
	const char *host = http_headers_find(req, "Host");

	if (n > 1)
		return refuse(reason, 400, "more than one Host header");
	if (n == 0 && req->minor == 0)
		return 0;
	if (n == 0)
		return refuse(reason, 400, "missing Host header");
	if (!is_authority(host, strlen(host)))
		return refuse(reason, 400, "malformed Host header");
	return 0;
}

/* Cut "http://authority" off; the authority must be what Host says. */
static int
cut_absolute(struct http_request *req, const char **reason)
{
	const char *host = http_headers_find(req, "Host");
	char *authority = strstr(req->target, "://") + 3;
	size_t len = strcspn(authority, "/?");

	if (!is_authority(authority, len))
		return refuse(reason, 400, "malformed request target");
	if (host != NULL && (strlen(host) != len ||
	    strncasecmp(host, authority, len) != 0))
		return refuse(reason, 400,
		    "request target and Host header differ");
	if (authority[len] == '/') {
		req->target = authority + len;
		return 0;
	}
	/* Room for the path's slash is where the authority ended. */
	req->target = authority + len - 1;
	req->target[0] = '/';
	return 0;
}

static int
check_target(struct http_request *req, const char **reason)
{
	if (req->target[0] == '/')
		return 0;
	if (strcmp(req->target, "*") == 0 && req->method == HTTP_OPTIONS)
		return 0;
	if (strncasecmp(req->target, "http://", 7) == 0 ||
	    strncasecmp(req->target, "https://", 8) == 0)
		return cut_absolute(req, reason);
	return refuse(reason, 400, "malformed request target");
}

static int
check_coding(struct http_request *req, const char **reason)
{
	size_t n = http_headers_count(req, "Transfer-Encoding");

	if (n == 0)
		return 0;
	if (req->minor == 0)
		return refuse(reason, 400, "Transfer-Encoding in HTTP/1.0");
	if (n > 1 || strcmp(http_headers_find(req, "Transfer-Encoding"),
	    "chunked") != 0)
		return refuse(reason, 400, "unsupported Transfer-Encoding");
	if (http_headers_count(req, "Content-Length") > 0)
		return refuse(reason, 400,
		    "Content-Length and Transfer-Encoding");
	req->chunked = req->has_body = true;
	return 0;
}

static int
check_length(struct http_request *req, const char **reason)
{
	size_t n = http_headers_count(req, "Content-Length");
	const char *value = http_headers_find(req, "Content-Length");

	if (n == 0)
		return 0;
	if (n > 1)
		return refuse(reason, 400,
		    "more than one Content-Length header");
	if (strlen(value) > MAX_LENGTH_DIGITS || str_parse_u64(value,
	    strlen(value), INT64_MAX, &req->content_length) == -1)
		return refuse(reason, 400, "malformed Content-Length header");
	req->has_body = req->content_length > 0;
	return 0;
}

static int
check_expect(struct http_request *req, const char **reason)
{
	const char *value = http_headers_find(req, "Expect");

	if (value == NULL || req->minor == 0)
		return 0;
	if (http_headers_count(req, "Expect") > 1 ||
	    !str_equal_nocase(value, "100-continue"))
		return refuse(reason, 417, "unsupported Expect header");
	req->expect_continue = req->has_body;
	return 0;
}

/* Turn offsets into pointers; req owns the text and the array from here. */
static int
take_parts(struct http_wire_head *head, struct http_request *req)
{
	char *text;
	size_t i, n = head->nfields;

	if (n > 0 && (req->headers = calloc(n, sizeof(*req->headers))) == NULL)
		return -1;
	if ((text = buf_steal(&head->text, &req->text_len)) == NULL)
		return -1;
	req->text = req->target = text;
	for (i = 0; i < n; i++) {
		req->headers[i].name = text + head->fields[i].name;
		req->headers[i].value =
		    http_header_trim(text + head->fields[i].value);
	}
	req->nheaders = n;
	if ((req->method_name = strdup(head->method)) == NULL)
		return -1;
	req->method = method_of(head->method);
	req->minor = head->minor;
	return 0;
}

static int
check_request(struct http_request *req, const char *method,
    const char **reason)
{
	int status;

	if (strcmp(method, "CONNECT") == 0)
		return refuse(reason, 501, "CONNECT is not supported");
	if ((status = check_host(req, reason)) != 0 ||
	    (status = check_target(req, reason)) != 0 ||
	    (status = check_coding(req, reason)) != 0 ||
	    (status = check_length(req, reason)) != 0)
		return status;
	return check_expect(req, reason);
}

static const char *
wire_reason(int status)
{
	switch (status) {
	case 414:
		return "request target too long";
	case 431:
		return "request head too large";
	case 501:
		return "unknown method";
	case 503:
		return "out of memory";
	case 505:
		return "unsupported HTTP version";
	default:
		return "malformed request";
	}
}

int
http_parser_head(struct http_parser *p, const char *data, size_t len,
    size_t *used, struct http_request *req, bool *keep_alive,
    const char **reason)
{
	struct http_wire_head *head = http_wire_parts(p->wire);
	int status;

	status = http_wire_head(p->wire, data, len, used);
	if (status == 0)
		return 0;
	if (status != 200)
		return refuse(reason, status, wire_reason(status));
	if (head->major != 1)
		return refuse(reason, 505, wire_reason(505));
	memset(req, 0, sizeof(*req));
	if (take_parts(head, req) == -1)
		status = refuse(reason, 503, wire_reason(503));
	else if ((status = check_request(req, head->method, reason)) == 0)
		status = 200;
	if (status != 200) {
		http_request_done(req);
		return status;
	}
	*keep_alive = head->keep_alive;
	p->chunked = req->chunked;
	p->left = req->content_length;
	if (p->chunked)
		http_wire_chunked(p->wire);
	return 200;
}

bool
http_parser_is_head(const struct http_parser *p)
{
	return http_wire_is_head(p->wire);
}

int
http_parser_body(struct http_parser *p, const char *data, size_t len,
    size_t *skip, size_t *body)
{
	if (p->chunked)
		return http_wire_body(p->wire, data, len, skip, body);
	*skip = 0;
	*body = len < p->left ? len : (size_t)p->left;
	p->left -= *body;
	return 0;
}

bool
http_parser_ended(const struct http_parser *p)
{
	return p->chunked ? http_wire_ended(p->wire) : p->left == 0;
}

uint64_t
http_parser_left(const struct http_parser *p)
{
	return p->chunked ? UINT64_MAX : p->left;
}

void
http_request_done(struct http_request *req)
{
	free(req->headers);
	free(req->method_name);
	/* Passwords and tokens are in it. */
	if (req->text != NULL)
		secret_wipe(req->text, req->text_len);
	free(req->text);
	memset(req, 0, sizeof(*req));
}
