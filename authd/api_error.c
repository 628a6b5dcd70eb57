/* SPDX-License-Identifier: ISC */
/*
 * Every error answer of the token service.  Bodies carry both the list that
 * docker prints and the members of RFC 6749.  Runs in the worker; no other
 * file knows a status or a text.
 */
#include "api_error.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "http_auth.h"

static const struct row {
	int		 status;
	const char	*code;		/* errors[0].code */
	const char	*error;		/* RFC 6749, section 5.2 */
	const char	*message;
} rows[] = {
	[API_OK] = { 200, "", "", "" },
	[API_BAD_REQUEST] = { 400, "UNSUPPORTED", "invalid_request",
	    "malformed token request" },
	/* The same whether user or password are wrong, or the user locked. */
	[API_BAD_CREDENTIALS] = { 401, "UNAUTHORIZED", "invalid_grant",
	    "incorrect username or password" },
	[API_NO_CREDENTIALS] = { 401, "UNAUTHORIZED", "invalid_grant",
	    "authentication required" },
	[API_UNKNOWN_SERVICE] = { 400, "UNSUPPORTED", "invalid_request",
	    "unknown service" },
	[API_GRANT_TYPE] = { 400, "UNSUPPORTED", "unsupported_grant_type",
	    "grant_type is not supported" },
	[API_TOO_MANY_SCOPES] = { 400, "UNSUPPORTED", "invalid_scope",
	    "too many scopes" },
	[API_NOT_FOUND] = { 404, "UNSUPPORTED", "invalid_request",
	    "no such endpoint" },
	[API_METHOD] = { 405, "UNSUPPORTED", "invalid_request",
	    "method not allowed" },
	[API_TOO_LARGE] = { 413, "SIZE_INVALID", "invalid_request",
	    "request body too large" },
	[API_THROTTLED] = { 429, "TOOMANYREQUESTS", "temporarily_unavailable",
	    "too many requests" },
	[API_UNAVAILABLE] = { 503, "UNAVAILABLE", "temporarily_unavailable",
	    "service temporarily unavailable" }
};

static char *
body_text(const char *code, const char *message, const char *error)
{
	json_t	*root;
	char	*text = NULL;

	root = json_pack("{s:[{s:s,s:s}],s:s,s:s}", "errors", "code", code,
	    "message", message, "error", error, "error_description", message);
	if (root != NULL)
		text = json_dumps(root, JSON_COMPACT);
	json_decref(root);
	return text;
}

static void
add_challenge(struct http_response *res, const char *realm)
{
	struct buf	 value;

	buf_init(&value, 1024);
	buf_addstr(&value, "Basic ");
	http_auth_add_param(&value, "realm", realm);
	if (buf_failed(&value))
		http_response_header(res, "WWW-Authenticate", "Basic");
	else
		http_response_header(res, "WWW-Authenticate", "%s",
		    buf_str(&value));
	buf_done(&value);
}

void
api_error_respond(struct http_exchange *ex, enum api_error error,
    const struct api_error_args *args)
{
	const struct row	*row = &rows[error];
	struct http_response	 res;
	char			*body;

	http_response_init(&res, row->status);
	http_response_header(&res, "Content-Type", "application/json");
	http_response_header(&res, "Cache-Control", "no-store");
	http_response_header(&res, "Pragma", "no-cache");
	if (row->status == 401)
		add_challenge(&res, args->realm);
	if (row->status == 405)
		http_response_header(&res, "Allow", "%s", args->allow);
	if (row->status == 429 || row->status == 503)
		http_response_header(&res, "Retry-After", "%u",
		    args->retry_after > 0 ? args->retry_after : 1);
	/* Without memory for the body the status alone still says it. */
	body = body_text(row->code, row->message, row->error);
	if (body != NULL)
		http_response_body(&res, body, strlen(body));
	free(body);
	http_respond(ex, &res);
}

void
api_error_bad_request(int status, const char *reason, struct buf *body,
    const char **content_type)
{
	const char	*code = "UNSUPPORTED";
	char		*text;

	if (status == 413)
		code = rows[API_TOO_LARGE].code;
	else if (status == 503)
		code = rows[API_UNAVAILABLE].code;
	if ((text = body_text(code, reason, "invalid_request")) != NULL)
		buf_addstr(body, text);
	free(text);
	*content_type = "application/json";
}

const char *
api_error_code(enum api_error error)
{
	return rows[error].code;
}

const char *
api_error_message(enum api_error error)
{
	return rows[error].message;
}

enum log_level
api_error_level(enum api_error error)
{
	return rows[error].status >= 500 ? LOG_LEVEL_ERROR : LOG_LEVEL_INFO;
}
