/* SPDX-License-Identifier: ISC */
/*
 * What the collector counts for the monitor: sums over its jobs, how the last
 * ones ended, and the state that the parent and the directory tell.
 */
#include "collector_metrics.h"

#include <assert.h>
#include <string.h>

/* Place of a series in the collector's own values. */
#define AT(m)	((m) - METRIC_COLLECTIONS)

static_assert(METRICS_CLASSES == GC_NCLASSES, "classes of collection");
static_assert(METRICS_TROUBLES == TROUBLE_N, "kinds of trouble");

void
collector_metrics_gc(uint64_t sums[METRIC_COLLECTOR_N],
    const struct gc_report *report)
{
	size_t i;

	for (i = 0; i < GC_NCLASSES; i++) {
		sums[AT(METRIC_CONDEMNED) + i] += report->counts[i].condemned;
		sums[AT(METRIC_RESTORED) + i] += report->counts[i].restored;
		sums[AT(METRIC_DELETED) + i] += report->counts[i].deleted;
	}
	sums[AT(METRIC_CONDEMNED_BYTES)] += report->condemned_bytes;
	sums[AT(METRIC_DELETED_BYTES)] += report->deleted_bytes;
}

void
collector_metrics_scrub(uint64_t sums[METRIC_COLLECTOR_N],
    const struct scrub_report *report)
{
	sums[AT(METRIC_SCRUBBED)] += report->blobs;
	sums[AT(METRIC_SCRUBBED_BYTES)] += report->bytes;
	sums[AT(METRIC_SCRUB_BAD)] += report->bad;
	sums[AT(METRIC_SCRUB_UNREADABLE)] += report->unreadable;
}

void
collector_metrics_fill(uint64_t v[METRIC_COLLECTOR_N],
    const uint64_t sums[METRIC_COLLECTOR_N],
    const struct collector_jobs *jobs, const struct restarts *restarts,
    const struct trouble_list *troubles)
{
	const struct collector_outcome *gc, *scrub;
	size_t i;

	memcpy(v, sums, METRIC_COLLECTOR_N * sizeof(*v));
	gc = collector_outcome(jobs, COLLECTOR_COLLECT);
	v[AT(METRIC_COLLECTIONS)] = gc->runs;
	v[AT(METRIC_COLLECTION_FAILURES)] = gc->failures;
	v[AT(METRIC_COLLECTION_END)] = (uint64_t)gc->ended * 1000;
	v[AT(METRIC_COLLECTION_TOOK)] = gc->took_ms;
	scrub = collector_outcome(jobs, COLLECTOR_SCRUB);
	v[AT(METRIC_SCRUBS)] = scrub->runs;
	v[AT(METRIC_SCRUB_FAILURES)] = scrub->failures;
	v[AT(METRIC_UPLOADS_EXPIRED)] = collector_totals(jobs)->uploads;
	for (i = 0; i < TROUBLE_N; i++)
		v[AT(METRIC_DEGRADED) + i] = troubles->has[i];
	for (i = 0; i < ROLE_MAX; i++)
		v[AT(METRIC_RESTARTS) + i] = restarts->roles[i + 1].total;
	v[AT(METRIC_SYNC_FAILURES)] = restarts->sync_failures;
}
