/* SPDX-License-Identifier: ISC */
/*
 * Scrubbing as a job of the collector: when somebody asks for it.
 */
#include <string.h>

#include "collector_state.h"
#include "layout.h"
#include "log.h"
#include "scrub.h"
#include "str.h"

static int
scrub_job_start(struct job *job)
{
	struct scrub_options options = {
		.rate = job->rate,
		.dryrun = job->dryrun
	};

	job->state = scrub_new(job->store, &options);
	return job->state == NULL ? -1 : 0;
}

static enum store_result
scrub_job_step(struct job *job, unsigned budget_ms, bool *done)
{
	return scrub_step(job->state, budget_ms, done);
}

const struct scrub_report *
collector_scrub_report(const struct job *job)
{
	return job->state != NULL ? scrub_report(job->state) : NULL;
}

static void
scrub_job_progress(const struct job *job, struct collector_progress *p)
{
	const struct scrub_report *report = scrub_report(job->state);

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
		    "when read again, the first is %s: look after memory and "
		    "disks", (unsigned long long)report->unsteady,
		    digest_format(text, &report->unsteady_first));
	if (report->strange > 0)
		log_warnx("scrub: %llu names that are no blobs, the first is "
		    "%s: run \"registryctl fsck\"",
		    (unsigned long long)report->strange, str_vis(path,
		    sizeof(path), report->strange_first,
		    strlen(report->strange_first)));
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
	const struct scrub_report *report = scrub_report(job->state);
	char size[16];

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
	scrub_free(job->state);
	job->state = NULL;
}

const struct job_ops collector_scrub_ops = {
	.name = "scrub",
	.start = scrub_job_start,
	.step = scrub_job_step,
	.end = scrub_job_end,
	.progress = scrub_job_progress,
	.free = scrub_job_free
};
