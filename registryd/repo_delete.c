/* SPDX-License-Identifier: ISC */
/*
 * Deletion of a repository's blobs, manifests and tags: runs in keepers.  What
 * has been deleted does not come back, whatever leases or collection rename
 * at the same time.
 */
#include <stdlib.h>
#include <string.h>

#include "layout.h"
#include "link.h"
#include "random.h"
#include "reference.h"
#include "referrer.h"
#include "repo.h"
#include "str.h"
#include "tag.h"

#define TAG_PAGE	1024
#define NAMES_PAGE	64
#define ROUNDS		64	/* against collection, which gives up first */
#define HIDDEN_MAX	64	/* names of one link */

/* The directory that a link had to itself. */
static void
prune_one(struct store *s, const char *dir)
{
	char up[LAYOUT_PATH_SIZE], *slash;

	str_copy(up, sizeof(up), dir);
	if ((slash = strrchr(up, '/')) == NULL)
		return;
	*slash = '\0';
	store_prune(s, dir, up);
}

/*
 * One pass over the names that X has or had: *found when there was one.  A
 * name that went away between listing and unlinking was renamed.
 */
static enum store_result
remove_names_once(struct store *s, const char *dir, const char *base,
    bool *found)
{
	char path[LAYOUT_PATH_SIZE], after[LAYOUT_PATH_SIZE] = "";
	enum store_result r;
	char **names;
	size_t i, n;
	bool more = true;

	*found = false;
	do {
		r = store_list(s, dir, after, NAMES_PAGE, &names, &n, &more);
		if (r != STORE_OK)
			return r == STORE_NOTFOUND ? STORE_OK : r;
		for (i = 0; i < n && r == STORE_OK; i++) {
			if (!layout_stands_for(names[i], base) ||
			    layout_join(path, dir, names[i]) == -1)
				continue;
			*found = true;
			r = store_unlink(s, path);
			if (r == STORE_NOTFOUND)
				r = STORE_OK;
		}
		if (n == 0 || str_copy(after, sizeof(after),
		    names[n - 1]) == -1)
			more = false;
		store_names_free(names, n);
	} while (r == STORE_OK && more);
	return r;
}

/*
 * X under all its names, until none is left: a lease or collection may be
 * renaming between them at the same time.  A pending link is not one: its
 * PUT comes after this.
 */
static enum store_result
remove_names(struct store *s, const char *path)
{
	char dir[LAYOUT_PATH_SIZE], *base;
	enum store_result r;
	bool found, any = false;
	int round = 0;

	if (str_copy(dir, sizeof(dir), path) == -1 ||
	    (base = strrchr(dir, '/')) == NULL)
		return STORE_INVALID;
	*base++ = '\0';
	do {
		r = remove_names_once(s, dir, base, &found);
		/* Renamed back behind the listing. */
		if (r == STORE_OK) {
			r = store_unlink(s, path);
			if (r == STORE_OK)
				found = true;
			else if (r == STORE_NOTFOUND)
				r = STORE_OK;
		}
		any = any || found;
	} while (r == STORE_OK && found && ++round < ROUNDS);
	if (r != STORE_OK)
		return r;
	if (found)
		return STORE_BUSY;
	if (!any)
		return STORE_NOTFOUND;
	prune_one(s, dir);
	return STORE_OK;
}

/* ---- blobs ---- */

struct hidden {				/* condemned names of one link */
	char		**names;
	size_t		 n;
};

/* Out of sight, and all the names that it has then. */
static enum store_result
hide(struct store *s, const char *path, const char *dir, struct hidden *h)
{
	char to[LAYOUT_PATH_SIZE];
	enum store_result r;
	uint64_t nonce;
	bool more;

	random_bytes(&nonce, sizeof(nonce));
	/* The time is for collection, should we never come back. */
	layout_condemned(to, path, 0, nonce);
	r = store_move(s, path, to, STORE_NOSYNC);
	if (r != STORE_OK && r != STORE_NOTFOUND)
		return r;
	r = store_list(s, dir, "link" LAYOUT_CONDEMNED, HIDDEN_MAX, &h->names,
	    &h->n, &more);
	if (r == STORE_OK && more)
		r = STORE_BUSY;
	return r;
}

/* *again: somebody has renamed one of them back since. */
static enum store_result
remove_hidden(struct store *s, const char *dir, const struct hidden *h,
    bool *any, bool *again)
{
	char path[LAYOUT_PATH_SIZE];
	enum store_result r = STORE_OK;
	size_t i;

	for (i = 0; i < h->n && r == STORE_OK; i++) {
		if (!layout_stands_for(h->names[i], "link") ||
		    layout_join(path, dir, h->names[i]) == -1)
			continue;
		*any = true;
		r = store_unlink(s, path);
		if (r == STORE_NOTFOUND) {
			*again = true;
			r = STORE_OK;
		}
	}
	return r;
}

/* One round: EXISTS when a manifest refers to it, which is there again. */
static enum store_result
delete_blob_once(struct store *s, const char *repo, const struct digest *d,
    bool *any, bool *again)
{
	char path[LAYOUT_PATH_SIZE], dir[LAYOUT_PATH_SIZE];
	struct hidden h = { .names = NULL };
	enum store_result r;
	bool used = false;

	*again = false;
	layout_layer(path, repo, d);
	str_copy(dir, sizeof(dir), path);
	*strrchr(dir, '/') = '\0';
	r = hide(s, path, dir, &h);
	if (r == STORE_OK && h.n > 0)
		r = repo_refers_to(s, repo, d, &used);
	if (r == STORE_OK && !used)
		r = remove_hidden(s, dir, &h, any, again);
	else if (r != STORE_NOTFOUND)
		(void)repo_resurrect(s, path);
	store_names_free(h.names, h.n);
	if (r != STORE_OK)
		return r == STORE_NOTFOUND ? STORE_OK : r;
	if (used)
		return STORE_EXISTS;
	if (store_stat(s, path, NULL) == STORE_OK)
		*again = true;
	if (!*again && *any)
		prune_one(s, dir);
	return STORE_OK;
}

