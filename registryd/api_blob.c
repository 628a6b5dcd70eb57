/* SPDX-License-Identifier: ISC */
/*
 * Blobs: HEAD, GET whole or in part, DELETE.  Runs in the worker; reads go
 * from the store's file to the socket, deletions to a keeper.
 */
#include <string.h>
#include <unistd.h>

#include "api.h"
#include "api_lease.h"
#include "digest.h"
#include "http_range.h"
#include "keeper_client.h"
#include "messages.h"
#include "repo.h"

/* A blob never changes under its digest. */
#define CACHE_FOREVER	"max-age=31536000"

/* If-Range holds no date that we give, so only the entity tag counts. */
static bool
range_wanted(const struct api_request *r, const char *digest)
{
	const char *condition = http_request_header(r->exchange, "If-Range");

	if (r->head->method != HTTP_GET)
		return false;
	return condition == NULL || (condition[0] == '"' &&
	    api_etag_matches(condition, digest));
}

static void
add_blob_headers(struct http_response *resp, const char *digest)
{
	http_response_header(resp, "Docker-Content-Digest", "%s", digest);
	http_response_header(resp, "ETag", "\"%s\"", digest);
	http_response_header(resp, "Cache-Control", CACHE_FOREVER);
	http_response_header(resp, "Accept-Ranges", "bytes");
}

static enum step
send_not_modified(struct api_request *r, const char *digest)
{
	struct http_response resp;

	http_response_init(&resp, 304);
	add_blob_headers(&resp, digest);
	api_respond(r, &resp);
	return STEP_DONE;
}

static enum step
send_unsatisfiable(struct api_request *r, uint64_t size)
{
	struct http_response resp;

	http_response_init(&resp, 416);
	http_response_header(&resp, "Content-Range", "bytes */%llu",
	    (unsigned long long)size);
	http_response_header(&resp, "Accept-Ranges", "bytes");
	return api_fail_with(r, &resp, API_RANGE_INVALID, NULL, false);
}

/* Takes ownership of fd. */
static enum step
send_blob(struct api_request *r, const char *digest, int fd, uint64_t size)
{
	struct http_response resp;
	uint64_t first = 0, length = size;
	enum http_range_result range = HTTP_RANGE_NONE;

	if (range_wanted(r, digest))
		range = http_range_parse(http_request_header(r->exchange,
		    "Range"), size, &first, &length);
	if (range == HTTP_RANGE_UNSATISFIABLE) {
		(void)close(fd);
		return send_unsatisfiable(r, size);
	}
	if (range == HTTP_RANGE_NONE) {
		first = 0;
		length = size;
	}
	http_response_init(&resp, range == HTTP_RANGE_OK ? 206 : 200);
	http_response_header(&resp, "Content-Type",
	    "application/octet-stream");
	add_blob_headers(&resp, digest);
	if (range == HTTP_RANGE_OK)
		http_response_header(&resp, "Content-Range",
		    "bytes %llu-%llu/%llu", (unsigned long long)first,
		    (unsigned long long)(first + length - 1),
		    (unsigned long long)size);
	http_response_file(&resp, fd, first, length);
	api_respond(r, &resp);
	return STEP_DONE;
}

/* The blob is open: takes ownership of fd. */
static enum step
answer_open(struct api_request *r, int fd, uint64_t size)
{
	if (api_etag_matches(http_request_header(r->exchange,
	    "If-None-Match"), r->match.arg)) {
		(void)close(fd);
		return send_not_modified(r, r->match.arg);
	}
	return send_blob(r, r->match.arg, fd, size);
}

static void	 blob_on_lease(const struct keeper_reply *, void *);

/* Ask a keeper, if that is still to be done; then look once more. */
static enum step
blob_answer(struct api_request *r, const struct digest *digest, bool asked,
    enum store_result lease_result)
{
	struct lease_look look = {
		.promise = r->head->method == HTTP_HEAD,
		.asked = asked,
		.lease = lease_result
	};
	enum lease_verdict verdict;
	struct store_stat st;
	bool lease;
	int fd;

	look.found = repo_see_blob(r->store, api_name(r), digest,
	    r->conf->readonly ? REPO_NO_LEASE :
	    r->conf->collect_grace_ms / REPO_RENEW_PART, &fd, &st, &lease);
	look.due = look.found == STORE_OK && lease;
	verdict = api_lease_judge(&look, look.found != STORE_OK && lease);
	if (verdict == LEASE_ANSWER)
		return answer_open(r, fd, st.size);
	if (look.found == STORE_OK)
		(void)close(fd);
	if (look.found == STORE_INVALID)
		return api_fail_damaged(r, API_BLOB_UNKNOWN, "open blob");
	switch (verdict) {
	case LEASE_ASK:
		r->call = keeper_lease(r->keepers, api_name(r), digest,
		    KEEPER_LEASE_BLOB, blob_on_lease, r);
		return r->call != NULL ? STEP_WAIT :
		    blob_answer(r, digest, true, STORE_GONE);
	case LEASE_ABSENT:
		return api_fail_text(r, API_BLOB_UNKNOWN, r->match.arg);
	case LEASE_UNAVAILABLE:
		return api_fail_lease(r, lease_result);
	default:
		return api_fail_store(r, look.found, API_BLOB_UNKNOWN,
		    API_UNKNOWN, "open blob");
	}
}

static void
blob_on_lease(const struct keeper_reply *reply, void *arg)
{
	struct api_request *r = arg;
	struct digest digest;

	r->call = NULL;
	(void)digest_parse(&digest, r->match.arg);
	(void)blob_answer(r, &digest, true, reply->result);
}

enum step
api_blob_get(struct api_request *r)
{
	struct digest digest;

	if (digest_parse(&digest, r->match.arg) == -1)
		return api_fail_text(r, API_DIGEST_INVALID,
		    "not a digest of a known algorithm");
	return blob_answer(r, &digest, false, STORE_OK);
}

static void
blob_on_delete(const struct keeper_reply *reply, void *arg)
{
	struct api_request *r = arg;
	struct http_response resp;

	r->call = NULL;
	if (reply->result == STORE_NOTFOUND) {
		(void)api_fail_text(r, API_BLOB_UNKNOWN, r->match.arg);
		return;
	}
	if (reply->result == STORE_EXISTS) {
		(void)api_fail_text(r, API_BLOB_IN_USE, r->match.arg);
		return;
	}
	if (reply->result != STORE_OK) {
		(void)api_fail_store(r, reply->result, API_BLOB_UNKNOWN,
		    API_UNKNOWN, "delete blob");
		return;
	}
	http_response_init(&resp, 202);
	http_response_header(&resp, "Docker-Content-Digest", "%s",
	    r->match.arg);
	api_respond(r, &resp);
}

enum step
api_blob_delete(struct api_request *r)
{
	struct digest digest;

	if (digest_parse(&digest, r->match.arg) == -1)
		return api_fail_text(r, API_DIGEST_INVALID,
		    "not a digest of a known algorithm");
	r->call = keeper_blob_delete(r->keepers, api_name(r), &digest,
	    blob_on_delete, r);
	if (r->call == NULL)
		return api_fail(r, API_UNAVAILABLE);
	return STEP_WAIT;
}
