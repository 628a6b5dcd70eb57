/* SPDX-License-Identifier: ISC */
/*
 * usage: crash_kill [-p PART/PARTS] [-s STEP] [full|batch|none [SCENARIO]]
 *
 * Plays each scenario again and again and ends the process at its first,
 * second, ... call of the system: before the call, in the middle of a write,
 * and between an operation and its answer.  Each time a process that starts
 * anew must find what was acknowledged and nothing half-made, and the
 * client's retry must succeed.  -s: only every STEP-th point.
 */
#include "scenario.h"

#include <err.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "beneath.h"
#include "child.h"
#include "judge.h"

enum moment { BEFORE_CALL, WITHIN_WRITE, BEFORE_ANSWER, NMOMENTS };

struct point {
	enum moment	 moment;
	unsigned	 left;		/* until it is reached */
};

struct victim {
	struct world	*world;
	const struct scenario *scenario;
	struct point	 point;
};

static const char *const moment_names[NMOMENTS] = {
	"before call", "within write", "before answer"
};

static void
reach(struct point *p)
{
	if (--p->left == 0)
		_exit(CHILD_KILLED);
}

static int
on_call(const struct call *call, void *arg)
{
	struct victim *v = arg;

	if (v->point.moment == BEFORE_CALL)
		reach(&v->point);
	if (v->point.moment == WITHIN_WRITE && call->kind == CALL_WRITE &&
	    call->len > 1) {
		if (v->point.left == 1 && pwrite(call->fd, call->data,
		    call->len / 2, (off_t)call->offset) == -1)
			err(2, "write");
		reach(&v->point);
	}
	return 0;
}

static void
on_done(void *arg)
{
	struct victim *v = arg;

	if (v->point.moment == BEFORE_ANSWER)
		reach(&v->point);
}

static void
play_and_die(void *arg)
{
	struct victim *v = arg;
	enum store_result r;

	scenario_prepare(v->world, v->scenario);
	beneath_watch(on_call, NULL, v);
	r = scenario_play(v->world, v->scenario, false, on_done, v);
	beneath_stop();
	if (r != STORE_OK)
		world_fail(v->world, "failed by itself: %s",
		    store_result_text(r));
}

/* False: there is no such point any more. */
static bool
kill_at(struct world *w, const struct scenario *s, enum store_durability mode,
    struct point point, bool *ok)
{
	struct victim v = { .world = w, .scenario = s, .point = point };
	bool killed;

	world_begin(w, mode);
	killed = child_run(w, play_and_die, &v) == CHILD_KILLED;
	if (w->why[0] == '\0')
		judge_crash_apart(w, s);
	*ok = w->why[0] == '\0';
	if (!*ok)
		printf("FAIL %s, killed %s %u: %s\n", s->name,
		    moment_names[point.moment], point.left, w->why);
	world_end(w);
	return killed;
}

int
main(int argc, char *argv[])
{
	struct child_options o;
	struct world *w = world_new();
	unsigned points = 0, failed = 0, played = 0;
	enum moment m;
	unsigned n;
	size_t i;
	bool ok, more;

	child_options(&o, argc, argv);
	content_init();
	for (i = 0; i < nscenarios; i++) {
		if (!child_plays(&o, i, scenarios[i].name))
			continue;
		played++;
		for (m = 0; m < NMOMENTS; m++) {
			more = true;
			for (n = 1 + (unsigned)i % o.step; more; n += o.step) {
				more = kill_at(w, &scenarios[i], o.mode,
				    (struct point){ m, n }, &ok);
				points += more;
				failed += !ok;
			}
		}
	}
	printf("%u kill points of %u scenarios in mode %s, %u failed\n",
	    points, played, o.mode_name, failed);
	return failed > 0 || points == 0;
}
