/* SPDX-License-Identifier: ISC */
/*
 * What a keeper knows of its workers: their channels, their requests, the
 * bodies that are under way.  Private to the keeper*.c files and their tests.
 */
#ifndef KEEPER_WORKER_H
#define KEEPER_WORKER_H

#include <sys/queue.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "digest.h"
#include "loop.h"
#include "msg.h"
#include "store.h"

#define KEEPER_MANIFEST_MEMORY	(64u * 1024 * 1024)	/* of all bodies */

struct keeper_body;
struct keeper_commit;
struct keeper_request;

struct keeper {
	struct loop	*loop;
	struct store	*store;
	uint64_t	 max_manifest;		/* bytes */
	uint64_t	 max_blob;		/* bytes, 0: no limit */
	uint64_t	 max_uploads;		/* of a repository, 0: any */
	uint64_t	 max_uploads_total;
	uint64_t	 uploads;		/* counted, and begun since */
	uint64_t	 counted_ms;
	uint64_t	 renew_ms;		/* age of a lease to renew */
	size_t		 manifest_bytes;	/* promised to bodies */
	LIST_HEAD(, keeper_worker) workers;
	size_t		 nworkers;
	struct keeper_commit *commit;		/* NULL until it is needed */
	LIST_HEAD(, keeper_body) orphans;	/* being saved, no answer */
	void		 (*on_alone)(void *);	/* the last worker has gone */
	/* the store cannot be trusted any more; told once */
	void		 (*on_failed)(void *);
	bool		 failed;
	/* one is about to be cut off for what it sent */
	void		 (*on_bad)(const struct msg_chan *, void *);
	void		*arg;
};

struct keeper_worker {
	struct keeper	*keeper;
	struct msg_chan	*chan;
	LIST_HEAD(, keeper_body) bodies;
	size_t		 nbodies;
	LIST_HEAD(, keeper_request) requests;	/* that wait for a barrier */
	size_t		 nrequests;
	LIST_ENTRY(keeper_worker) entry;
};

/* Takes ownership of fd; one of the same instance is replaced.  0 or -1. */
int	 keeper_worker_add(struct keeper *, unsigned instance, int fd);
/* Cut the channel, abort its bodies, free it; why NULL: it has just gone. */
void	 keeper_worker_cut(struct keeper_worker *, const char *why);
void	 keeper_worker_cut_all(struct keeper *);

/* READONLY while an administrator lets nothing be written. */
enum store_result keeper_may_write(const struct keeper *);
/* The one answer to a request; "what" and "repo" are for the log, or NULL. */
void	 keeper_reply(struct keeper_worker *, uint64_t id, const char *what,
	    const char *repo, enum store_result, uint64_t offset);
void	 keeper_reply_missing(struct keeper_worker *, uint64_t id,
	    const struct digest *, size_t n);

/* ---- bodies: keeper_body.c; handlers return -1 for nonsense ---- */
int	 keeper_on_append(struct msg_chan *, struct msg *, void *worker);
int	 keeper_on_finish(struct msg_chan *, struct msg *, void *worker);
int	 keeper_on_manifest(struct msg_chan *, struct msg *, void *worker);
int	 keeper_on_body_end(struct msg_chan *, struct msg *, void *worker);
int	 keeper_on_body_abort(struct msg_chan *, struct msg *, void *worker);
void	 keeper_bodies_abort(struct keeper_worker *);
/* Save what workers that have gone have left, now. */
void	 keeper_orphans_end(struct keeper *);

/* ---- requests without a body: keeper_request.c ---- */
int	 keeper_on_start(struct msg_chan *, struct msg *, void *worker);
int	 keeper_on_cancel(struct msg_chan *, struct msg *, void *worker);
int	 keeper_on_mount(struct msg_chan *, struct msg *, void *worker);
int	 keeper_on_blob_delete(struct msg_chan *, struct msg *, void *worker);
int	 keeper_on_manifest_delete(struct msg_chan *, struct msg *,
	    void *worker);
int	 keeper_on_tag_delete(struct msg_chan *, struct msg *, void *worker);
/* keeper_lease.c */
int	 keeper_on_lease(struct msg_chan *, struct msg *, void *worker);
void	 keeper_requests_abort(struct keeper_worker *);

#endif
