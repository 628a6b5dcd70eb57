/* SPDX-License-Identifier: ISC */
/*
 * Jobs of the collector, one at a time: a short slice of work, a pause, so
 * that clients find the disk and a processor free soon.  What is due while
 * another job runs begins when that one has ended; but a scrub is put aside
 * meanwhile.
 */
#include "collector_job.h"

#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "collector_metrics.h"
#include "collector_state.h"
#include "layout.h"
#include "log.h"
#include "random.h"
#include "restarts.h"

/*
 * What waits for a processor waits for the end of a slice.  Pauses are twice
 * as long: on a machine with two processors of which another has one, two of
 * three who wake up find the other one free.
 */
#define SLICE_US	250
#define PAUSE_US	500
#define IDLE_MS		2	/* after less work than that */
#define JITTER_MAX_MS	60000
#define SCRUB_LOOK_MS	600000	/* is one due? */
#define AGAIN_MS	1000	/* what was due when it could not begin */

static const struct job_ops *const ops[COLLECTOR_NJOBS] = {
	[COLLECTOR_EXPIRE] = &collector_expire_ops,
	[COLLECTOR_SWEEP] = &collector_sweep_ops,
	[COLLECTOR_COLLECT] = &collector_gc_ops,
	[COLLECTOR_SCRUB] = &collector_scrub_ops
};

struct schedule {
	struct collector_jobs *jobs;
	enum collector_job job;
	bool		 on;
	bool		 soon;		/* not only after the interval */
	uint64_t	 interval_ms;
	struct loop_timer *timer;
};

/* A job that has begun, and who waits for its end. */
struct run {
	bool		 begun;
	enum collector_job which;
	struct job	 job;
	uint64_t	 started_ms;
	collector_end_fn *end;
	void		*arg;
};

struct collector_jobs {
	struct loop	*loop;
	struct store	*store;
	const struct registry_conf *conf;
	struct loop_timer *slice;
	struct schedule	 schedule[COLLECTOR_NJOBS];

	struct run	 run;		/* at work */
	struct run	 parked;	/* goes on when that has ended */

	struct collector_totals totals;
	struct collector_outcome outcomes[COLLECTOR_NJOBS];
	uint64_t	 sums[METRIC_COLLECTOR_N];
	bool		 has_last;
	struct gc_report last;
	enum store_result last_result;
	uint64_t	 last_took_ms;
	bool		 has_scrub;
	struct scrub_report scrub;
	enum store_result scrub_result;
	uint64_t	 scrub_took_ms;
};

const char *
collector_job_name(enum collector_job job)
{
	return ops[job]->name;
}

const struct collector_totals *
collector_totals(const struct collector_jobs *jobs)
{
	return &jobs->totals;
}

const struct collector_outcome *
collector_outcome(const struct collector_jobs *jobs, enum collector_job job)
{
	return &jobs->outcomes[job];
}

const uint64_t *
collector_sums(const struct collector_jobs *jobs)
{
	return jobs->sums;
}

const struct gc_report *
collector_last(const struct collector_jobs *jobs, enum store_result *r,
    uint64_t *took_ms)
{
	*r = jobs->last_result;
	*took_ms = jobs->last_took_ms;
	return jobs->has_last ? &jobs->last : NULL;
}

const struct scrub_report *
collector_last_scrub(const struct collector_jobs *jobs, enum store_result *r,
    uint64_t *took_ms)
{
	*r = jobs->scrub_result;
	*took_ms = jobs->scrub_took_ms;
	return jobs->has_scrub ? &jobs->scrub : NULL;
}

void
collector_progress(const struct collector_jobs *jobs,
    struct collector_progress *p)
{
	const struct run *run = &jobs->run;

	p->running = run->begun;
	p->job = run->which;
	p->phase = "";
	p->done = p->total = 0;
	if (run->begun)
		ops[run->which]->progress(&run->job, p);
}

/* ---- a job ---- */

static void
schedule_next(struct schedule *s, uint64_t ms)
{
	if (s->on && loop_timer_start(s->timer, ms) == -1)
		fatal("timer");
}

static void
keep_report(struct collector_jobs *jobs, const struct run *run,
    enum store_result r, uint64_t took)
{
	if (run->which == COLLECTOR_COLLECT) {
		jobs->last = *collector_gc_report(&run->job);
		jobs->has_last = true;
		jobs->last_result = r;
		jobs->last_took_ms = took;
	} else if (run->which == COLLECTOR_SCRUB) {
		jobs->scrub = *collector_scrub_report(&run->job);
		jobs->has_scrub = true;
		jobs->scrub_result = r;
		jobs->scrub_took_ms = took;
	}
}

