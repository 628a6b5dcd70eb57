/* SPDX-License-Identifier: ISC */
/*
 * A repository's blobs and manifests, the writing half: runs in keepers.
 * The order of the steps is what crash safety rests on: nothing becomes
 * visible before what it points to is durable, and it goes in reverse.
 */
#include <stdlib.h>
#include <string.h>

#include "layout.h"
#include "link.h"
#include "referrer.h"
#include "repo.h"
#include "str.h"
#include "tag.h"

#define TAG_PAGE	256
#define NAMES_PAGE	64
#define ROUNDS		64	/* against collection, which gives up first */

enum store_result
repo_link_blob(struct store *s, const char *repo, const struct digest *d)
{
	char path[LAYOUT_PATH_SIZE];

	return link_put(s, layout_layer(path, repo, d), d);
}

/* The source, as durable as the link to it is to be. */
static enum store_result
mount_stage(struct store *s, struct repo_mount *m, const char *from,
    const struct digest *d)
{
	char path[LAYOUT_PATH_SIZE], text[DIGEST_STR_SIZE];
	struct digest target;
	enum store_result r;

	if ((r = repo_recheck_blob(s, from, d)) != STORE_OK ||
	    (r = link_get(s, layout_layer(path, from, d),
	    &target)) != STORE_OK ||
	    (r = store_settle(s, layout_blob(path, &target))) != STORE_OK)
		return r;
	digest_format(text, &target);
	return store_stage(s, text, strlen(text), &m->link);
}

/* Collection may have taken the bytes before it could see the link. */
static enum store_result
mount_recheck(struct store *s, const char *repo, const struct digest *d)
{
	char path[LAYOUT_PATH_SIZE];
	enum store_result r;

	r = repo_recheck_blob(s, repo, d);
	if (r == STORE_NOTFOUND)
		(void)store_unlink(s, layout_layer(path, repo, d));
	return r;
}

enum store_result
repo_mount_step(struct store *s, struct repo_mount *m, const char *repo,
    const char *from, const struct digest *d)
{
	char path[LAYOUT_PATH_SIZE];
	enum store_result r;

	switch (m->stage++) {
	case 0:
		r = mount_stage(s, m, from, d);
		break;
	case 1:
		r = store_publish(s, &m->link, layout_layer(path, repo, d),
		    STORE_REPLACE);
		break;
	default:
		return mount_recheck(s, repo, d);
	}
	if (r != STORE_OK)
		return r;
	return store_batched(s) ? STORE_AGAIN :
	    repo_mount_step(s, m, repo, from, d);
}

void
repo_mount_done(struct store *s, struct repo_mount *m)
{
	store_unstage(s, &m->link);
}

enum store_result
repo_mount_blob(struct store *s, const char *repo, const char *from,
    const struct digest *d)
{
	struct repo_mount m = { .stage = 0 };
	enum store_result r;

	while ((r = repo_mount_step(s, &m, repo, from, d)) == STORE_AGAIN)
		if ((r = store_barrier(s)) != STORE_OK)
			break;
	repo_mount_done(s, &m);
	return r;
}

/* ---- deletion, which nothing undoes ---- */

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
	char dir[LAYOUT_PATH_SIZE], up[LAYOUT_PATH_SIZE], *base, *slash;
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
	str_copy(up, sizeof(up), dir);
	if ((slash = strrchr(up, '/')) != NULL) {
		*slash = '\0';
		store_prune(s, dir, up);
	}
	return STORE_OK;
}

enum store_result
repo_delete_blob(struct store *s, const char *repo, const struct digest *d)
{
	char path[LAYOUT_PATH_SIZE];

	return remove_names(s, layout_layer(path, repo, d));
}

static enum store_result
delete_tags_of(struct store *s, const char *repo, const struct digest *d)
{
	enum store_result r = STORE_OK;
	char **tags = NULL, *last = NULL;
	size_t i, n;
	bool more = true;

	while (more && r == STORE_OK) {
		r = tag_list(s, repo, last, TAG_PAGE, &tags, &n, &more);
		if (r != STORE_OK)
			break;
		for (i = 0; i < n && r == STORE_OK; i++) {
			r = tag_delete_if(s, repo, tags[i], d);
			/* Points elsewhere, or somebody was faster. */
			if (r == STORE_MISMATCH || r == STORE_NOTFOUND)
				r = STORE_OK;
		}
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
 * nothing.  Tags again at the end: a PUT of the same manifest that looked at
 * its link before it went may have set one (repo_put.c, step 8).
 */
enum store_result
repo_delete_manifest(struct store *s, const char *repo,
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
	    (r = delete_tags_of(s, repo, d)) != STORE_OK)
		return r;
	delete_notes(s, repo, d);
	return STORE_OK;
}

/* The age of a manifest without a tag counts from when it lost its tag. */
void
repo_touch_tagged(struct store *s, const char *repo, const char *tag)
{
	char path[LAYOUT_PATH_SIZE];
	struct digest d;

	if (tag_get(s, repo, tag, &d) == STORE_OK)
		(void)store_touch(s, layout_revision(path, repo, &d));
}

enum store_result
repo_delete_tag(struct store *s, const char *repo, const char *tag)
{
	repo_touch_tagged(s, repo, tag);
	return tag_delete(s, repo, tag);
}
