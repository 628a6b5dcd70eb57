/* SPDX-License-Identifier: ISC */
/*
 * A repository's blobs and manifests, the reading half: runs in workers, and
 * in keepers where they check that something exists.  What a link stands for
 * is what its content says, whatever its own name.
 */
#include "repo.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "layout.h"
#include "link.h"
#include "str.h"

#define NAMES_MAX	16	/* of one object, looked at */

/* What a link stands for, both under their own names. */
static enum store_result
open_target(struct store *s, const char *link, int *fd, struct store_stat *st)
{
	char path[LAYOUT_PATH_SIZE];
	struct digest target;
	enum store_result r;

	if ((r = link_get(s, link, &target)) != STORE_OK)
		return r;
	return store_open(s, layout_blob(path, &target), fd, st);
}

enum store_result
repo_open_blob(struct store *s, const char *repo, const struct digest *d,
    int *fd, struct store_stat *st)
{
	char path[LAYOUT_PATH_SIZE];

	return open_target(s, layout_layer(path, repo, d), fd, st);
}

/* Is there the directory that a file would have to itself? */
static bool
has_directory(struct store *s, const char *path)
{
	char dir[LAYOUT_PATH_SIZE], *slash;
	struct store_stat st;

	if (str_copy(dir, sizeof(dir), path) == -1 ||
	    (slash = strrchr(dir, '/')) == NULL)
		return false;
	*slash = '\0';
	return store_stat(s, dir, &st) == STORE_OK && st.is_dir;
}

/* A name that collection, or a deletion that goes on, gave it: NOTFOUND. */
static enum store_result
condemned_name(struct store *s, const char *path, char dst[LAYOUT_PATH_SIZE])
{
	char dir[LAYOUT_PATH_SIZE], after[LAYOUT_PATH_SIZE], *base;
	enum store_result r;
	char **names;
	size_t i, n;
	bool more;

	if (str_copy(dir, sizeof(dir), path) == -1 ||
	    (base = strrchr(dir, '/')) == NULL)
		return STORE_INVALID;
	*base++ = '\0';
	snprintf(after, sizeof(after), "%s%s", base, LAYOUT_CONDEMNED);
	r = store_list(s, dir, after, NAMES_MAX, &names, &n, &more);
	if (r != STORE_OK)
		return r;
	r = STORE_NOTFOUND;
	for (i = 0; i < n && r == STORE_NOTFOUND; i++)
		if (layout_stands_for(names[i], base) &&
		    layout_join(dst, dir, names[i]) == 0)
			r = STORE_OK;
	store_names_free(names, n);
	return r;
}

/* The bytes, under whatever name. */
static enum store_result
see_bytes(struct store *s, const struct digest *d, int *fd,
    struct store_stat *st, bool *lease)
{
	char path[LAYOUT_PATH_SIZE], name[LAYOUT_PATH_SIZE];
	enum store_result r;

	r = store_open(s, layout_blob(path, d), fd, st);
	if (r != STORE_NOTFOUND)
		return r;
	*lease = has_directory(s, path);
	if (*lease && condemned_name(s, path, name) == STORE_OK)
		r = store_open(s, name, fd, st);
	return r;
}

/* Open what a link stands for; *lease as in the header. */
static enum store_result
see_target(struct store *s, const char *link, uint64_t renew_ms, int *fd,
    struct store_stat *st, bool *lease)
{
	char name[LAYOUT_PATH_SIZE];
	struct digest target;
	struct store_stat found;
	enum store_result r;

	*lease = false;
	r = link_look(s, link, &target, &found);
	if (r == STORE_NOTFOUND) {
		*lease = has_directory(s, link);
		if (*lease && condemned_name(s, link, name) == STORE_OK)
			r = link_look(s, name, &target, &found);
	}
	if (r != STORE_OK)
		return r;
	r = see_bytes(s, &target, fd, st, lease);
	if (r == STORE_OK && renew_ms != REPO_NO_LEASE &&
	    repo_lease_is_old(&found, renew_ms))
		*lease = true;
	return r;
}

enum store_result
repo_see_blob(struct store *s, const char *repo, const struct digest *d,
    uint64_t renew_ms, int *fd, struct store_stat *st, bool *lease)
{
	char path[LAYOUT_PATH_SIZE];

	return see_target(s, layout_layer(path, repo, d), renew_ms, fd, st,
	    lease);
}

enum store_result
repo_see_manifest(struct store *s, const char *repo, const struct digest *d,
    uint64_t renew_ms, int *fd, struct store_stat *st, bool *lease)
{
	char path[LAYOUT_PATH_SIZE];

	return see_target(s, layout_revision(path, repo, d), renew_ms, fd, st,
	    lease);
}

/* The bytes that a link stands for, of the length that they should have. */
static enum store_result
stat_target(struct store *s, const char *link, struct store_stat *st)
{
	enum store_result r;
	int fd;

	if ((r = open_target(s, link, &fd, st)) != STORE_OK)
		return r;
	store_close(s, fd);
	return STORE_OK;
}

enum store_result
repo_stat_blob(struct store *s, const char *repo, const struct digest *d,
    struct store_stat *st)
{
	char path[LAYOUT_PATH_SIZE];

	return stat_target(s, layout_layer(path, repo, d), st);
}

enum store_result
repo_stat_manifest(struct store *s, const char *repo, const struct digest *d,
    struct store_stat *st)
{
	char path[LAYOUT_PATH_SIZE];

	return stat_target(s, layout_revision(path, repo, d), st);
}

enum store_result
repo_read_manifest(struct store *s, const char *repo, const struct digest *d,
    char **data, size_t *len)
{
	char path[LAYOUT_PATH_SIZE];
	struct store_stat st;
	enum store_result r;
	int fd;

	r = open_target(s, layout_revision(path, repo, d), &fd, &st);
	if (r != STORE_OK)
		return r;
	r = repo_read_fd(s, fd, &st, data, len);
	store_close(s, fd);
	return r;
}

enum store_result
repo_read_fd(struct store *s, int fd, const struct store_stat *st,
    char **datap, size_t *len)
{
	enum store_result r;
	char *data;

	if (st->size > MANIFEST_MAX_SIZE)
		return STORE_INVALID;
	if ((data = malloc((size_t)st->size + 1)) == NULL)
		return STORE_NOMEM;
	r = store_pread(s, fd, data, (size_t)st->size, 0, len);
	if (r != STORE_OK) {
		free(data);
		return r;
	}
	data[*len] = '\0';
	*datap = data;
	return STORE_OK;
}

enum store_result
repo_read_mediatype(struct store *s, const char *repo,
    const struct digest *d, char dst[MEDIATYPE_SIZE])
{
	char path[LAYOUT_PATH_SIZE];
	enum store_result r;
	char *data;
	size_t len;

	r = store_read(s, layout_mediatype(path, repo, d), MEDIATYPE_SIZE - 1,
	    &data, &len);
	if (r != STORE_OK)
		return r == STORE_TOOBIG ? STORE_INVALID : r;
	if (strlen(data) != len || len == 0)
		r = STORE_INVALID;
	else
		str_copy(dst, MEDIATYPE_SIZE, data);
	free(data);
	return r;
}

enum store_result
repo_stat(struct store *s, const char *repo)
{
	char path[LAYOUT_PATH_SIZE];
	enum store_result r;

	r = store_stat(s, layout_manifests(path, repo), NULL);
	if (r == STORE_NOTFOUND)
		r = store_stat(s, layout_layers(path, repo), NULL);
	if (r == STORE_NOTFOUND)
		r = store_stat(s, layout_uploads(path, repo), NULL);
	return r;
}
