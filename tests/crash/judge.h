/* SPDX-License-Identifier: ISC */
/*
 * After a crash: what a process that starts anew finds, and what becomes of
 * the client's retry.
 */
#ifndef JUDGE_H
#define JUDGE_H

#include "scenario.h"

/* The verdict is in world->why. */
void	 judge_crash(struct world *, const struct scenario *);
/* The same in a child of its own. */
void	 judge_crash_apart(struct world *, const struct scenario *);

#endif
