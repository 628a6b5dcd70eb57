/* SPDX-License-Identifier: ISC */
/*
 * The long jobs of registryctl, collect and scrub: done by the registryd that
 * runs, or here on the directory, with a bar meanwhile and a report at the
 * end.
 */
#include <err.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "admin.h"
#include "clock.h"
#include "layout.h"
#include "registryctl.h"
#include "scrub_record.h"
#include "str.h"

#define STEP_US		50000
#define REST_US		5000		/* when the rate is reached */

/* ---- on the directory ---- */

static bool
is_readonly(struct store *s)
{
	return store_stat(s, LAYOUT_READONLY, NULL) == STORE_OK;
}

static enum ctl_status
check_readonly(struct ctl *ctl, bool dryrun)
{
	if (dryrun || !is_readonly(ctl_store(ctl)))
		return CTL_OK;
	warnx("the registry is read-only: run \"registryctl readonly "
	    "off\" first");
	return CTL_PROBLEM;
}

static enum ctl_status
collect_here(struct ctl *ctl, bool dryrun, json_t **result)
{
	const struct registry_conf *conf = ctl_conf(ctl);
	struct gc_options options = {
		.grace_ms = conf->collect_grace_ms,
		.delay_ms = conf->collect_delay_ms,
		.untagged_ms = conf->collect_untagged_ms,
		.memory = conf->collect_memory,
		.dryrun = dryrun
	};
	const struct gc_report *report;
	uint64_t began = clock_monotonic_ms();
	enum store_result r = STORE_OK;
	struct gc *gc;
	bool done = false;

	if ((gc = gc_new(ctl_store_collect(ctl), &options)) == NULL)
		return ctl_fail("collection", STORE_NOMEM);
	report = gc_report(gc);
	while (r == STORE_OK && !done) {
		/* An administrator may let nothing be written any more. */
		r = !dryrun && is_readonly(ctl->store) ? STORE_READONLY :
		    gc_step(gc, STEP_US, &done);
		ctl_bar(ctl, report->phase, report->done, report->total, "");
	}
	ctl_bar_end();
	if (r == STORE_BUSY) {
		warnx("another process is collecting: try again later");
		gc_free(gc);
		return CTL_PROBLEM;
	}
	*result = admin_gc_report(report, r == STORE_OK ? "ok" :
	    store_result_text(r), clock_monotonic_ms() - began, dryrun);
	gc_free(gc);
	return CTL_OK;
}

static enum ctl_status
scrub_here(struct ctl *ctl, const struct scrub_options *options,
    json_t **result)
{
	uint64_t began = clock_monotonic_ms();
	const struct scrub_report *report;
	enum store_result r = STORE_OK;
	struct scrub *scrub;
	bool done = false;

	scrub = scrub_new(options->dryrun ? ctl_store(ctl) :
	    ctl_store_writable(ctl), options);
	if (scrub == NULL)
		return ctl_fail("scrub", STORE_NOMEM);
	report = scrub_report(scrub);
	while (r == STORE_OK && !done) {
		r = !options->dryrun && is_readonly(ctl->store) ?
		    STORE_READONLY : scrub_step(scrub, STEP_US, &done);
		ctl_bar(ctl, "reading", report->shard, report->shards, "");
		if (r == STORE_OK && !done && options->rate > 0)
			usleep(REST_US);
	}
	ctl_bar_end();
	if (r == STORE_OK && !options->dryrun)
		r = scrub_record_finish(ctl_store_writable(ctl), scrub,
		    (uint64_t)clock_wall() - (clock_monotonic_ms() - began) /
		    1000);
	*result = admin_scrub_report(report, r == STORE_OK ? "ok" :
	    store_result_text(r), clock_monotonic_ms() - began);
	scrub_free(scrub);
	return CTL_OK;
}

/* ---- reports ---- */

