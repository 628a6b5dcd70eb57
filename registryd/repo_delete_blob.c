/* SPDX-License-Identifier: ISC */
/*
 * Deletion of a blob from a repository, a slice at a time: runs in keepers.
 *
 * The link goes out of sight before anyone looks for manifests that refer to
 * it: a PUT whose manifest comes too late for that look finds the link hidden
 * when it looks at its references again, and renames it back.  Only names
 * that were hidden before the look are removed; where one of them has been
 * renamed back meanwhile, all begins anew.
 */
#include "repo_delete.h"

#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "layout.h"
#include "random.h"
#include "reference.h"
#include "repo_refers.h"
#include "str.h"

#define ROUNDS		64	/* against those who want it */
#define HIDDEN_MAX	64	/* names of one link */

struct blob_delete {
	struct store	*store;
	char		 repo[REPO_NAME_SIZE];
	struct digest	 digest;
	char		 path[LAYOUT_PATH_SIZE];	/* of the link */
	char		 dir[LAYOUT_PATH_SIZE];
	char		**hidden;	/* names that it had */
	size_t		 nhidden;
	struct repo_refers *look;	/* NULL: not begun */
	bool		 any;		/* one has been removed */
	unsigned	 round;
};

struct blob_delete *
blob_delete_new(struct store *s, const char *repo, const struct digest *d)
{
	struct blob_delete *b;

	if ((b = calloc(1, sizeof(*b))) == NULL)
		return NULL;
	b->store = s;
	str_copy(b->repo, sizeof(b->repo), repo);
	b->digest = *d;
	layout_layer(b->path, repo, d);
	str_copy(b->dir, sizeof(b->dir), b->path);
	*strrchr(b->dir, '/') = '\0';
	return b;
}

static void
round_end(struct blob_delete *b)
{
	repo_refers_free(b->look);
	b->look = NULL;
	store_names_free(b->hidden, b->nhidden);
	b->hidden = NULL;
	b->nhidden = 0;
}

void
blob_delete_free(struct blob_delete *b)
{
	if (b == NULL)
		return;
	if (b->look != NULL)
		(void)repo_resurrect(b->store, b->path);
	round_end(b);
	free(b);
}

/* Out of sight, and all the names that it has then; NOTFOUND: none. */
static enum store_result
hide(struct blob_delete *b)
{
	char to[LAYOUT_PATH_SIZE];
	enum store_result r;
	uint64_t nonce;
	bool more;

	random_bytes(&nonce, sizeof(nonce));
	/* The time is for collection, should we never come back. */
	layout_condemned(to, b->path, 0, nonce);
	r = store_move(b->store, b->path, to, STORE_NOSYNC);
	if (r != STORE_OK && r != STORE_NOTFOUND)
		return r;
	r = store_list(b->store, b->dir, "link" LAYOUT_CONDEMNED, HIDDEN_MAX,
	    &b->hidden, &b->nhidden, &more);
	if (r == STORE_OK && more)
		r = STORE_BUSY;
	else if (r == STORE_OK && b->nhidden == 0)
		r = STORE_NOTFOUND;
	return r;
}

/* *again: somebody has renamed one of them back since. */
static enum store_result
remove_hidden(struct blob_delete *b, bool *again)
{
	char path[LAYOUT_PATH_SIZE];
	enum store_result r = STORE_OK;
	size_t i;

	for (i = 0; i < b->nhidden && r == STORE_OK; i++) {
		if (!layout_stands_for(b->hidden[i], "link") ||
		    layout_join(path, b->dir, b->hidden[i]) == -1)
			continue;
		b->any = true;
		r = store_unlink(b->store, path);
		if (r == STORE_NOTFOUND) {
			*again = true;
			r = STORE_OK;
		}
	}
	return r;
}

/* What it looks for is hidden, and it knows all names. */
static enum store_result
round_begin(struct blob_delete *b)
{
	enum store_result r;

	if ((r = hide(b)) != STORE_OK)
		return r;
	b->look = repo_refers_new(b->store, b->repo, &b->digest);
	return b->look == NULL ? STORE_NOMEM : STORE_OK;
}

/*
 * A slice of a round: OK when it is over; EXISTS when a manifest refers to
 * the blob, which is there again, as after any error.
 */
static enum store_result
round_step(struct blob_delete *b, uint64_t until, bool *again)
{
	enum store_result r = STORE_OK;
	bool used = false;

	*again = false;
	if (b->look == NULL)
		r = round_begin(b);
	if (r == STORE_OK)
		r = repo_refers_step(b->look, until, &used);
	if (r == STORE_MORE)
		return r;
	if (r == STORE_OK && used)
		r = STORE_EXISTS;
	/* A manifest that another process has just deleted may come back. */
	if (r == STORE_OK)
		r = store_sync_all(b->store);
	if (r == STORE_OK)
		r = remove_hidden(b, again);
	else if (r != STORE_NOTFOUND)
		(void)repo_resurrect(b->store, b->path);
	round_end(b);
	if (r != STORE_OK && r != STORE_NOTFOUND)
		return r;
	/* Renamed back before its names were listed, or since. */
	if (store_stat(b->store, b->path, NULL) == STORE_OK)
		*again = true;
	return STORE_OK;
}

enum store_result
blob_delete_step(struct blob_delete *b)
{
	uint64_t until = clock_monotonic_ms() + STORE_SLICE_MS;
	enum store_result r;
	bool again;

	while ((r = round_step(b, until, &again)) == STORE_OK && again) {
		if (++b->round == ROUNDS)
			return STORE_BUSY;
		if (clock_monotonic_ms() >= until)
			return STORE_MORE;
	}
	if (r != STORE_OK)
		return r;
	if (!b->any)
		return STORE_NOTFOUND;
	repo_prune_link(b->store, b->dir);
	return STORE_OK;
}

enum store_result
repo_delete_blob(struct store *s, const char *repo, const struct digest *d)
{
	struct blob_delete *b;
	enum store_result r;

	if ((b = blob_delete_new(s, repo, d)) == NULL)
		return STORE_NOMEM;
	do
		r = blob_delete_step(b);
	while (r == STORE_MORE);
	blob_delete_free(b);
	return r;
}
