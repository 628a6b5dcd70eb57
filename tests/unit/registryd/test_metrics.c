/* SPDX-License-Identifier: ISC */
/*
 * The table of metrics and its text, held against the grammar that
 * Prometheus reads: families in one piece, each with its type before its
 * samples, and no series twice.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <regex.h>

#include "gc.h"
#include "metrics.h"
#include "trouble.h"

#define NAME	"[a-zA-Z_:][a-zA-Z0-9_:]*"
#define LABEL	"[a-zA-Z_][a-zA-Z0-9_]*=\"[^\"\\]*\""
#define LINES	1000

static regex_t help, type, sample;
static char *series[LINES], *families[LINES];
static size_t nseries, nfamilies;

static int
setup(void **state)
{
	(void)state;
	assert_int_equal(regcomp(&help, "^# HELP (" NAME ") [^\\]+$",
	    REG_EXTENDED), 0);
	assert_int_equal(regcomp(&type, "^# TYPE (" NAME ") (counter|gauge)$",
	    REG_EXTENDED), 0);
	assert_int_equal(regcomp(&sample, "^((" NAME ")([{]" LABEL "(," LABEL
	    ")*[}])?) [0-9]+([.][0-9]{3})?$", REG_EXTENDED), 0);
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	regfree(&help);
	regfree(&type);
	regfree(&sample);
	return 0;
}

static char *
part(const char *line, const regmatch_t *m)
{
	return strndup(line + m->rm_so, (size_t)(m->rm_eo - m->rm_so));
}

/* Take it into a list in which it must not be yet. */
static void
add_once(char **list, size_t *n, char *text)
{
	size_t i;

	for (i = 0; i < *n; i++)
		assert_string_not_equal(list[i], text);
	assert_true(*n < LINES);
	list[(*n)++] = text;
}

static void
check_sample(const char *line, const char *family, bool counter)
{
	regmatch_t m[4];
	char *name;
	size_t len;

	if (regexec(&sample, line, 4, m, 0) != 0)
		fail_msg("not a sample: %s", line);
	add_once(series, &nseries, part(line, &m[1]));
	name = part(line, &m[2]);
	assert_string_equal(name, family);
	len = strlen(name);
	assert_int_equal(counter, len > 6 &&
	    strcmp(name + len - 6, "_total") == 0);
	assert_memory_equal(name, "registryd_", 10);
	free(name);
}

/* Each family: its help, its type, its samples. */
static void
check_text(char *text)
{
	char *line, *next = text, *name = NULL, *family = NULL;
	bool counter = false;
	regmatch_t m[3];

	nseries = nfamilies = 0;
	while ((line = strsep(&next, "\n")) != NULL && *line != '\0') {
		if (regexec(&help, line, 2, m, 0) == 0) {
			family = part(line, &m[1]);
			add_once(families, &nfamilies, family);
			line = strsep(&next, "\n");
			assert_non_null(line);
			assert_int_equal(regexec(&type, line, 3, m, 0), 0);
			name = part(line, &m[1]);
			assert_string_equal(name, family);
			counter = line[m[2].rm_so] == 'c';
			free(name);
			continue;
		}
		assert_non_null(family);
		check_sample(line, family, counter);
	}
	/* It ends with its last line's end. */
	assert_null(next);
}

static void
forget(void)
{
	while (nseries > 0)
		free(series[--nseries]);
	while (nfamilies > 0)
		free(families[--nfamilies]);
}

static void
test_text_is_what_prometheus_reads(void **state)
{
	static const uint64_t values[] = { 0, 1, UINT64_MAX };
	uint64_t v[METRIC_N];
	struct buf text;
	size_t i, k;

	(void)state;
	for (k = 0; k < sizeof(values) / sizeof(values[0]); k++) {
		for (i = 0; i < METRIC_N; i++)
			v[i] = values[k];
		buf_init(&text, METRICS_TEXT_MAX);
		assert_int_equal(metrics_format(&text, v), 0);
		/* Room for more of them. */
		assert_true(text.len < METRICS_TEXT_MAX / 2);
		check_text(text.data);
		/* Two are left out before the first run; one is the build. */
		assert_int_equal(nseries, METRIC_N + 1 - (k == 0 ? 2 : 0));
		forget();
		buf_done(&text);
	}
}

