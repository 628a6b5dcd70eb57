/* SPDX-License-Identifier: ISC */
/*
 * Calls to keepers: what is sent, the pipe of a body, the deadline.  Runs in
 * workers.  A call is answered once or cancelled, then it is gone.
 */
#include "keeper_call.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "compat_fs.h"
#include "messages.h"
#include "repo.h"

static void	 on_timeout(void *);
static void	 on_room(int, unsigned, void *);

void
keeper_call_free(struct keeper_call *call)
{
	LIST_REMOVE(call, entry);
	call->peer->ncalls--;
	loop_timer_free(call->timer);
	loop_io_free(call->io);
	if (call->fd != -1)
		close(call->fd);
	free(call->body);
	free(call);
}

void
keeper_call_done(struct keeper_call *call, const struct keeper_reply *reply)
{
	keeper_done_fn *done = call->done;
	void *arg = call->arg;

	keeper_call_free(call);
	done(reply, arg);
}

void
keeper_call_extend(struct keeper_call *call)
{
	const struct keepers *ks = call->peer->keepers;

	(void)loop_timer_start(call->timer, call->lease ?
	    ks->lease_timeout_ms : ks->timeout_ms);
}

static void
send_abort(struct keeper_call *call)
{
	struct msg_out m;

	msg_begin(&m, KEEPER_BODY_ABORT, call->id);
	(void)keeper_peer_send(call->peer, &m);
}

static void
on_timeout(void *arg)
{
	static const struct keeper_reply gone = { .result = STORE_GONE };
	struct keeper_call *call = arg;

	send_abort(call);
	keeper_call_done(call, &gone);
}

/* NULL with errno: see the header. */
static struct keeper_call *
call_new(struct keepers *ks, const char *key, keeper_room_fn *room,
    keeper_done_fn *done, void *arg)
{
	struct keeper_peer *peer = keepers_choose(ks, key);
	struct keeper_call *call;

	if (peer->chan == NULL && !peer->waiting) {
		errno = EPIPE;
		return NULL;
	}
	if (peer->ncalls >= KEEPER_MAX_CALLS) {
		errno = EAGAIN;
		return NULL;
	}
	if ((call = calloc(1, sizeof(*call))) == NULL)
		return NULL;
	call->timer = loop_timer_new(ks->loop, on_timeout, call);
	if (call->timer == NULL) {
		free(call);
		errno = ENOMEM;
		return NULL;
	}
	call->peer = peer;
	call->id = ++ks->last_id;
	call->room = room;
	call->done = done;
	call->arg = arg;
	call->fd = -1;
	LIST_INSERT_HEAD(&peer->calls, call, entry);
	peer->ncalls++;
	return call;
}

static struct keeper_call *
call_fail(struct keeper_call *call, struct msg_out *m)
{
	int error = errno;

	if (m != NULL)
		msg_drop(m);
	keeper_call_free(call);
	errno = error == ENOBUFS || error == EMSGSIZE ? EAGAIN : error;
	return NULL;
}

/* A pipe for the body: one end into the message, the other for us. */
static int
call_add_pipe(struct keeper_call *call, struct msg_out *m)
{
	int fds[2];

	if (pipe2(fds, O_CLOEXEC | O_NONBLOCK) == -1)
		return -1;
	compat_pipe_grow(fds[1], KEEPER_PIPE_SIZE);
	msg_put_fd(m, fds[0]);
	close(fds[0]);
	call->fd = fds[1];
	call->io = loop_io_new(call->peer->keepers->loop, call->fd, on_room,
	    call);
	return call->io == NULL ? -1 : 0;
}

/* Send the request; a call without a body now waits for its answer. */
static struct keeper_call *
call_send(struct keeper_call *call, struct msg_out *m)
{
	if (keeper_peer_send(call->peer, m) == -1)
		return call_fail(call, NULL);
	if (call->fd == -1)
		keeper_call_extend(call);
	return call;
}

static struct keeper_call *
call_send_body(struct keeper_call *call, struct msg_out *m)
{
	if (call_add_pipe(call, m) == -1)
		return call_fail(call, m);
	return call_send(call, m);
}

/* ---- the body ---- */

