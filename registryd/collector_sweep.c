/* SPDX-License-Identifier: ISC */
/*
 * The job that removes what a crash left behind and the trees on their way
 * out, and looks again at what an interrupted scrub has moved.  Runs in the
 * collector.
 */
#include <stdlib.h>

#include "clock.h"
#include "collector_state.h"
#include "log.h"
#include "scrub.h"

#define STRAY_AGE_S	(24 * 60 * 60)	/* files that were never put in place */

struct sweep_job {
	time_t		 before;
	struct store_sweep sweep;
	bool		 swept;
	struct scrub	*scrub;		/* of the quarantine alone */
};

static void
sweep_job_free(struct job *job)
{
	struct sweep_job *s = job->state;

	if (s == NULL)
		return;
	scrub_free(s->scrub);
	free(s);
	job->state = NULL;
}

static int
sweep_job_start(struct job *job)
{
	struct scrub_options options = {
		.rate = job->conf->scrub_rate,
		.only_quarantine = true
	};
	struct sweep_job *s;

	if ((s = calloc(1, sizeof(*s))) == NULL)
		return -1;
	job->state = s;
	s->before = clock_wall() - STRAY_AGE_S;
	if ((s->scrub = scrub_new(job->store, &options)) == NULL) {
		sweep_job_free(job);
		return -1;
	}
	return 0;
}

static enum store_result
sweep_job_step(struct job *job, unsigned budget_us, bool *done)
{
	struct sweep_job *s = job->state;

	if (s->swept)
		return scrub_step(s->scrub, budget_us, done);
	*done = false;
	return store_sweep_step(job->store, &s->sweep, s->before, budget_us,
	    &s->swept);
}

static void
sweep_job_end(struct job *job, enum store_result r, uint64_t took_ms)
{
	struct sweep_job *s = job->state;
	const struct scrub_report *report = scrub_report(s->scrub);

	(void)took_ms;
	if (report->returned > 0)
		log_warnx("%llu right blobs are back from quarantine, where "
		    "an interrupted scrub had left them",
		    (unsigned long long)report->returned);
	if (r != STORE_OK && r != STORE_READONLY)
		log_warnx("sweep: %s", store_result_text(r));
}

static void
sweep_job_progress(const struct job *job, struct collector_progress *p)
{
	(void)job;
	p->phase = "sweeping";
}

const struct job_ops collector_sweep_ops = {
	.name = "sweep",
	.start = sweep_job_start,
	.step = sweep_job_step,
	.end = sweep_job_end,
	.progress = sweep_job_progress,
	.free = sweep_job_free
};
