/* SPDX-License-Identifier: ISC */
/*
 * The table of what is counted, and its text for Prometheus.  Used by all
 * that count and by the monitor, which answers; knows no process.
 */
#include "metrics.h"

#include <string.h>

struct family {
	enum metric	 first;
	unsigned	 n;
	const char	*name;
	const char	*label;		/* NULL: none */
	const char *const *values;	/* of the label, n of them */
	enum metric_kind kind;
	const char	*help;
};

static const char *const methods[METRICS_METHODS] = {
	"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "other"
};
static const char *const codes[METRICS_CODES] = {
	"2xx", "3xx", "4xx", "5xx", "none"
};
/* In the order of enum gc_class. */
static const char *const classes[METRICS_CLASSES] = {
	"blob", "layer", "manifest", "note"
};
/* In the order of enum trouble. */
static const char *const troubles[METRICS_TROUBLES] = {
	"sync-failed", "disk-readonly", "disk-full", "readonly-mark",
	"collection-failed", "expiry-failed", "scrub-failed", "bad-blobs",
	"restarts"
};
/* In the order of enum role. */
static const char *const roles[ROLE_MAX] = {
	"worker", "keeper", "collector", "verifier", "monitor"
};

#define NO_LABEL	NULL, NULL

static const struct family families[] = {
	/* METRIC_REQUESTS has two labels: format_requests() */
	{ METRIC_REQUESTS, METRICS_METHODS * METRICS_CODES,
	    "registryd_http_requests_total", NULL, NULL, METRIC_COUNTER,
	    "Requests by method and class of status." },
	{ METRIC_BODY_IN, 1, "registryd_http_request_body_bytes_total",
	    NO_LABEL, METRIC_COUNTER, "Bytes of bodies received." },
	{ METRIC_BODY_OUT, 1, "registryd_http_response_body_bytes_total",
	    NO_LABEL, METRIC_COUNTER, "Bytes of bodies sent." },
	{ METRIC_CONNECTIONS, 1, "registryd_http_connections", NO_LABEL,
	    METRIC_GAUGE, "Connections that are open." },
	{ METRIC_COLLECTIONS, 1, "registryd_collections_total", NO_LABEL,
	    METRIC_COUNTER, "Collections that have ended." },
	{ METRIC_COLLECTION_FAILURES, 1,
	    "registryd_collection_failures_total", NO_LABEL, METRIC_COUNTER,
	    "Collections that did not come to their end." },
	{ METRIC_CONDEMNED, METRICS_CLASSES,
	    "registryd_collection_condemned_total", "class", classes,
	    METRIC_COUNTER, "Objects condemned." },
	{ METRIC_RESTORED, METRICS_CLASSES,
	    "registryd_collection_restored_total", "class", classes,
	    METRIC_COUNTER, "Objects brought back by collections." },
	{ METRIC_DELETED, METRICS_CLASSES,
	    "registryd_collection_deleted_total", "class", classes,
	    METRIC_COUNTER, "Objects removed." },
	{ METRIC_CONDEMNED_BYTES, 1,
	    "registryd_collection_condemned_bytes_total", NO_LABEL,
	    METRIC_COUNTER, "Bytes of blobs condemned." },
	{ METRIC_DELETED_BYTES, 1,
	    "registryd_collection_deleted_bytes_total", NO_LABEL,
	    METRIC_COUNTER, "Bytes of blobs removed." },
	{ METRIC_COLLECTION_END, 1,
	    "registryd_collection_last_end_timestamp_seconds", NO_LABEL,
	    METRIC_TIME, "When the last collection ended." },
	{ METRIC_COLLECTION_TOOK, 1,
	    "registryd_collection_last_duration_seconds", NO_LABEL,
	    METRIC_TIME, "How long the last collection took." },
	{ METRIC_SCRUBS, 1, "registryd_scrubs_total", NO_LABEL,
	    METRIC_COUNTER, "Scrubs that have ended." },
	{ METRIC_SCRUB_FAILURES, 1, "registryd_scrub_failures_total",
	    NO_LABEL, METRIC_COUNTER,
	    "Scrubs that did not come to their end." },
	{ METRIC_SCRUBBED, 1, "registryd_scrub_blobs_total", NO_LABEL,
	    METRIC_COUNTER, "Blobs read by scrubs." },
	{ METRIC_SCRUBBED_BYTES, 1, "registryd_scrub_bytes_total", NO_LABEL,
	    METRIC_COUNTER, "Bytes read by scrubs." },
	{ METRIC_SCRUB_BAD, 1, "registryd_scrub_bad_blobs_total", NO_LABEL,
	    METRIC_COUNTER, "Blobs found with wrong bytes." },
	{ METRIC_SCRUB_UNREADABLE, 1,
	    "registryd_scrub_unreadable_blobs_total", NO_LABEL,
	    METRIC_COUNTER, "Blobs that could not be read." },
	{ METRIC_UPLOADS_EXPIRED, 1, "registryd_uploads_expired_total",
	    NO_LABEL, METRIC_COUNTER, "Abandoned uploads removed." },
	{ METRIC_DEGRADED, METRICS_TROUBLES, "registryd_degraded", "reason",
	    troubles, METRIC_GAUGE,
	    "1 for each reason that registryctl status gives." },
	{ METRIC_RESTARTS, ROLE_MAX, "registryd_restarts_total", "process",
	    roles, METRIC_TOTAL,
	    "Processes that ended by themselves and were started again." },
	{ METRIC_SYNC_FAILURES, 1, "registryd_sync_failures_total", NO_LABEL,
	    METRIC_TOTAL, "Processes replaced since they could not sync." },
};
#define NFAMILIES	(sizeof(families) / sizeof(families[0]))