ssize_t
keeper_call_write(struct keeper_call *call, const void *data, size_t len)
{
	ssize_t n;

	if (call->fd == -1 || call->ended) {
		errno = EPIPE;
		return -1;
	}
	do
		n = write(call->fd, data, len);
	while (n == -1 && errno == EINTR);
	if (n == -1 && errno == EAGAIN)
		n = 0;
	if (n == -1) {
		/* Refused; the answer is on its way. */
		(void)loop_io_want(call->io, 0);
		keeper_call_extend(call);
		return -1;
	}
	call->written += (uint64_t)n;
	if ((size_t)n < len) {
		if (loop_io_want(call->io, LOOP_WRITE) == -1)
			return -1;
		keeper_call_extend(call);
	} else
		loop_timer_stop(call->timer);
	return n;
}

void
keeper_call_end(struct keeper_call *call)
{
	struct msg_out m;

	if (call->ended || call->fd == -1)
		return;
	call->ended = true;
	loop_io_free(call->io);
	call->io = NULL;
	close(call->fd);
	call->fd = -1;
	keeper_call_extend(call);
	msg_begin(&m, KEEPER_BODY_END, call->id);
	msg_put_u64(&m, call->written);
	/* When it cannot be sent, the deadline ends the call. */
	(void)keeper_peer_send(call->peer, &m);
}

void
keeper_call_cancel(struct keeper_call *call)
{
	send_abort(call);
	keeper_call_free(call);
}

/* A manifest's bytes: as many as the pipe takes, then the end. */
static void
call_feed(struct keeper_call *call)
{
	size_t left;
	ssize_t n;

	while ((left = call->bodylen - (size_t)call->written) > 0) {
		n = keeper_call_write(call, call->body + call->written, left);
		if (n == -1 || (size_t)n < left)
			return;
	}
	keeper_call_end(call);
}

static void
on_room(int fd, unsigned events, void *arg)
{
	struct keeper_call *call = arg;

	(void)fd;
	(void)events;
	(void)loop_io_want(call->io, 0);
	loop_timer_stop(call->timer);
	if (call->body != NULL)
		call_feed(call);
	else
		call->room(call->arg);
}

/* ---- requests ---- */

struct keeper_call *
keeper_upload_start(struct keepers *ks, const char *repo, const char *id,
    enum digest_alg alg, keeper_done_fn *done, void *arg)
{
	struct keeper_call *call;
	struct msg_out m;

	if ((call = call_new(ks, id, NULL, done, arg)) == NULL)
		return NULL;
	msg_begin(&m, KEEPER_UPLOAD_START, call->id);
	msg_put_str(&m, repo);
	msg_put_str(&m, id);
	msg_put_u8(&m, (uint8_t)alg);
	return call_send(call, &m);
}

struct keeper_call *
keeper_upload_append(struct keepers *ks, const char *repo, const char *id,
    uint64_t offset, uint64_t length, keeper_room_fn *room,
    keeper_done_fn *done, void *arg)
{
	struct keeper_call *call;
	struct msg_out m;

	if ((call = call_new(ks, id, room, done, arg)) == NULL)
		return NULL;
	msg_begin(&m, KEEPER_UPLOAD_APPEND, call->id);
	msg_put_str(&m, repo);
	msg_put_str(&m, id);
	msg_put_u64(&m, offset);
	msg_put_u64(&m, length);
	return call_send_body(call, &m);
}

struct keeper_call *
keeper_upload_finish(struct keepers *ks, const char *repo, const char *id,
    bool create, uint64_t offset, uint64_t length, const struct digest *d,
    keeper_room_fn *room, keeper_done_fn *done, void *arg)
{
	char text[DIGEST_STR_SIZE];
	struct keeper_call *call;
	struct msg_out m;

	if ((call = call_new(ks, id, room, done, arg)) == NULL)
		return NULL;
	msg_begin(&m, KEEPER_UPLOAD_FINISH, call->id);
	msg_put_str(&m, repo);
	msg_put_str(&m, id);
	msg_put_bool(&m, create);
	msg_put_u64(&m, offset);
	msg_put_u64(&m, length);
	msg_put_str(&m, digest_format(text, d));
	return call_send_body(call, &m);
}

/* repo, and one more string or two. */
static struct keeper_call *
call_strings(struct keepers *ks, const char *key, uint32_t type,
    const char *repo, const char *a, const char *b, keeper_done_fn *done,
    void *arg)
{
	struct keeper_call *call;
	struct msg_out m;

	if ((call = call_new(ks, key, NULL, done, arg)) == NULL)
		return NULL;
	msg_begin(&m, type, call->id);
	msg_put_str(&m, repo);
	msg_put_str(&m, a);
	if (b != NULL)
		msg_put_str(&m, b);
	return call_send(call, &m);
}

