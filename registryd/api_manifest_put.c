/* SPDX-License-Identifier: ISC */
/*
 * PUT of a manifest: read within its maximum, checked, handed to a keeper
 * with what it refers to.  Runs in the worker.  The bytes are stored as they
 * came.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api.h"
#include "buf.h"
#include "keeper_client.h"
#include "manifest.h"
#include "reference.h"
#include "repo.h"
#include "str.h"

#define TAG_LINES	8		/* header lines that tags may take */

struct put {				/* state of an api_request */
	struct reference ref;
	struct digest	 digest;
	struct buf	 body;
	bool		 parsed;
	struct manifest	 m;
	bool		 no_type;	/* the request has no Content-Type */
	const char	**tags;		/* borrowed from the request */
	size_t		 ntags;
};

static void
put_free(void *arg)
{
	struct put *put = arg;

	buf_done(&put->body);
	if (put->parsed)
		manifest_done(&put->m);
	free(put->tags);
	free(put);
}

static bool
has_tag(const struct put *put, const char *tag)
{
	size_t i;

	for (i = 0; i < put->ntags; i++)
		if (strcmp(put->tags[i], tag) == 0)
			return true;
	return false;
}

/* The tag in the path, or with a digest there, those in the query. */
static bool
collect_tags(struct api_request *r, struct put *put)
{
	size_t i, n = uri_param_count(&r->uri, "tag");

	if (put->ref.is_digest && n > r->conf->max_tags_per_put) {
		(void)api_fail(r, API_TOO_MANY_TAGS);
		return false;
	}
	put->ntags = 0;
	put->tags = calloc(n + 1, sizeof(*put->tags));
	if (put->tags == NULL) {
		(void)api_fail(r, API_UNAVAILABLE);
		return false;
	}
	if (!put->ref.is_digest) {
		put->tags[put->ntags++] = put->ref.tag;
		return true;
	}
	for (i = 0; i < r->uri.nparams; i++) {
		const struct uri_param *p = &r->uri.params[i];

		if (strcmp(p->name, "tag") != 0 || has_tag(put, p->value))
			continue;
		if (!tag_ok(p->value)) {
			(void)api_fail_text(r, API_TAG_INVALID, p->value);
			return false;
		}
		put->tags[put->ntags++] = p->value;
	}
	return true;
}

/* ---- the answer ---- */

static void
add_tags(struct http_response *resp, const struct put *put)
{
	size_t i, per_line = (put->ntags + TAG_LINES - 1) / TAG_LINES;
	struct buf line;

	buf_init(&line, 16 * 1024);
	for (i = 0; i < put->ntags; i++) {
		(void)buf_addf(&line, "%s%s", line.len > 0 ? ", " : "",
		    put->tags[i]);
		if ((i + 1) % per_line != 0 && i + 1 < put->ntags)
			continue;
		http_response_header(resp, "OCI-Tag", "%s", buf_str(&line));
		buf_reset(&line);
	}
	buf_done(&line);
}

static void
add_warnings(struct http_response *resp, const struct put *put)
{
	if (put->no_type)
		api_warn(resp, "Content-Type is missing; the type was taken "
		    "from the manifest");
	if (put->m.kind == MEDIATYPE_OTHER)
		api_warn(resp, "the type of the manifest is not known; what "
		    "it refers to was not checked");
}

static void
send_created(struct api_request *r, const struct put *put)
{
	struct http_response resp;
	char text[DIGEST_STR_SIZE];
	char path[REPO_NAME_SIZE + DIGEST_STR_SIZE + 32];

	http_response_init(&resp, 201);
	(void)digest_format(text, &put->digest);
	(void)snprintf(path, sizeof(path), "/v2/%s/manifests/%s",
	    api_name(r), text);
	api_location(r, &resp, path);
	http_response_header(&resp, "Docker-Content-Digest", "%s", text);
	if (put->m.has_subject)
		http_response_header(&resp, "OCI-Subject", "%s",
		    digest_format(text, &put->m.subject));
	if (put->ref.is_digest)
		add_tags(&resp, put);
	add_warnings(&resp, put);
	api_respond(r, &resp);
}

/* One error for each digest that is not there. */
static void
send_missing(struct api_request *r, const struct keeper_reply *reply)
{
	char text[DIGEST_STR_SIZE];
	json_t *list = json_array();
	size_t i;

	for (i = 0; i < reply->nmissing; i++)
		(void)json_array_append_new(list, json_string(digest_format(
		    text, &reply->missing[i])));
	(void)api_fail_with(r, NULL, API_MANIFEST_BLOB_UNKNOWN, list,
	    json_array_size(list) > 0);
}

static void
manifest_on_put(const struct keeper_reply *reply, void *arg)
{
	struct api_request *r = arg;

	r->call = NULL;
	if (reply->result == STORE_OK)
		send_created(r, r->state);
	else if (reply->result == STORE_MISSING)
		send_missing(r, reply);
	else
		(void)api_fail_store(r, reply->result, API_MANIFEST_UNKNOWN,
		    API_DIGEST_INVALID, "put manifest");
}

/* ---- the body is complete ---- */

