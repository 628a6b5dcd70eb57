/* SPDX-License-Identifier: ISC */
/*
 * The end of an upload: hashing what is left, and making a blob of the file
 * in steps, so that in mode batch many uploads pass a barrier together.
 * Runs in keepers.
 *
 * The bytes are durable before the blob has its name, and that is before the
 * repository has its link: a cut leaves no name without what it stands for.
 */
#include <string.h>

#include "layout.h"
#include "repo.h"
#include "upload_session.h"

#define HASH_BUFFER	(256u * 1024)

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

/* The digest is right: get the bytes, and the link's, on their way. */
static enum store_result
finish_sync(struct upload *u)
{
	char text[DIGEST_STR_SIZE];
	enum store_result r;

	digest_format(text, &u->digest);
	r = store_mark(u->store, u->fd, u->size);
	if (r == STORE_OK)
		r = store_fstat(u->store, u->fd, &u->checked);
	if (r == STORE_OK)
		r = store_stage(u->store, text, strlen(text), &u->link);
	if (r != STORE_OK || (u->saved == u->size && !u->loose))
		return r;
	/* After a failed sync the kernel may have dropped pages. */
	if ((r = store_sync(u->store, u->fd)) != STORE_OK) {
		upload_discard(u);
		return r;
	}
	return store_batched(u->store) ? STORE_AGAIN : STORE_OK;
}

/* Is it still the file that was hashed, and nobody else's? */
static enum store_result
finish_seal(struct upload *u, const char *data)
{
	struct store_stat st;
	enum store_result r;

	if ((r = store_written(u->store, u->fd)) != STORE_OK) {
		upload_discard(u);
		return r;
	}
	if ((r = store_seal(u->store, data, &u->fd)) != STORE_OK ||
	    (r = store_fstat(u->store, u->fd, &st)) != STORE_OK)
		return r;
	if (st.size != u->checked.size || st.mtime != u->checked.mtime ||
	    st.mtime_nsec != u->checked.mtime_nsec)
		return STORE_BUSY;
	return STORE_OK;
}

/* From here on, the file must not change any more through this upload. */
static enum store_result
finish_place(struct upload *u)
{
	char path[LAYOUT_PATH_SIZE], data[LAYOUT_PATH_SIZE];
	struct store_stat st;
	enum store_result r;

	layout_upload_data(data, u->repo, u->id);
	if ((r = finish_seal(u, data)) == STORE_OK) {
		u->frozen = true;
		r = store_move(u->store, data, layout_blob(path, &u->digest),
		    STORE_REPLACE | STORE_TELL);
		if (r == STORE_OK)
			return store_batched(u->store) ? STORE_AGAIN :
			    STORE_OK;
		u->frozen = !upload_in_place(u, data);
	}
	if (u->frozen || u->fd == -1)
		return r;
	/* It may be written to again. */
	store_close(u->store, u->fd);
	if (store_open_append(u->store, data, &u->fd, &st) != STORE_OK)
		u->fd = -1;
	return r;
}

static enum store_result
finish_link(struct upload *u)
{
	char path[LAYOUT_PATH_SIZE];
	enum store_result r;

	r = store_publish(u->store, &u->link, layout_layer(path, u->repo,
	    &u->digest), STORE_REPLACE | STORE_TELL);
	return r == STORE_OK && store_batched(u->store) ? STORE_AGAIN : r;
}

/*
 * Collection may have taken what was there under the digest before, and a
 * DELETE or a collection, if this took longer than its grace, what is.
 */
static enum store_result
finish_recheck(struct upload *u)
{
	enum store_result r;

	r = repo_recheck_blob(u->store, u->repo, &u->digest);
	if (r == STORE_OK)
		upload_drop_hash(u);
	return r == STORE_NOTFOUND ? STORE_REMOVED : r;
}

static enum store_result
finish_stage(struct upload *u)
{
	switch (u->stage) {
	case UPLOAD_OPEN:
		return finish_sync(u);
	case UPLOAD_SYNCED:
		return finish_place(u);
	case UPLOAD_PLACED:
		return finish_link(u);
	case UPLOAD_LINKED:
		return finish_recheck(u);
	case UPLOAD_FINISHED:
		break;
	}
	return STORE_NOTFOUND;
}

enum store_result
upload_finish_step(struct upload *u, const struct digest *d)
{
	enum store_result r = STORE_OK;

	if (u->stage == UPLOAD_FINISHED)
		return STORE_NOTFOUND;
	if (u->stage == UPLOAD_OPEN) {
		if (u->frozen)
			return STORE_NOTFOUND;
		if ((r = upload_check(u, d)) != STORE_OK)
			return r;
		u->digest = *d;
	}
	while (r == STORE_OK && u->stage != UPLOAD_FINISHED) {
		r = finish_stage(u);
		if (r == STORE_OK || r == STORE_AGAIN)
			u->stage++;
	}
	if (r == STORE_AGAIN)
		return r;
	store_unstage(u->store, &u->link);
	if (u->frozen)
		upload_discard(u);
	else
		u->stage = UPLOAD_OPEN;
	return r;
}

enum store_result
upload_finish(struct upload *u, const struct digest *d)
{
	enum store_result r;

	while ((r = upload_finish_step(u, d)) == STORE_AGAIN)
		if ((r = store_barrier(u->store)) != STORE_OK)
			break;
	return r;
}
