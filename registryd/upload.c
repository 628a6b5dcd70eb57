/* SPDX-License-Identifier: ISC */
/*
 * Resumable uploads: sessions on disk, their lock, their running hash.  Runs
 * in keepers; workers only ask for the status, the collector expires.
 *
 * A session is whatever distribution makes of one, so either can go on with
 * the other's.  Whoever changes it holds the lock of its data file.
 */
#include "upload.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "layout.h"
#include "reference.h"
#include "repo.h"
#include "upload_state.h"

#define HASH_BUFFER	(256u * 1024)

struct upload {
	struct store	*store;
	char		 repo[REPO_NAME_SIZE];
	char		 id[UPLOAD_ID_SIZE];
	int		 fd;
	uint64_t	 size;
	struct digest_ctx *hash;	/* of the first "hashed" bytes */
	uint64_t	 hashed;
	struct digest_ctx *base;	/* as found at opening */
	uint64_t	 base_size;
	bool		 frozen;	/* the file is, or may be, a blob */
};

static struct upload *
upload_new(struct store *s, const char *repo, const char *id)
{
	struct upload *u;

	if ((u = calloc(1, sizeof(*u))) == NULL)
		return NULL;
	u->store = s;
	u->fd = -1;
	snprintf(u->repo, sizeof(u->repo), "%s", repo);
	snprintf(u->id, sizeof(u->id), "%s", id);
	return u;
}

static void
upload_free(struct upload *u)
{
	if (u->fd != -1)
		store_close(u->store, u->fd);
	digest_ctx_free(u->hash);
	digest_ctx_free(u->base);
	free(u);
}

static enum store_result
upload_write_startedat(struct store *s, const char *repo, const char *id)
{
	char path[LAYOUT_PATH_SIZE], now[32];

	clock_rfc3339(now, sizeof(now), clock_wall());
	return store_put(s, layout_upload_startedat(path, repo, id), now,
	    strlen(now), STORE_REPLACE | STORE_NOSYNC);
}

enum store_result
upload_start(struct store *s, const char *repo, const char *id,
    enum digest_alg alg, struct upload **up)
{
	char path[LAYOUT_PATH_SIZE];
	struct upload *u;
	enum store_result r;

	if ((u = upload_new(s, repo, id)) == NULL)
		return STORE_NOMEM;
	if ((u->hash = digest_ctx_new(alg)) == NULL ||
	    (u->base = digest_ctx_new(alg)) == NULL) {
		upload_free(u);
		return STORE_NOMEM;
	}
	r = store_create(s, layout_upload_data(path, repo, id), &u->fd);
	if (r == STORE_OK) {
		r = upload_write_startedat(s, repo, id);
		if (r != STORE_OK)
			(void)store_remove_tree(s, layout_upload(path, repo,
			    id), STORE_NOSYNC);
	}
	if (r != STORE_OK) {
		upload_free(u);
		return r;
	}
	*up = u;
	return STORE_OK;
}

enum store_result
upload_open(struct store *s, const char *repo, const char *id,
    struct upload **up)
{
	char path[LAYOUT_PATH_SIZE];
	struct store_stat st;
	struct upload *u;
	enum store_result r;

	if ((u = upload_new(s, repo, id)) == NULL)
		return STORE_NOMEM;
	layout_upload_data(path, repo, id);
	if ((r = store_open_append(s, path, &u->fd, &st)) != STORE_OK) {
		u->fd = -1;
		upload_free(u);
		return r;
	}
	u->size = u->base_size = st.size;
	u->hash = upload_state_take(path, &st);
	if (u->hash == NULL && u->size == 0)
		u->hash = digest_ctx_new(DIGEST_SHA256);
	if (u->hash != NULL) {
		u->hashed = u->size;
		u->base = digest_ctx_copy(u->hash);
	}
	*up = u;
	return STORE_OK;
}

uint64_t
upload_offset(const struct upload *u)
{
	return u->size;
}

static void
upload_drop_hash(struct upload *u)
{
	digest_ctx_free(u->hash);
	u->hash = NULL;
	u->hashed = 0;
}

