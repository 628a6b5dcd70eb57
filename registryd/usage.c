/* SPDX-License-Identifier: ISC */
/*
 * The usage of repositories: one walk over the links of all of them.  A blob
 * that a second repository links is shared.  Reads only; runs in registryctl.
 */
#include "usage.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fsck_table.h"
#include "layout.h"
#include "reference.h"
#include "repo.h"
#include "str.h"

#define PAGE	1000
#define SHARED	0x80000000u		/* else: number of its repository */

struct walk {
	struct store	*store;
	struct usage	*usage;
	struct fsck_table blobs;	/* flags: who has it */
	struct fsck_table seen;		/* in the repository at hand */
	size_t		 cap;
};

static enum store_result
add_blob(struct walk *w, struct usage_repo *repo, const struct digest *d)
{
	uint32_t number = (uint32_t)(repo - w->usage->repos) + 1;
	char path[LAYOUT_PATH_SIZE];
	struct fsck_entry *e;
	struct store_stat st;

	if ((e = fsck_table_add(&w->seen, d)) == NULL)
		return STORE_NOMEM;
	if (e->flags != 0)
		return STORE_OK;
	e->flags = 1;
	if ((e = fsck_table_add(&w->blobs, d)) == NULL)
		return STORE_NOMEM;
	if (e->flags == 0) {
		/* What is not there takes no space. */
		if (store_stat(w->store, layout_blob(path, d), &st) ==
		    STORE_OK)
			e->size = st.size;
		e->flags = number;
		w->usage->blobs++;
		w->usage->bytes += e->size;
	} else
		e->flags |= SHARED;
	repo->blobs++;
	repo->bytes += e->size;
	return STORE_OK;
}

/*
 * Whether <dir>/<name> holds a link, or one that is condemned and may come
 * back.  Distribution leaves the directory when it deletes.
 */
static bool
has_link(struct walk *w, const char *dir, const char *name)
{
	char path[LAYOUT_PATH_SIZE];
	char **names;
	size_t n;
	bool more;

	if ((size_t)snprintf(path, sizeof(path), "%s/%s/link", dir, name) >=
	    sizeof(path))
		return false;
	if (store_stat(w->store, path, NULL) == STORE_OK)
		return true;
	path[strlen(path) - strlen("/link")] = '\0';
	if (store_list(w->store, path, NULL, 1, &names, &n, &more) !=
	    STORE_OK)
		return false;
	store_names_free(names, n);
	return n > 0;
}

/* The names in <repo>/<tree>/<alg>. */
static enum store_result
add_tree(struct walk *w, struct usage_repo *repo, const char *tree,
    enum digest_alg alg)
{
	char dir[LAYOUT_PATH_SIZE], text[DIGEST_STR_SIZE + 256];
	char last[DIGEST_HEX_SIZE] = "";
	enum store_result r = STORE_OK;
	struct digest d;
	char **names;
	size_t i, n;
	bool more = true;

	snprintf(dir, sizeof(dir), LAYOUT_REPOSITORIES "/%s/%s/%s",
	    repo->name, tree, digest_alg_name(alg));
	while (more && r == STORE_OK) {
		r = store_list(w->store, dir, last[0] != '\0' ? last : NULL,
		    PAGE, &names, &n, &more);
		if (r != STORE_OK)
			return r == STORE_NOTFOUND || r == STORE_INVALID ?
			    STORE_OK : r;
		for (i = 0; i < n && r == STORE_OK; i++) {
			snprintf(text, sizeof(text), "%s:%s",
			    digest_alg_name(alg), names[i]);
			if (digest_parse(&d, text) == 0 &&
			    has_link(w, dir, names[i]))
				r = add_blob(w, repo, &d);
		}
		if (n > 0)
			snprintf(last, sizeof(last), "%s", names[n - 1]);
		more = more && n > 0;
		store_names_free(names, n);
	}
	return r;
}

static enum store_result
add_repo(struct walk *w, const char *name)
{
	static const char *const trees[] = { "_layers",
	    "_manifests/revisions" };
	struct usage *u = w->usage;
	struct usage_repo *grown;
	enum store_result r = STORE_OK;
	size_t i;

	if (u->n == w->cap) {
		w->cap = w->cap == 0 ? 64 : 2 * w->cap;
		grown = reallocarray(u->repos, w->cap, sizeof(*grown));
		if (grown == NULL)
			return STORE_NOMEM;
		u->repos = grown;
	}
	memset(&u->repos[u->n], 0, sizeof(u->repos[u->n]));
	if ((u->repos[u->n].name = strdup(name)) == NULL)
		return STORE_NOMEM;
	u->n++;
	fsck_table_reset(&w->seen);
	for (i = 0; i < 2 && r == STORE_OK; i++) {
		r = add_tree(w, &u->repos[u->n - 1], trees[i],
		    DIGEST_SHA256);
		if (r == STORE_OK)
			r = add_tree(w, &u->repos[u->n - 1], trees[i],
			    DIGEST_SHA512);
	}
	return r;
}

static void
count_unique(struct walk *w)
{
	const struct fsck_entry *e;
	size_t i;

	for (i = 0; i < w->blobs.cap; i++) {
		e = &w->blobs.entries[i];
		if (e->flags != 0 && (e->flags & SHARED) == 0)
			w->usage->repos[e->flags - 1].unique += e->size;
	}
}

enum store_result
usage_run(struct store *s, usage_progress_fn *progress, void *arg,
    struct usage *usage)
{
	struct walk w = { .store = s, .usage = usage };
	char last[REPO_NAME_SIZE] = "";
	enum store_result r = STORE_OK;
	char **names;
	size_t i, n;
	bool more = true;

	memset(usage, 0, sizeof(*usage));
	while (more && r == STORE_OK) {
		r = repo_list(s, last[0] != '\0' ? last : NULL, PAGE, &names,
		    &n, &more);
		if (r != STORE_OK)
			break;
		for (i = 0; i < n && r == STORE_OK; i++) {
			r = add_repo(&w, names[i]);
			if (progress != NULL)
				progress(usage->n, arg);
		}
		if (n > 0)
			str_copy(last, sizeof(last), names[n - 1]);
		more = more && n > 0;
		store_names_free(names, n);
	}
	count_unique(&w);
	fsck_table_done(&w.blobs);
	fsck_table_done(&w.seen);
	return r;
}

void
usage_done(struct usage *usage)
{
	size_t i;

	for (i = 0; i < usage->n; i++)
		free(usage->repos[i].name);
	free(usage->repos);
	memset(usage, 0, sizeof(*usage));
}
