/* SPDX-License-Identifier: ISC */
/*
 * POST to the uploads of a repository: a new session, a whole blob at once,
 * or a blob mounted from another repository.  Runs in the worker.
 *
 * A mount that cannot be done, for whatever reason, becomes a session: the
 * answer does not tell whether the source has the blob.
 */
#include <string.h>

#include "api_upload.h"
#include "random.h"
#include "repo.h"
#include "str.h"

static void
upload_on_start(const struct keeper_reply *reply, void *arg)
{
	struct api_request *r = arg;

	r->call = NULL;
	if (reply->result == STORE_OK)
		api_upload_respond(r, 202, 0);
	else
		api_upload_failed(r, reply, "start upload");
}

static struct api_upload *
upload_new_id(struct api_request *r)
{
	struct api_upload *up = r->state;
	char id[UUID_SIZE];

	if (up == NULL && (up = api_upload_new(r)) == NULL)
		return NULL;
	random_uuid(id);
	(void)str_copy(up->id, sizeof(up->id), id);
	return up;
}

static enum step
start_session(struct api_request *r)
{
	const char *name = uri_param(&r->uri, "digest-algorithm");
	enum digest_alg alg = DIGEST_SHA256;
	struct api_upload *up;

	if (name != NULL && digest_alg_parse(&alg, name) == -1)
		return api_fail_text(r, API_DIGEST_INVALID,
		    "unsupported digest algorithm");
	if ((up = upload_new_id(r)) == NULL)
		return api_fail(r, API_UNAVAILABLE);
	r->call = keeper_upload_start(r->keepers, api_name(r), up->id, alg,
	    upload_on_start, r);
	if (r->call == NULL)
		return api_fail(r, API_UNAVAILABLE);
	return STEP_WAIT;
}

static void
upload_on_single(const struct keeper_reply *reply, void *arg)
{
	struct api_request *r = arg;
	const struct api_upload *up = r->state;

	r->call = NULL;
	if (reply->result == STORE_OK)
		api_upload_created(r, &up->digest);
	else
		api_upload_failed(r, reply, "upload blob");
}

static enum step
post_single(struct api_request *r, const char *text)
{
	struct api_upload *up;
	struct digest digest;

	if (digest_parse(&digest, text) == -1)
		return api_fail_text(r, API_DIGEST_INVALID,
		    "not a digest of a known algorithm");
	if ((up = upload_new_id(r)) == NULL)
		return api_fail(r, API_UNAVAILABLE);
	up->finishing = true;
	up->digest = digest;
	if (!api_upload_announced(r, 0))
		return STEP_DONE;
	r->call = keeper_upload_finish(r->keepers, api_name(r), up->id, true,
	    0, up->length, &digest, api_upload_on_room, upload_on_single, r);
	return api_upload_stream(r);
}

static void
upload_on_mount(const struct keeper_reply *reply, void *arg)
{
	struct api_request *r = arg;
	const struct api_upload *up = r->state;

	r->call = NULL;
	if (reply->result == STORE_OK)
		api_upload_created(r, &up->digest);
	else
		(void)start_session(r);
}

static enum step
post_mount(struct api_request *r, const char *text, const char *from)
{
	struct api_upload *up;
	struct store_stat st;
	struct digest digest;

	if (digest_parse(&digest, text) == -1)
		return start_session(r);
	/* Its own is linked anew: only a keeper can promise that it stays. */
	if (repo_stat_blob(r->store, api_name(r), &digest, &st) == STORE_OK)
		from = api_name(r);
	else if (from == NULL || !r->grant.from_allowed)
		return start_session(r);
	if ((up = api_upload_new(r)) == NULL)
		return api_fail(r, API_UNAVAILABLE);
	up->digest = digest;
	r->call = keeper_blob_mount(r->keepers, api_name(r), from, &digest,
	    upload_on_mount, r);
	if (r->call == NULL)
		return start_session(r);
	return STEP_WAIT;
}

enum step
api_upload_post(struct api_request *r)
{
	const char *mount, *from, *digest;
	bool several[3];

	mount = api_param(r, "mount", &several[0]);
	from = api_param(r, "from", &several[1]);
	digest = api_param(r, "digest", &several[2]);
	if (several[0] || several[1] || several[2])
		return api_fail_text(r, API_BAD_REQUEST,
		    "a parameter occurs twice");
	if (mount != NULL)
		return post_mount(r, mount, from);
	if (digest != NULL)
		return post_single(r, digest);
	return start_session(r);
}
