/* SPDX-License-Identifier: ISC */
/*
 * The worker's side of the keepers: requests, their bodies, their answers.
 */
#ifndef KEEPER_CLIENT_H
#define KEEPER_CLIENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "digest.h"
#include "loop.h"
#include "msg.h"
#include "store.h"

struct keepers;			/* all keepers, as one worker sees them */
struct keeper_call;		/* one request that is under way */

struct keeper_reply {
	enum store_result result;
	uint64_t	 offset;
	const struct digest *missing;
	size_t		 nmissing;
};
/* Exactly once for a call, unless it was cancelled; then it is freed. */
typedef void keeper_done_fn(const struct keeper_reply *, void *arg);
/* The pipe has room again: call keeper_call_write() again. */
typedef void keeper_room_fn(void *arg);

/* A keeper that is silent for timeout_ms is given up; lease_timeout_ms is all
   that a lease may take. */
struct keepers	*keepers_new(struct loop *, unsigned count,
		    uint64_t timeout_ms, uint64_t lease_timeout_ms);
void		 keepers_free(struct keepers *);
/* MSG_PEER: (re)place the channel to a keeper.  Takes ownership of fd. */
int		 keepers_set_peer(struct keepers *, unsigned instance, int fd);

/*
 * Start a call.  NULL with errno when it cannot be sent (EAGAIN: too many
 * outstanding, EPIPE: the keeper is away for longer than a restart takes,
 * ENOMEM, EMFILE): answer 503.
 */
struct keeper_call *keeper_upload_start(struct keepers *, const char *repo,
		    const char *id, enum digest_alg, keeper_done_fn *,
		    void *arg);
struct keeper_call *keeper_upload_append(struct keepers *, const char *repo,
		    const char *id, uint64_t offset, uint64_t length,
		    keeper_room_fn *, keeper_done_fn *, void *arg);
struct keeper_call *keeper_upload_finish(struct keepers *, const char *repo,
		    const char *id, bool create, uint64_t offset,
		    uint64_t length, const struct digest *, keeper_room_fn *,
		    keeper_done_fn *, void *arg);
struct keeper_call *keeper_upload_cancel(struct keepers *, const char *repo,
		    const char *id, keeper_done_fn *, void *arg);
struct keeper_call *keeper_blob_mount(struct keepers *, const char *repo,
		    const char *from, const struct digest *, keeper_done_fn *,
		    void *arg);
struct keeper_call *keeper_blob_delete(struct keepers *, const char *repo,
		    const struct digest *, keeper_done_fn *, void *arg);
struct manifest_put;
/* Copies everything; the bytes are written to the pipe by the client. */
struct keeper_call *keeper_manifest_put(struct keepers *,
		    const struct manifest_put *, keeper_done_fn *, void *arg);
struct keeper_call *keeper_manifest_delete(struct keepers *, const char *repo,
		    const struct digest *, keeper_done_fn *, void *arg);
struct keeper_call *keeper_tag_delete(struct keepers *, const char *repo,
		    const char *tag, keeper_done_fn *, void *arg);
/*
 * Ask that it be kept, and brought back from collection; then look again.
 * kind: enum keeper_lease_kind.
 */
struct keeper_call *keeper_lease(struct keepers *, const char *repo,
		    const struct digest *, unsigned kind, keeper_done_fn *,
		    void *arg);

/* Bytes of the body: how many the pipe took (0: wait for room), -1 broken. */
ssize_t		 keeper_call_write(struct keeper_call *, const void *, size_t);
void		 keeper_call_end(struct keeper_call *);	/* body is complete */
/* The client is gone: abort the body; done() will not be called. */
void		 keeper_call_cancel(struct keeper_call *);

#endif
