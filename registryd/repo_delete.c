/* SPDX-License-Identifier: ISC */
/*
 * Deletion of a repository's manifests and tags: runs in keepers, manifests a
 * slice at a time.  What has been deleted does not come back, whatever leases
 * or collection rename at the same time.
 *
 * A manifest loses its tags first, then referrer entry, link and notes, so
 * that a crash leaves no tag to nothing:
 *
 *  1. MARK    beneath the lock of repo@D: its link gets a time of its own
 *  2. TAGS    without that lock, for there may be many: each that points to
 *             it, beneath the tag's lock
 *  3. REMOVE  beneath the lock of repo@D, if the link is the one of 1 with
 *             the time of 1; else all over again
 *
 * Whoever tags a manifest does so beneath the lock of repo@D, and touches the
 * link before (repo_put.c): either before 1, and 2 finds the tag, or after 1,
 * and 3 finds another time.
 */
#include "repo_delete.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "clock.h"
#include "layout.h"
#include "link.h"
#include "random.h"
#include "reference.h"
#include "referrer.h"
#include "repo_page.h"
#include "str.h"
#include "tag.h"

#define NAMES_PAGE	64
#define ROUNDS		64	/* against collection, which gives up first */
#define MARK_ROUNDS	16	/* against those who put or tag it */
#define RACE_TRIES	8	/* names that moved between two calls */
/*
 * Before now, so that no touch can give the same time, however coarse the
 * times of the file system; not so long that collection took it for old.
 */
#define MARK_AGE_S	2

struct manifest_delete {
	struct store	*store;
	char		 repo[REPO_NAME_SIZE];
	struct digest	 digest;
	char		 link[LAYOUT_PATH_SIZE];
	enum { DELETE_MARK, DELETE_TAGS, DELETE_REMOVE } stage;
	struct store_stat mark;		/* of the link */
	struct repo_page tags;
	unsigned	 round;
};

void
repo_prune_link(struct store *s, const char *dir)
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
	repo_prune_link(s, dir);
	return STORE_OK;
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
	struct digest target;
	enum store_result r;

	if (!tag_ok(tag))
		return STORE_OK;
	r = tag_delete_if(s, repo, tag, d);
	/* Of the link, and not of its removal. */
	if (r == STORE_INVALID &&
	    tag_get(s, repo, tag, &target) == STORE_INVALID &&
	    store_stat(s, layout_tag_current(path, repo, tag), NULL) ==
	    STORE_OK)
		return STORE_OK;
	/* Points elsewhere, or somebody was faster. */
	return r == STORE_MISMATCH || r == STORE_NOTFOUND ? STORE_OK : r;
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

/* ---- 1 ---- */

/* A file that another user made may refuse; one of ours takes its place. */
static enum store_result
set_time(struct manifest_delete *m)
{
	struct timespec when;
	enum store_result r;
	uint32_t ns;

	(void)clock_gettime(CLOCK_REALTIME, &when);
	random_bytes(&ns, sizeof(ns));
	when.tv_sec -= MARK_AGE_S;
	when.tv_nsec = (long)(ns % 1000000000);
	r = store_touch_at(m->store, m->link, &when);
	if (!store_result_is_io(r))
		return r;
	if ((r = link_put(m->store, m->link, &m->digest)) != STORE_OK)
		return r;
	/* Where times cannot be set, nobody else can do so either. */
	r = store_touch_at(m->store, m->link, &when);
	return store_result_is_io(r) ? STORE_OK : r;
}

/* Opened, so that the answer is not one that another host has overtaken. */
static enum store_result
stat_link(struct manifest_delete *m, struct store_stat *st)
{
	enum store_result r;
	int fd, tries;

	for (tries = 0; tries < RACE_TRIES; tries++) {
		if ((r = store_open(m->store, m->link, &fd, st)) == STORE_OK)
			store_close(m->store, fd);
		if (r != STORE_NOTFOUND)
			return r;
		if ((r = repo_resurrect(m->store, m->link)) != STORE_OK)
			return r;
	}
	return STORE_BUSY;
}

static enum store_result
step_mark(struct manifest_delete *m)
{
	enum store_result r;
	int tries;

	for (tries = 0; tries < RACE_TRIES; tries++) {
		if ((r = stat_link(m, &m->mark)) != STORE_OK)
			return r;
		/* Renamed by collection since. */
		if ((r = set_time(m)) == STORE_NOTFOUND)
			continue;
		return r == STORE_OK ? stat_link(m, &m->mark) : r;
	}
	return STORE_BUSY;
}

