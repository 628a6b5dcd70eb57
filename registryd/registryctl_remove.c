/* SPDX-License-Identifier: ISC */
/*
 * The commands of registryctl that change one thing: remove a repository, a
 * tag or an upload, let nothing be written or let it again.
 */
#include <err.h>
#include <stdio.h>
#include <string.h>

#include "clock.h"
#include "layout.h"
#include "reference.h"
#include "registryctl.h"

#define STRAY_AGE_S	(24 * 60 * 60)	/* files that were never put in place */

static const struct option only_json[] = {
	{ "json", no_argument, NULL, 'j' },
	{ NULL, 0, NULL, 0 }
};

/* Takes ownership of the request. */
static enum ctl_status
change(struct ctl *ctl, json_t *request)
{
	enum ctl_status status;
	json_t *result;

	status = ctl_ask(ctl, request, true, &result);
	if (status != CTL_OK)
		return status;
	if (ctl->json)
		ctl_print_json(result);
	else
		json_decref(result);
	return CTL_OK;
}

/* A registryd that runs does it in its own time; what fails, another. */
static void
empty_trash(struct ctl *ctl)
{
	if (!ctl_running(ctl))
		(void)store_sweep(ctl_store_writable(ctl), clock_wall() -
		    STRAY_AGE_S);
}

enum ctl_status
ctl_repository_remove(struct ctl *ctl, int argc, char **argv)
{
	enum ctl_status status;

	if (ctl_option(ctl, argc, argv, only_json) != -1 ||
	    optind != argc - 1)
		ctl_usage();
	ctl_repository(argv[optind]);
	status = change(ctl, json_pack("{ss ss}", "command",
	    "repository-remove", "repository", argv[optind]));
	if (status == CTL_OK)
		empty_trash(ctl);
	return status;
}

enum ctl_status
ctl_tag_remove(struct ctl *ctl, int argc, char **argv)
{
	char text[512];

	if (ctl_option(ctl, argc, argv, only_json) != -1 ||
	    optind != argc - 2)
		ctl_usage();
	ctl_repository(argv[optind]);
	if (!tag_ok(argv[optind + 1])) {
		warnx("%s: not a tag", ctl_vis(text, sizeof(text),
		    argv[optind + 1]));
		return CTL_USAGE;
	}
	return change(ctl, json_pack("{ss ss ss}", "command", "tag-remove",
	    "repository", argv[optind], "tag", argv[optind + 1]));
}

enum ctl_status
ctl_upload_cancel(struct ctl *ctl, int argc, char **argv)
{
	char text[512];

	if (ctl_option(ctl, argc, argv, only_json) != -1 ||
	    optind != argc - 2)
		ctl_usage();
	ctl_repository(argv[optind]);
	if (!upload_id_ok(argv[optind + 1])) {
		warnx("%s: not the id of an upload", ctl_vis(text,
		    sizeof(text), argv[optind + 1]));
		return CTL_USAGE;
	}
	return change(ctl, json_pack("{ss ss ss}", "command",
	    "upload-cancel", "repository", argv[optind], "upload",
	    argv[optind + 1]));
}

static enum ctl_status
show_readonly(struct ctl *ctl)
{
	enum store_result r = store_stat(ctl_store(ctl), LAYOUT_READONLY,
	    NULL);
	bool marked = r == STORE_OK;

	if (r != STORE_OK && r != STORE_NOTFOUND)
		return ctl_fail(LAYOUT_READONLY, r);
	if (ctl->json)
		ctl_print_json(json_pack("{sb sb}", "readonly", marked ||
		    ctl->conf->readonly, "configured", ctl->conf->readonly));
	else
		puts(ctl->conf->readonly ? "on, by the configuration" :
		    marked ? "on" : "off");
	return CTL_OK;
}

enum ctl_status
ctl_readonly(struct ctl *ctl, int argc, char **argv)
{
	bool on;

	if (ctl_option(ctl, argc, argv, only_json) != -1 ||
	    optind < argc - 1)
		ctl_usage();
	if (optind == argc)
		return show_readonly(ctl);
	on = strcmp(argv[optind], "on") == 0;
	if (!on && strcmp(argv[optind], "off") != 0)
		ctl_usage();
	return change(ctl, json_pack("{ss sb}", "command", "readonly", "on",
	    on));
}
