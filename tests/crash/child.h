/* SPDX-License-Identifier: ISC */
/*
 * What the programs of the crash tests share: children in which a store is
 * used, and the command line.
 */
#ifndef CHILD_H
#define CHILD_H

#include "world.h"

#define CHILD_KILLED	77		/* exit status: the point was reached */
#define CHILD_UNREACHED	78		/* there is no such point */

struct child_options {
	enum store_durability mode;
	const char	*mode_name;
	const char	*only;		/* scenario, or NULL */
	unsigned	 step;
};

/*
 * Call fn in a child and return its exit status; a child that ends by a
 * signal or takes too long is a violation.
 */
int	 child_run(struct world *, void (*fn)(void *), void *arg);
void	 child_options(struct child_options *, int argc, char *argv[]);

#endif