/* Content-Type without its parameters, in lower case; "" when absent. */
static void
content_type(struct api_request *r, char *dst, size_t size)
{
	const char *value = http_request_header(r->exchange, "Content-Type");
	size_t len;

	dst[0] = '\0';
	if (value == NULL)
		return;
	len = strcspn(value, ";");
	while (len > 0 && (value[len - 1] == ' ' || value[len - 1] == '\t'))
		len--;
	if (len == 0)
		return;
	if (len >= size)			/* no type has this length */
		len = size - 1;
	memcpy(dst, value, len);
	dst[len] = '\0';
	str_lower(dst);
}

/* Under any name: a deletion or collection may have renamed its link. */
static bool
has_blob(struct api_request *r, const struct digest *d)
{
	struct store_stat st;
	bool lease;
	int fd;

	if (repo_see_blob(r->store, api_name(r), d, REPO_NO_LEASE, &fd, &st,
	    &lease) != STORE_OK)
		return false;
	store_close(r->store, fd);
	return true;
}

/*
 * BuildKit keeps its cache as an index of layers: where the type of an entry
 * does not tell, what the repository has under the digest does.
 */
static void
settle_others(struct api_request *r, struct manifest *m)
{
	struct manifest_refs *refs;
	struct store_stat st;
	size_t i;

	for (i = 0; i < m->others.n; i++) {
		const struct digest *d = &m->others.items[i];

		refs = &m->children;
		if (repo_stat_manifest(r->store, api_name(r), d,
		    &st) != STORE_OK && has_blob(r, d))
			refs = &m->blobs;
		refs->items[refs->n++] = *d;
	}
	m->others.n = 0;
}

static enum step
put_start(struct api_request *r, struct put *put)
{
	struct manifest_put mp;
	struct manifest *m = &put->m;

	memset(&mp, 0, sizeof(mp));
	mp.repo = api_name(r);
	mp.digest = put->digest;
	mp.data = put->body.data;
	mp.len = put->body.len;
	mp.mediatype = m->told ? NULL : m->mediatype;
	mp.refs = m->blobs.items;
	mp.nrefs = m->blobs.n;
	mp.children = m->children.items;
	mp.nchildren = m->children.n;
	mp.has_subject = m->has_subject;
	mp.subject = m->subject;
	/* Only a referrer has an entry with it; only then it was checked. */
	mp.artifact_type = m->has_subject ? m->artifact_type : "";
	mp.tags = put->tags;
	mp.ntags = put->ntags;
	r->call = keeper_manifest_put(r->keepers, &mp, manifest_on_put, r);
	buf_done(&put->body);
	if (r->call == NULL)
		return api_fail(r, API_UNAVAILABLE);
	return STEP_WAIT;
}

static enum step
put_complete(struct api_request *r, struct put *put)
{
	enum digest_alg alg = put->ref.is_digest ? put->ref.digest.alg :
	    DIGEST_SHA256;
	char type[MEDIATYPE_SIZE + 1], reason[160];

	if (digest_of(&put->digest, alg, put->body.data,
	    put->body.len) == -1)
		return api_fail(r, API_UNAVAILABLE);
	if (put->ref.is_digest &&
	    !digest_equal(&put->digest, &put->ref.digest))
		return api_fail_text(r, API_DIGEST_INVALID, r->match.arg);
	content_type(r, type, sizeof(type));
	put->no_type = type[0] == '\0';
	if (manifest_parse(&put->m, put->body.data, put->body.len, type,
	    reason, sizeof(reason)) == -1)
		return reason[0] == '\0' ? api_fail(r, API_UNAVAILABLE) :
		    api_fail_text(r, API_MANIFEST_INVALID, reason);
	put->parsed = true;
	settle_others(r, &put->m);
	return put_start(r, put);
}

static ssize_t
manifest_on_body(struct http_exchange *exchange, const void *data, size_t len,
    bool end, void *arg)
{
	struct api_request *r = arg;
	struct put *put = r->state;

	(void)exchange;
	if (r->failed || (data == NULL && !end))
		return (ssize_t)len;
	if (len > 0 && buf_add(&put->body, data, len) == -1) {
		(void)api_fail(r, errno == EMSGSIZE ?
		    API_MANIFEST_TOO_LARGE : API_UNAVAILABLE);
		return (ssize_t)len;
	}
	if (end)
		(void)put_complete(r, put);
	return (ssize_t)len;
}

enum step
api_manifest_put(struct api_request *r)
{
	struct put *put;

	if ((put = calloc(1, sizeof(*put))) == NULL)
		return api_fail(r, API_UNAVAILABLE);
	buf_init(&put->body, (size_t)r->conf->max_manifest);
	r->state = put;
	r->state_free = put_free;
	if (reference_parse(&put->ref, r->match.arg) == -1)
		return strchr(r->match.arg, ':') != NULL ?
		    api_fail_text(r, API_DIGEST_INVALID,
		    "not a digest of a known algorithm") :
		    api_fail_text(r, API_TAG_INVALID, r->match.arg);
	if (!collect_tags(r, put))
		return STEP_DONE;
	if (!r->head->has_body)
		return api_fail_text(r, API_MANIFEST_INVALID, "no body");
	if (!r->head->chunked &&
	    r->head->content_length > r->conf->max_manifest)
		return api_fail(r, API_MANIFEST_TOO_LARGE);
	http_body_read(r->exchange, manifest_on_body, r);
	return STEP_WAIT;
}
