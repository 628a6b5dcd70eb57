/* SPDX-License-Identifier: ISC */
/*
 * What a job is for the collector_*.c files, private to them.
 */
#ifndef COLLECTOR_STATE_H
#define COLLECTOR_STATE_H

#include "collector_job.h"

struct job {				/* one that runs */
	struct store	*store;
	const struct registry_conf *conf;
	bool		 dryrun;
	bool		 scheduled;	/* nobody has asked for it */
	uint64_t	 rate;
	unsigned	 restarts;	/* because the disk was full */
	void		*state;
	struct collector_totals *totals;
};

struct job_ops {
	const char	*name;
	/* 0, or -1 ENOMEM. */
	int		 (*start)(struct job *);
	enum store_result (*step)(struct job *, unsigned budget_us,
			    bool *done);
	/* Log what was done; also when it failed. */
	void		 (*end)(struct job *, enum store_result,
			    uint64_t took_ms);
	void		 (*progress)(const struct job *,
			    struct collector_progress *);
	/* By schedule: how long from now; NULL: when its time has come. */
	uint64_t	 (*due_ms)(struct store *,
			    const struct registry_conf *);
	void		 (*free)(struct job *);
};

extern const struct job_ops	collector_expire_ops;
extern const struct job_ops	collector_gc_ops;
extern const struct job_ops	collector_scrub_ops;
extern const struct job_ops	collector_sweep_ops;

/* The report of the job's collection, while it is there. */
const struct gc_report	*collector_gc_report(const struct job *);
const struct scrub_report *collector_scrub_report(const struct job *);

#endif
