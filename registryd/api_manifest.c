/* SPDX-License-Identifier: ISC */
/*
 * Manifests: HEAD, GET and DELETE, by tag and by digest.  Runs in the worker;
 * deletions go to a keeper.
 *
 * A manifest is sent as it is stored, whatever Accept lists: it has one
 * form, and a client that may not take its type says so better than a 404
 * would ("unknown" of something that is there).  Bytes and type never depend
 * on the request, so that no two clients see two things under one digest;
 * who did not list the type gets a Warning beside.
 */
#include "api_manifest.h"

#include <stdlib.h>
#include <string.h>

#include "api.h"
#include "api_lease.h"
#include "buf.h"
#include "keeper_client.h"
#include "manifest_types.h"
#include "messages.h"
#include "reference.h"
#include "repo.h"
#include "str.h"
#include "tag.h"

#define ACCEPT_MAX	(32 * 1024)

/*
 * Bytes that have this digest; INVALID when they are others.  A manifest is
 * leased only where those without a tag are collected.
 */
static enum store_result
load_bytes(struct api_request *r, const struct digest *digest, char **data,
    size_t *len, bool *lease)
{
	const struct registry_conf *conf = r->conf;
	struct digest actual;
	struct store_stat st;
	enum store_result result;
	int fd;

	result = repo_see_manifest(r->store, api_name(r), digest,
	    conf->readonly || conf->collect_untagged_ms == UINT64_MAX ?
	    REPO_NO_LEASE : conf->collect_grace_ms / REPO_RENEW_PART, &fd,
	    &st, lease);
	if (result != STORE_OK)
		return result;
	result = repo_read_fd(r->store, fd, &st, data, len);
	store_close(r->store, fd);
	if (result != STORE_OK)
		return result;
	if (digest_of(&actual, digest->alg, *data, *len) == -1)
		result = STORE_NOMEM;
	else if (!digest_equal(&actual, digest))
		result = STORE_INVALID;
	if (result != STORE_OK)
		free(*data);
	return result;
}

enum store_result
api_manifest_load(struct api_request *r, const struct digest *digest,
    struct api_manifest *am)
{
	char kept[MEDIATYPE_SIZE];
	enum store_result result;
	bool lease;

	memset(am, 0, sizeof(*am));
	result = load_bytes(r, digest, &am->data, &am->len, &lease);
	if (result != STORE_OK)
		return result;
	result = repo_read_mediatype(r->store, api_name(r), digest, kept);
	if (result == STORE_OK || result == STORE_NOTFOUND)
		result = manifest_read(&am->m, am->data, am->len,
		    result == STORE_OK ? kept : NULL) == 0 ? STORE_OK :
		    STORE_NOMEM;
	if (result != STORE_OK)
		api_manifest_unload(am);
	return result;
}

/* Its type alone: kept beside, known from before, or told by the bytes. */
static enum store_result
find_type(struct api_request *r, const struct digest *digest,
    const char *data, size_t len, char *type, size_t size)
{
	enum store_result result;
	struct manifest m;
	const char *known;

	result = repo_read_mediatype(r->store, api_name(r), digest, type);
	if (result != STORE_NOTFOUND)
		return result;
	if ((known = manifest_types_get(r->types, digest)) != NULL)
		return str_copy(type, size, known) == 0 ? STORE_OK :
		    STORE_INVALID;
	if (manifest_read(&m, data, len, NULL) == -1)
		return STORE_NOMEM;
	manifest_types_put(r->types, digest, m.mediatype);
	result = str_copy(type, size, m.mediatype) == 0 ? STORE_OK :
	    STORE_INVALID;
	manifest_done(&m);
	return result;
}

void
api_manifest_unload(struct api_manifest *am)
{
	manifest_done(&am->m);
	free(am->data);
	am->data = NULL;
}

/* What the path refers to; answered when it is not OK. */
static bool
find_digest(struct api_request *r, struct digest *digest)
{
	struct reference ref;
	enum store_result result;

	if (reference_parse(&ref, r->match.arg) == -1) {
		if (strchr(r->match.arg, ':') != NULL)
			(void)api_fail_text(r, API_DIGEST_INVALID,
			    "not a digest of a known algorithm");
		else
			(void)api_fail(r, API_MANIFEST_UNKNOWN);
		return false;
	}
	if (ref.is_digest) {
		*digest = ref.digest;
		return true;
	}
	result = tag_get(r->store, api_name(r), ref.tag, digest);
	if (result == STORE_NOTFOUND)
		(void)api_fail_with(r, NULL, API_MANIFEST_UNKNOWN,
		    json_sprintf("unknown tag=%s", ref.tag), false);
	else if (result != STORE_OK)
		(void)api_fail_store(r, result, API_MANIFEST_UNKNOWN,
		    API_UNKNOWN, "read tag");
	return result == STORE_OK;
}

static enum step
fail_unknown(struct api_request *r, const char *digest)
{
	return api_fail_with(r, NULL, API_MANIFEST_UNKNOWN,
	    json_pack("{s:s, s:s}", "Name", api_name(r), "Revision", digest),
	    false);
}

static void
add_manifest_headers(struct http_response *resp, const char *digest)
{
	http_response_header(resp, "Docker-Content-Digest", "%s", digest);
	http_response_header(resp, "ETag", "\"%s\"", digest);
}

static enum step
send_not_modified(struct api_request *r, const char *text)
{
	struct http_response resp;

	http_response_init(&resp, 304);
	add_manifest_headers(&resp, text);
	api_respond(r, &resp);
	return STEP_DONE;
}