/* Its file is gone, or of no use: nothing can go on from here. */
static void
upload_discard(struct upload *u)
{
	char path[LAYOUT_PATH_SIZE];

	u->frozen = true;
	(void)store_remove_tree(u->store, layout_upload(path, u->repo, u->id),
	    STORE_NOSYNC);
}

enum store_result
upload_append(struct upload *u, const void *data, size_t len)
{
	enum store_result r;

	if (u->frozen)
		return STORE_NOTFOUND;
	if ((r = store_write(u->store, u->fd, data, len,
	    u->size)) != STORE_OK) {
		/* Part of it may be there. */
		(void)store_truncate(u->store, u->fd, u->size);
		return r;
	}
	if ((r = store_flush(u->store, u->fd, u->size, u->size + len)) !=
	    STORE_OK) {
		upload_discard(u);
		return r;
	}
	if (u->hash != NULL && u->hashed == u->size) {
		if (digest_ctx_update(u->hash, data, len) == -1)
			upload_drop_hash(u);
		else
			u->hashed += len;
	}
	u->size += len;
	return STORE_OK;
}

enum store_result
upload_rewind(struct upload *u, uint64_t offset)
{
	enum store_result r;

	if (offset > u->size)
		return STORE_MISMATCH;
	if (offset == u->size)
		return STORE_OK;
	if (u->frozen)
		return STORE_NOTFOUND;
	if ((r = store_truncate(u->store, u->fd, offset)) != STORE_OK)
		return r;
	u->size = offset;
	upload_drop_hash(u);
	if (offset == u->base_size && u->base != NULL &&
	    (u->hash = digest_ctx_copy(u->base)) != NULL)
		u->hashed = offset;
	return STORE_OK;
}

enum store_result
upload_hash_step(struct upload *u, enum digest_alg alg, size_t budget,
    bool *done)
{
	static char buffer[HASH_BUFFER];
	enum store_result r;
	size_t want, n;

	if (u->hash == NULL || digest_ctx_alg(u->hash) != alg) {
		upload_drop_hash(u);
		if ((u->hash = digest_ctx_new(alg)) == NULL)
			return STORE_NOMEM;
	}
	while (u->hashed < u->size && budget > 0) {
		want = sizeof(buffer) < budget ? sizeof(buffer) : budget;
		if (u->size - u->hashed < want)
			want = (size_t)(u->size - u->hashed);
		r = store_pread(u->store, u->fd, buffer, want, u->hashed, &n);
		if (r != STORE_OK)
			return r;
		/* Shorter than it was: somebody outside cut it. */
		if (n == 0)
			return STORE_INVALID;
		if (digest_ctx_update(u->hash, buffer, n) == -1)
			return STORE_NOMEM;
		u->hashed += n;
		budget -= n;
	}
	*done = u->hashed == u->size;
	return STORE_OK;
}

static enum store_result
upload_check(struct upload *u, const struct digest *want)
{
	struct digest have;
	enum store_result r;
	bool done = false;

	while (!done) {
		r = upload_hash_step(u, want->alg, SIZE_MAX, &done);
		if (r != STORE_OK)
			return r;
	}
	if (digest_ctx_result(u->hash, &have) == -1)
		return STORE_NOMEM;
	return digest_equal(&have, want) ? STORE_OK : STORE_MISMATCH;
}

/* Does the session still have its file? */
static bool
upload_in_place(struct upload *u, const char *data)
{
	struct store_stat here, st;

	return store_stat(u->store, data, &here) == STORE_OK &&
	    store_fstat(u->store, u->fd, &st) == STORE_OK &&
	    here.ino == st.ino && here.dev == st.dev;
}

/* From here on, the file must not change any more through this upload. */
static enum store_result
upload_publish(struct upload *u, const struct digest *d)
{
	char path[LAYOUT_PATH_SIZE], data[LAYOUT_PATH_SIZE];
	enum store_result r;

	layout_upload_data(data, u->repo, u->id);
	u->frozen = true;
	r = store_move(u->store, data, layout_blob(path, d), STORE_REPLACE);
	if (r == STORE_OK)
		return repo_link_blob(u->store, u->repo, d);
	if (upload_in_place(u, data))
		u->frozen = false;
	return r;
}

