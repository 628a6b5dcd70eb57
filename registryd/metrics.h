/* SPDX-License-Identifier: ISC */
/*
 * What is counted: one table of all series, with their names for Prometheus,
 * and the text that it reads.  Who counts sends its values in the order of
 * the enum; the monitor adds them up.
 */
#ifndef METRICS_H
#define METRICS_H

#include <stddef.h>
#include <stdint.h>

#include "buf.h"
#include "messages.h"

#define METRICS_METHODS		7	/* six, and all others as one */
#define METRICS_CODES		5	/* 2xx to 5xx, none */
#define METRICS_CLASSES		4	/* of gc.h */
#define METRICS_TROUBLES	9	/* of trouble.h */

enum metric {
	/* a worker's */
	METRIC_REQUESTS,
	METRIC_BODY_IN = METRIC_REQUESTS + METRICS_METHODS * METRICS_CODES,
	METRIC_BODY_OUT,
	METRIC_CONNECTIONS,
	METRIC_WORKER_END,
	/* the collector's */
	METRIC_COLLECTIONS = METRIC_WORKER_END,
	METRIC_COLLECTION_FAILURES,
	METRIC_CONDEMNED,
	METRIC_RESTORED = METRIC_CONDEMNED + METRICS_CLASSES,
	METRIC_DELETED = METRIC_RESTORED + METRICS_CLASSES,
	METRIC_CONDEMNED_BYTES = METRIC_DELETED + METRICS_CLASSES,
	METRIC_DELETED_BYTES,
	METRIC_COLLECTION_END,
	METRIC_COLLECTION_TOOK,
	METRIC_SCRUBS,
	METRIC_SCRUB_FAILURES,
	METRIC_SCRUBBED,
	METRIC_SCRUBBED_BYTES,
	METRIC_SCRUB_BAD,
	METRIC_SCRUB_UNREADABLE,
	METRIC_UPLOADS_EXPIRED,
	METRIC_DEGRADED,
	METRIC_RESTARTS = METRIC_DEGRADED + METRICS_TROUBLES,
	METRIC_SYNC_FAILURES = METRIC_RESTARTS + ROLE_MAX,
	METRIC_N
};
#define METRIC_WORKER_N		METRIC_WORKER_END
#define METRIC_COLLECTOR_N	(METRIC_N - METRIC_COLLECTIONS)

enum metric_kind {
	METRIC_COUNTER,			/* of a process: those that have ended
					   count too */
	METRIC_TOTAL,			/* a counter that outlives processes */
	METRIC_GAUGE,
	METRIC_TIME			/* milliseconds, a gauge; 0: not yet */
};
enum metric_kind metric_kind(enum metric);
/* The value of its label, "blob"; "" when it has none. */
const char	*metric_label(enum metric);

/* Which of the series of METRIC_REQUESTS; status 0: no answer was sent. */
size_t		 metric_request(const char *method, int status);

/* The text format, version 0.0.4; 0, or -1 when the buffer is too small. */
#define METRICS_TEXT_MAX	(64 * 1024)
#define METRICS_CONTENT_TYPE	"text/plain; version=0.0.4; charset=utf-8"
int		 metrics_format(struct buf *, const uint64_t v[METRIC_N]);

#endif
