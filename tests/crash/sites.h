/* SPDX-License-Identifier: ISC */
/*
 * The places that calls of the system come from: the functions that are at
 * work, one within the other, when it is made.
 */
#ifndef SITES_H
#define SITES_H

#include "scenario.h"

#define SITES_MAX_CALLS	8192		/* of a scenario */
#define SITES_MAX	65536		/* of a process */

struct sites;

struct sites	*sites_new(void);
/*
 * Play the scenario, and set first[n] where its call number n, from 1, comes
 * from a place that no call came from before, of this scenario or another
 * one.  Returns how many those are.
 */
unsigned	 sites_learn(struct sites *, struct world *,
		    const struct scenario *, enum store_durability,
		    bool first[SITES_MAX_CALLS]);

#endif
