/* SPDX-License-Identifier: ISC */
/*
 * The access line of a request and the event of its error, with the names
 * that distribution gives the fields.  Runs in the worker.  What a client
 * sent appears in field values only, never a token.
 */
#include "request_log.h"

#include <stdio.h>
#include <string.h>

#include "api.h"
#include "log.h"
#include "random.h"

#define STATUS_CLIENT_GONE	499

struct texts {
	char	 remote[PEER_TEXT_SIZE];
	char	 status[16], written[24], duration[24];
	char	 code[64];
};

static const char *
variable(const struct api_request *r, enum route_endpoint a,
    enum route_endpoint b)
{
	if ((r->match.endpoint == a || r->match.endpoint == b) &&
	    r->match.arg[0] != '\0')
		return r->match.arg;
	return NULL;
}

static const char *
or_null(const char *text)
{
	return text[0] == '\0' ? NULL : text;
}

/* Lower case with spaces, as distribution's logs have it. */
static void
code_text(char *dst, size_t size, const char *code)
{
	size_t i;

	for (i = 0; code[i] != '\0' && i + 1 < size; i++)
		dst[i] = code[i] == '_' ? ' ' :
		    (char)(code[i] >= 'A' && code[i] <= 'Z' ? code[i] + 32 :
		    code[i]);
	dst[i] = '\0';
}

static void
texts_format(const struct api_request *r, struct texts *t)
{
	int status = http_status(r->exchange);
	uint64_t us = http_elapsed_us(r->exchange);

	if (status == 0)
		status = STATUS_CLIENT_GONE;
	peer_format(&r->head->peer, t->remote);
	(void)snprintf(t->status, sizeof(t->status), "%d", status);
	(void)snprintf(t->written, sizeof(t->written), "%llu",
	    (unsigned long long)http_sent(r->exchange));
	(void)snprintf(t->duration, sizeof(t->duration), "%llu.%03u",
	    (unsigned long long)(us / 1000000),
	    (unsigned)(us / 1000 % 1000));
	t->code[0] = '\0';
	if (r->failed)
		code_text(t->code, sizeof(t->code),
		    api_error_code(r->error));
}

static void
log_failure(const struct api_request *r, const struct texts *t)
{
	enum log_level level = http_status(r->exchange) >= 500 ?
	    LOG_LEVEL_ERROR : LOG_LEVEL_INFO;
	const struct log_field fields[] = {
		{ "err.code", t->code },
		{ "err.message", api_error_message(r->error) },
		{ "err.detail", or_null(r->detail) },
		{ "http.request.id", r->id },
		{ "http.request.method", r->head->method_name },
		{ "http.request.uri", r->head->target },
		{ "http.request.remoteaddr", t->remote },
		{ "http.response.status", t->status },
		{ "vars.name", or_null(r->match.name) },
		{ "auth.user.name", or_null(r->grant.user) },
	};

	log_event(level, "response completed with error", fields,
	    sizeof(fields) / sizeof(fields[0]));
}

/* The client sees an end that is none; the operator is to see why. */
static void
log_broken_off(const struct api_request *r, const struct texts *t)
{
	const struct log_field fields[] = {
		{ "err.detail", strerror(http_file_error(r->exchange)) },
		{ "http.request.id", r->id },
		{ "http.request.uri", r->head->target },
		{ "http.request.remoteaddr", t->remote },
		{ "http.response.written", t->written },
		{ "vars.name", or_null(r->match.name) },
	};

	log_event(LOG_LEVEL_ERROR, "response broken off: the file cannot be "
	    "read to its end", fields, sizeof(fields) / sizeof(fields[0]));
}

void
request_log(const struct api_request *r)
{
	struct texts t;

	texts_format(r, &t);
	if (r->failed)
		log_failure(r, &t);
	if (http_file_error(r->exchange) != 0)
		log_broken_off(r, &t);
	if (r->conf->accesslog_disabled)
		return;
	const struct log_field fields[] = {
		{ "http.request.id", r->id },
		{ "http.request.method", r->head->method_name },
		{ "http.request.uri", r->head->target },
		{ "http.request.remoteaddr", t.remote },
		{ "http.request.useragent",
		    http_request_header(r->exchange, "User-Agent") },
		{ "http.response.status", t.status },
		{ "http.response.written", t.written },
		{ "http.response.duration", t.duration },
		{ "auth.user.name", or_null(r->grant.user) },
		{ "auth.jti", or_null(r->grant.jti) },
		{ "vars.name", or_null(r->match.name) },
		{ "vars.reference", variable(r, ENDPOINT_MANIFEST, 0) },
		{ "vars.digest", variable(r, ENDPOINT_BLOB,
		    ENDPOINT_REFERRERS) },
		{ "vars.uuid", variable(r, ENDPOINT_UPLOAD, 0) },
	};

	log_event(LOG_LEVEL_INFO, "response completed", fields,
	    sizeof(fields) / sizeof(fields[0]));
}

void
request_log_refused(const struct peer *peer, int status, const char *reason,
    bool access)
{
	char id[REQUEST_ID_SIZE], text[16], remote[PEER_TEXT_SIZE];
	const struct log_field fields[] = {
		{ "http.request.id", id },
		{ "http.request.remoteaddr", remote },
		{ "http.response.status", text },
		{ "err.message", reason },	/* of the error only */
	};
	const size_t n = sizeof(fields) / sizeof(fields[0]);

	random_hex(id, (REQUEST_ID_SIZE - 1) / 2);
	(void)snprintf(text, sizeof(text), "%d", status);
	peer_format(peer, remote);
	log_event(LOG_LEVEL_INFO, "response completed with error", fields, n);
	if (access)
		log_event(LOG_LEVEL_INFO, "response completed", fields, n - 1);
}
