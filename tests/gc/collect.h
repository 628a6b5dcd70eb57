/* SPDX-License-Identifier: ISC */
/*
 * Collections of gcstress, and the check of what they leave.
 */
#ifndef COLLECT_H
#define COLLECT_H

#include "client.h"
#include "gc.h"

/* One after the other until told to stop; "c" is for its dice. */
void	 collector_loop(struct client *c) __attribute__((__noreturn__));
/* One run to its end. */
enum store_result collect_once(struct store *, const struct gc_options *);
/* Nothing is broken; with "clean" nothing is left over either. */
void	 store_check(struct store *, bool clean);

#endif
