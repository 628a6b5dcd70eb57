/* SPDX-License-Identifier: ISC */
/*
 * Bodies: bytes from a worker's pipe, hashed and appended as they arrive.
 * Runs in keepers.  A turn takes a bounded slice of one body, so that many
 * clients share a keeper and a slow one holds up nobody.
 *
 * What a failed request leaves: APPEND keeps the bytes that arrived, FINISH
 * leaves the session as it found it, or none if it made it.
 */
#include "keeper_body.h"

#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "clock.h"
#include "compat_fs.h"
#include "keeper_msg.h"
#include "messages.h"
#include "upload.h"

#define BUFFER_SIZE	(256u * 1024)
#define TURN_BYTES	(1024u * 1024)
#define HASH_SLICE	(16u * 1024 * 1024)
#define PROGRESS_MS	2000

static void	 on_readable(int, unsigned, void *);
static void	 on_hash(void *);

static const char *const kind_texts[] = {
	[BODY_APPEND] = "append to upload in",
	[BODY_FINISH] = "finish upload in",
	[BODY_MANIFEST] = "put manifest in"
};

static void
body_free(struct keeper_body *b)
{
	keeper_commit_cancel(&b->job);
	LIST_REMOVE(b, entry);
	if (b->worker != NULL)
		b->worker->nbodies--;
	loop_io_free(b->io);
	loop_timer_free(b->timer);
	if (b->fd != -1)
		close(b->fd);
	upload_close(b->upload);
	keeper_manifest_free(b->keeper, b->manifest);
	free(b);
}

static struct keeper_body *
body_find(struct keeper_worker *w, uint64_t id)
{
	struct keeper_body *b;

	LIST_FOREACH(b, &w->bodies, entry)
		if (b->id == id)
			return b;
	return NULL;
}

/* NULL with *r: not possible now. */
static struct keeper_body *
body_new(struct keeper_worker *w, uint64_t id, enum keeper_body_kind kind,
    enum store_result *r)
{
	struct keeper_body *b;

	if (w->nbodies >= KEEPER_MAX_BODIES) {
		*r = STORE_LIMIT;
		return NULL;
	}
	if ((b = calloc(1, sizeof(*b))) == NULL) {
		*r = STORE_NOMEM;
		return NULL;
	}
	b->keeper = w->keeper;
	b->worker = w;
	b->id = id;
	b->kind = kind;
	b->fd = -1;
	LIST_INSERT_HEAD(&w->bodies, b, entry);
	w->nbodies++;
	return b;
}

/* Undo what this request did to its session, where that is the rule. */
static void
body_undo(struct keeper_body *b)
{
	if (b->upload == NULL || b->kind != BODY_FINISH)
		return;
	(void)upload_rewind(b->upload, b->start);
	if (!b->created)
		return;
	upload_close(b->upload);
	b->upload = NULL;
	(void)upload_cancel(b->keeper->store, b->repo, b->upload_id);
}

/* Answer and forget; on failure the worker sees its pipe break. */
static void
body_answer(struct keeper_body *b, enum store_result r)
{
	uint64_t offset = 0;
	int error = errno;

	if (r != STORE_OK)
		body_undo(b);
	if (b->upload != NULL)
		offset = upload_saved(b->upload);
	/* The lock goes before the answer: the next request may come now. */
	upload_close(b->upload);
	b->upload = NULL;
	errno = error;
	if (b->worker != NULL && !b->muted)
		keeper_reply(b->worker, b->id, kind_texts[b->kind], b->repo, r,
		    offset);
	body_free(b);
}

static void
body_commit(struct keeper_body *b, keeper_step_fn *step,
    keeper_committed_fn *done)
{
	b->job.step = step;
	b->job.done = done;
	b->job.arg = b;
	keeper_commit_add(b->keeper, &b->job);
}

static enum store_result
on_save(void *arg)
{
	struct keeper_body *b = arg;

	return upload_save_step(b->upload);
}

static void
on_saved(enum store_result r, void *arg)
{
	struct keeper_body *b = arg;

	body_answer(b, b->result == STORE_OK ? r : b->result);
}

