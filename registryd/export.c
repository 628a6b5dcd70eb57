/* SPDX-License-Identifier: ISC */
/*
 * An image layout from a repository: first which manifests there are to
 * write and what they need, then index.json, then the bytes.  Runs in
 * registryctl, reads the store only.
 */
#include "export.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "descriptor.h"
#include "export_sink.h"
#include "export_state.h"
#include "json.h"
#include "layout.h"
#include "link.h"
#include "manifest.h"
#include "reference.h"
#include "referrer.h"
#include "repo.h"
#include "tag.h"

#define COPY_SIZE	(256u * 1024)
#define PAGE		256
#define INDEX_FLAGS	(JSON_COMPACT | JSON_PRESERVE_ORDER)

/* ---- errors ---- */

static int
fail(struct export *x, const char *fmt, ...)
    __attribute__((__format__(printf, 2, 3)));

static int
fail(struct export *x, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(x->error, EXPORT_ERROR_SIZE, fmt, ap);
	va_end(ap);
	return -1;
}

static int
fail_store(struct export *x, const char *what, enum store_result r)
{
	return fail(x, "%s: %s", what, r == STORE_NOTFOUND ?
	    "not there" : store_result_text(r));
}

static int
fail_write(struct export *x, const char *name)
{
	return fail(x, "writing %s: %s", name, strerror(errno));
}

/* ---- what there is to write ---- */

static int
add_item(struct export *x, const struct digest *d, enum item_kind kind,
    struct item **out)
{
	struct fsck_entry *e = fsck_table_add(&x->seen, d);
	struct item *grown;

	if (e == NULL)
		return fail(x, "out of memory");
	*out = NULL;
	if (e->flags != 0)
		return 0;
	e->flags = 1;
	e->size = x->n;			/* where it is */
	if (x->n == x->cap) {
		x->cap = x->cap == 0 ? 64 : 2 * x->cap;
		grown = reallocarray(x->items, x->cap, sizeof(*grown));
		if (grown == NULL)
			return fail(x, "out of memory");
		x->items = grown;
	}
	*out = &x->items[x->n++];
	memset(*out, 0, sizeof(**out));
	(*out)->digest = *d;
	(*out)->kind = kind;
	return 0;
}

