/* SPDX-License-Identifier: ISC */
/*
 * How authctl is called, for all of its commands.
 */
#include "authctl.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

const char *
authctl_only_conf(const char *conf, int argc, char **argv)
{
	int	 opt;

	while ((opt = getopt(argc, argv, "f:")) != -1) {
		if (opt != 'f')
			authctl_usage();
		conf = optarg;
	}
	if (optind != argc)
		authctl_usage();
	return conf;
}

void
authctl_usage(void)
{
	fputs("usage: authctl key new [-a ALGORITHM] [-d DAYS] [-n NAME] "
	    "[-o DIR]\n"
	    "       authctl key ca [-a ALGORITHM] [-d DAYS] [-n NAME] "
	    "[-o DIR]\n"
	    "       authctl key rotate [-a ALGORITHM] [-c CADIR] [-d DAYS] "
	    "[-n NAME]\n"
	    "           [-o DIR]\n"
	    "       authctl passwd [-f FILE | -p HTPASSWD] [-c COST] [-D] "
	    "USER\n"
	    "       authctl explain [-f FILE] [-a ADDRESS] [-s SERVICE] "
	    "USER SCOPE...\n"
	    "       authctl test [-f FILE]\n"
	    "       authctl lint [-f FILE]\n"
	    "       authctl import [-p HTPASSWD] [-s SERVICE]... FILE\n"
	    "       authctl token new [-f FILE] [-c COMMENT] [-e LIFETIME] "
	    "[-n NETWORK]...\n"
	    "           [-r RIGHT]... [--json] USER\n"
	    "       authctl token list [-f FILE] [--json] [USER]\n"
	    "       authctl token revoke [-f FILE] [--json] ID...\n"
	    "       authctl token revoke [-f FILE] [-k KIND] [--json] "
	    "-u USER\n"
	    "       authctl robot new [-f FILE] [-c COMMENT] [-e LIFETIME] "
	    "[-n NETWORK]...\n"
	    "           -r RIGHT [-r RIGHT]... [--json] NAME\n"
	    "       authctl robot list [-f FILE] [--json]\n"
	    "       authctl robot rotate [-f FILE] [-c COMMENT] "
	    "[-e LIFETIME] [-o OVERLAP]\n"
	    "           [--json] NAME\n"
	    "       authctl robot disable | enable | delete [-f FILE] "
	    "[--json] NAME\n"
	    "       authctl --version\n", stderr);
	exit(2);
}