static void
test_values_are_where_they_belong(void **state)
{
	static const struct {
		size_t		 m;
		uint64_t	 v;
		const char	*line;
	} cases[] = {
		{ METRIC_BODY_OUT, 7,
		    "\nregistryd_http_response_body_bytes_total 7\n" },
		{ METRIC_DELETED + GC_LAYERS, 8,
		    "\nregistryd_collection_deleted_total{class=\"layer\"} "
		    "8\n" },
		{ METRIC_COLLECTION_TOOK, 61005, "\nregistryd_collection_"
		    "last_duration_seconds 61.005\n" },
		{ METRIC_DEGRADED + TROUBLE_MARK, 1,
		    "\nregistryd_degraded{reason=\"readonly-mark\"} 1\n" },
		{ METRIC_RESTARTS + ROLE_MONITOR - 1, 3,
		    "\nregistryd_restarts_total{process=\"monitor\"} 3\n" },
		{ METRIC_SYNC_FAILURES, 9,
		    "\nregistryd_sync_failures_total 9\n" },
	};
	uint64_t v[METRIC_N];
	struct buf text;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		memset(v, 0, sizeof(v));
		v[cases[i].m] = cases[i].v;
		buf_init(&text, METRICS_TEXT_MAX);
		assert_int_equal(metrics_format(&text, v), 0);
		assert_non_null(strstr(buf_str(&text), cases[i].line));
		buf_done(&text);
	}
}

static void
test_requests_have_their_series(void **state)
{
	static const struct {
		const char	*method;
		int		 status;
		const char	*labels;
	} cases[] = {
		{ "GET", 200, "method=\"GET\",code=\"2xx\"" },
		{ "HEAD", 304, "method=\"HEAD\",code=\"3xx\"" },
		{ "POST", 404, "method=\"POST\",code=\"4xx\"" },
		{ "PUT", 599, "method=\"PUT\",code=\"5xx\"" },
		{ "PATCH", 0, "method=\"PATCH\",code=\"none\"" },
		{ "DELETE", 100, "method=\"DELETE\",code=\"none\"" },
		{ "get", 200, "method=\"other\",code=\"2xx\"" },
		{ "", 400, "method=\"other\",code=\"4xx\"" },
		{ "GET\"}", 600, "method=\"other\",code=\"none\"" },
	};
	uint64_t v[METRIC_N];
	char line[128];
	struct buf text;
	size_t i, m;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		memset(v, 0, sizeof(v));
		m = metric_request(cases[i].method, cases[i].status);
		assert_true(m < METRIC_BODY_IN);
		v[m] = 5;
		buf_init(&text, METRICS_TEXT_MAX);
		assert_int_equal(metrics_format(&text, v), 0);
		snprintf(line, sizeof(line),
		    "\nregistryd_http_requests_total{%s} 5\n",
		    cases[i].labels);
		assert_non_null(strstr(buf_str(&text), line));
		buf_done(&text);
	}
}

/* The reasons are those that registryctl status gives. */
static void
test_reasons_have_their_names(void **state)
{
	size_t i;

	(void)state;
	assert_int_equal(METRICS_TROUBLES, TROUBLE_N);
	for (i = 0; i < TROUBLE_N; i++)
		assert_string_equal(metric_label((enum metric)
		    (METRIC_DEGRADED + i)), trouble_name((enum trouble)i));
}

static void
test_only_counters_of_processes_add_up(void **state)
{
	(void)state;
	assert_int_equal(metric_kind(METRIC_REQUESTS), METRIC_COUNTER);
	assert_int_equal(metric_kind(METRIC_BODY_IN - 1), METRIC_COUNTER);
	assert_int_equal(metric_kind(METRIC_CONNECTIONS), METRIC_GAUGE);
	assert_int_equal(metric_kind(METRIC_UPLOADS_EXPIRED),
	    METRIC_COUNTER);
	assert_int_equal(metric_kind(METRIC_COLLECTION_END), METRIC_TIME);
	assert_int_equal(metric_kind(METRIC_DEGRADED + TROUBLE_N - 1),
	    METRIC_GAUGE);
	assert_int_equal(metric_kind(METRIC_RESTARTS), METRIC_TOTAL);
	assert_int_equal(metric_kind(METRIC_SYNC_FAILURES), METRIC_TOTAL);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_text_is_what_prometheus_reads),
		cmocka_unit_test(test_values_are_where_they_belong),
		cmocka_unit_test(test_requests_have_their_series),
		cmocka_unit_test(test_reasons_have_their_names),
		cmocka_unit_test(test_only_counters_of_processes_add_up),
	};

	return cmocka_run_group_tests_name("metrics", tests, setup,
	    teardown);
}
