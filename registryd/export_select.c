/* SPDX-License-Identifier: ISC */
/*
 * Which manifests and blobs an export writes: what tags, or a digest, lead
 * to, with children and referrers.  Runs in registryctl, reads the store
 * only.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "descriptor.h"
#include "export_state.h"
#include "json.h"
#include "layout.h"
#include "manifest.h"
#include "referrer.h"
#include "repo.h"
#include "tag.h"

#define PAGE		256

/* ---- items ---- */

/* *added: it is new as what it is to be; *at: its place then. */
static int
add_item(struct export *x, const struct digest *d, enum item_kind kind,
    size_t *at, bool *added)
{
	struct fsck_entry *e = fsck_table_add(&x->seen, d);
	struct item *grown, *known;

	*added = false;
	if (e == NULL)
		return export_stop(x, "out of memory");
	if (e->flags != 0) {
		/* The layer of one image may be the manifest of another. */
		known = &x->items[e->size];
		if (kind == ITEM_MANIFEST && known->kind == ITEM_BLOB) {
			known->kind = kind;
			*at = (size_t)e->size;
			*added = true;
		}
		return 0;
	}
	e->flags = 1;
	e->size = x->n;			/* where it is */
	if (x->n == x->cap) {
		x->cap = x->cap == 0 ? 64 : 2 * x->cap;
		grown = reallocarray(x->items, x->cap, sizeof(*grown));
		if (grown == NULL)
			return export_stop(x, "out of memory");
		x->items = grown;
	}
	known = &x->items[x->n];
	memset(known, 0, sizeof(*known));
	known->digest = *d;
	known->kind = kind;
	*at = x->n++;
	*added = true;
	return 0;
}

static int
add_blobs(struct export *x, const struct digest *d, size_t n)
{
	size_t at, i;
	bool added;

	for (i = 0; i < n; i++)
		if (add_item(x, &d[i], ITEM_BLOB, &at, &added) == -1)
			return -1;
	return 0;
}

static int	 add_manifest(struct export *, const struct digest *,
		    unsigned depth);

/* Signatures and the like travel with what they are about. */
static int
add_referrers(struct export *x, const struct digest *d, unsigned depth)
{
	char last[DIGEST_STR_SIZE] = "";
	struct referrer *list;
	enum store_result r;
	size_t i, n;
	bool more = true;
	int failed = 0;

	while (more && failed == 0) {
		r = referrer_list(x->store, x->repo, d, last[0] != '\0' ?
		    last : NULL, NULL, PAGE, &list, &n, &more);
		if (r != STORE_OK)
			return export_fail_store(x, "referrers", r);
		for (i = 0; i < n && failed == 0; i++) {
			digest_format(last, &list[i].digest);
			if (repo_stat_manifest(x->store, x->repo,
			    &list[i].digest, NULL) == STORE_OK)
				failed = add_manifest(x, &list[i].digest,
				    depth + 1);
		}
		referrers_free(list, n);
		more = more && n > 0;
	}
	return failed;
}

static int
add_children(struct export *x, const struct manifest *m, unsigned depth)
{
	char text[DIGEST_STR_SIZE];
	struct manifest_refs refs;
	size_t i;
	int failed = 0;

	if (manifest_entries(m, &refs) == -1)
		return export_stop(x, "out of memory");
	for (i = 0; i < refs.n && failed == 0; i++) {
		if (repo_stat_manifest(x->store, x->repo, &refs.items[i],
		    NULL) == STORE_OK)
			failed = add_manifest(x, &refs.items[i], depth + 1);
		else if (repo_stat_blob(x->store, x->repo, &refs.items[i],
		    NULL) == STORE_OK)
			failed = add_blobs(x, &refs.items[i], 1);
		else
			failed = export_fail(x,
			    "%s, which an index names, is not "
			    "there: run \"registryctl fsck\"",
			    digest_format(text, &refs.items[i]));
	}
	manifest_refs_done(&refs);
	return failed;
}

/* Digests of config, layers or blobs, as far as they are to be here. */
static int
add_descriptor(struct export *x, json_t *desc)
{
	const char *text = json_string_at(desc, "digest");
	struct digest d;

	if (text == NULL || digest_parse(&d, text) == -1 ||
	    descriptor_is_foreign(desc))
		return 0;
	return add_blobs(x, &d, 1);
}

static int
add_contents(struct export *x, const struct manifest *m, unsigned depth)
{
	const char *key = m->kind == MEDIATYPE_ARTIFACT ? "blobs" : "layers";
	json_t *desc;
	size_t i;

	if (m->kind == MEDIATYPE_INDEX)
		return add_children(x, m, depth);
	if (m->kind != MEDIATYPE_IMAGE && m->kind != MEDIATYPE_ARTIFACT)
		return 0;
	if (add_descriptor(x, json_object_get(m->doc, "config")) == -1)
		return -1;
	json_array_foreach(json_object_get(m->doc, key), i, desc)
		if (add_descriptor(x, desc) == -1)
			return -1;
	return 0;
}