/* "removed:     3 blobs (1.5 GiB), 4 layer links" */
static void
print_counts(const json_t *report, const char *label, const char *key,
    const char *bytes)
{
	const char *name;
	const json_t *counts;
	char size[16];
	bool any = false;
	uint64_t n;
	size_t i;

	printf("%-14s", label);
	for (i = 0; i < GC_NCLASSES; i++) {
		name = gc_class_name((enum gc_class)i);
		counts = json_object_get(report, name);
		n = ctl_number(counts, key);
		if (strcmp(key, "live") == 0)
			n -= ctl_number(counts, "young");
		if (n == 0)
			continue;
		printf("%s%llu %s", any ? ", " : "", (unsigned long long)n,
		    name);
		if (i == GC_BLOBS && bytes != NULL)
			printf(" (%s)", str_bytes(size, sizeof(size),
			    ctl_number(report, bytes)));
		any = true;
	}
	puts(any ? "" : "nothing");
}

/* What was found and passed over, the first of it by name. */
static void
print_strange(const json_t *report)
{
	uint64_t n = ctl_number(report, "strange");
	uint64_t hiding = ctl_number(report, "hiding");
	char path[512];
	json_t *one;
	size_t i;

	if (n > 0)
		printf("%-14s%llu, passed over%s\n", "strange:",
		    (unsigned long long)n, n > GC_STRANGE_PATHS ?
		    "; the first are" : "");
	json_array_foreach(json_object_get(report, "strange_paths"), i, one)
		printf("%-14s%s\n", "", ctl_vis(path, sizeof(path),
		    json_string_value(one)));
	if (hiding > 0)
		printf("%-14s%llu symbolic links: no blob is removed as long "
		    "as they are there\n", "", (unsigned long long)hiding);
}

static enum ctl_status
show_collection(const struct ctl *ctl, json_t *report)
{
	bool dryrun = json_is_true(json_object_get(report, "dry_run"));
	bool ok = strcmp(ctl_text(report, "outcome"), "ok") == 0;
	uint64_t damaged = ctl_number(report, "damaged");
	uint64_t ms = ctl_number(report, "milliseconds");
	enum ctl_status status = CTL_PROBLEM;
	char path[512];

	if (ok && damaged == 0 && ctl_number(report, "hiding") == 0)
		status = CTL_OK;
	ctl_vis(path, sizeof(path), ctl_text(report, "path"));
	if (!ok)
		warnx("the collection stopped%s%s: %s", path[0] != '\0' ?
		    " at " : "", path, ctl_text(report, "outcome"));
	if (ctl->json) {
		ctl_print_json(report);
		return status;
	}
	print_counts(report, dryrun ? "would remove:" : "removed:", "deleted",
	    "deleted_bytes");
	print_counts(report, dryrun ? "condemn:" : "condemned:", "condemned",
	    "condemned_bytes");
	print_counts(report, "waiting:", "waiting", "waiting_bytes");
	print_counts(report, "young:", "young", "young_bytes");
	print_counts(report, "restored:", "restored", NULL);
	print_counts(report, "in use:", "live", NULL);
	printf("%-14s%llu.%03llu s\n", "time:", (unsigned long long)ms / 1000,
	    (unsigned long long)ms % 1000);
	if (damaged > 0)
		printf("%-14s%llu, first %s: run \"registryctl fsck\"\n",
		    "damaged:", (unsigned long long)damaged, path);
	print_strange(report);
	json_decref(report);
	return status;
}

static void
print_scrub_notes(const json_t *report)
{
	static const struct {
		const char	*key, *text;
	} notes[] = {
		{ "unsteady", "wrong at first and right when read again: "
		    "look after memory and disks" },
		{ "mended", "right, with a wrong size noted, which is "
		    "mended" },
		{ "returned", "right after all, and back from quarantine" },
		{ "strange", "names that are no blobs: run \"registryctl "
		    "fsck\"" }
	};
	uint64_t n;
	size_t i;

	for (i = 0; i < sizeof(notes) / sizeof(notes[0]); i++)
		if ((n = ctl_number(report, notes[i].key)) > 0)
			printf("%llu %s\n", (unsigned long long)n,
			    notes[i].text);
}