/* What has arrived is saved, whatever ended it; then comes the answer. */
static void
body_end(struct keeper_body *b, enum store_result r)
{
	/* There may have been no memory even for that. */
	if (b->io != NULL)
		(void)loop_io_want(b->io, 0);
	if (b->kind != BODY_APPEND || b->upload == NULL) {
		body_answer(b, r);
		return;
	}
	b->result = r;
	/* On a full disk the room is worth more. */
	if (r == STORE_NOSPACE)
		(void)upload_rewind(b->upload, b->start);
	body_commit(b, on_save, on_saved);
}

/* Its worker has gone: what is under way goes on, without an answer. */
static void
body_orphan(struct keeper_worker *w, struct keeper_body *b)
{
	LIST_REMOVE(b, entry);
	w->nbodies--;
	b->worker = NULL;
	LIST_INSERT_HEAD(&b->keeper->orphans, b, entry);
	if (!b->job.queued)
		body_end(b, STORE_OK);
}

void
keeper_bodies_abort(struct keeper_worker *w)
{
	struct keeper_body *b;

	while ((b = LIST_FIRST(&w->bodies)) != NULL) {
		if (b->job.queued || (b->kind == BODY_APPEND &&
		    b->upload != NULL)) {
			body_orphan(w, b);
			continue;
		}
		body_undo(b);
		body_free(b);
	}
}

void
keeper_orphans_end(struct keeper *k)
{
	struct keeper_body *b;

	while ((b = LIST_FIRST(&k->orphans)) != NULL)
		keeper_commit_finish(k, &b->job);
}

/* ---- the start of a request ---- */

/* Watch the pipe.  -1: it is none. */
static int
body_start(struct keeper_body *b, struct msg *m, enum store_result *r)
{
	struct loop *loop = b->worker->keeper->loop;
	struct stat st;
	int flags;

	if ((b->fd = msg_get_fd(m)) == -1 || fstat(b->fd, &st) == -1 ||
	    !S_ISFIFO(st.st_mode))
		return -1;
	if ((flags = fcntl(b->fd, F_GETFL)) == -1 ||
	    (flags & O_ACCMODE) != O_RDONLY ||
	    fcntl(b->fd, F_SETFL, flags | O_NONBLOCK) == -1)
		return -1;
	b->io = loop_io_new(loop, b->fd, on_readable, b);
	b->timer = loop_timer_new(loop, on_hash, b);
	if (b->io == NULL || b->timer == NULL ||
	    loop_io_want(b->io, LOOP_READ) == -1)
		*r = STORE_NOMEM;
	return 0;
}

/* Open or make the session and compare offsets. */
static enum store_result
body_open_upload(struct keeper_body *b, bool create, uint64_t offset)
{
	struct store *s = b->worker->keeper->store;
	enum store_result r;

	/* A length that is not known yet is tried. */
	if ((r = keeper_may_write(b->worker->keeper)) != STORE_OK ||
	    (r = store_room(s, b->length == KEEPER_ANY ? 0 :
	    b->length)) != STORE_OK)
		return r;
	if (create)
		r = upload_start(s, b->repo, b->upload_id, b->digest.alg,
		    &b->upload);
	else
		r = upload_open(s, b->repo, b->upload_id, &b->upload);
	if (r != STORE_OK)
		return r;
	b->created = create;
	b->start = upload_offset(b->upload);
	if (offset != KEEPER_ANY && offset != b->start)
		return STORE_MISMATCH;
	return STORE_OK;
}

static int
on_upload_body(struct keeper_worker *w, struct msg *m,
    enum keeper_body_kind kind)
{
	enum store_result r = STORE_OK;
	struct keeper_body *b;
	char repo[REPO_NAME_SIZE], id[UPLOAD_ID_SIZE];
	struct digest d = { .alg = DIGEST_SHA256 };
	uint64_t offset, length;
	bool create = false;

