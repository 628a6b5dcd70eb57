/* SPDX-License-Identifier: ISC */
/*
 * For tests of collection: blobs and manifests in a store of its own, time
 * that passes at once, runs with their reports, and a store in which some is
 * in use and some is not.
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

/* Every path in the store but our own lock and clock, as one hash. */
static uint64_t tree_hash_sum;

static inline int
tree_hash_one(const char *path, const struct stat *st, int type,
    struct FTW *ftw)
{
	uint64_t h = 0xcbf29ce484222325u;

	(void)st;
	(void)type;
	(void)ftw;
	if (strstr(path, "/.registryd/locks") != NULL ||
	    strstr(path, "/.registryd/clock") != NULL ||
	    strstr(path, "/.registryd/tmp") != NULL)
		return 0;
	for (; *path != '\0'; path++)
		h = (h ^ (unsigned char)*path) * 0x100000001b3u;
	tree_hash_sum += h;
	return 0;
}

static inline uint64_t
tree_hash(struct tmp_store *t)
{
	tree_hash_sum = 0;
	assert_int_equal(nftw(t->dir, tree_hash_one, 16, FTW_PHYS), 0);
	return tree_hash_sum;
}

static inline void
tree_collect_times(struct tmp_store *t, const struct gc_options *o,
    unsigned n)
{
	while (n-- > 0)
		assert_int_equal(tree_collect_with(t, o, NULL), STORE_OK);
}

static inline bool
tree_has_manifest(struct tmp_store *t, const char *repo, const char *body)
{
	struct digest d = tmp_digest(body);
	struct store_stat st;

	return repo_stat_manifest(t->store, repo, &d, &st) == STORE_OK;
}

/* Two images, rubbish, and rubbish that is condemned already. */
static inline void
tree_prepare(struct tmp_store *t)
{
	tmp_open(t);
	tree_blob(t, "b", "condemned");
	tree_age(t, HOUR);
	tree_collect(t);
	(void)tree_image(t, "a", "used", "v1");
	(void)tree_image(t, "z", "used too", "v1");
	tree_blob(t, "b", "unused");
	tree_age(t, HOUR);
}

static inline void
tree_check(struct tmp_store *t)
{
	static const char *const used[] = { "used", "used too" };
	static const char *const repos[] = { "a", "z" };
	struct digest d;
	size_t i;

	for (i = 0; i < 2; i++) {
		d = tmp_digest(used[i]);
		assert_int_equal(repo_recheck_blob(t->store, repos[i], &d),
		    STORE_OK);
		assert_int_equal(tag_get(t->store, repos[i], "v1", &d),
		    STORE_OK);
		assert_int_equal(repo_recheck_manifest(t->store, repos[i],
		    &d), STORE_OK);
	}
}

#endif
