/* SPDX-License-Identifier: ISC */
/*
 * What a keeper makes durable: jobs in steps (store.h), grouped so that one
 * barrier serves all that wait for one, whatever their clients and workers.
 */
#ifndef KEEPER_COMMIT_H
#define KEEPER_COMMIT_H

#include <sys/queue.h>

#include <stdbool.h>

#include "store.h"

struct keeper;

typedef enum store_result keeper_step_fn(void *arg);
/*
 * Once: what the last step said, or the barrier before it when that failed.
 * May free the job, and cancel others.
 */
typedef void keeper_committed_fn(enum store_result, void *arg);

struct keeper_job {			/* embedded in what it works on */
	keeper_step_fn	*step;
	keeper_committed_fn *done;
	void		*arg;
	bool		 queued;
	bool		 waiting;	/* for a barrier */
	LIST_ENTRY(keeper_job) entry;
};

/* done() may be called before this returns. */
void	 keeper_commit_add(struct keeper *, struct keeper_job *);
/* Forget it, if it is queued at all; done() is not called. */
void	 keeper_commit_cancel(struct keeper_job *);
/* Do the rest of it now, if it is queued. */
void	 keeper_commit_finish(struct keeper *, struct keeper_job *);
/* When the keeper ends; nothing may be queued. */
void	 keeper_commit_free(struct keeper *);

#endif