static int
add_blobs(struct export *x, const struct digest *d, size_t n)
{
	struct item *item;
	size_t i;

	for (i = 0; i < n; i++)
		if (add_item(x, &d[i], ITEM_BLOB, &item) == -1)
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
			return fail_store(x, "referrers", r);
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
	struct item *item;
	size_t i;
	int failed = 0;

	if (manifest_entries(m, &refs) == -1)
		return fail(x, "out of memory");
	for (i = 0; i < refs.n && failed == 0; i++) {
		if (repo_stat_manifest(x->store, x->repo, &refs.items[i],
		    NULL) == STORE_OK)
			failed = add_manifest(x, &refs.items[i], depth + 1);
		else if (repo_stat_blob(x->store, x->repo, &refs.items[i],
		    NULL) == STORE_OK)
			failed = add_item(x, &refs.items[i], ITEM_BLOB,
			    &item);
		else
			failed = fail(x, "%s, which an index names, is not "
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
	struct item *item;
	enum store_result r;
	size_t len, at;
	bool noted;
	int failed;

	if (depth > EXPORT_DEPTH_MAX)
		return fail(x, "indexes nested too deeply");
	if (add_item(x, d, ITEM_MANIFEST, &item) == -1)
		return -1;
	if (item == NULL)
		return 0;
	at = x->n - 1;
	item->child = depth > 0;
	digest_format(text, d);
	if ((r = repo_read_manifest(x->store, x->repo, d, &data, &len)) !=
	    STORE_OK)
		return fail_store(x, text, r);
	noted = repo_read_mediatype(x->store, x->repo, d, type) == STORE_OK;
	if (manifest_read(&m, data, len, noted ? type : NULL) == -1) {
		free(data);
		return fail(x, "out of memory");
	}
	item->size = len;
	item->mediatype = strdup(m.mediatype);
	failed = item->mediatype == NULL ? fail(x, "out of memory") :
	    add_contents(x, &m, depth);
	/* A referrer of a child is as good as one of the index. */
	if (failed == 0)
		failed = add_referrers(x, d, depth);
	if (failed == 0 && m.has_subject &&
	    (x->items[at].artifact_type = strdup(m.artifact_type)) == NULL)
		failed = fail(x, "out of memory");
	manifest_done(&m);
	free(data);
	return failed;
}

/* ---- roots ---- */

static int
add_tag(struct export *x, const char *tag)
{
	struct tagged *grown;
	struct digest d;
	enum store_result r;

	if ((r = tag_get(x->store, x->repo, tag, &d)) != STORE_OK)
		return fail_store(x, tag, r);
	if (add_manifest(x, &d, 0) == -1)
		return -1;
	grown = reallocarray(x->tags, x->ntags + 1, sizeof(*grown));
	if (grown == NULL)
		return fail(x, "out of memory");
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
			return fail_store(x, x->repo, r);
		for (i = 0; i < n && failed == 0; i++)
			failed = add_tag(x, tags[i]);
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
			    fail_store(x, x->repo, r);
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

static int
add_roots(struct export *x, const char *reference)
{
	struct reference ref;

	if (reference == NULL) {
		if (add_all_tags(x) == -1 ||
		    add_untagged(x, DIGEST_SHA256) == -1)
			return -1;
		return add_untagged(x, DIGEST_SHA512);
	}
	if (reference_parse(&ref, reference) == -1)
		return fail(x, "%s: neither a tag nor a digest", reference);
	return ref.is_digest ? add_manifest(x, &ref.digest, 0) :
	    add_tag(x, ref.tag);
}

/* ---- index.json ---- */

static json_t *
descriptor_of(const struct item *item, const char *tag)
{
	char text[DIGEST_STR_SIZE];
	json_t *desc;

	desc = json_pack("{ss ss sI}", "mediaType", item->mediatype,
	    "digest", digest_format(text, &item->digest), "size",
	    (json_int_t)item->size);
	if (desc != NULL && item->artifact_type != NULL)
		json_object_set_new(desc, "artifactType",
		    json_string(item->artifact_type));
	if (desc != NULL && tag != NULL)
		json_object_set_new(desc, "annotations", json_pack("{ss}",
		    "org.opencontainers.image.ref.name", tag));
	return desc;
}

static const struct item *
find_item(const struct export *x, const struct digest *d)
{
	const struct fsck_entry *e = fsck_table_find(&x->seen, d);

	return e != NULL ? &x->items[e->size] : NULL;
}

/* Tags first, then what nothing in the layout leads to. */
static int
write_index(struct export *x)
{
	json_t *list = json_array(), *index;
	const struct item *item;
	struct item *own;
	char *text;
	size_t i;
	int failed;

	for (i = 0; i < x->ntags; i++) {
		if ((item = find_item(x, &x->tags[i].digest)) == NULL)
			continue;
		json_array_append_new(list, descriptor_of(item,
		    x->tags[i].tag));
		own = &x->items[item - x->items];
		own->tagged = true;
	}
	for (i = 0; i < x->n; i++) {
		item = &x->items[i];
		if (item->kind == ITEM_MANIFEST && !item->tagged &&
		    (!item->child || item->artifact_type != NULL))
			json_array_append_new(list, descriptor_of(item,
			    NULL));
	}
	index = json_pack("{si ss so}", "schemaVersion", 2, "mediaType",
	    MEDIATYPE_OCI_INDEX, "manifests", list);
	text = index != NULL ? json_dumps(index, INDEX_FLAGS) : NULL;
	json_decref(index);
	if (text == NULL)
		return fail(x, "out of memory");
	failed = export_sink_put(&x->sink, "index.json", text, strlen(text));
	free(text);
	return failed == -1 ? fail_write(x, "index.json") : 0;
}

/* ---- bytes ---- */

static int
open_item(struct export *x, const struct item *item, int *fd,
    struct store_stat *st)
{
	char path[LAYOUT_PATH_SIZE], text[DIGEST_STR_SIZE];
	enum store_result r;

	r = item->kind == ITEM_MANIFEST ? store_open(x->store,
	    layout_blob(path, &item->digest), fd, st) :
	    repo_open_blob(x->store, x->repo, &item->digest, fd, st);
	if (r == STORE_OK)
		return 0;
	digest_format(text, &item->digest);
	return fail(x, "%s: %s: run \"registryctl fsck\"", text,
	    r == STORE_NOTFOUND ? "not there" : store_result_text(r));
}

static int
copy_bytes(struct export *x, int fd, uint64_t size, struct digest_ctx *hash)
{
	uint64_t done = 0;
	enum store_result r;
	size_t n, want;

	while (done < size) {
		want = size - done < COPY_SIZE ? (size_t)(size - done) :
		    COPY_SIZE;
		r = store_pread(x->store, fd, x->buffer, want, done, &n);
		if (r != STORE_OK)
			return fail_store(x, "reading", r);
		if (n != want)
			return fail(x, "a blob became shorter");
		if (digest_ctx_update(hash, x->buffer, n) == -1)
			return fail(x, "out of memory");
		if (export_sink_write(&x->sink, x->buffer, n) == -1)
			return fail_write(x, "a blob");
		done += n;
		x->report->bytes += n;
		if (x->options->progress != NULL)
			x->options->progress(x->report, x->options->arg);
	}
	return 0;
}

static int
copy_item(struct export *x, const struct item *item, int fd, uint64_t size)
{
	char name[DIGEST_STR_SIZE + 16], hex[DIGEST_HEX_SIZE];
	struct digest_ctx *hash;
	struct digest got;
	int failed = -1;

	snprintf(name, sizeof(name), "blobs/%s/%s",
	    digest_alg_name(item->digest.alg), digest_hex(hex,
	    &item->digest));
	if ((hash = digest_ctx_new(item->digest.alg)) == NULL)
		return fail(x, "out of memory");
	if (export_sink_begin(&x->sink, name, size) == -1) {
		fail_write(x, name);
		goto out;
	}
	if (copy_bytes(x, fd, size, hash) == -1)
		goto out;
	if (export_sink_end(&x->sink) == -1)
		fail_write(x, name);
	else if (digest_ctx_result(hash, &got) == -1 ||
	    !digest_equal(&got, &item->digest))
		fail(x, "%s: the bytes are not those of the digest: run "
		    "\"registryctl scrub\"", name);
	else
		failed = 0;
out:
	digest_ctx_free(hash);
	return failed;
}

static int
write_item(struct export *x, const struct item *item)
{
	struct store_stat st;
	int fd, failed;

	if (open_item(x, item, &fd, &st) == -1)
		return -1;
	failed = copy_item(x, item, fd, st.size);
	store_close(x->store, fd);
	if (item->kind == ITEM_MANIFEST)
		x->report->manifests++;
	else
		x->report->blobs++;
	return failed;
}

static int
write_all(struct export *x)
{
	static const char layout[] = "{\"imageLayoutVersion\":\"1.0.0\"}";
	bool sha512 = false;
	size_t i;

	for (i = 0; i < x->n; i++)
		sha512 |= x->items[i].digest.alg == DIGEST_SHA512;
	if (export_sink_put(&x->sink, "oci-layout", layout,
	    sizeof(layout) - 1) == -1)
		return fail_write(x, "oci-layout");
	if (write_index(x) == -1)
		return -1;
	if (export_sink_begin(&x->sink, "blobs/", 0) == -1 ||
	    export_sink_begin(&x->sink, "blobs/sha256/", 0) == -1 ||
	    (sha512 && export_sink_begin(&x->sink, "blobs/sha512/", 0) ==
	    -1))
		return fail_write(x, "blobs");
	for (i = 0; i < x->n; i++)
		if (write_item(x, &x->items[i]) == -1)
			return -1;
	if (export_sink_finish(&x->sink) == -1)
		return fail_write(x, "the end");
	return 0;
}

int
export_run(struct store *s, const struct export_options *options,
    struct export_report *report, char error[EXPORT_ERROR_SIZE])
{
	struct export x = { .store = s, .repo = options->repo,
	    .options = options, .report = report, .error = error,
	    .sink = { options->dirfd, options->tarfd, -1, 0 } };
	enum store_result r;
	size_t i;
	int failed = -1;

	memset(report, 0, sizeof(*report));
	error[0] = '\0';
	if ((r = repo_stat(s, options->repo)) != STORE_OK)
		fail_store(&x, options->repo, r);
	else if ((x.buffer = malloc(COPY_SIZE)) == NULL)
		fail(&x, "out of memory");
	else if (add_roots(&x, options->reference) == 0) {
		report->tags = x.ntags;
		failed = write_all(&x);
	}
	for (i = 0; i < x.n; i++) {
		free(x.items[i].mediatype);
		free(x.items[i].artifact_type);
	}
	free(x.items);
	free(x.tags);
	free(x.buffer);
	fsck_table_done(&x.seen);
	return failed;
}
