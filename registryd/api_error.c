/* SPDX-License-Identifier: ISC */
/*
 * The only table of results to HTTP status, code and message, and the bodies
 * made from it.  Runs in the worker.  No other file knows a status for an
 * error.
 */
#include "api_error.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api.h"
#include "log.h"
#include "str.h"

#define BODY_MAX	(64 * 1024)

static const struct {
	int		 status;
	const char	*code;
	const char	*message;
} errors[API_NERRORS] = {
	[API_UNKNOWN] = { 500, "UNKNOWN", "unknown error" },
	[API_UNAVAILABLE] = { 503, "UNAVAILABLE", "service unavailable" },
	[API_BUSY] = { 503, "UNAVAILABLE",
	    "other requests are changing the same: try again" },
	[API_THROTTLED] = { 429, "TOOMANYREQUESTS", "too many requests" },
	/* Clients show this status as it is: it names the trouble. */
	[API_NOSPACE] = { 507, "UNAVAILABLE",
	    "no space left in the registry's storage" },
	[API_BAD_REQUEST] = { 400, "UNSUPPORTED", "malformed request" },
	[API_NO_ENDPOINT] = { 404, "UNSUPPORTED", "no such endpoint" },
	[API_UNSUPPORTED] = { 405, "UNSUPPORTED",
	    "The operation is unsupported." },
	[API_ENCODING] = { 415, "UNSUPPORTED",
	    "content encodings are not supported" },
	[API_UNAUTHORIZED] = { 401, "UNAUTHORIZED",
	    "authentication required" },
	[API_NAME_INVALID] = { 400, "NAME_INVALID",
	    "invalid repository name" },
	[API_NAME_UNKNOWN] = { 404, "NAME_UNKNOWN",
	    "repository name not known to registry" },
	[API_DIGEST_INVALID] = { 400, "DIGEST_INVALID",
	    "provided digest did not match uploaded content" },
	[API_SIZE_INVALID] = { 400, "SIZE_INVALID",
	    "provided length did not match content length" },
	[API_RANGE_INVALID] = { 416, "RANGE_INVALID",
	    "invalid content range" },
	[API_BLOB_UNKNOWN] = { 404, "BLOB_UNKNOWN",
	    "blob unknown to registry" },
	/* The specification has this status for a DELETE that is not done. */
	[API_BLOB_IN_USE] = { 405, "DENIED",
	    "a manifest of the repository refers to the blob" },
	[API_BLOB_TOO_LARGE] = { 413, "SIZE_INVALID",
	    "the blob is larger than this registry allows" },
	[API_UPLOAD_UNKNOWN] = { 404, "BLOB_UPLOAD_UNKNOWN",
	    "blob upload unknown to registry" },
	/* go-containerregistry tries again at this code. */
	[API_UPLOAD_BUSY] = { 409, "BLOB_UPLOAD_INVALID",
	    "another request is writing to this upload" },
	[API_UPLOAD_REMOVED] = { 503, "UNAVAILABLE",
	    "the blob was removed before its push was finished: push again" },
	[API_MANIFEST_UNKNOWN] = { 404, "MANIFEST_UNKNOWN",
	    "manifest unknown" },
	[API_MANIFEST_INVALID] = { 400, "MANIFEST_INVALID",
	    "manifest invalid" },
	[API_MANIFEST_TOO_LARGE] = { 413, "SIZE_INVALID",
	    "the manifest is larger than this registry allows" },
	[API_MANIFEST_BLOB_UNKNOWN] = { 400, "MANIFEST_BLOB_UNKNOWN",
	    "blob unknown to registry" },
	[API_TAG_INVALID] = { 400, "TAG_INVALID",
	    "manifest tag did not match URI" },
	[API_TOO_MANY_TAGS] = { 414, "TAG_INVALID",
	    "too many tags in one request" },
	[API_PAGE_INVALID] = { 400, "PAGINATION_NUMBER_INVALID",
	    "invalid number of results requested" },
};

int
api_error_status(enum api_error e)
{
	return errors[e].status;
}

const char *
api_error_code(enum api_error e)
{
	return errors[e].code;
}

const char *
api_error_message(enum api_error e)
{
	return errors[e].message;
}

enum api_error
api_error_of(enum store_result result, enum api_error notfound,
    enum api_error mismatch)
{
	switch (result) {
	case STORE_NOTFOUND:
		return notfound;
	case STORE_MISMATCH:
		return mismatch;
	case STORE_BUSY:
		/* Anything else is held by the registry itself, for a while. */
		return notfound == API_UPLOAD_UNKNOWN ? API_UPLOAD_BUSY :
		    API_BUSY;
	case STORE_TOOBIG:
		return API_BLOB_TOO_LARGE;
	case STORE_NOSPACE:
		return API_NOSPACE;
	case STORE_MISSING:
		return API_MANIFEST_BLOB_UNKNOWN;
	case STORE_REMOVED:
		return API_UPLOAD_REMOVED;
	case STORE_READONLY:
	case STORE_NOMEM:
	case STORE_LIMIT:
	case STORE_GONE:
	case STORE_UNAVAILABLE:
	case STORE_EXISTS:
		return API_UNAVAILABLE;
	case STORE_OK:
	case STORE_INVALID:
	case STORE_DENIED:
	case STORE_IO:
	case STORE_AGAIN:
	case STORE_MORE:
	case STORE_LOCKED:
		break;
	}
	return API_UNKNOWN;
}

