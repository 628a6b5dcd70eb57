/* SPDX-License-Identifier: ISC */
/*
 * Requests to an upload session that exists: its status, appending, closing,
 * giving up.  Runs in the worker; a keeper owns the session.
 */
#include "api_upload.h"
#include "upload.h"

/*
 * The session that the path names, and what it has.  An id says nothing
 * without its repository, which the token was checked for.
 */
static bool
session_find(struct api_request *r, uint64_t *offset)
{
	enum store_result result;

	if (!upload_id_ok(r->match.arg)) {
		(void)api_fail(r, API_UPLOAD_UNKNOWN);
		return false;
	}
	result = upload_status(r->store, api_name(r), r->match.arg, offset);
	if (result != STORE_OK) {
		(void)api_fail_store(r, result, API_UPLOAD_UNKNOWN,
		    API_UNKNOWN, "upload status");
		return false;
	}
	if (api_upload_new(r) == NULL) {
		(void)api_fail(r, API_UNAVAILABLE);
		return false;
	}
	return true;
}

enum step
api_upload_get(struct api_request *r)
{
	uint64_t offset;

	if (session_find(r, &offset))
		api_upload_respond(r, 204, offset);
	return STEP_DONE;
}

static void
upload_on_append(const struct keeper_reply *reply, void *arg)
{
	struct api_request *r = arg;

	r->call = NULL;
	if (reply->result == STORE_OK)
		api_upload_respond(r, 202, reply->offset);
	else
		api_upload_failed(r, reply, "append to upload");
}

enum step
api_upload_patch(struct api_request *r)
{
	struct api_upload *up;
	uint64_t offset;

	if (!session_find(r, &offset) || !api_upload_announced(r, offset))
		return STEP_DONE;
	up = r->state;
	r->call = keeper_upload_append(r->keepers, api_name(r), up->id,
	    up->first, up->length, api_upload_on_room, upload_on_append, r);
	return api_upload_stream(r);
}

static void
upload_on_finish(const struct keeper_reply *reply, void *arg)
{
	struct api_request *r = arg;
	const struct api_upload *up = r->state;

	r->call = NULL;
	if (reply->result == STORE_OK)
		api_upload_created(r, &up->digest);
	else
		api_upload_failed(r, reply, "finish upload");
}

enum step
api_upload_put(struct api_request *r)
{
	struct api_upload *up;
	struct digest digest;
	const char *text;
	uint64_t offset;
	bool several;

	text = api_param(r, "digest", &several);
	if (text == NULL || several)
		return api_fail_text(r, API_DIGEST_INVALID,
		    text == NULL ? "digest missing" : "several digests");
	if (digest_parse(&digest, text) == -1)
		return api_fail_text(r, API_DIGEST_INVALID,
		    "not a digest of a known algorithm");
	if (!session_find(r, &offset) || !api_upload_announced(r, offset))
		return STEP_DONE;
	up = r->state;
	up->finishing = true;
	up->digest = digest;
	r->call = keeper_upload_finish(r->keepers, api_name(r), up->id, false,
	    up->first, up->length, &digest, api_upload_on_room,
	    upload_on_finish, r);
	return api_upload_stream(r);
}

static void
upload_on_cancel(const struct keeper_reply *reply, void *arg)
{
	struct api_request *r = arg;
	struct http_response resp;

	r->call = NULL;
	if (reply->result != STORE_OK) {
		(void)api_fail_store(r, reply->result, API_UPLOAD_UNKNOWN,
		    API_UNKNOWN, "cancel upload");
		return;
	}
	http_response_init(&resp, 204);
	http_response_header(&resp, "Docker-Upload-UUID", "%s",
	    r->match.arg);
	api_respond(r, &resp);
}

enum step
api_upload_delete(struct api_request *r)
{
	if (!upload_id_ok(r->match.arg))
		return api_fail(r, API_UPLOAD_UNKNOWN);
	r->call = keeper_upload_cancel(r->keepers, api_name(r), r->match.arg,
	    upload_on_cancel, r);
	if (r->call == NULL)
		return api_fail(r, API_UNAVAILABLE);
	return STEP_WAIT;
}
