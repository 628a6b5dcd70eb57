/* SPDX-License-Identifier: ISC */
/*
 * Resumable uploads: sessions on disk, their lock, their running hash.  Runs
 * in keepers; workers only ask for the status.
 *
 * A session is whatever distribution makes of one, so either can go on with
 * the other's.  Whoever changes it holds the lock of its data file.  What a
 * client is told to be there has been synced and noted, and no more than
 * that is believed of a file: a power cut, and a process that was killed,
 * may leave it longer than it is right.
 */
#include "upload.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "layout.h"
#include "upload_session.h"
#include "upload_state.h"

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
	store_unstage(u->store, &u->link);
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
	if (r != STORE_OK && r != STORE_EXISTS)
		store_prune(s, layout_upload(path, repo, id),
		    LAYOUT_REPOSITORIES);
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

/* Cut off what no note speaks of; *st is then of no kept state. */
static enum store_result
upload_believe(struct upload *u, struct store_stat *st)
{
	enum store_result r;
	uint64_t noted;

	r = upload_note_get(u->store, u->repo, u->id, &noted, &u->loose);
	if (r != STORE_OK)
		return r;
	u->size = u->saved = st->size;
	if (noted >= st->size)
		return STORE_OK;
	u->size = u->saved = noted;
	if ((r = store_truncate(u->store, u->fd, noted)) != STORE_OK)
		return r;
	return store_fstat(u->store, u->fd, st);
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
	if ((r = upload_believe(u, &st)) != STORE_OK) {
		upload_free(u);
		return r;
	}
	u->base_size = u->size;
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

uint64_t
upload_saved(const struct upload *u)
{
	return u->saved;
}

enum store_result
upload_save_step(struct upload *u)
{
	enum store_result r;

	if (u->frozen)
		return STORE_NOTFOUND;
	if (!u->saving && u->saved == u->size && !u->loose)
		return STORE_OK;
	if (!u->saving) {
		u->saving = true;
		/* After a failed sync the kernel may have dropped pages. */
		r = store_sync(u->store, u->fd);
		if (r == STORE_OK && store_batched(u->store))
			return STORE_AGAIN;
	} else
		r = store_written(u->store, u->fd);
	u->saving = false;
	if (r != STORE_OK) {
		upload_discard(u);
		return r;
	}
	u->loose = !store_promises(u->store);
	r = upload_note_put(u->store, u->repo, u->id, u->size, u->loose,
	    STORE_NOSYNC);
	if (r == STORE_OK)
		u->saved = u->size;
	return r;
}

enum store_result
upload_save(struct upload *u)
{
	enum store_result r;

	while ((r = upload_save_step(u)) == STORE_AGAIN)
		if ((r = store_barrier(u->store)) != STORE_OK)
			break;
	return r;
}

void
upload_drop_hash(struct upload *u)
{
	digest_ctx_free(u->hash);
	u->hash = NULL;
	u->hashed = 0;
}

void
upload_discard(struct upload *u)
{
	char path[LAYOUT_PATH_SIZE];

	u->frozen = true;
	u->saved = 0;
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
	/* Other bytes may follow, of which the old note knows nothing. */
	if (offset < u->saved) {
		r = upload_note_put(u->store, u->repo, u->id, offset,
		    u->loose, 0);
		if (r != STORE_OK ||
		    (r = store_barrier(u->store)) != STORE_OK)
			return r;
		u->saved = offset;
	}
	if ((r = store_truncate(u->store, u->fd, offset)) != STORE_OK)
		return r;
	u->size = offset;
	u->stage = UPLOAD_OPEN;
	u->saving = false;
	upload_drop_hash(u);
	if (offset == u->base_size && u->base != NULL &&
	    (u->hash = digest_ctx_copy(u->base)) != NULL)
		u->hashed = offset;
	return STORE_OK;
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
	bool loose;

	r = store_stat(s, layout_upload_data(path, repo, id), &st);
	if (r != STORE_OK)
		return r;
	if (st.is_dir)
		return STORE_INVALID;
	/* Nobody may write to it: it is a blob's as well. */
	if (st.shared)
		return STORE_NOTFOUND;
	if ((r = upload_note_get(s, repo, id, offset, &loose)) != STORE_OK)
		return r;
	if (*offset > st.size)
		*offset = st.size;
	return STORE_OK;
}

void
upload_close(struct upload *u)
{
	char path[LAYOUT_PATH_SIZE];
	struct store_stat st;

	if (u == NULL)
		return;
	if (!u->frozen && u->hash != NULL && u->hashed == u->size &&
	    u->saved == u->size && u->fd != -1 &&
	    store_fstat(u->store, u->fd, &st) == STORE_OK &&
	    st.size == u->size) {
		layout_upload_data(path, u->repo, u->id);
		upload_state_keep(path, &st, u->hash);
		u->hash = NULL;
	}
	upload_free(u);
}
