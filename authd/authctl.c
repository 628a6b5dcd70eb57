/* SPDX-License-Identifier: ISC */
/*
 * authctl: keys, users, tokens and questions about access rules, for
 * administrators.  Works on files alone, but for tokens and robots: while
 * authd runs, its vault has their database and is asked.
 */
#include "authctl.h"

#include <err.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "log.h"

static const struct {
	const char	*name;
	int		(*run)(const char *conf, int argc, char **argv);
} commands[] = {
	{ "key",	authctl_key },
	{ "passwd",	authctl_passwd },
	{ "explain",	authctl_explain },
	{ "test",	authctl_test },
	{ "lint",	authctl_lint },
	{ "import",	authctl_import },
	{ "token",	authctl_token },
	{ "robot",	authctl_robot },
};

int
main(int argc, char **argv)
{
	const char	*conf = SYSCONFDIR "/authd.yml";
	size_t		 i;
	int		 opt;

	log_init("authctl");
	if (argc == 2 && strcmp(argv[1], "--version") == 0) {
		printf("authctl %s\n", VERSION);
		return 0;
	}
	/* Up to the command: what is behind it is the command's. */
	while ((opt = getopt(argc, argv, "+f:")) != -1) {
		if (opt != 'f')
			authctl_usage();
		conf = optarg;
	}
	argc -= optind;
	argv += optind;
	if (argc == 0)
		authctl_usage();
	for (i = 0; i < sizeof(commands) / sizeof(commands[0]); i++) {
		if (strcmp(commands[i].name, argv[0]) == 0) {
			optind = 1;
			return commands[i].run(conf, argc, argv);
		}
	}
	warnx("unknown command: %s", argv[0]);
	authctl_usage();
}
