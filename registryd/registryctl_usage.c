/* SPDX-License-Identifier: ISC */
/*
 * "registryctl usage": what repositories take on the disk.  Looks at the
 * directory itself.
 */
#include <err.h>
#include <stdio.h>
#include <string.h>

#include "registryctl.h"
#include "str.h"
#include "usage.h"

static void
on_progress(size_t n, void *arg)
{
	ctl_bar(arg, "counting", n, 0, "repositories");
}

static json_t *
repo_json(const struct usage_repo *repo)
{
	return json_pack("{ss sI sI sI sI}", "repository", repo->name,
	    "blobs", (json_int_t)repo->blobs, "bytes",
	    (json_int_t)repo->bytes, "unique_bytes",
	    (json_int_t)repo->unique, "shared_bytes",
	    (json_int_t)(repo->bytes - repo->unique));
}

static void
print_repo(const struct usage_repo *repo)
{
	char a[16], b[16], c[16];

	printf("%10s %10s %10s  %s\n", str_bytes(a, sizeof(a),
	    repo->unique), str_bytes(b, sizeof(b),
	    repo->bytes - repo->unique), str_bytes(c, sizeof(c),
	    repo->bytes), repo->name);
}

static void
show_usage(const struct ctl *ctl, const struct usage *usage)
{
	json_t *list = json_array();
	char size[16];
	size_t i;

	if (!ctl->json)
		printf("%10s %10s %10s\n", "unique", "shared", "together");
	for (i = 0; i < usage->n; i++)
		if (ctl->json)
			json_array_append_new(list,
			    repo_json(&usage->repos[i]));
		else
			print_repo(&usage->repos[i]);
	if (ctl->json)
		ctl_print_json(json_pack("{sO sI sI}", "repositories", list,
		    "blobs", (json_int_t)usage->blobs, "bytes",
		    (json_int_t)usage->bytes));
	else
		printf("%10s %10s %10s  %llu repositories, %llu blobs\n", "",
		    "", str_bytes(size, sizeof(size), usage->bytes),
		    (unsigned long long)usage->n,
		    (unsigned long long)usage->blobs);
	json_decref(list);
}

/* 0, or -1: there is none of this name. */
static int
show_one(const struct ctl *ctl, const struct usage *usage, const char *name)
{
	size_t i;

	for (i = 0; i < usage->n; i++) {
		if (strcmp(usage->repos[i].name, name) != 0)
			continue;
		if (ctl->json) {
			ctl_print_json(repo_json(&usage->repos[i]));
			return 0;
		}
		printf("%10s %10s %10s\n", "unique", "shared", "together");
		print_repo(&usage->repos[i]);
		return 0;
	}
	return -1;
}

enum ctl_status
ctl_usage_command(struct ctl *ctl, int argc, char **argv)
{
	static const struct option longopts[] = {
		{ "json", no_argument, NULL, 'j' },
		{ NULL, 0, NULL, 0 }
	};
	enum ctl_status status = CTL_OK;
	enum store_result r;
	struct usage usage;

	if (ctl_option(ctl, argc, argv, longopts) != -1 || optind < argc - 1)
		ctl_usage();
	if (optind < argc)
		ctl_repository(argv[optind]);
	r = usage_run(ctl_store(ctl), on_progress, ctl, &usage);
	ctl_bar_end();
	if (r != STORE_OK)
		status = ctl_fail("usage", r);
	else if (optind == argc)
		show_usage(ctl, &usage);
	else if (show_one(ctl, &usage, argv[optind]) == -1) {
		warnx("%s: there is no such repository", argv[optind]);
		status = CTL_PROBLEM;
	}
	usage_done(&usage);
	return status;
}
