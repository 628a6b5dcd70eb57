/* SPDX-License-Identifier: ISC */
/*
 * How authctl is called, for all of its commands.
 */
#include "authctl.h"

#include <stdio.h>
#include <stdlib.h>

void
authctl_usage(void)
{
	fputs("usage: authctl key new [-n NAME] [-o DIR]\n"
	    "       authctl passwd [-f FILE | -p HTPASSWD] [-c COST] [-D] "
	    "USER\n"
	    "       authctl explain [-f FILE] [-a ADDRESS] [-s SERVICE] "
	    "USER SCOPE...\n"
	    "       authctl --version\n", stderr);
	exit(2);
}