	if (keeper_get_repo(m, repo) == -1 || keeper_get_id(m, id) == -1)
		return -1;
	if (kind == BODY_FINISH)
		create = msg_get_bool(m);
	offset = msg_get_u64(m);
	length = msg_get_u64(m);
	if ((kind == BODY_FINISH && keeper_get_digest(m, &d) == -1) ||
	    body_find(w, m->id) != NULL)
		return -1;
	if ((b = body_new(w, m->id, kind, &r)) == NULL) {
		keeper_reply(w, m->id, kind_texts[kind], repo, r, 0);
		return 0;
	}
	memcpy(b->repo, repo, sizeof(repo));
	memcpy(b->upload_id, id, sizeof(id));
	b->digest = d;
	b->length = length;
	if (body_start(b, m, &r) == -1 || msg_end(m) == -1)
		return -1;
	if (r == STORE_OK)
		r = body_open_upload(b, create, offset);
	if (r != STORE_OK)
		body_end(b, r);
	return 0;
}

int
keeper_on_append(struct msg_chan *chan, struct msg *m, void *arg)
{
	(void)chan;
	return on_upload_body(arg, m, BODY_APPEND);
}

int
keeper_on_finish(struct msg_chan *chan, struct msg *m, void *arg)
{
	(void)chan;
	return on_upload_body(arg, m, BODY_FINISH);
}

int
keeper_on_manifest(struct msg_chan *chan, struct msg *m, void *arg)
{
	struct keeper_worker *w = arg;
	enum store_result r = STORE_OK;
	struct keeper_body *b;
	char repo[REPO_NAME_SIZE];

	(void)chan;
	if (keeper_get_repo(m, repo) == -1 || body_find(w, m->id) != NULL)
		return -1;
	if ((b = body_new(w, m->id, BODY_MANIFEST, &r)) == NULL) {
		keeper_reply(w, m->id, kind_texts[BODY_MANIFEST], repo, r, 0);
		return 0;
	}
	memcpy(b->repo, repo, sizeof(repo));
	if (keeper_manifest_get(b, m, &r) == -1 ||
	    body_start(b, m, &r) == -1 || msg_end(m) == -1)
		return -1;
	if (r == STORE_OK)
		r = keeper_may_write(w->keeper);
	if (r == STORE_OK)
		r = store_room(w->keeper->store, b->length);
	if (r != STORE_OK)
		body_end(b, r);
	return 0;
}

/* ---- the bytes ---- */

static enum store_result
body_add(struct keeper_body *b, const void *data, size_t len)
{
	uint64_t max = b->worker->keeper->max_blob;

	if (b->kind == BODY_MANIFEST)
		return keeper_manifest_add(b->manifest, data, len);
	if (max > 0 && upload_offset(b->upload) + len > max)
		return STORE_TOOBIG;
	return upload_append(b->upload, data, len);
}

/*
 * Take at most one turn's worth.  1: the pipe has more or may get more, 0:
 * all is said, -1: nonsense; *r tells of failures.
 */
static int
body_read(struct keeper_body *b, enum store_result *r)
{
	static char buffer[BUFFER_SIZE];
	size_t turn = 0;
	ssize_t n;

	while (turn < TURN_BYTES && !(b->ended && b->got == b->total)) {
		n = compat_pipe_read(b->fd, buffer, sizeof(buffer));
		if (n == -1 && errno == EINTR)
			continue;
		if (n == -1 && errno == EAGAIN)
			return 1;
		if (n == -1)
			return -1;
		if (n == 0) {
			/* Only KEEPER_BODY_END says that it is complete. */
			b->eof = true;
			(void)loop_io_want(b->io, 0);
			return b->ended ? -1 : 1;
		}
		b->got += (uint64_t)n;
		turn += (size_t)n;
		if (b->got > b->length || (b->ended && b->got > b->total))
			return -1;
		if ((*r = body_add(b, buffer, (size_t)n)) != STORE_OK)
			return 1;
	}
	return b->ended && b->got == b->total ? 0 : 1;
}

static enum store_result
on_manifest_step(void *arg)
{
	return keeper_manifest_step(arg);
}

static void
on_manifest_stored(enum store_result r, void *arg)
{
	struct keeper_body *b = arg;

	if (b->worker != NULL && !b->muted)
		keeper_manifest_answer(b, r);
	body_free(b);
}

