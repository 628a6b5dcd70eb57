/* SPDX-License-Identifier: ISC */
/*
 * What the programs of the crash tests share: children in which a store is
 * used, and the command line.
 */
#ifndef CHILD_H
#define CHILD_H

#include "world.h"

#define CHILD_SECONDS	60		/* for one crash */
#define CHILD_KILLED	77		/* exit status: the point was reached */
#define CHILD_UNREACHED	78		/* there is no such point */

struct child_options {
	enum store_durability mode;
	const char	*mode_name;
	const char	*only;		/* scenario, or NULL */
	unsigned	 step;
	unsigned	 part, parts;	/* of the scenarios */
	bool		 selftest;	/* -m, -b: crash_states only */
	bool		 slow;
	bool		 sites;		/* -u: crash_errno only */
};

/*
 * Call fn in a child and return its exit status; a child that ends by a
 * signal or takes too long is a violation.
 */
int	 child_run(struct world *, void (*fn)(void *), void *arg);
/* Is this scenario one of those to play? */
bool	 child_plays(const struct child_options *, size_t number,
	    const char *name);
void	 child_options(struct child_options *, int argc, char *argv[]);

#endif
