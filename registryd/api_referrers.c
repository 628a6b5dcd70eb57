/* SPDX-License-Identifier: ISC */
/*
 * Who refers to a digest: an index made of the entries that pushes left, and
 * of what clients listed under the tag of the referrers tag schema when the
 * registry in front of this store had no such API.  Runs in the worker.
 *
 * Both are in order of their digests; a page is a merge of the two.  It ends
 * at its number of entries, at the size that clients take for a manifest, or
 * when too many manifests had to be looked at.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api_manifest.h"
#include "api_page.h"
#include "buf.h"
#include "referrer.h"
#include "repo.h"
#include "str.h"
#include "tag.h"

#define PAGE_BYTES	(4u * 1024 * 1024)
#define TAG_HEX		64		/* of the digest, in the tag */
#define LOOK_FACTOR	4		/* manifests read for each entry */
#define LOOK_BYTES	(16u * 1024 * 1024)	/* and of their bytes */

struct listing {
	struct digest	 subject;
	const char	*filter;	/* NULL: any artifact type */
	size_t		 max;
	struct referrer	*kept;
	size_t		 nkept, next_kept;
	bool		 more_kept;
	struct manifest_refs tagged;
	size_t		 next_tagged;
	struct buf	 out;
	size_t		 n, looked, looked_bytes;
	char		 last[DIGEST_STR_SIZE];
};

static int
compare_digests(const void *a, const void *b)
{
	char x[DIGEST_STR_SIZE], y[DIGEST_STR_SIZE];

	return strcmp(digest_format(x, a), digest_format(y, b));
}

/* The index under <alg>-<hex>; that there is none is no error. */
static enum store_result
load_tagged(struct api_request *r, struct listing *l)
{
	char tag[TAG_SIZE], hex[DIGEST_HEX_SIZE];
	struct api_manifest am;
	struct digest digest;
	enum store_result result;

	(void)snprintf(tag, sizeof(tag), "%s-%.*s",
	    digest_alg_name(l->subject.alg), TAG_HEX,
	    digest_hex(hex, &l->subject));
	result = tag_get(r->store, api_name(r), tag, &digest);
	if (result == STORE_OK)
		result = api_manifest_load(r, &digest, &am);
	if (result != STORE_OK)
		return result == STORE_NOTFOUND ? STORE_OK : result;
	if (am.m.kind == MEDIATYPE_INDEX &&
	    manifest_entries(&am.m, &l->tagged) == -1)
		result = STORE_NOMEM;
	api_manifest_unload(&am);
	if (l->tagged.n > 1)
		qsort(l->tagged.items, l->tagged.n,
		    sizeof(*l->tagged.items), compare_digests);
	return result;
}

/* The next digest of either list behind l->last; false at their end. */
static bool
next_digest(struct listing *l, struct digest *digest)
{
	char a[DIGEST_STR_SIZE] = "", b[DIGEST_STR_SIZE] = "";

	while (l->next_kept < l->nkept && strcmp(digest_format(a,
	    &l->kept[l->next_kept].digest), l->last) <= 0)
		l->next_kept++;
	while (l->next_tagged < l->tagged.n && strcmp(digest_format(b,
	    &l->tagged.items[l->next_tagged]), l->last) <= 0)
		l->next_tagged++;
	/* Behind the end of a batch the other list must wait for the rest. */
	if (l->next_kept == l->nkept && l->more_kept)
		return false;
	if (l->next_kept < l->nkept && (l->next_tagged == l->tagged.n ||
	    strcmp(a, b) <= 0))
		*digest = l->kept[l->next_kept].digest;
	else if (l->next_tagged < l->tagged.n)
		*digest = l->tagged.items[l->next_tagged];
	else
		return false;
	return true;
}

static char *
descriptor_format(const struct digest *digest, const struct api_manifest *am)
{
	char text[DIGEST_STR_SIZE], *out;
	json_t *d;

	d = json_pack("{s:s, s:I, s:s}", "mediaType", am->m.mediatype,
	    "size", (json_int_t)am->len, "digest",
	    digest_format(text, digest));
	if (d != NULL && am->m.artifact_type[0] != '\0')
		(void)json_object_set_new(d, "artifactType",
		    json_string(am->m.artifact_type));
	if (d != NULL && json_object_size(am->m.annotations) > 0)
		(void)json_object_set(d, "annotations", am->m.annotations);
	out = d == NULL ? NULL : json_dumps(d, JSON_COMPACT);
	json_decref(d);
	return out;
}

/* Add it if it refers to the subject; false when the page is full. */
static bool
add_referrer(struct listing *l, const struct digest *digest,
    const struct api_manifest *am, enum store_result *result)
{
	char *text;
	bool fits;

	if (!am->m.has_subject || !digest_equal(&am->m.subject, &l->subject))
		return true;
	if (l->filter != NULL && strcmp(am->m.artifact_type, l->filter) != 0)
		return true;
	if ((text = descriptor_format(digest, am)) == NULL) {
		*result = STORE_NOMEM;
		return false;
	}
	/* One that is larger than a page has a page of its own. */
	fits = l->n == 0 || l->out.len + strlen(text) < PAGE_BYTES;
	if (fits) {
		if (buf_addf(&l->out, "%s%s", l->n > 0 ? "," : "",
		    text) == -1)
			*result = STORE_NOMEM;
		l->n++;
	}
	free(text);
	return fits;
}

