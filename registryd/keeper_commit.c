/* SPDX-License-Identifier: ISC */
/*
 * Work in steps.  Runs in keepers.  A round passes one barrier for all jobs
 * of the group that wait for one, then lets each of them do its next step,
 * and takes up others while there is room; between two rounds the loop takes
 * what has arrived.  A job that is alone goes through its steps without
 * waiting for others.  Of all that have more to do one gets a slice in each
 * turn of the loop.
 */
#include "keeper_commit.h"

#include <stdlib.h>

#include "clock.h"
#include "keeper_worker.h"

#define WAIT_US	1000		/* for a lock, when ending */

struct keeper_jobs {
	TAILQ_HEAD(, keeper_job) list;
	size_t		 n;
};

struct keeper_commit {
	struct keeper	*keeper;
	struct keeper_jobs queue;	/* not begun */
	struct keeper_jobs group;	/* barriers are passed for these */
	struct loop_timer *round;
	bool		 wanted;	/* somebody in the group waits */
	struct keeper_jobs more;	/* have more to do */
	struct loop_timer *slice;
	struct keeper_jobs locked;	/* wait for a lock */
	struct loop_timer *retry;
	uint64_t	 pause_ms;
};

static void
job_put(struct keeper_jobs *jobs, struct keeper_job *job)
{
	TAILQ_INSERT_TAIL(&jobs->list, job, entry);
	jobs->n++;
	job->jobs = jobs;
	job->queued = true;
}

static void
job_take(struct keeper_job *job)
{
	TAILQ_REMOVE(&job->jobs->list, job, entry);
	job->jobs->n--;
	job->queued = false;
}

static void
job_done(struct keeper_job *job, enum store_result r)
{
	if (job->queued)
		job_take(job);
	job->done(r, job->arg);
}

/* The rest of it at once, whatever that takes. */
static enum store_result
finish_blocking(struct store *s, struct keeper_job *job)
{
	uint64_t end = clock_monotonic_ms() + STORE_LOCK_MS;
	enum store_result r = job->barrier;

	if (job->waiting)
		r = store_barrier(s);
	while (r == STORE_OK) {
		r = job->step(job->arg);
		if (r == STORE_AGAIN)
			r = store_barrier(s);
		else if (r == STORE_LOCKED && clock_monotonic_ms() >= end)
			r = STORE_BUSY;
		else if (r == STORE_LOCKED) {
			clock_pause_us(WAIT_US);
			r = STORE_OK;
		} else if (r == STORE_MORE)
			r = STORE_OK;
		else
			break;
	}
	return r;
}

/*
 * There is no memory for a timer, so nothing would ever come back to it: it
 * is better done now than half done.
 */
static void
job_finish(struct keeper_commit *c, struct keeper_job *job)
{
	enum store_result r;

	job_take(job);
	r = finish_blocking(c->keeper->store, job);
	job_done(job, r);
}

static void
jobs_finish(struct keeper_commit *c, struct keeper_jobs *jobs)
{
	while (jobs->n > 0)
		job_finish(c, TAILQ_FIRST(&jobs->list));
}

/* A lock says nothing: the step is tried again, for so long. */
static void
job_locked(struct keeper_commit *c, struct keeper_job *job)
{
	uint64_t now = clock_monotonic_ms();

	if (job->locked_ms == 0) {
		job->locked_ms = now;
		if (c->locked.n == 0)
			c->pause_ms = 1;
	}
	if (now - job->locked_ms >= STORE_LOCK_MS)
		job_done(job, STORE_BUSY);
	else {
		job_put(&c->locked, job);
		if (c->locked.n == 1 &&
		    loop_timer_start(c->retry, c->pause_ms) == -1)
			job_done(job, STORE_NOMEM);
	}
}

static void
job_run(struct keeper_commit *c, struct keeper_job *job)
{
	struct store *s = c->keeper->store;
	enum store_result r = job->barrier;

	if (r == STORE_OK)
		r = job->step(job->arg);
	/* Barriers cost nothing in the other modes: it has its own. */
	while (r == STORE_AGAIN && !store_batched(s))
		if ((r = store_barrier(s)) == STORE_OK)
			r = job->step(job->arg);
	if (r == STORE_LOCKED) {
		job_locked(c, job);
		return;
	}
	job->locked_ms = 0;
	if (r == STORE_MORE) {
		job_put(&c->more, job);
		if (loop_timer_start(c->slice, 0) == -1)
			job_finish(c, job);
	} else if (r == STORE_AGAIN) {
		job->waiting = true;
		c->wanted = true;
		job_put(&c->group, job);
		if (loop_timer_start(c->round, 0) == -1)
			job_finish(c, job);
	} else
		job_done(job, r);
}

/* ---- groups ---- */

