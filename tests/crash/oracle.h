/* SPDX-License-Identifier: ISC */
/*
 * The judge: what a store holds after a crash against what is allowed.
 */
#ifndef ORACLE_H
#define ORACLE_H

#include "world.h"

/*
 * Every object has an allowed value, every name leads to what it stands for,
 * all bytes are right, and nothing half-made can be seen.  On success what
 * was found is all that is allowed from now on.  False: see why.  With "fsck"
 * the store's own checker is asked, too.
 */
bool	 oracle_check(struct world *, bool fsck);
/*
 * Whoever can still go on with an upload must not be able to change what
 * has been acknowledged; and what a crash left over can be swept.
 */
bool	 oracle_abuse(struct world *);

#endif
