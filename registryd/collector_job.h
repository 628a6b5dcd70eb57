/* SPDX-License-Identifier: ISC */
/*
 * The collector's jobs: one runs at a time, in slices, by schedule or because
 * somebody asked.
 */
#ifndef COLLECTOR_JOB_H
#define COLLECTOR_JOB_H

#include <stdbool.h>
#include <stdint.h>
#include <time.h>

#include "conf.h"
#include "gc.h"
#include "loop.h"
#include "scrub.h"
#include "store.h"

enum collector_job {
	COLLECTOR_EXPIRE,		/* uploads */
	COLLECTOR_SWEEP,		/* what crashes left behind; trash */
	COLLECTOR_COLLECT,
	COLLECTOR_SCRUB,
	COLLECTOR_NJOBS
};

struct collector_options {
	bool		 dryrun;
	bool		 scheduled;
	uint64_t	 rate;		/* of a scrub, bytes per second */
};

struct collector_progress {
	bool		 running;
	enum collector_job job;
	const char	*phase;		/* for a person; "" */
	uint64_t	 done, total;	/* total 0: not known */
};

/* Since the process started. */
struct collector_totals {
	uint64_t	 runs, failures;	/* of collection */
	uint64_t	 deleted, deleted_bytes;	/* blobs */
	uint64_t	 restored;
	uint64_t	 uploads;		/* expired */
};

/* Of one kind of job, since the process started. */
struct collector_outcome {
	uint64_t	 runs, failures;
	enum store_result result;	/* of the last one */
	time_t		 ended;		/* it has, 0: none has yet */
	uint64_t	 took_ms;
};

struct collector_jobs;
/* A job has ended; the last report is collector_last(). */
typedef void collector_end_fn(enum collector_job, enum store_result,
		    void *arg);

/* What is configured is scheduled, unless the store is read-only. */
struct collector_jobs *collector_jobs_new(struct loop *, struct store *,
		    const struct registry_conf *);
void		 collector_jobs_free(struct collector_jobs *);
/*
 * Start a job now; end() is called once when it has ended.  BUSY: another
 * one is running.  end and arg may be NULL.  A scrub is put aside while
 * another job is at work.
 */
enum store_result collector_start(struct collector_jobs *,
		    enum collector_job, const struct collector_options *,
		    collector_end_fn *end, void *arg);
/* Do it as soon as there is time, if it is scheduled at all. */
void		 collector_soon(struct collector_jobs *, enum collector_job);
/* Whoever asked with this arg has gone: his job ends, without end(). */
void		 collector_cancel(struct collector_jobs *, const void *arg);
void		 collector_progress(const struct collector_jobs *,
		    struct collector_progress *);
/* Of the last collection that ended; NULL before the first. */
const struct gc_report *collector_last(const struct collector_jobs *,
		    enum store_result *, uint64_t *took_ms);
/* The same of the last scrub. */
const struct scrub_report *collector_last_scrub(
		    const struct collector_jobs *, enum store_result *,
		    uint64_t *took_ms);
const struct collector_totals *collector_totals(
		    const struct collector_jobs *);
const struct collector_outcome *collector_outcome(
		    const struct collector_jobs *, enum collector_job);
/* Sums for the monitor, METRIC_COLLECTOR_N of them: collector_metrics.h. */
const uint64_t	*collector_sums(const struct collector_jobs *);
const char	*collector_job_name(enum collector_job);

#endif
