/* SPDX-License-Identifier: ISC */
/*
 * Does a manifest of the repository name a digest?  Reads them all, some at a
 * time: for a keeper that is about to delete a blob, which hardly anybody
 * asks for, and which has other clients.
 */
#include "repo_refers.h"

#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "digest_scan.h"
#include "layout.h"
#include "repo_page.h"
#include "str.h"

#define PAGE		64	/* names of one revision, of one manifest */

struct repo_refers {
	struct store	*store;
	struct digest	 digest;
	char		 top[LAYOUT_PATH_SIZE];	/* revisions */
	char		 alg[LAYOUT_PATH_SIZE];	/* "": look for the next */
	struct repo_page algs, revisions;
	bool		 found;
};

struct repo_refers *
repo_refers_new(struct store *s, const char *repo, const struct digest *d)
{
	struct repo_refers *f;
	char path[LAYOUT_PATH_SIZE];

	if ((f = calloc(1, sizeof(*f))) == NULL)
		return NULL;
	f->store = s;
	f->digest = *d;
	/* A name too long for a path is the name of nothing. */
	f->algs.last = layout_join(f->top, layout_manifests(path, repo),
	    "revisions") == -1;
	return f;
}

void
repo_refers_free(struct repo_refers *f)
{
	if (f == NULL)
		return;
	repo_page_done(&f->algs);
	repo_page_done(&f->revisions);
	free(f);
}

static void
on_digest(const struct digest *d, void *arg)
{
	struct repo_refers *f = arg;

	f->found = f->found || digest_equal(d, &f->digest);
}

typedef enum store_result name_fn(struct repo_refers *, const char *dir,
		    const char *name);

/* Names of a directory until one has found it; none when it has gone. */
static enum store_result
each_name(struct repo_refers *f, const char *dir, name_fn *fn)
{
	char after[REPO_PAGE_NAME] = "";
	enum store_result r;
	char **names;
	size_t i, n;
	bool more = true;

	do {
		r = store_list(f->store, dir, after, PAGE, &names, &n, &more);
		if (r != STORE_OK)
			return r == STORE_NOTFOUND || r == STORE_INVALID ?
			    STORE_OK : r;
		for (i = 0; i < n && r == STORE_OK && !f->found; i++)
			r = fn(f, dir, names[i]);
		if (n == 0 || str_copy(after, sizeof(after),
		    names[n - 1]) == -1)
			more = false;
		store_names_free(names, n);
	} while (more && r == STORE_OK && !f->found);
	return r;
}

static enum store_result
scan_bytes(struct repo_refers *f, const char *dir, const char *name)
{
	char path[LAYOUT_PATH_SIZE];
	struct digest_scan scan;
	enum store_result r;
	char *data;
	size_t len;

	if (!layout_stands_for(name, "data") ||
	    layout_join(path, dir, name) == -1)
		return STORE_OK;
	r = store_read(f->store, path, MANIFEST_MAX_SIZE, &data, &len);
	if (r == STORE_INVALID || r == STORE_TOOBIG)
		return STORE_OK;
	/* Renamed since it was listed: nobody knows what it names. */
	if (r == STORE_NOTFOUND) {
		f->found = true;
		return STORE_OK;
	}
	if (r != STORE_OK)
		return r;
	digest_scan_init(&scan, on_digest, f);
	digest_scan_feed(&scan, data, len);
	free(data);
	return STORE_OK;
}

/* The names of a revision: any of them makes it count. */
static enum store_result
scan_link(struct repo_refers *f, const char *dir, const char *name)
{
	char path[LAYOUT_PATH_SIZE], text[2 * REPO_PAGE_NAME];
	const char *hex = strrchr(dir, '/'), *alg;
	struct digest d;

	if (!layout_stands_for(name, "link") && !layout_is_pending(name))
		return STORE_OK;
	for (alg = hex; alg > dir && alg[-1] != '/'; alg--)
		continue;
	str_copy(text, sizeof(text), alg);
	text[hex - alg] = ':';
	if (digest_parse(&d, text) == -1)
		return STORE_OK;
	*strrchr(layout_blob(path, &d), '/') = '\0';
	return each_name(f, path, scan_bytes);
}

/* NOTFOUND: there is no other. */
static enum store_result
next_algorithm(struct repo_refers *f)
{
	enum store_result r;
	const char *name;

	do
		r = repo_page_next(f->store, f->top, &f->algs, &name);
	while (r == STORE_OK && layout_join(f->alg, f->top, name) == -1);
	return r;
}

/* One revision; NOTFOUND: there is no other. */
static enum store_result
scan_next(struct repo_refers *f)
{
	char path[LAYOUT_PATH_SIZE];
	enum store_result r;
	const char *name;

	if (f->alg[0] == '\0' && (r = next_algorithm(f)) != STORE_OK)
		return r;
	r = repo_page_next(f->store, f->alg, &f->revisions, &name);
	if (r == STORE_NOTFOUND || r == STORE_INVALID) {
		f->alg[0] = '\0';
		repo_page_done(&f->revisions);
		return STORE_OK;
	}
	if (r != STORE_OK || layout_join(path, f->alg, name) == -1)
		return r;
	return each_name(f, path, scan_link);
}

enum store_result
repo_refers_step(struct repo_refers *f, uint64_t until, bool *yes)
{
	enum store_result r;

	do
		r = scan_next(f);
	while (r == STORE_OK && !f->found && clock_monotonic_ms() < until);
	*yes = f->found;
	if (r == STORE_NOTFOUND || f->found)
		return STORE_OK;
	return r == STORE_OK ? STORE_MORE : r;
}
