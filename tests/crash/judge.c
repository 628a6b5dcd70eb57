/* SPDX-License-Identifier: ISC */
/*
 * The steps of judging a store that has crashed.
 */
#include "judge.h"

#include "child.h"
#include "oracle.h"

struct job {
	struct world	*world;
	const struct scenario *scenario;
};

void
judge_crash(struct world *w, const struct scenario *s)
{
	enum store_result r;

	if (!oracle_check(w, true))
		return;
	world_open(w, true);
	r = scenario_play(w, s, true, NULL, NULL);
	if (r != STORE_OK)
		world_fail(w, "retry of \"%s\": %s",
		    op_name(s->run[w->op].kind), store_result_text(r));
	else if (oracle_check(w, false))
		(void)oracle_abuse(w);
	world_close(w);
}

static void
judge(void *arg)
{
	const struct job *job = arg;

	judge_crash(job->world, job->scenario);
}

void
judge_crash_apart(struct world *w, const struct scenario *s)
{
	struct job job = { w, s };

	(void)child_run(w, judge, &job);
}
