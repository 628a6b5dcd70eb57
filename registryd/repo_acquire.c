/* SPDX-License-Identifier: ISC */
/*
 * Leases on what a repository has, and its way back from collection: runs in
 * keepers, before a positive answer is given and while a manifest is put.
 *
 * The order is what counts.  A lease is taken (the link is touched, by name)
 * before the bytes are looked at; a link or file that collection has renamed
 * is renamed back before anyone says that it is not there.
 */
#include "repo.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "layout.h"
#include "link.h"
#include "reference.h"
#include "str.h"
#include "tag.h"

#define RACE_TRIES	8	/* names that moved between two calls */
#define NAMES_PAGE	16

struct search {				/* for X and X.condemned.* */
	struct store	*store;
	const char	*path;		/* of X */
	char		 dir[LAYOUT_PATH_SIZE];
	const char	*base;
	size_t		 baselen;
	bool		 moved;		/* a name that was listed has gone */
};

/* One page of names: OK when X is there, or there again. */
static enum store_result
search_names(struct search *f, char **names, size_t n)
{
	char from[LAYOUT_PATH_SIZE];
	enum store_result r;
	size_t i;

	for (i = 0; i < n; i++) {
		if (strcmp(names[i], f->base) == 0)
			return STORE_OK;
		if (!layout_stands_for(names[i], f->base) ||
		    layout_join(from, f->dir, names[i]) == -1)
			continue;
		r = store_move(f->store, from, f->path, 0);
		if (r == STORE_OK || r == STORE_EXISTS)
			return STORE_OK;
		if (r != STORE_NOTFOUND)
			return r;
		f->moved = true;
	}
	return STORE_NOTFOUND;
}

/*
 * The directory is read once for X and its other names: it has one of them
 * at any time, so a listing without any means that X is gone.
 */
static enum store_result
search_once(struct search *f)
{
	char after[LAYOUT_PATH_SIZE];
	enum store_result r;
	char **names;
	size_t n;
	bool more = true;

	/* The last name before X. */
	str_copy(after, sizeof(after), f->base);
	after[f->baselen - 1] = '\0';
	f->moved = false;
	do {
		r = store_list(f->store, f->dir, after, NAMES_PAGE, &names,
		    &n, &more);
		if (r != STORE_OK)
			return r == STORE_INVALID ? STORE_NOTFOUND : r;
		r = search_names(f, names, n);
		if (n == 0 || str_copy(after, sizeof(after),
		    names[n - 1]) == -1 ||
		    strncmp(after, f->base, f->baselen) > 0)
			more = false;
		store_names_free(names, n);
	} while (r == STORE_NOTFOUND && more);
	return r;
}

enum store_result
repo_resurrect(struct store *s, const char *path)
{
	struct search f = { .store = s, .path = path };
	enum store_result r;
	char *slash;
	int tries = 0;

	if (str_copy(f.dir, sizeof(f.dir), path) == -1 ||
	    (slash = strrchr(f.dir, '/')) == NULL)
		return STORE_INVALID;
	*slash = '\0';
	f.base = slash + 1;
	f.baselen = strlen(f.base);
	if (f.baselen == 0)
		return STORE_INVALID;
	do
		r = search_once(&f);
	while (r == STORE_NOTFOUND && f.moved && ++tries < RACE_TRIES);
	/* Nobody has seen that it is gone. */
	return r == STORE_NOTFOUND && f.moved ? STORE_BUSY : r;
}

/* store_stat() of a file, back from collection if need be. */
static enum store_result
stat_present(struct store *s, const char *path, struct store_stat *st)
{
	enum store_result r;
	int tries;

	for (tries = 0; tries < RACE_TRIES; tries++) {
		r = store_stat(s, path, st);
		if (r != STORE_NOTFOUND)
			return r == STORE_OK && st->is_dir ? STORE_INVALID :
			    r;
		if ((r = repo_resurrect(s, path)) != STORE_OK)
			return r;
	}
	return STORE_BUSY;
}

/*
 * The bytes in the same way.  A file of a length that is not its own is as
 * good as none: whoever is told so pushes it again, which heals it.
 */
static enum store_result
bytes_present(struct store *s, const char *path)
{
	enum store_result r;
	int tries, fd;

	for (tries = 0; tries < RACE_TRIES; tries++) {
		if ((r = store_open(s, path, &fd, NULL)) == STORE_OK) {
			store_close(s, fd);
			return STORE_OK;
		}
		if (r != STORE_NOTFOUND)
			return r == STORE_INVALID ? STORE_NOTFOUND : r;
		if ((r = repo_resurrect(s, path)) != STORE_OK)
			return r;
	}
	return STORE_BUSY;
}

/* link_get() in the same way. */
static enum store_result
link_present(struct store *s, const char *path, struct digest *target)
{
	enum store_result r;
	int tries;

	for (tries = 0; tries < RACE_TRIES; tries++) {
		if ((r = link_get(s, path, target)) != STORE_NOTFOUND)
			return r;
		if ((r = repo_resurrect(s, path)) != STORE_OK)
			return r;
	}
	return STORE_BUSY;
}