/*
 * The link goes out of sight before anyone looks for manifests that refer to
 * it: a PUT whose manifest comes too late for that look finds the link hidden
 * when it looks at its references again, and renames it back.  Only names
 * that were hidden before the look are removed.
 */
enum store_result
repo_delete_blob(struct store *s, const char *repo, const struct digest *d)
{
	enum store_result r;
	bool any = false, again = false;
	int round = 0;

	do
		r = delete_blob_once(s, repo, d, &any, &again);
	while (r == STORE_OK && again && ++round < ROUNDS);
	if (r == STORE_OK && again)
		r = STORE_BUSY;
	return r == STORE_OK && !any ? STORE_NOTFOUND : r;
}

/* ---- manifests ---- */

/*
 * A link that says nothing is no tag of anything; one that cannot be read
 * may be, and then the manifest must stay.
 */
static enum store_result
delete_tag_of(struct store *s, const char *repo, const char *tag,
    const struct digest *d)
{
	char path[LAYOUT_PATH_SIZE];
	enum store_result r;

	if (!tag_ok(tag))
		return STORE_OK;
	r = tag_delete_if(s, repo, tag, d);
	if (r == STORE_INVALID &&
	    store_stat(s, layout_tag_current(path, repo, tag), NULL) ==
	    STORE_OK)
		return STORE_OK;
	/* Points elsewhere, or somebody was faster. */
	return r == STORE_MISMATCH || r == STORE_NOTFOUND ? STORE_OK : r;
}

static enum store_result
delete_tags_of(struct store *s, const char *repo, const struct digest *d)
{
	char path[LAYOUT_PATH_SIZE];
	enum store_result r = STORE_OK;
	char **tags = NULL, *last = NULL;
	size_t i, n;
	bool more = true;

	layout_tags(path, repo);
	while (more && r == STORE_OK) {
		r = store_list(s, path, last, TAG_PAGE, &tags, &n, &more);
		if (r != STORE_OK)
			break;
		for (i = 0; i < n && r == STORE_OK; i++)
			r = delete_tag_of(s, repo, tags[i], d);
		free(last);
		last = NULL;
		if (more && n > 0) {
			last = tags[n - 1];
			tags[n - 1] = NULL;
		}
		more = last != NULL;
		store_names_free(tags, n);
	}
	free(last);
	return r == STORE_NOTFOUND ? STORE_OK : r;
}

static enum store_result
delete_referrer_entry(struct store *s, const char *repo,
    const struct digest *d)
{
	char path[LAYOUT_PATH_SIZE];
	struct digest subject;
	enum store_result r;

	r = link_get(s, layout_subject(path, repo, d), &subject);
	if (r == STORE_OK)
		r = referrer_delete(s, repo, &subject, d);
	return r == STORE_NOTFOUND || r == STORE_INVALID ? STORE_OK : r;
}

/* Our own notes on a manifest that is gone; nothing finds them any more. */
static void
delete_notes(struct store *s, const char *repo, const struct digest *d)
{
	char path[LAYOUT_PATH_SIZE], *slash;

	(void)store_unlink(s, layout_mediatype(path, repo, d));
	if ((slash = strrchr(path, '/')) != NULL)
		*slash = '\0';
	store_prune(s, path, LAYOUT_OWN_REPOSITORIES);
	(void)store_unlink(s, layout_subject(path, repo, d));
	if ((slash = strrchr(path, '/')) != NULL)
		*slash = '\0';
	store_prune(s, path, LAYOUT_OWN_REPOSITORIES);
}

/*
 * Tags, referrer entry, link, in this order, so that a crash leaves no tag to
 * nothing.  A PUT of the same manifest sets its tags beneath the same lock,
 * and then only if the link is there.
 */
static enum store_result
delete_manifest_locked(struct store *s, const char *repo,
    const struct digest *d)
{
	char path[LAYOUT_PATH_SIZE];
	struct store_stat st;
	enum store_result r;

	layout_revision(path, repo, d);
	if ((r = store_stat(s, path, &st)) == STORE_NOTFOUND)
		r = repo_resurrect(s, path);
	if (r != STORE_OK ||
	    (r = delete_tags_of(s, repo, d)) != STORE_OK ||
	    (r = delete_referrer_entry(s, repo, d)) != STORE_OK ||
	    (r = store_barrier(s)) != STORE_OK ||
	    (r = remove_names(s, path)) != STORE_OK ||
	    /* Without its notes a manifest would say something else. */
	    (r = store_barrier(s)) != STORE_OK)
		return r;
	delete_notes(s, repo, d);
	return STORE_OK;
}

enum store_result
repo_delete_manifest(struct store *s, const char *repo,
    const struct digest *d)
{
	struct store_lock lock;
	enum store_result r;

	if ((r = repo_lock_manifest(s, repo, d, &lock)) != STORE_OK)
		return r;
	r = delete_manifest_locked(s, repo, d);
	store_unlock(s, &lock);
	return r;
}

enum store_result
repo_delete_tag(struct store *s, const char *repo, const char *tag)
{
	enum store_result r;

	if ((r = repo_touch_tagged(s, repo, tag)) != STORE_OK)
		return r;
	return tag_delete(s, repo, tag);
}
