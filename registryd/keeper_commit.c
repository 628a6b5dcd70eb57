/* SPDX-License-Identifier: ISC */
/*
 * Groups of commits.  Runs in keepers.  A round passes one barrier for all
 * jobs that wait for one, then lets each job do its next step; between two
 * rounds the loop takes what has arrived, which joins the next round.  A job
 * that is alone goes through its steps without waiting for others.
 */
#include "keeper_commit.h"

#include <stdlib.h>

#include "keeper_worker.h"

LIST_HEAD(jobs, keeper_job);

struct keeper_commit {
	struct keeper	*keeper;
	struct loop_timer *timer;	/* the next round */
	struct jobs	 queue;
	struct jobs	 round;		/* not yet stepped in this one */
	bool		 wanted;	/* somebody in the queue waits */
};

static void
queue_job(struct keeper_commit *c, struct keeper_job *job, bool waiting)
{
	LIST_INSERT_HEAD(&c->queue, job, entry);
	job->queued = true;
	job->waiting = waiting;
	if (waiting)
		c->wanted = true;
}

/* Barriers of its own: in the other modes they cost nothing. */
static void
run_alone(struct keeper *k, struct keeper_job *job)
{
	enum store_result r;

	while ((r = job->step(job->arg)) == STORE_AGAIN)
		if ((r = store_barrier(k->store)) != STORE_OK)
			break;
	job->done(r, job->arg);
}

static void
run_job(struct keeper_commit *c, struct keeper_job *job,
    enum store_result barrier)
{
	enum store_result r;

	LIST_REMOVE(job, entry);
	job->queued = false;
	r = job->waiting && barrier != STORE_OK ? barrier :
	    job->step(job->arg);
	if (r == STORE_AGAIN)
		queue_job(c, job, true);
	else
		job->done(r, job->arg);
}

static void
run_round(struct keeper_commit *c)
{
	enum store_result barrier = STORE_OK;
	struct keeper_job *job;

	if (c->wanted)
		barrier = store_barrier(c->keeper->store);
	c->wanted = false;
	while ((job = LIST_FIRST(&c->queue)) != NULL) {
		LIST_REMOVE(job, entry);
		LIST_INSERT_HEAD(&c->round, job, entry);
	}
	while ((job = LIST_FIRST(&c->round)) != NULL)
		run_job(c, job, barrier);
}

static void
on_round(void *arg)
{
	struct keeper_commit *c = arg;

	do
		run_round(c);
	while (!LIST_EMPTY(&c->queue) && loop_timer_start(c->timer, 0) == -1);
}

static struct keeper_commit *
commit_new(struct keeper *k)
{
	struct keeper_commit *c;

	if ((c = calloc(1, sizeof(*c))) == NULL)
		return NULL;
	c->keeper = k;
	LIST_INIT(&c->queue);
	LIST_INIT(&c->round);
	if ((c->timer = loop_timer_new(k->loop, on_round, c)) == NULL) {
		free(c);
		return NULL;
	}
	return c;
}

void
keeper_commit_add(struct keeper *k, struct keeper_job *job)
{
	if (store_batched(k->store) && k->commit == NULL)
		k->commit = commit_new(k);
	/* Without memory for a group there is none. */
	if (!store_batched(k->store) || k->commit == NULL ||
	    loop_timer_start(k->commit->timer, 0) == -1)
		run_alone(k, job);
	else
		queue_job(k->commit, job, false);
}

void
keeper_commit_cancel(struct keeper_job *job)
{
	if (job->queued)
		LIST_REMOVE(job, entry);
	job->queued = false;
}

void
keeper_commit_finish(struct keeper *k, struct keeper_job *job)
{
	enum store_result r = STORE_OK;

	if (!job->queued)
		return;
	keeper_commit_cancel(job);
	if (job->waiting)
		r = store_barrier(k->store);
	if (r == STORE_OK)
		run_alone(k, job);
	else
		job->done(r, job->arg);
}

void
keeper_commit_free(struct keeper *k)
{
	if (k->commit == NULL)
		return;
	loop_timer_free(k->commit->timer);
	free(k->commit);
	k->commit = NULL;
}
