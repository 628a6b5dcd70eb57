/* SPDX-License-Identifier: ISC */
/*
 * Bodies of uploads on their way from the client to a keeper's pipe, what
 * was announced of them, and the answers about a session.  Runs in the
 * worker.  A full pipe stops the reading of that client alone; nothing here
 * waits.
 */
#include <stdio.h>
#include <stdlib.h>

#include "api_upload.h"
#include "http_range.h"
#include "messages.h"
#include "str.h"

struct api_upload *
api_upload_new(struct api_request *r)
{
	struct api_upload *up;

	if ((up = calloc(1, sizeof(*up))) == NULL)
		return NULL;
	up->first = KEEPER_ANY;
	up->length = KEEPER_ANY;
	up->limit = UINT64_MAX;
	(void)str_copy(up->id, sizeof(up->id), r->match.arg);
	r->state = up;
	r->state_free = free;
	return up;
}

bool
api_upload_announced(struct api_request *r, uint64_t offset)
{
	struct api_upload *up = r->state;
	const char *range = http_request_header(r->exchange, "Content-Range");
	uint64_t last, max = r->conf->max_blob;

	if (!r->head->chunked)
		up->length = r->head->content_length;
	if (range != NULL && r->head->has_body) {
		if (http_content_range_parse(range, &up->first,
		    &last) == -1 || last == UINT64_MAX ||
		    up->first != offset) {
			(void)api_upload_out_of_order(r, offset);
			return false;
		}
		if (up->length == KEEPER_ANY)
			up->length = last - up->first + 1;
		if (up->length != last - up->first + 1) {
			(void)api_fail_text(r, API_SIZE_INVALID,
			    "Content-Length differs from Content-Range");
			return false;
		}
	}
	if (max == 0)
		return true;
	up->limit = offset >= max ? 0 : max - offset;
	if (up->length != KEEPER_ANY && up->length > up->limit) {
		(void)api_fail(r, API_BLOB_TOO_LARGE);
		return false;
	}
	return true;
}

static void
call_off(struct api_request *r)
{
	if (r->call != NULL)
		keeper_call_cancel(r->call);
	r->call = NULL;
}

static ssize_t
upload_on_body(struct http_exchange *exchange, const void *data, size_t len,
    bool end, void *arg)
{
	struct api_request *r = arg;
	struct api_upload *up = r->state;
	ssize_t n;

	(void)exchange;
	if (data == NULL && !end) {		/* the client is gone */
		call_off(r);
		return 0;
	}
	if (r->call == NULL)			/* answered: drop the rest */
		return (ssize_t)len;
	if (len > 0) {
		if (len > up->limit - up->received) {
			call_off(r);
			(void)api_fail(r, API_BLOB_TOO_LARGE);
			return (ssize_t)len;
		}
		/* The keeper was promised so many, and holds us to it. */
		if (len > up->length - up->received) {
			call_off(r);
			(void)api_fail_text(r, API_SIZE_INVALID,
			    "longer than Content-Range");
			return (ssize_t)len;
		}
		n = keeper_call_write(r->call, data, len);
		/* Broken: the keeper's answer is on its way. */
		if (n == -1)
			return 0;
		up->received += (uint64_t)n;
		return n;
	}
	if (end) {
		up->complete = true;
		keeper_call_end(r->call);
	}
	return 0;
}

void
api_upload_on_room(void *arg)
{
	struct api_request *r = arg;

	http_body_resume(r->exchange);
}

enum step
api_upload_stream(struct api_request *r)
{
	if (r->call == NULL)
		return api_fail(r, API_UNAVAILABLE);
	if (r->head->has_body)
		http_body_read(r->exchange, upload_on_body, r);
	else
		keeper_call_end(r->call);
	return STEP_WAIT;
}

/* ---- answers ---- */

static void
add_session(struct api_request *r, struct http_response *resp,
    uint64_t offset)
{
	const struct api_upload *up = r->state;
	char path[REPO_NAME_SIZE + UPLOAD_ID_SIZE + 32];

	(void)snprintf(path, sizeof(path), "/v2/%s/blobs/uploads/%s",
	    api_name(r), up->id);
	api_location(r, resp, path);
	http_response_header(resp, "Docker-Upload-UUID", "%s", up->id);
	/* Clients know "0-0" for nothing at all: distribution says so. */
	http_response_header(resp, "Range", "0-%llu",
	    (unsigned long long)(offset == 0 ? 0 : offset - 1));
}

void
api_upload_respond(struct api_request *r, int status, uint64_t offset)
{
	struct http_response resp;

	http_response_init(&resp, status);
	add_session(r, &resp, offset);
	api_respond(r, &resp);
}

enum step
api_upload_out_of_order(struct api_request *r, uint64_t offset)
{
	struct http_response resp;

	http_response_init(&resp, 416);
	add_session(r, &resp, offset);
	return api_fail_with(r, &resp, API_RANGE_INVALID, NULL, false);
}

void
api_upload_created(struct api_request *r, const struct digest *digest)
{
	struct http_response resp;
	char text[DIGEST_STR_SIZE];
	char path[REPO_NAME_SIZE + DIGEST_STR_SIZE + 32];

	http_response_init(&resp, 201);
	(void)snprintf(path, sizeof(path), "/v2/%s/blobs/%s", api_name(r),
	    digest_format(text, digest));
	api_location(r, &resp, path);
	http_response_header(&resp, "Docker-Content-Digest", "%s", text);
	api_respond(r, &resp);
}

/*
 * A mismatch is one of offset, length or digest, in this order.  A keeper
 * that could not finish has the session as it was before; one that could
 * not append refused the offset, unless all of the body went to it.
 */
static enum api_error
mismatch_of(const struct api_upload *up, const struct keeper_reply *reply)
{
	bool length = up->length == KEEPER_ANY || up->length == up->received;

	if (!up->finishing)
		return up->complete && !length ? API_SIZE_INVALID :
		    API_RANGE_INVALID;
	if (up->first != KEEPER_ANY && reply->offset != up->first)
		return API_RANGE_INVALID;
	return up->complete && !length ? API_SIZE_INVALID :
	    API_DIGEST_INVALID;
}

void
api_upload_failed(struct api_request *r, const struct keeper_reply *reply,
    const char *what)
{
	const struct api_upload *up = r->state;
	enum api_error mismatch = mismatch_of(up, reply);

	if (reply->result == STORE_MISMATCH && mismatch == API_RANGE_INVALID) {
		(void)api_upload_out_of_order(r, reply->offset);
		return;
	}
	/* One that we have made ourselves may have been removed since. */
	(void)api_fail_store(r, reply->result, API_UPLOAD_UNKNOWN, mismatch,
	    what);
}