/* ---- 2 ---- */

static enum store_result
step_tags(struct manifest_delete *m, uint64_t until)
{
	char path[LAYOUT_PATH_SIZE];
	enum store_result r;
	const char *tag;

	layout_tags(path, m->repo);
	for (;;) {
		r = repo_page_next(m->store, path, &m->tags, &tag);
		if (r == STORE_OK)
			r = delete_tag_of(m->store, m->repo, tag, &m->digest);
		else if (r == STORE_NOTFOUND)
			return STORE_OK;
		else
			return r;
		if (r != STORE_OK)
			repo_page_again(&m->tags);
		if (r != STORE_OK)
			return r;
		if (clock_monotonic_ms() >= until)
			return STORE_MORE;
	}
}

/* ---- 3 ---- */

static bool
same_mark(const struct store_stat *a, const struct store_stat *b)
{
	return a->ino == b->ino && a->dev == b->dev && a->mtime == b->mtime &&
	    a->mtime_nsec == b->mtime_nsec;
}

/* *again: it has been put or tagged since it was marked. */
static enum store_result
step_remove(struct manifest_delete *m, bool *again)
{
	struct store *s = m->store;
	struct store_stat st;
	enum store_result r;

	if ((r = stat_link(m, &st)) != STORE_OK)
		return r;
	if (!same_mark(&st, &m->mark)) {
		*again = true;
		return STORE_OK;
	}
	if ((r = delete_referrer_entry(s, m->repo, &m->digest)) != STORE_OK ||
	    (r = store_barrier(s)) != STORE_OK ||
	    (r = remove_names(s, m->link)) != STORE_OK ||
	    /* Without its notes a manifest would say something else. */
	    (r = store_barrier(s)) != STORE_OK)
		return r;
	delete_notes(s, m->repo, &m->digest);
	return STORE_OK;
}

/* ---- all of it ---- */

struct manifest_delete *
manifest_delete_new(struct store *s, const char *repo,
    const struct digest *d)
{
	struct manifest_delete *m;

	if ((m = calloc(1, sizeof(*m))) == NULL)
		return NULL;
	m->store = s;
	str_copy(m->repo, sizeof(m->repo), repo);
	m->digest = *d;
	layout_revision(m->link, repo, d);
	return m;
}

void
manifest_delete_free(struct manifest_delete *m)
{
	if (m == NULL)
		return;
	repo_page_done(&m->tags);
	free(m);
}

/* Beneath the lock: 1 or 3. */
static enum store_result
step_locked(struct manifest_delete *m, bool *again)
{
	struct store_lock lock;
	enum store_result r;

	r = repo_lock_manifest(m->store, m->repo, &m->digest, &lock);
	if (r != STORE_OK)
		return r;
	r = m->stage == DELETE_MARK ? step_mark(m) : step_remove(m, again);
	store_unlock(m->store, &lock);
	return r;
}

enum store_result
manifest_delete_step(struct manifest_delete *m)
{
	uint64_t until = clock_monotonic_ms() + STORE_SLICE_MS;
	enum store_result r;
	bool again = false;

	if (m->stage == DELETE_MARK) {
		if ((r = step_locked(m, &again)) != STORE_OK)
			return r;
		m->stage = DELETE_TAGS;
	}
	if (m->stage == DELETE_TAGS) {
		if ((r = step_tags(m, until)) != STORE_OK)
			return r;
		repo_page_done(&m->tags);
		m->stage = DELETE_REMOVE;
	}
	if ((r = step_locked(m, &again)) != STORE_OK || !again)
		return r;
	m->stage = DELETE_MARK;
	return ++m->round == MARK_ROUNDS ? STORE_BUSY : STORE_MORE;
}

enum store_result
repo_delete_manifest(struct store *s, const char *repo,
    const struct digest *d)
{
	struct manifest_delete *m;
	enum store_result r;

	if ((m = manifest_delete_new(s, repo, d)) == NULL)
		return STORE_NOMEM;
	do
		r = manifest_delete_step(m);
	while (r == STORE_MORE);
	manifest_delete_free(m);
	return r;
}

/* ---- tags ---- */

enum store_result
repo_delete_tag(struct store *s, const char *repo, const char *tag)
{
	enum store_result r;

	if ((r = repo_touch_tagged(s, repo, tag)) != STORE_OK)
		return r;
	return tag_delete(s, repo, tag);
}