static const struct family *
family_of(enum metric m)
{
	size_t i = NFAMILIES;

	while (i-- > 1)
		if (m >= families[i].first)
			break;
	return &families[i];
}

enum metric_kind
metric_kind(enum metric m)
{
	return family_of(m)->kind;
}

const char *
metric_label(enum metric m)
{
	const struct family *f = family_of(m);

	return f->label != NULL ? f->values[m - f->first] : "";
}

size_t
metric_request(const char *method, int status)
{
	size_t m, code = METRICS_CODES - 1;

	for (m = 0; m < METRICS_METHODS - 1; m++)
		if (strcmp(method, methods[m]) == 0)
			break;
	if (status >= 200 && status < 600)
		code = (size_t)status / 100 - 2;
	return METRIC_REQUESTS + m * METRICS_CODES + code;
}

static void
format_number(struct buf *text, enum metric_kind kind, uint64_t v)
{
	if (kind == METRIC_TIME)
		(void)buf_addf(text, " %llu.%03llu\n",
		    (unsigned long long)(v / 1000),
		    (unsigned long long)(v % 1000));
	else
		(void)buf_addf(text, " %llu\n", (unsigned long long)v);
}

static void
format_series(struct buf *text, const struct family *f, size_t i,
    uint64_t v)
{
	(void)buf_addstr(text, f->name);
	if (f->first == METRIC_REQUESTS)
		(void)buf_addf(text, "{method=\"%s\",code=\"%s\"}",
		    methods[i / METRICS_CODES], codes[i % METRICS_CODES]);
	else if (f->label != NULL)
		(void)buf_addf(text, "{%s=\"%s\"}", f->label, f->values[i]);
	format_number(text, f->kind, v);
}

int
metrics_format(struct buf *text, const uint64_t v[METRIC_N])
{
	const struct family *f;
	size_t i;

	for (f = families; f < families + NFAMILIES; f++) {
		if (f->kind == METRIC_TIME && v[f->first] == 0)
			continue;
		(void)buf_addf(text, "# HELP %s %s\n# TYPE %s %s\n", f->name,
		    f->help, f->name, f->kind == METRIC_COUNTER ||
		    f->kind == METRIC_TOTAL ? "counter" : "gauge");
		for (i = 0; i < f->n; i++)
			format_series(text, f, i, v[f->first + i]);
	}
	(void)buf_addf(text, "# HELP registryd_build_info The version, in a "
	    "label.\n# TYPE registryd_build_info gauge\n"
	    "registryd_build_info{version=\"%s\"} 1\n", VERSION);
	return buf_failed(text) ? -1 : 0;
}
