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
#include "tag.h"

#define TAG_PAGE	256

enum store_result
repo_link_blob(struct store *s, const char *repo, const struct digest *d)
{
	char path[LAYOUT_PATH_SIZE];

	return link_put(s, layout_layer(path, repo, d), d);
}

enum store_result
repo_mount_blob(struct store *s, const char *repo, const char *from,
    const struct digest *d)
{
	char path[LAYOUT_PATH_SIZE];
	struct digest target;
	enum store_result r;

	r = link_get(s, layout_layer(path, from, d), &target);
	if (r == STORE_OK)
		r = repo_stat_blob(s, from, d, NULL);
	if (r != STORE_OK)
		return r;
	return link_put(s, layout_layer(path, repo, d), &target);
}

enum store_result
repo_delete_blob(struct store *s, const char *repo, const struct digest *d)
{
	char path[LAYOUT_PATH_SIZE];

	return store_unlink(s, layout_layer(path, repo, d));
}

/* ---- manifests ---- */

static enum store_result
missing_add(struct digest **missing, size_t *n, const struct digest *d)
{
	struct digest *grown;

	grown = reallocarray(*missing, *n + 1, sizeof(*grown));
	if (grown == NULL)
		return STORE_NOMEM;
	grown[(*n)++] = *d;
	*missing = grown;
	return STORE_OK;
}

typedef enum store_result stat_fn(struct store *, const char *,
		    const struct digest *, struct store_stat *);

static enum store_result
check_present(struct store *s, const char *repo, const struct digest *d,
    size_t n, stat_fn *stat, struct digest **missing, size_t *nmissing)
{
	struct store_stat st;
	enum store_result r = STORE_OK;
	size_t i;

	for (i = 0; i < n && r == STORE_OK; i++) {
		r = stat(s, repo, &d[i], &st);
		/* A link that cannot be followed is as good as none. */
		if (r == STORE_NOTFOUND || r == STORE_INVALID)
			r = missing_add(missing, nmissing, &d[i]);
	}
	return r;
}

static enum store_result
check_references(struct store *s, const struct manifest_put *m,
    struct digest **missing, size_t *nmissing)
{
	enum store_result r;

	*missing = NULL;
	*nmissing = 0;
	r = check_present(s, m->repo, m->refs, m->nrefs, repo_stat_blob,
	    missing, nmissing);
	if (r == STORE_OK)
		r = check_present(s, m->repo, m->children, m->nchildren,
		    repo_stat_manifest, missing, nmissing);
	if (r == STORE_OK && *nmissing > 0)
		return STORE_MISSING;
	if (r != STORE_OK) {
		free(*missing);
		*missing = NULL;
		*nmissing = 0;
	}
	return r;
}

/* What is there already is compared: damage is healed by replacing it. */
static enum store_result
put_bytes(struct store *s, const struct digest *d, const void *data,
    size_t len)
{
	char path[LAYOUT_PATH_SIZE];
	enum store_result r;
	char *old = NULL;
	size_t oldlen;
	bool same;

	layout_blob(path, d);
	if ((r = store_put(s, path, data, len, 0)) != STORE_EXISTS)
		return r;
	r = store_read(s, path, len, &old, &oldlen);
	if (r != STORE_OK && r != STORE_TOOBIG)
		return r;
	same = r == STORE_OK && oldlen == len && memcmp(old, data, len) == 0;
	free(old);
	return same ? STORE_OK : store_put(s, path, data, len, STORE_REPLACE);
}

static enum store_result
put_mediatype(struct store *s, const struct manifest_put *m)
{
	char path[LAYOUT_PATH_SIZE];

	if (m->mediatype == NULL || m->mediatype[0] == '\0')
		return STORE_OK;
	return store_put(s, layout_mediatype(path, m->repo, &m->digest),
	    m->mediatype, strlen(m->mediatype), STORE_REPLACE);
}

/* The subject first: without it the entry could not be found again. */
static enum store_result
put_subject(struct store *s, const struct manifest_put *m)
{
	char path[LAYOUT_PATH_SIZE];
	enum store_result r;

	if (!m->has_subject)
		return STORE_OK;
	r = link_put(s, layout_subject(path, m->repo, &m->digest),
	    &m->subject);
	if (r != STORE_OK)
		return r;
	return referrer_put(s, m->repo, &m->subject, &m->digest,
	    m->artifact_type);
}

enum store_result
repo_put_manifest(struct store *s, const struct manifest_put *m,
    struct digest **missing, size_t *nmissing)
{
	char path[LAYOUT_PATH_SIZE];
	struct digest d;
	enum store_result r;
	size_t i;

	*missing = NULL;
	*nmissing = 0;
	if (m->len > MANIFEST_MAX_SIZE)
		return STORE_TOOBIG;
	if (digest_of(&d, m->digest.alg, m->data, m->len) == -1)
		return STORE_NOMEM;
	if (!digest_equal(&d, &m->digest))
		return STORE_MISMATCH;
	if ((r = check_references(s, m, missing, nmissing)) != STORE_OK)
		return r;
	if ((r = put_bytes(s, &d, m->data, m->len)) != STORE_OK ||
	    (r = put_mediatype(s, m)) != STORE_OK ||
	    (r = link_put(s, layout_revision(path, m->repo, &d),
	    &d)) != STORE_OK ||
	    (r = put_subject(s, m)) != STORE_OK)
		return r;
	for (i = 0; i < m->ntags && r == STORE_OK; i++)
		r = tag_put(s, m->repo, m->tags[i], &d);
	return r;
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

enum store_result
repo_delete_manifest(struct store *s, const char *repo,
    const struct digest *d)
{
	char path[LAYOUT_PATH_SIZE];
	struct store_stat st;
	enum store_result r;

	layout_revision(path, repo, d);
	if ((r = store_stat(s, path, &st)) != STORE_OK ||
	    (r = delete_tags_of(s, repo, d)) != STORE_OK ||
	    (r = delete_referrer_entry(s, repo, d)) != STORE_OK ||
	    (r = store_unlink(s, path)) != STORE_OK)
		return r;
	delete_notes(s, repo, d);
	return STORE_OK;
}
