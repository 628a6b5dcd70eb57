/* SPDX-License-Identifier: ISC */
/*
 * Does a manifest of the repository name a digest?  Reads them all: for a
 * keeper that is about to delete a blob, which hardly anybody asks for.
 */
#include <stdlib.h>
#include <string.h>

#include "digest_scan.h"
#include "layout.h"
#include "repo.h"
#include "str.h"

#define PAGE		1024
#define NAME_SIZE	256	/* of a directory entry */

struct search {
	struct store	*store;
	const struct digest *digest;
	bool		 found;
};

static void
on_digest(const struct digest *d, void *arg)
{
	struct search *search = arg;

	search->found = search->found || digest_equal(d, search->digest);
}

typedef enum store_result name_fn(struct search *, const char *dir,
		    const char *name);

/* Names of a directory until one has found it; none when it has gone. */
static enum store_result
each_name(struct search *search, const char *dir, name_fn *fn)
{
	char after[NAME_SIZE] = "";
	enum store_result r;
	char **names;
	size_t i, n;
	bool more = true;

	do {
		r = store_list(search->store, dir, after, PAGE, &names, &n,
		    &more);
		if (r != STORE_OK)
			return r == STORE_NOTFOUND || r == STORE_INVALID ?
			    STORE_OK : r;
		for (i = 0; i < n && r == STORE_OK && !search->found; i++)
			r = fn(search, dir, names[i]);
		if (n == 0 || str_copy(after, sizeof(after),
		    names[n - 1]) == -1)
			more = false;
		store_names_free(names, n);
	} while (more && r == STORE_OK && !search->found);
	return r;
}

static enum store_result
scan_bytes(struct search *search, const char *dir, const char *name)
{
	char path[LAYOUT_PATH_SIZE];
	struct digest_scan scan;
	enum store_result r;
	char *data;
	size_t len;

	if (!layout_stands_for(name, "data") ||
	    layout_join(path, dir, name) == -1)
		return STORE_OK;
	r = store_read(search->store, path, MANIFEST_MAX_SIZE, &data, &len);
	if (r == STORE_INVALID || r == STORE_TOOBIG)
		return STORE_OK;
	/* Renamed since it was listed: nobody knows what it names. */
	if (r == STORE_NOTFOUND) {
		search->found = true;
		return STORE_OK;
	}
	if (r != STORE_OK)
		return r;
	digest_scan_init(&scan, on_digest, search);
	digest_scan_feed(&scan, data, len);
	free(data);
	return STORE_OK;
}

/* The names of a revision: any of them makes it count. */
static enum store_result
scan_link(struct search *search, const char *dir, const char *name)
{
	char path[LAYOUT_PATH_SIZE], text[2 * NAME_SIZE];
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
	return each_name(search, path, scan_bytes);
}

static enum store_result
scan_revision(struct search *search, const char *dir, const char *name)
{
	char path[LAYOUT_PATH_SIZE];

	if (layout_join(path, dir, name) == -1)
		return STORE_OK;
	return each_name(search, path, scan_link);
}

static enum store_result
scan_algorithm(struct search *search, const char *dir, const char *name)
{
	char path[LAYOUT_PATH_SIZE];

	if (layout_join(path, dir, name) == -1)
		return STORE_OK;
	return each_name(search, path, scan_revision);
}

enum store_result
repo_refers_to(struct store *s, const char *repo, const struct digest *d,
    bool *yes)
{
	struct search search = { .store = s, .digest = d };
	char path[LAYOUT_PATH_SIZE];
	enum store_result r;

	if (layout_join(path, layout_manifests(path, repo),
	    "revisions") == -1)
		return STORE_INVALID;
	r = each_name(&search, path, scan_algorithm);
	*yes = search.found;
	return r;
}
