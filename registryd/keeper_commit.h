/* SPDX-License-Identifier: ISC */
/*
 * What a keeper does in steps (store.h), so that no request holds up the
 * others: commits, grouped so that one barrier serves all that wait for one,
 * whatever their clients and workers; long work, a slice at a time; and what
 * waits for a lock that another process holds.
 */
#ifndef KEEPER_COMMIT_H
#define KEEPER_COMMIT_H

#include <sys/queue.h>

#include <stdbool.h>
#include <stdint.h>

#include "store.h"

/*
 * A group: no more than so many commits are on their way at a time, the
 * others queue behind them; and when their steps have taken so long, those
 * that wait for a barrier get it before the others go on.
 */
#define KEEPER_GROUP_JOBS	256
#define KEEPER_GROUP_MS		100
/* Between two tries for a lock, at most; all of them: STORE_LOCK_MS. */
#define KEEPER_LOCK_PAUSE_MS	16

struct keeper;
struct keeper_jobs;

typedef enum store_result keeper_step_fn(void *arg);
/*
 * Once: what the last step said, or the barrier before it when that failed;
 * BUSY when one step has waited for locks for STORE_LOCK_MS; NOMEM when there
 * was no memory to begin, or to wait for a lock.  May free the job, and cancel
 * others.
 */
typedef void keeper_committed_fn(enum store_result, void *arg);

struct keeper_job {			/* embedded in what it works on */
	keeper_step_fn	*step;
	keeper_committed_fn *done;
	void		*arg;
	bool		 queued;
	bool		 waiting;	/* for a barrier */
	enum store_result barrier;	/* what the last one said */
	uint64_t	 locked_ms;	/* when it met a lock, or 0 */
	struct keeper_jobs *jobs;	/* those that it is among */
	TAILQ_ENTRY(keeper_job) entry;
};

/* done() may be called before this returns. */
void	 keeper_commit_add(struct keeper *, struct keeper_job *);
/* Forget it, if it is queued at all; done() is not called. */
void	 keeper_commit_cancel(struct keeper_job *);
/* Do the rest of it now, if it is queued, whatever that takes. */
void	 keeper_commit_finish(struct keeper *, struct keeper_job *);
/* When the keeper ends; nothing may be queued. */
void	 keeper_commit_free(struct keeper *);

#endif