/* Is the type in one of the Accept headers?  They count as one list. */
static bool
is_listed(const struct api_request *r, const char *type)
{
	struct buf accept;
	bool listed;
	size_t i;

	buf_init(&accept, ACCEPT_MAX);
	for (i = 0; i < r->head->nheaders; i++)
		if (str_equal_nocase(r->head->headers[i].name, "Accept"))
			(void)buf_addf(&accept, "%s%s",
			    accept.len > 0 ? ", " : "",
			    r->head->headers[i].value);
	listed = buf_failed(&accept) ||
	    mediatype_accepted(buf_str(&accept), type);
	buf_done(&accept);
	return listed;
}

/* Takes ownership of data. */
static enum step
send_manifest(struct api_request *r, const struct digest *digest,
    const char *text, char *data, size_t len)
{
	char type[MEDIATYPE_SIZE];
	struct http_response resp;
	enum store_result result;

	result = find_type(r, digest, data, len, type, sizeof(type));
	if (result != STORE_OK) {
		free(data);
		return api_fail_store(r, result, API_UNKNOWN, API_UNKNOWN,
		    "read type of manifest");
	}
	http_response_init(&resp, 200);
	http_response_header(&resp, "Content-Type", "%s", type);
	add_manifest_headers(&resp, text);
	/* A type that a client chose must not run in a browser as ours. */
	if (mediatype_kind(type) == MEDIATYPE_OTHER)
		http_response_header(&resp, "Content-Security-Policy",
		    "sandbox");
	if (!is_listed(r, type))
		api_warn(&resp, "the manifest has a type that Accept does "
		    "not list");
	http_response_body(&resp, data, len);
	free(data);
	api_respond(r, &resp);
	return STEP_DONE;
}

static void	 manifest_on_lease(const struct keeper_reply *, void *);

static enum step
answer_bytes(struct api_request *r, const struct digest *digest, char *data,
    size_t len)
{
	char text[DIGEST_STR_SIZE];

	(void)digest_format(text, digest);
	if (!api_etag_matches(http_request_header(r->exchange,
	    "If-None-Match"), text))
		return send_manifest(r, digest, text, data, len);
	free(data);
	return send_not_modified(r, text);
}

/*
 * The keeper says whether it is there, or has renewed it; then once more.  A
 * tag keeps its manifest, and begins its time anew when it moves: only an
 * answer about a digest promises something.
 */
static enum step
manifest_answer(struct api_request *r, const struct digest *digest,
    bool asked, enum store_result lease_result)
{
	struct lease_look look = {
		.promise = r->head->method == HTTP_HEAD &&
		    strchr(r->match.arg, ':') != NULL,
		.asked = asked,
		.lease = lease_result
	};
	char text[DIGEST_STR_SIZE], *data = NULL;
	enum lease_verdict verdict;
	bool lease;
	size_t len;

	look.found = load_bytes(r, digest, &data, &len, &lease);
	look.due = look.found == STORE_OK && lease;
	verdict = api_lease_judge(&look, look.found != STORE_OK && lease);
	if (verdict == LEASE_ANSWER)
		return answer_bytes(r, digest, data, len);
	if (look.found == STORE_OK)
		free(data);
	/* Asked or not: a lease does not mend it. */
	if (look.found == STORE_INVALID)
		return api_fail_damaged(r, API_MANIFEST_UNKNOWN,
		    "read manifest");
	switch (verdict) {
	case LEASE_ASK:
		r->call = keeper_lease(r->keepers, api_name(r), digest,
		    KEEPER_LEASE_MANIFEST, manifest_on_lease, r);
		return r->call != NULL ? STEP_WAIT :
		    manifest_answer(r, digest, true, STORE_GONE);
	case LEASE_ABSENT:
		return fail_unknown(r, digest_format(text, digest));
	case LEASE_UNAVAILABLE:
		return api_fail_lease(r, lease_result);
	default:
		return api_fail_store(r, look.found, API_MANIFEST_UNKNOWN,
		    API_UNKNOWN, "read manifest");
	}
}

static void
manifest_on_lease(const struct keeper_reply *reply, void *arg)
{
	struct api_request *r = arg;
	struct digest digest;

	r->call = NULL;
	if (find_digest(r, &digest))
		(void)manifest_answer(r, &digest, true, reply->result);
}

enum step
api_manifest_get(struct api_request *r)
{
	struct digest digest;

	if (!find_digest(r, &digest))
		return STEP_DONE;
	return manifest_answer(r, &digest, false, STORE_OK);
}

static void
manifest_on_delete(const struct keeper_reply *reply, void *arg)
{
	struct api_request *r = arg;
	struct http_response resp;

	r->call = NULL;
	if (reply->result != STORE_OK) {
		(void)api_fail_store(r, reply->result, API_MANIFEST_UNKNOWN,
		    API_MANIFEST_UNKNOWN, "delete manifest");
		return;
	}
	http_response_init(&resp, 202);
	api_respond(r, &resp);
}

enum step
api_manifest_delete(struct api_request *r)
{
	struct reference ref;

	if (reference_parse(&ref, r->match.arg) == -1)
		return strchr(r->match.arg, ':') != NULL ?
		    api_fail_text(r, API_DIGEST_INVALID,
		    "not a digest of a known algorithm") :
		    api_fail(r, API_MANIFEST_UNKNOWN);
	if (ref.is_digest)
		r->call = keeper_manifest_delete(r->keepers, api_name(r),
		    &ref.digest, manifest_on_delete, r);
	else
		r->call = keeper_tag_delete(r->keepers, api_name(r), ref.tag,
		    manifest_on_delete, r);
	if (r->call == NULL)
		return api_fail(r, API_UNAVAILABLE);
	return STEP_WAIT;
}
