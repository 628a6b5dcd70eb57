/* SPDX-License-Identifier: ISC */
/*
 * A repository's blobs and manifests, the reading half: runs in workers, and
 * in keepers where they check that something exists.  What a link stands for
 * is what its content says, whatever its own name.
 */
#include "repo.h"

#include <stdlib.h>
#include <string.h>

#include "layout.h"
#include "link.h"
#include "str.h"

enum store_result
repo_open_blob(struct store *s, const char *repo, const struct digest *d,
    int *fd, struct store_stat *st)
{
	char path[LAYOUT_PATH_SIZE];
	struct digest target;
	enum store_result r;

	r = link_get(s, layout_layer(path, repo, d), &target);
	if (r != STORE_OK)
		return r;
	return store_open(s, layout_blob(path, &target), fd, st);
}

/* The bytes that a link stands for: STORE_OK when they are a file. */
static enum store_result
stat_target(struct store *s, const char *link, struct store_stat *st)
{
	char path[LAYOUT_PATH_SIZE];
	struct digest target;
	struct store_stat found;
	enum store_result r;

	if ((r = link_get(s, link, &target)) != STORE_OK)
		return r;
	r = store_stat(s, layout_blob(path, &target), &found);
	if (r != STORE_OK)
		return r;
	if (found.is_dir)
		return STORE_INVALID;
	if (st != NULL)
		*st = found;
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
	struct digest target;
	enum store_result r;

	r = link_get(s, layout_revision(path, repo, d), &target);
	if (r != STORE_OK)
		return r;
	r = store_read(s, layout_blob(path, &target), MANIFEST_MAX_SIZE, data,
	    len);
	return r == STORE_TOOBIG ? STORE_INVALID : r;
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