/* Fill the page; *more: something is behind it. */
static enum store_result
fill_page(struct api_request *r, struct listing *l, bool *more)
{
	enum store_result result;
	struct api_manifest am;
	struct digest digest;
	bool fits = true;

	while (next_digest(l, &digest)) {
		*more = true;
		if (l->n == l->max || l->looked_bytes >= LOOK_BYTES ||
		    l->looked++ == LOOK_FACTOR * l->max)
			return STORE_OK;
		result = api_manifest_load(r, &digest, &am);
		if (result == STORE_OK) {
			l->looked_bytes += am.len;
			fits = add_referrer(l, &digest, &am, &result);
			api_manifest_unload(&am);
		}
		/* What is gone or damaged does not spoil the list. */
		if (result != STORE_OK && result != STORE_NOTFOUND &&
		    result != STORE_INVALID)
			return result;
		if (!fits)
			return STORE_OK;
		(void)digest_format(l->last, &digest);
	}
	*more = l->more_kept;
	return STORE_OK;
}

static void
send_listing(struct api_request *r, const struct listing *l, bool more)
{
	static const char head[] = "{\"schemaVersion\":2,\"mediaType\":\""
	    MEDIATYPE_OCI_INDEX "\",\"manifests\":[";
	char path[REPO_NAME_SIZE + DIGEST_STR_SIZE + 32];
	struct api_page_link link = { path, l->filter, l->last, 0 };
	struct http_response resp;

	http_response_init(&resp, 200);
	http_response_header(&resp, "Content-Type", "%s",
	    MEDIATYPE_OCI_INDEX);
	if (l->filter != NULL)
		http_response_header(&resp, "OCI-Filters-Applied",
		    "artifactType");
	if (more && l->last[0] != '\0') {
		(void)snprintf(path, sizeof(path), "/v2/%s/referrers/%s",
		    api_name(r), r->match.arg);
		if (uri_param(&r->uri, "n") != NULL)
			link.n = l->max;
		api_page_link(r, &resp, &link);
	}
	http_response_body(&resp, head, sizeof(head) - 1);
	http_response_body(&resp, l->out.data, l->out.len);
	http_response_body(&resp, "]}", 2);
	api_respond(r, &resp);
}

static enum store_result
load_lists(struct api_request *r, struct listing *l)
{
	enum store_result result;

	if (l->max == 0)
		return STORE_OK;
	result = referrer_list(r->store, api_name(r), &l->subject,
	    l->last[0] == '\0' ? NULL : l->last, l->filter, l->max + 1,
	    &l->kept, &l->nkept, &l->more_kept);
	if (result == STORE_NOTFOUND)
		result = STORE_OK;
	return result == STORE_OK ? load_tagged(r, l) : result;
}

/*
 * The artifact type asked for, NULL for any.  "+json" sent as it is has been
 * decoded as in a form; no media type holds a space, so it can be undone.
 */
static const char *
wanted_type(const struct api_request *r, char dst[MEDIATYPE_SIZE])
{
	const char *value = uri_param(&r->uri, "artifactType");
	char *p;

	if (value == NULL || value[0] == '\0')
		return NULL;
	if (str_copy(dst, MEDIATYPE_SIZE, value) == -1)
		return value;
	while ((p = strchr(dst, ' ')) != NULL)
		*p = '+';
	return dst;
}

enum step
api_referrers_get(struct api_request *r)
{
	const char *last = uri_param(&r->uri, "last");
	char type[MEDIATYPE_SIZE];
	enum store_result result;
	struct listing l;
	struct digest from;
	bool more = false;

	memset(&l, 0, sizeof(l));
	if (digest_parse(&l.subject, r->match.arg) == -1)
		return api_fail_text(r, API_DIGEST_INVALID,
		    "not a digest of a known algorithm");
	if (!api_page_size(r, r->conf->referrers_max, r->conf->referrers_max,
	    &l.max))
		return STEP_DONE;
	if (last != NULL && digest_parse(&from, last) == 0)
		(void)digest_format(l.last, &from);
	l.filter = wanted_type(r, type);
	buf_init(&l.out, 2 * PAGE_BYTES);
	result = load_lists(r, &l);
	if (result == STORE_OK)
		result = fill_page(r, &l, &more);
	if (result == STORE_OK)
		send_listing(r, &l, more);
	else
		(void)api_fail_store(r, result, API_NAME_UNKNOWN,
		    API_UNKNOWN, "list referrers");
	referrers_free(l.kept, l.nkept);
	manifest_refs_done(&l.tagged);
	buf_done(&l.out);
	return STEP_DONE;
}
