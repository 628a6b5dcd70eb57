/* SPDX-License-Identifier: ISC */
/*
 * Tags of a repository: read in workers, written in keepers.  A tag exists
 * when its current link can be read; which revisions it ever had is kept
 * beside, as distribution does.
 */
#include "tag.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "layout.h"
#include "link.h"
#include "reference.h"
#include "str.h"

#define NAME_SIZE	256	/* of a directory entry */
#define BATCH		256	/* entries taken at a time, at least */

enum store_result
tag_get(struct store *s, const char *repo, const char *tag,
    struct digest *d)
{
	char path[LAYOUT_PATH_SIZE];

	return link_get(s, layout_tag_current(path, repo, tag), d);
}

/* Errors that belong to one tag only do not spoil the list. */
static bool
tag_readable(struct store *s, const char *repo, const char *tag,
    enum store_result *r)
{
	struct digest d;

	if (!tag_ok(tag))
		return false;
	*r = tag_get(s, repo, tag, &d);
	if (*r == STORE_OK)
		return true;
	if (*r == STORE_NOTFOUND || *r == STORE_INVALID)
		*r = STORE_OK;
	return false;
}

/* Keep the readable of names[0..n), at most max; *more when one is over. */
static enum store_result
tags_take(struct store *s, const char *repo, char **names, size_t n,
    size_t max, char **tags, size_t *ntags, bool *more)
{
	enum store_result r = STORE_OK;
	size_t i;

	for (i = 0; i < n && !*more && r == STORE_OK; i++) {
		if (!tag_readable(s, repo, names[i], &r))
			continue;
		if (*ntags == max) {
			*more = true;
			break;
		}
		tags[(*ntags)++] = names[i];
		names[i] = NULL;
	}
	return r;
}

enum store_result
tag_list(struct store *s, const char *repo, const char *last, size_t n,
    char ***tagsp, size_t *ntags, bool *morep)
{
	char path[LAYOUT_PATH_SIZE], after[NAME_SIZE];
	char **names, **tags = NULL, **grown;
	size_t nnames, count = 0;
	bool more = false, rest = true;
	enum store_result r = STORE_OK;

	layout_tags(path, repo);
	while (rest && !more && r == STORE_OK) {
		nnames = n - count + 1;
		r = store_list(s, path, last, nnames < BATCH ? BATCH : nnames,
		    &names, &nnames, &rest);
		if (r != STORE_OK)
			break;
		grown = reallocarray(tags, count + nnames + 1,
		    sizeof(*tags));
		if (grown == NULL)
			r = STORE_NOMEM;
		else
			tags = grown;
		if (rest)
			rest = nnames > 0 && str_copy(after, sizeof(after),
			    names[nnames - 1]) == 0;
		last = after;
		if (r == STORE_OK)
			r = tags_take(s, repo, names, nnames, n, tags, &count,
			    &more);
		store_names_free(names, nnames);
	}
	if (r != STORE_OK) {
		store_names_free(tags, count);
		return r;
	}
	*tagsp = tags;
	*ntags = count;
	*morep = more;
	return STORE_OK;
}

/*
 * Whoever changes what a tag points to, or removes it, holds its lock, so
 * that a removal never takes what it has not looked at.
 */
enum store_result
tag_lock(struct store *s, const char *repo, const char *tag,
    struct store_lock *lock)
{
	char name[REPO_NAME_SIZE + TAG_SIZE];

	snprintf(name, sizeof(name), "%s:%s", repo, tag);
	return store_lock(s, name, lock);
}

enum store_result
tag_stage(struct store *s, const struct digest *d, struct tag_staged *staged)
{
	char text[DIGEST_STR_SIZE];
	enum store_result r;

	digest_format(text, d);
	staged->current.path[0] = '\0';
	r = store_stage(s, text, strlen(text), &staged->index);
	if (r == STORE_OK)
		r = store_stage(s, text, strlen(text), &staged->current);
	if (r != STORE_OK)
		tag_unstage(s, staged);
	return r;
}

void
tag_unstage(struct store *s, struct tag_staged *staged)
{
	store_unstage(s, &staged->index);
	store_unstage(s, &staged->current);
}

enum store_result
tag_publish_index(struct store *s, const char *repo, const char *tag,
    const struct digest *d, struct tag_staged *staged)
{
	char path[LAYOUT_PATH_SIZE];

	return store_publish(s, &staged->index, layout_tag_index(path, repo,
	    tag, d), STORE_REPLACE);
}

/* A removal may have come between, and taken the entry with the tag. */
static enum store_result
tag_check_index(struct store *s, const char *repo, const char *tag,
    const struct digest *d)
{
	char path[LAYOUT_PATH_SIZE];
	struct store_stat st;
	enum store_result r;

	layout_tag_index(path, repo, tag, d);
	if ((r = store_stat(s, path, &st)) != STORE_NOTFOUND)
		return r;
	if ((r = link_put(s, path, d)) != STORE_OK)
		return r;
	return store_barrier(s);
}

enum store_result
tag_publish(struct store *s, const char *repo, const char *tag,
    const struct digest *d, struct tag_staged *staged)
{
	char path[LAYOUT_PATH_SIZE];
	struct store_lock lock;
	enum store_result r;

	if ((r = tag_lock(s, repo, tag, &lock)) != STORE_OK)
		return r;
	r = tag_check_index(s, repo, tag, d);
	if (r == STORE_OK)
		r = store_publish(s, &staged->current,
		    layout_tag_current(path, repo, tag), STORE_REPLACE);
	store_unlock(s, &lock);
	return r;
}

enum store_result
tag_put(struct store *s, const char *repo, const char *tag,
    const struct digest *d)
{
	struct tag_staged staged;
	enum store_result r;

	if ((r = tag_stage(s, d, &staged)) != STORE_OK)
		return r;
	if ((r = store_barrier(s)) == STORE_OK)
		r = tag_publish_index(s, repo, tag, d, &staged);
	if (r == STORE_OK)
		r = store_barrier(s);
	if (r == STORE_OK)
		r = tag_publish(s, repo, tag, d, &staged);
	tag_unstage(s, &staged);
	return r;
}

/* want NULL: whatever it points to, even if that cannot be read. */
static enum store_result
delete_locked(struct store *s, const char *repo, const char *tag,
    const struct digest *want)
{
	char path[LAYOUT_PATH_SIZE];
	struct digest d;
	enum store_result r;

	r = tag_get(s, repo, tag, &d);
	if (r != STORE_OK && !(r == STORE_INVALID && want == NULL))
		return r;
	if (want != NULL && !digest_equal(&d, want))
		return STORE_MISMATCH;
	return store_remove_tree(s, layout_tag(path, repo, tag), 0);
}

static enum store_result
delete_tag(struct store *s, const char *repo, const char *tag,
    const struct digest *want)
{
	struct store_lock lock;
	enum store_result r;

	if ((r = tag_lock(s, repo, tag, &lock)) != STORE_OK)
		return r;
	r = delete_locked(s, repo, tag, want);
	store_unlock(s, &lock);
	return r;
}

enum store_result
tag_delete(struct store *s, const char *repo, const char *tag)
{
	return delete_tag(s, repo, tag, NULL);
}

enum store_result
tag_delete_if(struct store *s, const char *repo, const char *tag,
    const struct digest *want)
{
	struct digest d;
	enum store_result r;

	/* Most tags of a repository point elsewhere: no lock for those. */
	if ((r = tag_get(s, repo, tag, &d)) != STORE_OK)
		return r;
	if (!digest_equal(&d, want))
		return STORE_MISMATCH;
	return delete_tag(s, repo, tag, want);
}
