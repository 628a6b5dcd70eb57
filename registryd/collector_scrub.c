/* SPDX-License-Identifier: ISC */
/*
 * Scrubbing as a job of the collector: when somebody asks for it, all of it;
 * by schedule from where the last one stopped, on one host at a time.
 */
#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "collector_state.h"
#include "layout.h"
#include "log.h"
#include "scrub_record.h"
#include "str.h"

#define SAVE_MS	10000			/* of work done twice, at most */

struct scrub_job {
	struct scrub	*scrub;
	struct store_lock lock;
	struct scrub_record record;
	uint64_t	 began;
	uint64_t	 saved_ms;
	bool		 begun;		/* scheduled: locked, and resumed */
};

static int
scrub_job_start(struct job *job)
{
	struct scrub_options options = {
		.rate = job->rate,
		.dryrun = job->dryrun
	};
	struct scrub_job *s;

	if ((s = calloc(1, sizeof(*s))) == NULL ||
	    (s->scrub = scrub_new(job->store, &options)) == NULL) {
		free(s);
		return -1;
	}
	s->lock.fd = -1;
	s->began = (uint64_t)clock_wall();
	s->saved_ms = clock_monotonic_ms();
	job->state = s;
	return 0;
}

/* Another host may be at it, or have been quicker. */
static enum store_result
begin_scheduled(struct job *job)
{
	struct scrub_job *s = job->state;
	enum store_result r;

	r = store_lock_file(job->store, LAYOUT_SCRUB_LOCK, &s->lock);
	if (r == STORE_OK)
		r = scrub_record_get(job->store, &s->record);
	if (r != STORE_OK)
		return r;
	if (scrub_record_due_ms(&s->record, job->conf->scrub_interval_ms,
	    s->began) > 0)
		return STORE_BUSY;
	if (s->record.began != 0)
		scrub_resume(s->scrub, &s->record.cursor);
	else
		s->record.began = s->began;
	s->begun = true;
	return STORE_OK;
}

/* On a full disk it is read on all the same: no more is lost than a place. */
static enum store_result
save(struct job *job)
{
	struct scrub_job *s = job->state;
	enum store_result r;

	s->saved_ms = clock_monotonic_ms();
	scrub_tell(s->scrub, &s->record.cursor);
	r = scrub_record_put(job->store, &s->record, false);
	return r == STORE_NOSPACE ? STORE_OK : r;
}

/* Whoever has read all of it: the next one is due after the interval. */
static enum store_result
save_end(struct job *job)
{
	struct scrub_job *s = job->state;
	uint64_t began = s->begun ? s->record.began : s->began;

	s->begun = false;
	return scrub_record_finish(job->store, s->scrub, began);
}

static enum store_result
scrub_job_step(struct job *job, unsigned budget_us, bool *done)
{
	struct scrub_job *s = job->state;
	enum store_result r;

	if (job->scheduled && !s->begun) {
		*done = false;
		return begin_scheduled(job);
	}
	r = scrub_step(s->scrub, budget_us, done);
	if (r == STORE_OK && *done && !job->dryrun)
		r = save_end(job);
	else if (r == STORE_OK && s->begun &&
	    clock_monotonic_ms() - s->saved_ms >= SAVE_MS)
		r = save(job);
	return r;
}

const struct scrub_report *
collector_scrub_report(const struct job *job)
{
	const struct scrub_job *s = job->state;

	return s != NULL ? scrub_report(s->scrub) : NULL;
}

static void
scrub_job_progress(const struct job *job, struct collector_progress *p)
{
	const struct scrub_report *report = collector_scrub_report(job);

	p->phase = "reading";
	p->done = report->shard;
	p->total = report->shards;
}

/* What is wrong with the store, or with the machine. */
static void
log_trouble(const struct scrub_report *report, bool dryrun)
{
	char text[DIGEST_STR_SIZE], path[512];
	size_t i;

	for (i = 0; i < report->nlist; i++)
		log_warnx("scrub: %s: wrong bytes, %s", digest_format(text,
		    &report->list[i]), dryrun ? "left there" : "moved to "
		    LAYOUT_QUARANTINE);
	if (report->unsteady > 0)
		log_warnx("scrub: %llu blobs were wrong at first and right "
		    "when read again, the last is %s: look after memory and "
		    "disks", (unsigned long long)report->unsteady,
		    digest_format(text, &report->unsteady_last));
	if (report->strange > 0)
		log_warnx("scrub: %llu names that are no blobs, the last is "
		    "%s: run \"registryctl fsck\"",
		    (unsigned long long)report->strange, str_vis(path,
		    sizeof(path), report->strange_last,
		    strlen(report->strange_last)));
	if (report->mended > 0)
		log_warnx("scrub: %llu right blobs had a wrong size noted, "
		    "which is mended", (unsigned long long)report->mended);
	if (report->returned > 0)
		log_warnx("scrub: %llu right blobs are back from quarantine",
		    (unsigned long long)report->returned);
}

static void
scrub_job_end(struct job *job, enum store_result r, uint64_t took_ms)
{
	const struct scrub_report *report = collector_scrub_report(job);
	char size[16];

	if (r == STORE_BUSY)
		return;
	log_trouble(report, job->dryrun);
	if (r != STORE_OK && r != STORE_GONE)
		log_warnx("scrub stopped: %s", store_result_text(r));
	log_info("scrub: %llu blobs (%s) read, %llu bad, %llu unreadable; "
	    "%llu s", (unsigned long long)report->blobs,
	    str_bytes(size, sizeof(size), report->bytes),
	    (unsigned long long)report->bad,
	    (unsigned long long)report->unreadable,
	    (unsigned long long)(took_ms / 1000));
}

static void
scrub_job_free(struct job *job)
{
	struct scrub_job *s = job->state;

	if (s == NULL)
		return;
	/* So that the next one, or another host, goes on from here. */
	if (s->begun)
		(void)save(job);
	if (s->lock.fd != -1)
		store_unlock(job->store, &s->lock);
	scrub_free(s->scrub);
	free(s);
	job->state = NULL;
}

/* An error now shows when it begins. */
static uint64_t
scrub_job_due_ms(struct store *store, const struct registry_conf *conf)
{
	struct scrub_record record;

	if (scrub_record_get(store, &record) != STORE_OK)
		return 0;
	return scrub_record_due_ms(&record, conf->scrub_interval_ms,
	    (uint64_t)clock_wall());
}

const struct job_ops collector_scrub_ops = {
	.name = "scrub",
	.start = scrub_job_start,
	.step = scrub_job_step,
	.end = scrub_job_end,
	.progress = scrub_job_progress,
	.due_ms = scrub_job_due_ms,
	.free = scrub_job_free
};