bool
repo_lease_is_old(const struct store_stat *st, uint64_t renew_ms)
{
	struct timespec now;
	int64_t age_ms;

	/* A time to come is as wrong as one long past. */
	(void)clock_gettime(CLOCK_REALTIME, &now);
	age_ms = ((int64_t)now.tv_sec - (int64_t)st->mtime) * 1000 +
	    (now.tv_nsec - (int64_t)st->mtime_nsec) / 1000000;
	if (age_ms < 0)
		age_ms = -age_ms;
	return (uint64_t)age_ms > renew_ms;
}

/*
 * By name: what collection renames after it is seen as fresh.  A file that
 * another user made may refuse; then one of ours takes its place.
 */
static enum store_result
renew_link(struct store *s, const char *path)
{
	struct digest target;
	enum store_result r;

	r = store_touch(s, path);
	if (!store_result_is_io(r))
		return r;
	if ((r = link_get(s, path, &target)) != STORE_OK)
		return r;
	return link_put(s, path, &target);
}

enum store_result
repo_touch_manifest(struct store *s, const char *repo,
    const struct digest *d)
{
	char path[LAYOUT_PATH_SIZE];

	return renew_link(s, layout_revision(path, repo, d));
}

static enum store_result
lease_link(struct store *s, const char *path, uint64_t renew_ms)
{
	struct store_stat st;
	enum store_result r;
	int tries;

	for (tries = 0; tries < RACE_TRIES; tries++) {
		if ((r = stat_present(s, path, &st)) != STORE_OK)
			return r;
		if (!repo_lease_is_old(&st, renew_ms))
			return STORE_OK;
		if ((r = renew_link(s, path)) != STORE_NOTFOUND)
			return r;
	}
	return STORE_BUSY;
}

enum store_result
repo_lock_manifest(struct store *s, const char *repo,
    const struct digest *d, struct store_lock *lock)
{
	char name[1 + REPO_NAME_SIZE + DIGEST_STR_SIZE];
	char text[DIGEST_STR_SIZE];

	snprintf(name, sizeof(name), "@%s@%s", repo, digest_format(text, d));
	return store_lock(s, name, lock);
}

enum store_result
repo_recheck_bytes(struct store *s, const struct digest *d)
{
	char path[LAYOUT_PATH_SIZE];

	return bytes_present(s, layout_blob(path, d));
}

static enum store_result
recheck(struct store *s, const char *link)
{
	struct digest target;
	enum store_result r;

	if ((r = link_present(s, link, &target)) != STORE_OK)
		return r;
	return repo_recheck_bytes(s, &target);
}

enum store_result
repo_recheck_blob(struct store *s, const char *repo, const struct digest *d)
{
	char path[LAYOUT_PATH_SIZE];

	return recheck(s, layout_layer(path, repo, d));
}

enum store_result
repo_recheck_manifest(struct store *s, const char *repo,
    const struct digest *d)
{
	char path[LAYOUT_PATH_SIZE];

	return recheck(s, layout_revision(path, repo, d));
}

enum store_result
repo_acquire_blob(struct store *s, const char *repo, const struct digest *d,
    uint64_t renew_ms)
{
	char path[LAYOUT_PATH_SIZE];
	enum store_result r;

	layout_layer(path, repo, d);
	if ((r = lease_link(s, path, renew_ms)) != STORE_OK)
		return r;
	return recheck(s, path);
}

/* It is small enough to be read: INVALID when it has another digest. */
static enum store_result
check_manifest(struct store *s, const char *repo, const struct digest *d)
{
	struct digest actual;
	enum store_result r;
	char *data;
	size_t len;
	int failed;

	r = repo_read_manifest(s, repo, d, &data, &len);
	if (r != STORE_OK)
		return r;
	failed = digest_of(&actual, d->alg, data, len);
	free(data);
	if (failed == -1)
		return STORE_NOMEM;
	return digest_equal(&actual, d) ? STORE_OK : STORE_INVALID;
}

enum store_result
repo_acquire_manifest(struct store *s, const char *repo,
    const struct digest *d, uint64_t renew_ms)
{
	char path[LAYOUT_PATH_SIZE];
	enum store_result r;
	int tries;

	layout_revision(path, repo, d);
	if ((r = lease_link(s, path, renew_ms)) != STORE_OK)
		return r;
	for (tries = 0; tries < RACE_TRIES; tries++) {
		if ((r = recheck(s, path)) != STORE_OK)
			return r;
		/* Renamed again in between, it comes back again. */
		r = check_manifest(s, repo, d);
		if (r != STORE_NOTFOUND)
			return r == STORE_INVALID ? STORE_NOTFOUND : r;
	}
	return STORE_BUSY;
}

/* A lease would be lost with the power, and its loss would end another age. */
static enum store_result
sync_link(struct store *s, const char *path)
{
	enum store_result r;
	int fd;

	if ((r = store_open(s, path, &fd, NULL)) != STORE_OK)
		return r;
	r = store_sync(s, fd);
	store_close(s, fd);
	return r;
}

enum store_result
repo_touch_tagged(struct store *s, const char *repo, const char *tag)
{
	char path[LAYOUT_PATH_SIZE];
	enum store_result r;
	struct digest d;

	r = tag_get(s, repo, tag, &d);
	if (r == STORE_OK) {
		layout_revision(path, repo, &d);
		r = lease_link(s, path, 0);
	}
	if (r == STORE_OK)
		r = sync_link(s, path);
	return r == STORE_NOTFOUND || r == STORE_INVALID ? STORE_OK : r;
}