/* One that another process has, or that only looked, says nothing. */
static void
keep_outcome(struct collector_jobs *jobs, const struct run *run,
    enum store_result r, uint64_t took)
{
	struct collector_outcome *o = &jobs->outcomes[run->which];

	if (run->job.dryrun || r == STORE_BUSY)
		return;
	o->runs++;
	o->failures += r != STORE_OK;
	o->result = r;
	o->ended = clock_wall();
	o->took_ms = took;
	if (run->which == COLLECTOR_COLLECT)
		collector_metrics_gc(jobs->sums,
		    collector_gc_report(&run->job));
	else if (run->which == COLLECTOR_SCRUB)
		collector_metrics_scrub(jobs->sums,
		    collector_scrub_report(&run->job));
}

static void
start_slice(struct collector_jobs *jobs, uint64_t ms)
{
	if (loop_timer_start(jobs->slice, ms) == -1)
		fatal("timer");
}

/* Nothing is at work any more: what has been put aside goes on. */
static void
unpark(struct collector_jobs *jobs)
{
	jobs->run = jobs->parked;
	jobs->parked.begun = false;
	if (jobs->run.begun)
		start_slice(jobs, 0);
	else
		loop_timer_stop(jobs->slice);
}

static void
run_done(struct collector_jobs *jobs, struct run *run)
{
	struct schedule *s = &jobs->schedule[run->which];

	ops[run->which]->free(&run->job);
	run->begun = false;
	schedule_next(s, s->soon ? 0 : s->interval_ms);
	s->soon = false;
	if (run == &jobs->run)
		unpark(jobs);
}

static void
job_end(struct collector_jobs *jobs, enum store_result r)
{
	struct run run = jobs->run;
	uint64_t took = clock_monotonic_ms() - run.started_ms;

	ops[run.which]->end(&run.job, r, took);
	keep_report(jobs, &run, r, took);
	keep_outcome(jobs, &run, r, took);
	run_done(jobs, &jobs->run);
	if (run.end != NULL)
		run.end(run.which, r, run.arg);
	/* Nobody knows what is on the disk: another process has to look. */
	if (store_failure(jobs->store) != 0) {
		log_error("the store could not be synced");
		exit(RESTARTS_EXIT_SYNC);
	}
}

static bool
is_readonly(struct collector_jobs *jobs)
{
	return store_stat(jobs->store, LAYOUT_READONLY, NULL) == STORE_OK;
}

static void
on_slice(void *arg)
{
	struct collector_jobs *jobs = arg;
	uint64_t began = clock_monotonic_us();
	struct run *run = &jobs->run;
	enum store_result r;
	bool done = false;

	if (is_readonly(jobs) && !run->job.dryrun) {
		r = STORE_READONLY;
		/* Once the mark has gone; a disk gives no such sign. */
		if (run->job.scheduled)
			jobs->schedule[run->which].soon = true;
	} else
		r = ops[run->which]->step(&run->job, SLICE_US, &done);
	if (r != STORE_OK || done)
		job_end(jobs, r);
	else if (clock_monotonic_us() - began < SLICE_US)
		/* A scrub that waits for its rate, say. */
		start_slice(jobs, IDLE_MS);
	else {
		/* Shorter than the loop's timers can be. */
		clock_pause_us(PAUSE_US);
		start_slice(jobs, 0);
	}
}

/*
 * A scrub may take days: whatever else there is to do comes first, and one
 * by schedule goes on another time when somebody asks for one.
 */
static enum store_result
make_way(struct collector_jobs *jobs, enum collector_job which)
{
	if (!jobs->run.begun)
		return STORE_OK;
	if (jobs->run.which != COLLECTOR_SCRUB)
		return STORE_BUSY;
	if (which == COLLECTOR_SCRUB) {
		if (!jobs->run.job.scheduled)
			return STORE_BUSY;
		run_done(jobs, &jobs->run);
		return STORE_OK;
	}
	jobs->parked = jobs->run;
	jobs->run.begun = false;
	return STORE_OK;
}

enum store_result
collector_start(struct collector_jobs *jobs, enum collector_job which,
    const struct collector_options *options, collector_end_fn *end, void *arg)
{
	struct run *run = &jobs->run;
	enum store_result r;

	if ((r = make_way(jobs, which)) != STORE_OK)
		return r;
	memset(run, 0, sizeof(*run));
	run->which = which;
	run->started_ms = clock_monotonic_ms();
	run->end = end;
	run->arg = arg;
	run->job.store = jobs->store;
	run->job.conf = jobs->conf;
	run->job.dryrun = options->dryrun;
	run->job.scheduled = options->scheduled;
	run->job.rate = options->rate;
	run->job.totals = &jobs->totals;
	if (ops[which]->start(&run->job) == -1) {
		unpark(jobs);
		return STORE_NOMEM;
	}
	loop_timer_stop(jobs->schedule[which].timer);
	run->begun = true;
	start_slice(jobs, 0);
	return STORE_OK;
}