/* Every byte has arrived.  -1: nonsense. */
static int
body_complete(struct keeper_body *b)
{
	enum store_result r;

	(void)loop_io_want(b->io, 0);
	if (b->kind == BODY_MANIFEST) {
		r = keeper_manifest_ready(b);
		if (r == STORE_INVALID)
			return -1;
		if (r == STORE_OK)
			body_commit(b, on_manifest_step, on_manifest_stored);
		else
			body_end(b, r);
		return 0;
	}
	if (b->length != KEEPER_ANY && b->length != b->total) {
		(void)upload_rewind(b->upload, b->start);
		body_end(b, STORE_MISMATCH);
	} else if (b->kind == BODY_APPEND)
		body_end(b, STORE_OK);
	else {
		b->progress_ms = clock_monotonic_ms();
		on_hash(b);
	}
	return 0;
}

/* Read, and go on as far as that leads.  -1: nonsense. */
static int
body_step(struct keeper_body *b)
{
	enum store_result r = STORE_OK;
	int more;

	if ((more = body_read(b, &r)) == -1)
		return -1;
	if (r != STORE_OK) {
		body_end(b, r);
		return 0;
	}
	return more == 1 ? 0 : body_complete(b);
}

static void
on_readable(int fd, unsigned events, void *arg)
{
	struct keeper_body *b = arg;
	struct keeper_worker *w = b->worker;

	(void)fd;
	(void)events;
	if (body_step(b) == -1)
		keeper_worker_cut(w, "body breaks its promise");
}

static enum store_result
on_finish(void *arg)
{
	struct keeper_body *b = arg;

	return upload_finish_step(b->upload, &b->digest);
}

static void
on_finished(enum store_result r, void *arg)
{
	struct keeper_body *b = arg;

	if (r == STORE_OK && !b->created && b->keeper->uploads > 0)
		b->keeper->uploads--;
	body_answer(b, r);
}

/* A slice of what still has to be hashed; after the last one it is stored. */
static void
on_hash(void *arg)
{
	struct keeper_body *b = arg;
	enum store_result r;
	bool done = false;
	uint64_t now;

	r = upload_hash_step(b->upload, b->digest.alg, HASH_SLICE, &done);
	if (r == STORE_OK && !done) {
		now = clock_monotonic_ms();
		if (now - b->progress_ms >= PROGRESS_MS) {
			b->progress_ms = now;
			(void)msg_send_empty(b->worker->chan, KEEPER_PROGRESS,
			    b->id);
		}
		if (loop_timer_start(b->timer, 0) == 0)
			return;
		r = STORE_NOMEM;
	}
	if (r == STORE_OK)
		body_commit(b, on_finish, on_finished);
	else
		body_end(b, r);
}

int
keeper_on_body_end(struct msg_chan *chan, struct msg *m, void *arg)
{
	struct keeper_body *b;
	uint64_t total = msg_get_u64(m);

	(void)chan;
	if (msg_end(m) == -1)
		return -1;
	/* Answered before its end, on failure: the messages crossed. */
	if ((b = body_find(arg, m->id)) == NULL)
		return 0;
	if (b->ended || b->muted)
		return -1;
	/* It has failed before its end, and what has come is being saved. */
	if (b->job.queued) {
		b->ended = true;
		return 0;
	}
	if (total < b->got || (b->eof && total != b->got))
		return -1;
	b->ended = true;
	b->total = total;
	return b->got == b->total ? body_complete(b) : 0;
}

int
keeper_on_body_abort(struct msg_chan *chan, struct msg *m, void *arg)
{
	enum store_result r = STORE_OK;
	struct keeper_body *b;

	(void)chan;
	if ((b = body_find(arg, m->id)) == NULL)
		return 0;
	b->muted = true;
	/* Too late to stop it. */
	if (b->job.queued)
		return 0;
	/* What the pipe holds has arrived too. */
	if (b->kind == BODY_APPEND && !b->eof && !b->ended &&
	    body_read(b, &r) == -1)
		return -1;
	body_undo(b);
	body_end(b, r);
	return 0;
}
