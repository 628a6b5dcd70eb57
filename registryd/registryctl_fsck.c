/* SPDX-License-Identifier: ISC */
/*
 * "registryctl fsck": shows what a check of the store finds.  Always looks
 * at the directory itself, and changes nothing.
 */
#include <sys/resource.h>

#include <err.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "fsck.h"
#include "layout.h"
#include "log.h"
#include "registryctl.h"
#include "str.h"

struct show {
	struct ctl	*ctl;
	bool		 strict;
};

static void
on_found(const struct fsck_problem *p, void *arg)
{
	const struct show *show = arg;
	const char *severity = fsck_severity_name(fsck_kind_severity(p->kind));
	char path[4096], detail[FSCK_DETAIL_SIZE * 4];

	ctl_vis(path, sizeof(path), p->path);
	ctl_vis(detail, sizeof(detail), p->detail);
	ctl_bar_end();
	if (show->ctl->json)
		ctl_print_json(json_pack("{s:{ss ss ss ss* ss}}", "problem",
		    "kind", fsck_kind_name(p->kind), "severity", severity,
		    "path", path, "repository", p->repo, "detail", detail));
	else
		printf("%s %s %s%s%s\n", severity, fsck_kind_name(p->kind),
		    path, detail[0] != '\0' ? ": " : "", detail);
}

static void
on_progress(const struct fsck_report *report, void *arg)
{
	const struct show *show = arg;

	if (show->strict)
		ctl_bar(show->ctl, "checking", report->hashed_bytes >> 20, 0,
		    "MiB");
	else
		ctl_bar(show->ctl, "checking", report->objects, 0, "objects");
}

static void
print_report(const struct fsck_report *r, uint64_t ms)
{
	char size[16];
	unsigned kind;

	for (kind = 0; kind < FSCK_NKINDS; kind++)
		if (r->kinds[kind] > 0)
			printf("%s: %llu: %s\n", fsck_kind_name(kind),
			    (unsigned long long)r->kinds[kind],
			    fsck_kind_text(kind));
	printf("%llu objects in %llu.%llu s: %llu blobs (%s), "
	    "%llu repositories, %llu manifests, %llu tags, %llu uploads\n",
	    (unsigned long long)r->objects, (unsigned long long)ms / 1000,
	    (unsigned long long)ms / 100 % 10, (unsigned long long)r->blobs,
	    str_bytes(size, sizeof(size), r->blob_bytes),
	    (unsigned long long)r->repositories,
	    (unsigned long long)r->revisions, (unsigned long long)r->tags,
	    (unsigned long long)r->uploads);
	printf("%llu broken, %llu odd, %llu notes\n",
	    (unsigned long long)r->broken, (unsigned long long)r->odd,
	    (unsigned long long)r->notes);
}

/* Of this process: what the time would be on an idle machine. */
static json_int_t
cpu_ms(void)
{
	struct rusage ru;

	if (getrusage(RUSAGE_SELF, &ru) == -1)
		return 0;
	return (json_int_t)(ru.ru_utime.tv_sec + ru.ru_stime.tv_sec) * 1000 +
	    (ru.ru_utime.tv_usec + ru.ru_stime.tv_usec) / 1000;
}

static json_t *
report_json(const struct fsck_report *r, uint64_t ms, bool strict)
{
	json_t *kinds = json_object();
	unsigned kind;

	for (kind = 0; kind < FSCK_NKINDS; kind++)
		if (r->kinds[kind] > 0)
			json_object_set_new(kinds, fsck_kind_name(kind),
			    json_integer((json_int_t)r->kinds[kind]));
	return json_pack("{s:{sb sI sI sI sI sI sI sI sI sI sI sI sI sI so}}",
	    "report", "ok", !fsck_failed(r, strict),
	    "objects", (json_int_t)r->objects,
	    "blobs", (json_int_t)r->blobs,
	    "blob_bytes", (json_int_t)r->blob_bytes,
	    "hashed_bytes", (json_int_t)r->hashed_bytes,
	    "repositories", (json_int_t)r->repositories,
	    "manifests", (json_int_t)r->revisions,
	    "tags", (json_int_t)r->tags,
	    "uploads", (json_int_t)r->uploads,
	    "broken", (json_int_t)r->broken,
	    "odd", (json_int_t)r->odd,
	    "notes", (json_int_t)r->notes,
	    "milliseconds", (json_int_t)ms,
	    "cpu_milliseconds", cpu_ms(), "kinds", kinds);
}

/* Where nothing is mounted, nothing is wrong either. */
static bool
is_registry(struct ctl *ctl)
{
	static const char *const signs[] = {
		LAYOUT_BLOBS, LAYOUT_REPOSITORIES, LAYOUT_OWN
	};
	size_t i;

	for (i = 0; i < sizeof(signs) / sizeof(signs[0]); i++)
		if (store_stat(ctl_store(ctl), signs[i], NULL) !=
		    STORE_NOTFOUND)
			return true;
	warnx("%s: there is no registry here: is its file system mounted?",
	    ctl_conf(ctl)->root);
	return false;
}

enum ctl_status
ctl_fsck(struct ctl *ctl, int argc, char **argv)
{
	static const struct option longopts[] = {
		{ "strict", no_argument, NULL, 's' },
		{ "json", no_argument, NULL, 'j' },
		{ NULL, 0, NULL, 0 }
	};
	struct show show = { ctl, false };
	struct fsck_options options = { .progress = on_progress,
	    .progress_arg = &show };
	struct fsck_report report;
	enum store_result r;
	uint64_t began;

	while (ctl_option(ctl, argc, argv, longopts) != -1)
		show.strict = options.strict = true;
	if (optind != argc)
		ctl_usage();
	if (!is_registry(ctl))
		return CTL_PROBLEM;
	began = clock_monotonic_ms();
	r = fsck_run(ctl_store(ctl), &options, on_found, &show, &report);
	ctl_bar_end();
	if (r != STORE_OK)
		return ctl_fail("the check ended early", r);
	began = clock_monotonic_ms() - began;
	if (ctl->json)
		ctl_print_json(report_json(&report, began, show.strict));
	else
		print_report(&report, began);
	return fsck_failed(&report, show.strict) ? CTL_PROBLEM : CTL_OK;
}
