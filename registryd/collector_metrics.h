/* SPDX-License-Identifier: ISC */
/*
 * What the collector counts for the monitor, from its start on.
 */
#ifndef COLLECTOR_METRICS_H
#define COLLECTOR_METRICS_H

#include <stdint.h>

#include "collector_job.h"
#include "metrics.h"
#include "restarts.h"
#include "trouble.h"

/* What one job has done, when it has ended. */
void	 collector_metrics_gc(uint64_t sums[METRIC_COLLECTOR_N],
	    const struct gc_report *);
void	 collector_metrics_scrub(uint64_t sums[METRIC_COLLECTOR_N],
	    const struct scrub_report *);
/* All values as they are now, from those sums and the rest. */
void	 collector_metrics_fill(uint64_t v[METRIC_COLLECTOR_N],
	    const uint64_t sums[METRIC_COLLECTOR_N],
	    const struct collector_jobs *, const struct restarts *,
	    const struct trouble_list *);

#endif
