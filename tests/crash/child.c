/* SPDX-License-Identifier: ISC */
/*
 * Children of the crash tests: each is a process of the store that may crash
 * alone.
 */
#include "child.h"

#include <sys/wait.h>

#include <err.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int
child_run(struct world *w, void (*fn)(void *), void *arg)
{
	int status;
	pid_t pid;

	fflush(stdout);
	w->store = NULL;
	if ((pid = fork()) == -1)
		err(2, "fork");
	if (pid == 0) {
		alarm(CHILD_SECONDS);
		fn(arg);
		world_close(w);
		fflush(stdout);
		/* Not exit(): a leak is for the leak checker to find. */
		_exit(0);
	}
	if (waitpid(pid, &status, 0) == -1)
		err(2, "waitpid");
	w->store = NULL;
	if (WIFSIGNALED(status))
		world_fail(w, "ended by signal %d", WTERMSIG(status));
	else if (WEXITSTATUS(status) != 0 &&
	    WEXITSTATUS(status) != CHILD_KILLED &&
	    WEXITSTATUS(status) != CHILD_UNREACHED)
		world_fail(w, "exit status %d", WEXITSTATUS(status));
	return WIFSIGNALED(status) ? -1 : WEXITSTATUS(status);
}

static void
usage(const char *name)
{
	fprintf(stderr, "usage: %s [-bmu] [-p PART/PARTS] [-s STEP] "
	    "[full|batch|none [SCENARIO]]\n", name);
	exit(2);
}

bool
child_plays(const struct child_options *o, size_t number, const char *name)
{
	if (o->only != NULL)
		return strcmp(o->only, name) == 0;
	return number % o->parts == o->part - 1;
}

void
child_options(struct child_options *o, int argc, char *argv[])
{
	static const char *const modes[] = {
		[STORE_FULL] = "full",
		[STORE_BATCH] = "batch",
		[STORE_NONE] = "none"
	};
	int ch, i;

	setvbuf(stdout, NULL, _IOLBF, 0);
	o->mode = STORE_FULL;
	o->only = NULL;
	o->step = 1;
	o->selftest = o->slow = o->sites = false;
	o->part = o->parts = 1;
	while ((ch = getopt(argc, argv, "bmup:s:")) != -1) {
		if (ch == 'b')
			o->slow = true;
		else if (ch == 'm')
			o->selftest = true;
		else if (ch == 'u')
			o->sites = true;
		else if (ch == 's' && atoi(optarg) > 0)
			o->step = (unsigned)atoi(optarg);
		else if (ch != 'p' || sscanf(optarg, "%u/%u", &o->part,
		    &o->parts) != 2 || o->part < 1 || o->part > o->parts)
			usage(argv[0]);
	}
	if (optind < argc) {
		for (i = 0; i < 3; i++)
			if (strcmp(argv[optind], modes[i]) == 0)
				break;
		if (i == 3)
			usage(argv[0]);
		o->mode = (enum store_durability)i;
		if (++optind < argc)
			o->only = argv[optind++];
	}
	if (optind < argc)
		usage(argv[0]);
	o->mode_name = modes[o->mode];
}