/* Nobody waits for it any more. */
static void
cancel_run(struct collector_jobs *jobs, struct run *run)
{
	log_info("%s ends, because who asked for it has gone",
	    ops[run->which]->name);
	ops[run->which]->end(&run->job, STORE_GONE, clock_monotonic_ms() -
	    run->started_ms);
	run_done(jobs, run);
}

void
collector_cancel(struct collector_jobs *jobs, const void *arg)
{
	if (jobs->parked.begun && jobs->parked.arg == arg)
		cancel_run(jobs, &jobs->parked);
	if (jobs->run.begun && jobs->run.arg == arg)
		cancel_run(jobs, &jobs->run);
}

/* ---- the schedule ---- */

static void
on_due(void *arg)
{
	struct schedule *s = arg;
	struct collector_jobs *jobs = s->jobs;
	struct collector_options options = {
		.scheduled = true,
		.rate = jobs->conf->scrub_rate
	};
	uint64_t wait = 0;

	if (s->job == COLLECTOR_EXPIRE)
		options.dryrun = jobs->conf->purge_dryrun;
	if (ops[s->job]->due_ms != NULL)
		wait = ops[s->job]->due_ms(jobs->store, jobs->conf);
	if (wait > 0)
		schedule_next(s, wait < s->interval_ms ? wait :
		    s->interval_ms);
	else if (is_readonly(jobs) || collector_start(jobs, s->job, &options,
	    NULL, NULL) != STORE_OK)
		schedule_next(s, AGAIN_MS);
}

void
collector_soon(struct collector_jobs *jobs, enum collector_job job)
{
	struct schedule *s = &jobs->schedule[job];

	if (jobs->run.begun && jobs->run.which == job)
		s->soon = true;
	else
		schedule_next(s, 0);
}

/* Not all at once when many hosts start together. */
static uint64_t
jitter_ms(uint64_t interval_ms)
{
	uint64_t max = interval_ms / 10, v;

	if (max > JITTER_MAX_MS)
		max = JITTER_MAX_MS;
	random_bytes(&v, sizeof(v));
	return v % (max + 1);
}

static void
schedule_init(struct collector_jobs *jobs, enum collector_job job, bool on,
    uint64_t interval_ms)
{
	struct schedule *s = &jobs->schedule[job];

	s->jobs = jobs;
	s->job = job;
	s->on = on && !jobs->conf->readonly;
	s->interval_ms = interval_ms;
	if ((s->timer = loop_timer_new(jobs->loop, on_due, s)) == NULL)
		fatal("timer");
	schedule_next(s, jitter_ms(interval_ms));
}

struct collector_jobs *
collector_jobs_new(struct loop *loop, struct store *s,
    const struct registry_conf *conf)
{
	struct collector_jobs *jobs;

	if ((jobs = calloc(1, sizeof(*jobs))) == NULL ||
	    (jobs->slice = loop_timer_new(loop, on_slice, jobs)) == NULL)
		fatal("collector");
	jobs->loop = loop;
	jobs->store = s;
	jobs->conf = conf;
	schedule_init(jobs, COLLECTOR_EXPIRE, conf->purge_enabled,
	    conf->purge_interval_ms);
	/* Whether or not uploads expire. */
	schedule_init(jobs, COLLECTOR_SWEEP, true, conf->purge_interval_ms);
	schedule_init(jobs, COLLECTOR_COLLECT, conf->collect_enabled,
	    conf->collect_interval_ms);
	/* Other hosts may do it meanwhile: looked at more often. */
	schedule_init(jobs, COLLECTOR_SCRUB, conf->scrub_enabled,
	    conf->scrub_interval_ms < SCRUB_LOOK_MS ?
	    conf->scrub_interval_ms : SCRUB_LOOK_MS);
	return jobs;
}

void
collector_jobs_free(struct collector_jobs *jobs)
{
	size_t i;

	if (jobs == NULL)
		return;
	if (jobs->run.begun)
		ops[jobs->run.which]->free(&jobs->run.job);
	if (jobs->parked.begun)
		ops[jobs->parked.which]->free(&jobs->parked.job);
	for (i = 0; i < COLLECTOR_NJOBS; i++)
		loop_timer_free(jobs->schedule[i].timer);
	loop_timer_free(jobs->slice);
	free(jobs);
}