struct keeper_call *
keeper_upload_cancel(struct keepers *ks, const char *repo, const char *id,
    keeper_done_fn *done, void *arg)
{
	return call_strings(ks, id, KEEPER_UPLOAD_CANCEL, repo, id, NULL,
	    done, arg);
}

struct keeper_call *
keeper_blob_mount(struct keepers *ks, const char *repo, const char *from,
    const struct digest *d, keeper_done_fn *done, void *arg)
{
	char text[DIGEST_STR_SIZE];

	return call_strings(ks, repo, KEEPER_BLOB_MOUNT, repo, from,
	    digest_format(text, d), done, arg);
}

struct keeper_call *
keeper_blob_delete(struct keepers *ks, const char *repo,
    const struct digest *d, keeper_done_fn *done, void *arg)
{
	char text[DIGEST_STR_SIZE];

	return call_strings(ks, repo, KEEPER_BLOB_DELETE, repo,
	    digest_format(text, d), NULL, done, arg);
}

struct keeper_call *
keeper_manifest_delete(struct keepers *ks, const char *repo,
    const struct digest *d, keeper_done_fn *done, void *arg)
{
	char text[DIGEST_STR_SIZE];

	return call_strings(ks, repo, KEEPER_MANIFEST_DELETE, repo,
	    digest_format(text, d), NULL, done, arg);
}

struct keeper_call *
keeper_lease(struct keepers *ks, const char *repo, const struct digest *d,
    unsigned kind, keeper_done_fn *done, void *arg)
{
	char text[DIGEST_STR_SIZE];
	struct keeper_call *call;
	struct msg_out m;

	if ((call = call_new(ks, repo, NULL, done, arg)) == NULL)
		return NULL;
	call->lease = true;
	msg_begin(&m, KEEPER_LEASE, call->id);
	msg_put_str(&m, repo);
	msg_put_str(&m, digest_format(text, d));
	msg_put_u8(&m, (uint8_t)kind);
	return call_send(call, &m);
}

struct keeper_call *
keeper_tag_delete(struct keepers *ks, const char *repo, const char *tag,
    keeper_done_fn *done, void *arg)
{
	return call_strings(ks, repo, KEEPER_TAG_DELETE, repo, tag, NULL,
	    done, arg);
}

static void
put_refs(char *dst, const struct digest *refs, size_t n)
{
	size_t i;

	for (i = 0; i < n; i++, dst += DIGEST_WIRE_SIZE) {
		dst[0] = (char)refs[i].alg;
		memcpy(dst + 1, refs[i].bytes,
		    digest_alg_size(refs[i].alg));
	}
}

/* References, then the manifest: -1 ENOMEM. */
static int
call_make_body(struct keeper_call *call, const struct manifest_put *put)
{
	size_t refs = put->nrefs * DIGEST_WIRE_SIZE;
	size_t children = put->nchildren * DIGEST_WIRE_SIZE;

	call->bodylen = refs + children + put->len;
	if ((call->body = calloc(1, call->bodylen + 1)) == NULL)
		return -1;
	put_refs(call->body, put->refs, put->nrefs);
	put_refs(call->body + refs, put->children, put->nchildren);
	memcpy(call->body + refs + children, put->data, put->len);
	return 0;
}

struct keeper_call *
keeper_manifest_put(struct keepers *ks, const struct manifest_put *put,
    keeper_done_fn *done, void *arg)
{
	char text[DIGEST_STR_SIZE];
	struct keeper_call *call;
	struct msg_out m;
	size_t i;

	if ((call = call_new(ks, put->repo, NULL, done, arg)) == NULL)
		return NULL;
	if (call_make_body(call, put) == -1)
		return call_fail(call, NULL);
	msg_begin(&m, KEEPER_MANIFEST_PUT, call->id);
	msg_put_str(&m, put->repo);
	msg_put_str(&m, digest_format(text, &put->digest));
	msg_put_str(&m, put->mediatype);
	msg_put_str(&m, put->has_subject ?
	    digest_format(text, &put->subject) : "");
	msg_put_str(&m, put->artifact_type);
	msg_put_u32(&m, (uint32_t)put->ntags);
	for (i = 0; i < put->ntags; i++)
		msg_put_str(&m, put->tags[i]);
	msg_put_u32(&m, (uint32_t)put->nrefs);
	msg_put_u32(&m, (uint32_t)put->nchildren);
	msg_put_u64(&m, put->len);
	if (call_send_body(call, &m) == NULL)
		return NULL;
	call_feed(call);
	return call;
}
