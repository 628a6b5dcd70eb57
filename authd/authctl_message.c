/* SPDX-License-Identifier: ISC */
/*
 * What authctl tells the administrator when something is wrong.
 */
#include "authctl.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

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

void
authctl_error(const char *format, ...)
{
	va_list	 ap;

	fputs("authctl: ", stderr);
	va_start(ap, format);
	vfprintf(stderr, format, ap);
	va_end(ap);
	fputc('\n', stderr);
}

void
authctl_warn(const char *format, ...)
{
	va_list	 ap;
	int	 error = errno;

	fputs("authctl: ", stderr);
	va_start(ap, format);
	vfprintf(stderr, format, ap);
	va_end(ap);
	fprintf(stderr, ": %s\n", strerror(error));
}
