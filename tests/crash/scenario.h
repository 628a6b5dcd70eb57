/* SPDX-License-Identifier: ISC */
/*
 * The scenarios: what is there, then what is done under watch.
 */
#ifndef SCENARIO_H
#define SCENARIO_H

#include "op.h"

#define SCENARIO_MAX_OPS	12

struct scenario {
	const char	*name;
	struct op	 prepare[SCENARIO_MAX_OPS];
	struct op	 run[SCENARIO_MAX_OPS];
};

extern const struct scenario scenarios[];
extern const size_t nscenarios;

/* Told of each operation that succeeded, before it is acknowledged. */
typedef void play_done_fn(void *arg);

/* Everything before; ends the program when that fails. */
void	 scenario_prepare(struct world *, const struct scenario *);
/*
 * From the operation that the world is at to the last one or the first that
 * fails.  "retry": the first has been tried before.
 */
enum store_result scenario_play(struct world *, const struct scenario *,
		    bool retry, play_done_fn *, void *arg);
const struct scenario *scenario_find(const char *name);

#endif
