/* SPDX-License-Identifier: ISC */
/*
 * registryctl: looks after the directory of a registry from the command
 * line.  This file knows which commands there are; each is in another.
 */
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "log.h"
#include "registryctl.h"

static const struct command {
	const char	*words[2];
	const char	*arguments;
	ctl_command_fn	*fn;
} commands[] = {
	{ { "status" }, "", ctl_status_command },
	{ { "collect" }, "[--dry-run]", ctl_collect },
	{ { "fsck" }, "[--strict]", ctl_fsck },
	{ { "scrub" }, "[--dry-run] [--rate size]", ctl_scrub },
	{ { "usage" }, "[repository]", ctl_usage_command },
	{ { "repository", "list" }, "", ctl_repository_list },
	{ { "repository", "remove" }, "repository", ctl_repository_remove },
	{ { "tag", "list" }, "repository", ctl_tag_list },
	{ { "tag", "remove" }, "repository tag", ctl_tag_remove },
	{ { "upload", "list" }, "", ctl_upload_list },
	{ { "upload", "cancel" }, "repository id", ctl_upload_cancel },
	{ { "readonly" }, "[on | off]", ctl_readonly },
	{ { "export" }, "repository[:tag | @digest] directory | -",
	    ctl_export },
	{ { "import" }, "repository[:tag] directory | -", ctl_import },
};
#define NCOMMANDS	(sizeof(commands) / sizeof(commands[0]))

void
ctl_usage(void)
{
	const struct command *c;

	fputs("usage: registryctl [-v] [-f file] [--json] command ...\n"
	    "       registryctl --version\n"
	    "commands:\n", stderr);
	for (c = commands; c < commands + NCOMMANDS; c++)
		fprintf(stderr, "       %s%s%s%s%s\n", c->words[0],
		    c->words[1] != NULL ? " " : "", c->words[1] != NULL ?
		    c->words[1] : "", c->arguments[0] != '\0' ? " " : "",
		    c->arguments);
	exit(CTL_USAGE);
}

/* The command of the first words; *used: how many it has. */
static const struct command *
find_command(int argc, char **argv, int *used)
{
	const struct command *c;

	for (c = commands; c < commands + NCOMMANDS; c++) {
		*used = c->words[1] != NULL ? 2 : 1;
		if (argc >= *used && strcmp(argv[0], c->words[0]) == 0 &&
		    (*used == 1 || strcmp(argv[1], c->words[1]) == 0))
			return c;
	}
	return NULL;
}

static void
global_options(struct ctl *ctl, int argc, char **argv)
{
	static const struct option longopts[] = {
		{ "json", no_argument, NULL, 'j' },
		{ "version", no_argument, NULL, 'V' },
		{ NULL, 0, NULL, 0 }
	};
	int ch;

	while ((ch = getopt_long(argc, argv, "+f:v", longopts, NULL)) != -1) {
		switch (ch) {
		case 'f':
			ctl->file = optarg;
			break;
		case 'v':
			ctl->verbose = true;
			break;
		case 'j':
			ctl->json = true;
			break;
		case 'V':
			puts("registryctl " VERSION);
			exit(ctl_finish(CTL_OK));
		default:
			ctl_usage();
		}
	}
}

int
main(int argc, char *argv[])
{
	struct ctl ctl = { .file = NULL };
	const struct command *command;
	enum ctl_status status;
	int used;

	log_init("registryctl");
	signal(SIGPIPE, SIG_IGN);
	global_options(&ctl, argc, argv);
	argc -= optind;
	argv += optind;
	ctl.file = conf_path(ctl.file);
	if (argc == 0 || (command = find_command(argc, argv, &used)) == NULL)
		ctl_usage();
	/* argv[0] is the last word of the command; options come behind. */
	argc -= used - 1;
	argv += used - 1;
	optind = 0;
	status = command->fn(&ctl, argc, argv);
	ctl_close(&ctl);
	return ctl_finish(status);
}