static int
add_manifest(struct export *x, const struct digest *d, unsigned depth)
{
	char text[DIGEST_STR_SIZE], type[MEDIATYPE_SIZE], *data;
	struct manifest m;
	enum store_result r;
	size_t len, at;
	bool added, noted;
	int failed;

	if (depth > EXPORT_DEPTH_MAX)
		return export_fail(x, "indexes nested too deeply");
	if (add_item(x, d, ITEM_MANIFEST, &at, &added) == -1)
		return -1;
	if (!added)
		return 0;
	x->items[at].child = depth > 0;
	digest_format(text, d);
	if ((r = repo_read_manifest(x->store, x->repo, d, &data, &len)) !=
	    STORE_OK)
		return export_fail_store(x, text, r);
	noted = repo_read_mediatype(x->store, x->repo, d, type) == STORE_OK;
	if (manifest_read(&m, data, len, noted ? type : NULL) == -1) {
		free(data);
		return export_stop(x, "out of memory");
	}
	x->items[at].size = len;
	x->items[at].mediatype = strdup(m.mediatype);
	failed = x->items[at].mediatype == NULL ? export_stop(x,
	    "out of memory") : add_contents(x, &m, depth);
	/* A referrer of a child is as good as one of the index. */
	if (failed == 0)
		failed = add_referrers(x, d, depth);
	if (failed == 0 && m.has_subject &&
	    (x->items[at].artifact_type = strdup(m.artifact_type)) == NULL)
		failed = export_stop(x, "out of memory");
	manifest_done(&m);
	free(data);
	return failed;
}

/* ---- roots ---- */

/* "listed": clients may have removed it since. */
static int
add_tag(struct export *x, const char *tag, bool listed)
{
	struct tagged *grown;
	struct digest d;
	enum store_result r;

	r = tag_get(x->store, x->repo, tag, &d);
	if (r == STORE_NOTFOUND)
		return listed ? 0 : export_fail(x, "%s: there is no such tag",
		    tag);
	if (r != STORE_OK)
		return export_fail_store(x, tag, r);
	if (add_manifest(x, &d, 0) == -1)
		return -1;
	grown = reallocarray(x->tags, x->ntags + 1, sizeof(*grown));
	if (grown == NULL)
		return export_stop(x, "out of memory");
	x->tags = grown;
	snprintf(x->tags[x->ntags].tag, TAG_SIZE, "%s", tag);
	x->tags[x->ntags++].digest = d;
	return 0;
}

static int
add_all_tags(struct export *x)
{
	char last[TAG_SIZE] = "";
	enum store_result r;
	char **tags;
	size_t i, n;
	bool more = true;
	int failed = 0;

	while (more && failed == 0) {
		r = tag_list(x->store, x->repo, last[0] != '\0' ? last :
		    NULL, PAGE, &tags, &n, &more);
		if (r == STORE_NOTFOUND)
			return 0;
		if (r != STORE_OK)
			return export_fail_store(x, x->repo, r);
		for (i = 0; i < n && failed == 0; i++)
			failed = add_tag(x, tags[i], true);
		if (n > 0)
			snprintf(last, sizeof(last), "%s", tags[n - 1]);
		more = more && n > 0;
		store_names_free(tags, n);
	}
	return failed;
}

/* Revisions that no tag leads to; names that are none are left out. */
static int
add_untagged(struct export *x, enum digest_alg alg)
{
	char dir[LAYOUT_PATH_SIZE], text[DIGEST_STR_SIZE + 256];
	char last[DIGEST_HEX_SIZE] = "";
	enum store_result r;
	struct digest d;
	char **names;
	size_t i, n;
	bool more = true;
	int failed = 0;

	snprintf(dir, sizeof(dir), "%s/%s/_manifests/revisions/%s",
	    LAYOUT_REPOSITORIES, x->repo, digest_alg_name(alg));
	while (more && failed == 0) {
		r = store_list(x->store, dir, last[0] != '\0' ? last : NULL,
		    PAGE, &names, &n, &more);
		if (r != STORE_OK)
			return r == STORE_NOTFOUND ? 0 :
			    export_fail_store(x, x->repo, r);
		for (i = 0; i < n && failed == 0; i++) {
			snprintf(last, sizeof(last), "%s", names[i]);
			snprintf(text, sizeof(text), "%s:%s",
			    digest_alg_name(alg), names[i]);
			if (digest_parse(&d, text) == 0 &&
			    repo_stat_manifest(x->store, x->repo, &d,
			    NULL) == STORE_OK)
				failed = add_manifest(x, &d, 0);
		}
		more = more && n > 0;
		store_names_free(names, n);
	}
	return failed;
}

int
export_select(struct export *x, const char *reference)
{
	struct reference ref;

	if (reference == NULL) {
		if (add_all_tags(x) == -1 ||
		    add_untagged(x, DIGEST_SHA256) == -1)
			return -1;
		return add_untagged(x, DIGEST_SHA512);
	}
	if (reference_parse(&ref, reference) == -1)
		return export_fail(x, "%s: neither a tag nor a digest",
		    reference);
	return ref.is_digest ? add_manifest(x, &ref.digest, 0) :
	    add_tag(x, ref.tag, false);
}