enum store_result
upload_finish(struct upload *u, const struct digest *d)
{
	enum store_result r;

	if (u->frozen)
		return STORE_NOTFOUND;
	if ((r = upload_check(u, d)) != STORE_OK)
		return r;
	/* After a failed sync the kernel may have dropped pages. */
	if ((r = store_sync(u->store, u->fd)) != STORE_OK) {
		upload_discard(u);
		return r;
	}
	r = upload_publish(u, d);
	if (r == STORE_OK)
		upload_drop_hash(u);
	if (u->frozen)
		upload_discard(u);
	return r;
}

enum store_result
upload_cancel(struct store *s, const char *repo, const char *id)
{
	char path[LAYOUT_PATH_SIZE];
	struct store_stat st;
	enum store_result r;
	int fd;

	layout_upload_data(path, repo, id);
	if ((r = store_open_append(s, path, &fd, &st)) != STORE_OK)
		return r;
	upload_state_drop(path);
	r = store_remove_tree(s, layout_upload(path, repo, id), STORE_NOSYNC);
	store_close(s, fd);
	return r;
}

enum store_result
upload_status(struct store *s, const char *repo, const char *id,
    uint64_t *offset)
{
	char path[LAYOUT_PATH_SIZE];
	struct store_stat st;
	enum store_result r;

	r = store_stat(s, layout_upload_data(path, repo, id), &st);
	if (r != STORE_OK)
		return r;
	if (st.is_dir)
		return STORE_INVALID;
	*offset = st.size;
	return STORE_OK;
}

/* When was the session last touched? */
static enum store_result
upload_activity(struct store *s, const char *repo, const char *id,
    time_t *when)
{
	char path[LAYOUT_PATH_SIZE];
	struct store_stat st;
	enum store_result r;

	if ((r = store_stat(s, layout_upload(path, repo, id),
	    &st)) != STORE_OK)
		return r;
	*when = st.mtime;
	r = store_stat(s, layout_upload_data(path, repo, id), &st);
	if (r == STORE_OK && st.mtime > *when)
		*when = st.mtime;
	if (r == STORE_OK || r == STORE_NOTFOUND)
		r = store_stat(s, layout_upload_startedat(path, repo, id),
		    &st);
	if (r == STORE_OK && st.mtime > *when)
		*when = st.mtime;
	return r == STORE_NOTFOUND ? STORE_OK : r;
}

enum store_result
upload_expire(struct store *s, const char *repo, const char *id,
    time_t before, bool dryrun)
{
	char path[LAYOUT_PATH_SIZE];
	struct store_stat st;
	enum store_result r;
	time_t when;
	int fd = -1;

	if ((r = upload_activity(s, repo, id, &when)) != STORE_OK)
		return r;
	if (when >= before)
		return STORE_MISMATCH;
	if (dryrun)
		return STORE_OK;
	/* What a crash left of a finished session has no data file. */
	r = store_open_append(s, layout_upload_data(path, repo, id), &fd,
	    &st);
	if (r == STORE_NOTFOUND)
		fd = -1;
	else if (r != STORE_OK)
		return r;
	/* Again, now that nobody else can touch it. */
	r = upload_activity(s, repo, id, &when);
	if (r == STORE_OK && when >= before)
		r = STORE_MISMATCH;
	if (r == STORE_OK)
		r = store_remove_tree(s, layout_upload(path, repo, id),
		    STORE_NOSYNC);
	store_close(s, fd);
	return r;
}

enum store_result
upload_list(struct store *s, const char *repo, const char *after, size_t n,
    char ***ids, size_t *nids, bool *more)
{
	char path[LAYOUT_PATH_SIZE];

	return store_list(s, layout_uploads(path, repo), after, n, ids, nids,
	    more);
}

void
upload_close(struct upload *u)
{
	char path[LAYOUT_PATH_SIZE];
	struct store_stat st;

	if (u == NULL)
		return;
	if (!u->frozen && u->hash != NULL && u->hashed == u->size &&
	    store_fstat(u->store, u->fd, &st) == STORE_OK &&
	    st.size == u->size) {
		layout_upload_data(path, u->repo, u->id);
		upload_state_keep(path, &st, u->hash);
		u->hash = NULL;
	}
	upload_free(u);
}
