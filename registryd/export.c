/* SPDX-License-Identifier: ISC */
/*
 * Writing an image layout from what export_select.c has found: index.json,
 * then the bytes.  Runs in registryctl, reads the store only.
 */
#include "export.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "export_sink.h"
#include "export_state.h"
#include "layout.h"
#include "mediatype.h"
#include "repo.h"

#define COPY_SIZE	(256u * 1024)
#define RACE_TRIES	8	/* names that moved between two calls */
#define INDEX_FLAGS	(JSON_COMPACT | JSON_PRESERVE_ORDER)

/* ---- errors ---- */

int
export_fail(struct export *x, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(x->error, EXPORT_ERROR_SIZE, fmt, ap);
	va_end(ap);
	return -1;
}

int
export_stop(struct export *x, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(x->error, EXPORT_ERROR_SIZE, fmt, ap);
	va_end(ap);
	x->report->stopped = true;
	return -1;
}

int
export_fail_store(struct export *x, const char *what, enum store_result r)
{
	if (r == STORE_NOTFOUND)
		return export_fail(x, "%s: not there", what);
	if (r != STORE_INVALID && r != STORE_TOOBIG)
		x->report->stopped = true;
	return export_fail(x, "%s: %s", what, store_result_text(r));
}

static int
fail_write(struct export *x, const char *name)
{
	return export_stop(x, "writing %s: %s", name, strerror(errno));
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

/* The item of a tag, which has been selected. */
static struct item *
find_item(struct export *x, const struct digest *d)
{
	const struct fsck_entry *e = fsck_table_find(&x->seen, d);

	return e != NULL && e->size < x->n ? &x->items[e->size] : NULL;
}

/* All of them, or NULL. */
static json_t *
list_entries(struct export *x)
{
	json_t *list = json_array();
	struct item *item;
	size_t i;

	for (i = 0; i < x->ntags; i++) {
		if ((item = find_item(x, &x->tags[i].digest)) == NULL ||
		    json_array_append_new(list, descriptor_of(item,
		    x->tags[i].tag)) == -1)
			goto fail;
		item->tagged = true;
	}
	for (item = x->items; item != x->items + x->n; item++)
		if (item->kind == ITEM_MANIFEST && !item->tagged &&
		    (!item->child || item->artifact_type != NULL) &&
		    json_array_append_new(list, descriptor_of(item,
		    NULL)) == -1)
			goto fail;
	return list;
fail:
	json_decref(list);
	return NULL;
}

/* Tags first, then what nothing in the layout leads to. */
static int
write_index(struct export *x)
{
	json_t *index;
	char *text;
	int failed;

	index = json_pack("{si ss so}", "schemaVersion", 2, "mediaType",
	    MEDIATYPE_OCI_INDEX, "manifests", list_entries(x));
	text = index != NULL ? json_dumps(index, INDEX_FLAGS) : NULL;
	json_decref(index);
	if (text == NULL)
		return export_stop(x, "out of memory");
	failed = export_sink_put(&x->sink, "index.json", text, strlen(text));
	free(text);
	return failed == -1 ? fail_write(x, "index.json") : 0;
}

/* ---- bytes ---- */

/*
 * Under any of its names, as clients get it: a deletion that will find it in
 * use, or a collection, may have renamed its link, and may have been killed.
 */
static enum store_result
open_blob(struct export *x, const struct digest *d, int *fd,
    struct store_stat *st)
{
	enum store_result r;
	bool moved;
	int tries = 0;

	do
		r = repo_see_blob(x->store, x->repo, d, REPO_NO_LEASE, fd, st,
		    &moved);
	while (r == STORE_NOTFOUND && moved && ++tries < RACE_TRIES);
	return r;
}

static int
open_item(struct export *x, const struct item *item, int *fd,
    struct store_stat *st)
{
	char path[LAYOUT_PATH_SIZE], text[DIGEST_STR_SIZE];
	enum store_result r;

	r = item->kind == ITEM_MANIFEST ? store_open(x->store,
	    layout_blob(path, &item->digest), fd, st) :
	    open_blob(x, &item->digest, fd, st);
	if (r == STORE_OK)
		return 0;
	digest_format(text, &item->digest);
	return export_fail(x, "%s: %s: run \"registryctl fsck\"", text,
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
			return export_fail_store(x, "reading", r);
		if (n != want)
			return export_fail(x, "a blob became shorter");
		if (digest_ctx_update(hash, x->buffer, n) == -1)
			return export_stop(x, "out of memory");
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
		return export_stop(x, "out of memory");
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
		export_fail(x, "%s: the bytes are not those of the digest: run "
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
	if (export_sink_begin(&x->sink, "blobs/", 0) == -1 ||
	    export_sink_begin(&x->sink, "blobs/sha256/", 0) == -1 ||
	    (sha512 && export_sink_begin(&x->sink, "blobs/sha512/", 0) ==
	    -1))
		return fail_write(x, "blobs");
	for (i = 0; i < x->n; i++)
		if (write_item(x, &x->items[i]) == -1)
			return -1;
	/* Last, so that what ended early does not look complete. */
	if (write_index(x) == -1)
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
	if ((r = repo_stat(s, options->repo)) == STORE_NOTFOUND)
		export_fail(&x, "%s: there is no such repository",
		    options->repo);
	else if (r != STORE_OK)
		export_fail_store(&x, options->repo, r);
	else if ((x.buffer = malloc(COPY_SIZE)) == NULL)
		export_stop(&x, "out of memory");
	else if (export_select(&x, options->reference) == -1)
		failed = -1;
	else if (x.n == 0)
		export_fail(&x, "%s: there are no images in it",
		    options->repo);
	else {
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