static void
entry_add(json_t *list, const char *code, const char *message, json_t *detail)
{
	json_t *entry = json_pack("{s:s, s:s}", "code", code, "message",
	    message);

	if (detail != NULL)
		(void)json_object_set(entry, "detail", detail);
	(void)json_array_append_new(list, entry);
}

static void
body_format(struct buf *body, json_t *list)
{
	json_t *doc = json_pack("{s:O}", "errors", list);
	char *text = doc == NULL ? NULL :
	    json_dumps(doc, JSON_COMPACT | JSON_PRESERVE_ORDER);

	if (text != NULL) {
		(void)buf_addstr(body, text);
		(void)buf_addc(body, '\n');
	}
	free(text);
	json_decref(doc);
}

void
api_error_format(struct buf *body, enum api_error e, json_t *detail,
    bool each)
{
	json_t *list = json_array(), *item;
	size_t i;

	if (each) {
		json_array_foreach(detail, i, item)
			entry_add(list, errors[e].code, errors[e].message,
			    item);
	} else {
		entry_add(list, errors[e].code, errors[e].message, detail);
	}
	body_format(body, list);
	json_decref(list);
	json_decref(detail);
}

void
api_error_format_status(struct buf *body, int status, const char *reason)
{
	json_t *list = json_array();

	entry_add(list, status == 413 ? "SIZE_INVALID" : "UNSUPPORTED",
	    reason, NULL);
	body_format(body, list);
	json_decref(list);
}

/* What the log says of the detail; the body of a HEAD is not sent at all. */
static void
detail_keep(struct api_request *r, const json_t *detail)
{
	char *text;

	if (detail == NULL || r->detail[0] != '\0')
		return;
	if (json_is_string(detail)) {
		(void)str_vis(r->detail, sizeof(r->detail),
		    json_string_value(detail), json_string_length(detail));
		return;
	}
	if ((text = json_dumps(detail, JSON_COMPACT)) != NULL)
		(void)str_vis(r->detail, sizeof(r->detail), text,
		    strlen(text));
	free(text);
}

enum step
api_fail_with(struct api_request *r, struct http_response *resp,
    enum api_error e, json_t *detail, bool each)
{
	struct http_response own;
	struct buf body;

	if (resp == NULL) {
		http_response_init(&own, errors[e].status);
		resp = &own;
	}
	resp->status = errors[e].status;
	r->failed = true;
	r->error = e;
	detail_keep(r, detail);
	buf_init(&body, BODY_MAX);
	api_error_format(&body, e, detail, each);
	http_response_header(resp, "Content-Type", "application/json");
	if (resp->status == 503 || e == API_UPLOAD_BUSY)
		http_response_header(resp, "Retry-After", "1");
	if (body.len > 0 && !buf_failed(&body))
		http_response_body(resp, body.data, body.len);
	buf_done(&body);
	api_respond(r, resp);
	return STEP_DONE;
}

enum step
api_fail(struct api_request *r, enum api_error e)
{
	return api_fail_with(r, NULL, e, NULL, false);
}

enum step
api_fail_text(struct api_request *r, enum api_error e, const char *detail)
{
	char safe[256];

	return api_fail_with(r, NULL, e, json_string(str_vis(safe,
	    sizeof(safe), detail, strlen(detail))), false);
}

enum step
api_fail_damaged(struct api_request *r, enum api_error notfound,
    const char *what)
{
	if (r->head->method != HTTP_HEAD)
		return api_fail_store(r, STORE_INVALID, notfound, API_UNKNOWN,
		    what);
	(void)snprintf(r->detail, sizeof(r->detail), "%s: %s", what,
	    store_result_text(STORE_INVALID));
	log_warnx("%s %s: %s", r->match.name, r->match.arg, r->detail);
	return api_fail(r, notfound);
}

enum step
api_fail_store(struct api_request *r, enum store_result result,
    enum api_error notfound, enum api_error mismatch, const char *what)
{
	enum api_error e = api_error_of(result, notfound, mismatch);

	/* What happened inside is for the log; the client gets the status. */
	if (errors[e].status >= 500) {
		(void)snprintf(r->detail, sizeof(r->detail), "%s: %s", what,
		    store_result_text(result));
	}
	return api_fail(r, e);
}

enum step
api_fail_lease(struct api_request *r, enum store_result result)
{
	(void)snprintf(r->detail, sizeof(r->detail), "no lease: %s",
	    store_result_text(result));
	return api_fail(r, API_UNAVAILABLE);
}