static enum ctl_status
show_scrub(const struct ctl *ctl, json_t *report, bool dryrun)
{
	bool ok = strcmp(ctl_text(report, "outcome"), "ok") == 0;
	uint64_t bad = ctl_number(report, "bad");
	uint64_t unreadable = ctl_number(report, "unreadable");
	enum ctl_status status;
	char text[256], size[16];
	json_t *digest;
	size_t i;

	status = ok && bad + unreadable == 0 ? CTL_OK : CTL_PROBLEM;
	if (!ok)
		warnx("the scrub stopped: %s", ctl_text(report,
		    "outcome"));
	if (ctl->json) {
		ctl_print_json(report);
		return status;
	}
	json_array_foreach(json_object_get(report, "digests"), i, digest)
		printf("%s: wrong bytes, %s\n", ctl_vis(text, sizeof(text),
		    json_string_value(digest)), dryrun ? "left there" :
		    "moved to " LAYOUT_QUARANTINE);
	printf("%llu blobs (%s) read, %llu bad, %llu unreadable\n",
	    (unsigned long long)ctl_number(report, "blobs"),
	    str_bytes(size, sizeof(size), ctl_number(report, "bytes")),
	    (unsigned long long)bad, (unsigned long long)unreadable);
	print_scrub_notes(report);
	if (bad > 0 && !dryrun)
		puts("push these images again; until then clients are told "
		    "that the blobs are unknown");
	json_decref(report);
	return status;
}

/* ---- commands ---- */

enum ctl_status
ctl_collect(struct ctl *ctl, int argc, char **argv)
{
	static const struct option longopts[] = {
		{ "dry-run", no_argument, NULL, 'd' },
		{ "json", no_argument, NULL, 'j' },
		{ NULL, 0, NULL, 0 }
	};
	enum ctl_status status;
	json_t *report;
	bool dryrun = false;

	while (ctl_option(ctl, argc, argv, longopts) != -1)
		dryrun = true;
	if (optind != argc)
		ctl_usage();
	if (ctl_running(ctl))
		status = ctl_tell(ctl, json_pack("{ss sb}", "command",
		    "collect", "dry_run", dryrun), &report);
	else if ((status = check_readonly(ctl, dryrun)) == CTL_OK)
		status = collect_here(ctl, dryrun, &report);
	return status == CTL_OK ? show_collection(ctl, report) : status;
}

enum ctl_status
ctl_scrub(struct ctl *ctl, int argc, char **argv)
{
	static const struct option longopts[] = {
		{ "dry-run", no_argument, NULL, 'd' },
		{ "rate", required_argument, NULL, 'r' },
		{ "json", no_argument, NULL, 'j' },
		{ NULL, 0, NULL, 0 }
	};
	struct scrub_options options = { .rate = ctl_conf(ctl)->scrub_rate };
	enum ctl_status status;
	json_t *report;
	int ch;

	while ((ch = ctl_option(ctl, argc, argv, longopts)) != -1) {
		if (ch == 'd')
			options.dryrun = true;
		else if (str_parse_size(optarg, &options.rate) == -1) {
			warnx("--rate: expected a size such as 50MiB");
			return CTL_USAGE;
		}
	}
	if (optind != argc)
		ctl_usage();
	if (ctl_running(ctl))
		status = ctl_tell(ctl, json_pack("{ss sb sI}", "command",
		    "scrub", "dry_run", options.dryrun, "rate",
		    (json_int_t)options.rate), &report);
	else if ((status = check_readonly(ctl, options.dryrun)) == CTL_OK)
		status = scrub_here(ctl, &options, &report);
	return status == CTL_OK ? show_scrub(ctl, report, options.dryrun) :
	    status;
}
