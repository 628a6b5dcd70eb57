/* SPDX-License-Identifier: ISC */
/*
 * For tests of collection: blobs and manifests in a store of its own, time
 * that passes at once, and runs with their reports.
 */
#ifndef GC_TREE_H
#define GC_TREE_H

#include "store_tmp.h"

#include <time.h>

#include "gc.h"
#include "link.h"
#include "repo.h"
#include "repo_put.h"
#include "tag.h"

#define REPOS		"docker/registry/v2/repositories/"
#define GRACE_MS	(60 * 1000)
#define HOUR		3600

static time_t tree_shift;		/* of every file, in seconds */

static inline int
tree_age_one(const char *path, const struct stat *st, int type,
    struct FTW *ftw)
{
	struct timespec times[2];

	(void)type;
	(void)ftw;
	times[0] = st->st_atim;
	times[1] = st->st_mtim;
	times[1].tv_sec -= tree_shift;
	return utimensat(AT_FDCWD, path, times, AT_SYMLINK_NOFOLLOW);
}

/* Some time passes: everything becomes older by that. */
static inline void
tree_age(struct tmp_store *t, time_t seconds)
{
	tree_shift = seconds;
	assert_int_equal(nftw(t->dir, tree_age_one, 16, FTW_PHYS), 0);
}

static inline void
tree_blob(struct tmp_store *t, const char *repo, const char *text)
{
	char path[LAYOUT_PATH_SIZE];
	struct digest d = tmp_digest(text);

	tmp_write(t, layout_blob(path, &d), text);
	assert_int_equal(repo_link_blob(t->store, repo, &d), STORE_OK);
}

/* {"layers":[digests of blobs],"manifests":[of manifests]} */
static inline char *
tree_body(char *dst, size_t size, const char *const *blobs,
    const char *const *children)
{
	char text[DIGEST_STR_SIZE];
	struct digest d;
	size_t n = 0;

	n += (size_t)snprintf(dst + n, size - n, "{\"layers\":[");
	for (; blobs != NULL && *blobs != NULL; blobs++) {
		d = tmp_digest(*blobs);
		n += (size_t)snprintf(dst + n, size - n, "\"%s\",",
		    digest_format(text, &d));
	}
	n += (size_t)snprintf(dst + n, size - n, "],\"manifests\":[");
	for (; children != NULL && *children != NULL; children++) {
		d = tmp_digest(*children);
		n += (size_t)snprintf(dst + n, size - n, "\"%s\",",
		    digest_format(text, &d));
	}
	snprintf(dst + n, size - n, "]}");
	return dst;
}

/* As a keeper does, with everything that it refers to. */
static inline enum store_result
tree_put(struct tmp_store *t, const char *repo, const char *body,
    const char *const *blobs, const char *tag)
{
	struct manifest_put m = { .repo = repo, .data = body,
	    .len = strlen(body), .artifact_type = "" };
	struct digest refs[8], *missing;
	enum store_result r;
	size_t n;

	for (n = 0; blobs != NULL && blobs[n] != NULL; n++)
		refs[n] = tmp_digest(blobs[n]);
	m.digest = tmp_digest(body);
	m.refs = refs;
	m.nrefs = n;
	m.tags = &tag;
	m.ntags = tag != NULL;
	r = repo_put_manifest(t->store, &m, &missing, &n);
	free(missing);
	return r;
}

/* A manifest with one layer of that text; returns its body, static. */
static inline const char *
tree_image(struct tmp_store *t, const char *repo, const char *layer,
    const char *tag)
{
	static char body[4096];
	const char *const blobs[] = { layer, NULL };

	tree_blob(t, repo, layer);
	tree_body(body, sizeof(body), blobs, NULL);
	assert_int_equal(tree_put(t, repo, body, blobs, tag), STORE_OK);
	return body;
}

static const struct gc_options tree_options = {
	.grace_ms = GRACE_MS, .untagged_ms = GC_UNTAGGED_KEEP
};

static inline enum store_result
tree_collect_with(struct tmp_store *t, const struct gc_options *o,
    struct gc_report *report)
{
	enum store_result r;
	struct gc *gc;
	bool done = false;

	assert_non_null(gc = gc_new(t->store, o));
	while ((r = gc_step(gc, 0, &done)) == STORE_OK && !done)
		continue;
	if (report != NULL)
		*report = *gc_report(gc);
	gc_free(gc);
	return r;
}

static inline void
tree_collect(struct tmp_store *t)
{
	assert_int_equal(tree_collect_with(t, &tree_options, NULL),
	    STORE_OK);
}

static inline bool
tree_has_blob(struct tmp_store *t, const char *text)
{
	char path[LAYOUT_PATH_SIZE];
	struct digest d = tmp_digest(text);

	return tmp_exists(t, layout_blob(path, &d));
}

/* Entries of the blob's directory, under whatever name; 0 when it is gone. */
static inline int
tree_names(struct tmp_store *t, const char *text)
{
	char path[LAYOUT_PATH_SIZE];
	struct digest d = tmp_digest(text);
	int n;

	*strrchr(layout_blob(path, &d), '/') = '\0';
	n = tmp_count(t, path);
	return n == -1 ? 0 : n;
}

#endif
