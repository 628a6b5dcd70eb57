/* SPDX-License-Identifier: ISC */
/*
 * Collection as a job of the collector: its options from the configuration,
 * and one line in the log for each run.
 */
#include <stddef.h>
#include <string.h>

#include "buf.h"
#include "collector_state.h"
#include "log.h"
#include "str.h"

#define LINE_MAX_SIZE	1024
#define RESTARTS	3	/* of a run; others may fill the disk again */

static int
gc_job_start(struct job *job)
{
	struct gc_options options = {
		.grace_ms = job->conf->collect_grace_ms,
		.delay_ms = job->conf->collect_delay_ms,
		.untagged_ms = job->conf->collect_untagged_ms,
		.memory = job->conf->collect_memory,
		.dryrun = job->dryrun
	};

	job->state = gc_new(job->store, &options);
	return job->state == NULL ? -1 : 0;
}

static enum store_result
gc_job_step(struct job *job, unsigned budget_us, bool *done)
{
	struct gc *gc = job->state;
	enum store_result r;

	r = gc_step(gc, budget_us, done);
	if (r != STORE_NOSPACE || job->restarts == RESTARTS ||
	    !store_release(job->store))
		return r;
	job->restarts++;
	/* What makes room may have what is kept back for it: once more. */
	if (gc_job_start(job) == -1) {
		job->state = gc;
		return r;
	}
	gc_free(gc);
	return STORE_OK;
}

const struct gc_report *
collector_gc_report(const struct job *job)
{
	return job->state != NULL ? gc_report(job->state) : NULL;
}

static void
gc_job_progress(const struct job *job, struct collector_progress *p)
{
	const struct gc_report *report = gc_report(job->state);

	p->phase = report->phase;
	p->done = report->done;
	p->total = report->total;
}

/* "3 blobs (1.5 GiB), 4 layer links", or "nothing". */
static void
add_counts(struct buf *line, const struct gc_report *report, size_t offset,
    uint64_t bytes)
{
	const struct gc_count *c;
	char size[16];
	bool any = false;
	uint64_t n;
	size_t i;

	for (i = 0; i < GC_NCLASSES; i++) {
		c = &report->counts[i];
		n = *(const uint64_t *)(const void *)((const char *)c +
		    offset);
		if (n == 0)
			continue;
		(void)buf_addf(line, "%s%llu %s", any ? ", " : "",
		    (unsigned long long)n, gc_class_name((enum gc_class)i));
		if (i == GC_BLOBS)
			(void)buf_addf(line, " (%s)",
			    str_bytes(size, sizeof(size), bytes));
		any = true;
	}
	if (!any)
		(void)buf_addstr(line, "nothing");
}

/* What is wrong in the store, though the run went on. */
static void
log_oddities(const struct gc_report *report)
{
	char path[512];

	if (report->damaged > 0)
		log_warnx("collection: %llu damaged links or manifests, the "
		    "first is %s; what they may need is kept",
		    (unsigned long long)report->damaged, str_vis(path,
		    sizeof(path), report->path, strlen(report->path)));
	if (report->strange > 0)
		log_warnx("collection: %llu strange names passed over, the "
		    "first is %s", (unsigned long long)report->strange,
		    str_vis(path, sizeof(path), report->strange_paths[0],
		    strlen(report->strange_paths[0])));
	if (report->hiding > 0)
		log_warnx("collection: no blob was removed, because of %llu "
		    "symbolic links that may lead to repositories",
		    (unsigned long long)report->hiding);
}

static void
log_report(const struct job *job, const struct gc_report *report,
    uint64_t took_ms)
{
	struct buf line;

	buf_init(&line, LINE_MAX_SIZE);
	(void)buf_addf(&line, "collection%s: removed ",
	    job->dryrun ? ", dry run" : "");
	add_counts(&line, report, offsetof(struct gc_count, deleted),
	    report->deleted_bytes);
	(void)buf_addstr(&line, "; condemned ");
	add_counts(&line, report, offsetof(struct gc_count, condemned),
	    report->condemned_bytes);
	(void)buf_addstr(&line, "; waiting: ");
	add_counts(&line, report, offsetof(struct gc_count, waiting),
	    report->waiting_bytes);
	(void)buf_addstr(&line, "; young: ");
	add_counts(&line, report, offsetof(struct gc_count, young),
	    report->young_bytes);
	(void)buf_addstr(&line, "; restored ");
	add_counts(&line, report, offsetof(struct gc_count, restored), 0);
	(void)buf_addf(&line, "; in use: %llu blobs, %llu repositories; "
	    "%llu.%03llu s",
	    (unsigned long long)(report->counts[GC_BLOBS].live -
	    report->counts[GC_BLOBS].young),
	    (unsigned long long)report->repositories,
	    (unsigned long long)(took_ms / 1000),
	    (unsigned long long)(took_ms % 1000));
	log_info("%s", buf_str(&line));
	buf_done(&line);
	log_oddities(report);
}

static void
count_totals(struct collector_totals *t, const struct gc_report *report)
{
	size_t i;

	t->deleted += report->counts[GC_BLOBS].deleted;
	t->deleted_bytes += report->deleted_bytes;
	for (i = 0; i < GC_NCLASSES; i++)
		t->restored += report->counts[i].restored;
}

static void
gc_job_end(struct job *job, enum store_result r, uint64_t took_ms)
{
	const struct gc_report *report = gc_report(job->state);
	char path[512];

	if (r == STORE_BUSY && report->done == 0) {
		log_info("collection is running in another process");
		return;
	}
	job->totals->runs++;
	if (!job->dryrun)
		count_totals(job->totals, report);
	if (r == STORE_OK) {
		log_report(job, report, took_ms);
		return;
	}
	/* Who asked for it has gone, which has been said. */
	if (r == STORE_GONE)
		return;
	job->totals->failures++;
	if (report->memory_over) {
		log_warnx("collection stopped while %s: too many objects for "
		    "%s of memory, raise registryd.collect.memory; nothing "
		    "was removed", report->phase, str_bytes(path,
		    sizeof(path), job->conf->collect_memory));
		return;
	}
	log_warnx("collection stopped while %s, at %s: %s; %s",
	    report->phase, str_vis(path, sizeof(path), report->path,
	    strlen(report->path)), store_result_text(r),
	    report->counts[GC_BLOBS].deleted + report->counts[GC_LAYERS].
	    deleted + report->counts[GC_REVISIONS].deleted == 0 ?
	    "nothing was removed" : "the rest is for the next one");
}

static void
gc_job_free(struct job *job)
{
	gc_free(job->state);
	job->state = NULL;
}

const struct job_ops collector_gc_ops = {
	.name = "collect",
	.start = gc_job_start,
	.step = gc_job_step,
	.end = gc_job_end,
	.progress = gc_job_progress,
	.free = gc_job_free
};