static void
pass_barrier(struct keeper_commit *c)
{
	struct keeper_job *job;
	enum store_result r;

	if (!c->wanted)
		return;
	c->wanted = false;
	r = store_barrier(c->keeper->store);
	TAILQ_FOREACH(job, &c->group.list, entry)
		if (job->waiting) {
			job->waiting = false;
			job->barrier = r;
		}
}

/* The next to do a step; those behind one that waits do so, too. */
static struct keeper_job *
next_of_round(struct keeper_commit *c)
{
	struct keeper_job *job = TAILQ_FIRST(&c->group.list);

	if (job != NULL && !job->waiting)
		return job;
	return c->group.n < KEEPER_GROUP_JOBS ?
	    TAILQ_FIRST(&c->queue.list) : NULL;
}

static void
on_round(void *arg)
{
	struct keeper_commit *c = arg;
	struct keeper_job *job;
	uint64_t end;

	pass_barrier(c);
	end = clock_monotonic_ms() + KEEPER_GROUP_MS;
	while ((job = next_of_round(c)) != NULL) {
		job_take(job);
		job_run(c, job);
		if (clock_monotonic_ms() >= end)
			break;
	}
	if (c->group.n + c->queue.n > 0 &&
	    loop_timer_start(c->round, 0) == -1) {
		jobs_finish(c, &c->group);
		jobs_finish(c, &c->queue);
	}
}

/* ---- slices and locks ---- */

static void
on_slice(void *arg)
{
	struct keeper_commit *c = arg;
	struct keeper_job *job = TAILQ_FIRST(&c->more.list);

	if (job != NULL) {
		job_take(job);
		job_run(c, job);
	}
	if (c->more.n > 0 && loop_timer_start(c->slice, 0) == -1)
		jobs_finish(c, &c->more);
}

static void
on_retry(void *arg)
{
	struct keeper_commit *c = arg;
	uint64_t end = clock_monotonic_ms() + KEEPER_GROUP_MS;
	size_t n = c->locked.n;
	struct keeper_job *job;

	if ((c->pause_ms *= 2) > KEEPER_LOCK_PAUSE_MS)
		c->pause_ms = KEEPER_LOCK_PAUSE_MS;
	while (n-- > 0 && (job = TAILQ_FIRST(&c->locked.list)) != NULL) {
		job_take(job);
		job_run(c, job);
		if (clock_monotonic_ms() >= end)
			break;
	}
	if (c->locked.n > 0 && loop_timer_start(c->retry, c->pause_ms) == -1)
		while ((job = TAILQ_FIRST(&c->locked.list)) != NULL)
			job_done(job, STORE_NOMEM);
}

/* ---- for the others ---- */

static void
jobs_init(struct keeper_jobs *jobs)
{
	TAILQ_INIT(&jobs->list);
	jobs->n = 0;
}

static void
commit_free(struct keeper_commit *c)
{
	loop_timer_free(c->round);
	loop_timer_free(c->slice);
	loop_timer_free(c->retry);
	free(c);
}

static struct keeper_commit *
commit_new(struct keeper *k)
{
	struct keeper_commit *c;

	if ((c = calloc(1, sizeof(*c))) == NULL)
		return NULL;
	c->keeper = k;
	jobs_init(&c->queue);
	jobs_init(&c->group);
	jobs_init(&c->more);
	jobs_init(&c->locked);
	c->round = loop_timer_new(k->loop, on_round, c);
	c->slice = loop_timer_new(k->loop, on_slice, c);
	c->retry = loop_timer_new(k->loop, on_retry, c);
	if (c->round != NULL && c->slice != NULL && c->retry != NULL)
		return c;
	commit_free(c);
	return NULL;
}

void
keeper_commit_add(struct keeper *k, struct keeper_job *job)
{
	job->queued = job->waiting = false;
	job->barrier = STORE_OK;
	job->locked_ms = 0;
	/* Waiting is done here, where it holds up nobody else. */
	store_lock_nowait(k->store);
	if (k->commit == NULL && (k->commit = commit_new(k)) == NULL)
		job_done(job, STORE_NOMEM);
	else if (!store_batched(k->store))
		job_run(k->commit, job);
	else {
		job_put(&k->commit->queue, job);
		if (loop_timer_start(k->commit->round, 0) == -1)
			job_finish(k->commit, job);
	}
}

void
keeper_commit_cancel(struct keeper_job *job)
{
	if (job->queued)
		job_take(job);
}

void
keeper_commit_finish(struct keeper *k, struct keeper_job *job)
{
	if (job->queued)
		job_finish(k->commit, job);
}

void
keeper_commit_free(struct keeper *k)
{
	if (k->commit == NULL)
		return;
	commit_free(k->commit);
	k->commit = NULL;
}
