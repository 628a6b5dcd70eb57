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
#include "repo.h"
#include "repo_put.h"

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
		    STORE_REPLACE | STORE_TELL);
		break;
	default:
		/*
		 * Collection may have taken the bytes before it could see the
		 * link, which then stays for collection too: by now it may be
		 * that of an upload which was acknowledged.
		 */
		return repo_recheck_blob(s, repo, d);
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

/* ---- a manifest, all at once ---- */

static enum store_result
copy_missing(const struct manifest_commit *c, struct digest **missing,
    size_t *nmissing)
{
	const struct digest *list;
	size_t n;

	list = manifest_commit_missing(c, &n);
	if ((*missing = calloc(n + 1, sizeof(**missing))) == NULL)
		return STORE_NOMEM;
	if (n > 0)
		memcpy(*missing, list, n * sizeof(*list));
	*nmissing = n;
	return STORE_MISSING;
}

enum store_result
repo_put_manifest(struct store *s, const struct manifest_put *put,
    struct digest **missing, size_t *nmissing)
{
	struct manifest_commit *c;
	enum store_result r;

	*missing = NULL;
	*nmissing = 0;
	if ((c = manifest_commit_new(s, put, 0)) == NULL)
		return STORE_NOMEM;
	while ((r = manifest_commit_step(c)) == STORE_AGAIN)
		if ((r = store_barrier(s)) != STORE_OK)
			break;
	if (r == STORE_MISSING)
		r = copy_missing(c, missing, nmissing);
	manifest_commit_free(c);
	return r;
}
