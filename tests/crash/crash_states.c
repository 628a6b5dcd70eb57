/* SPDX-License-Identifier: ISC */
/*
 * usage: crash_states [-b] [-p PART/PARTS] [-s STEP]
 *            [full|batch|none [SCENARIO]]
 *        crash_states -m [full|batch]
 *
 * Records each scenario, cuts the power after each change to its files, and
 * judges the states in which the disk may then be: those that differ in at
 * most two changes from everything, or from nothing, of what was not synced
 * having reached it, and some more by chance.  Of a scenario with many of
 * them those that differ in one change are judged, and a part of the rest.
 * -s: only every STEP-th state.  -b: a sync of the whole file system is slow,
 * so that barriers are passed by syncs of what was written.
 *
 * -m: shows that this can fail.  Without any sync most scenarios must fail,
 * and in some each sync is left out in turn, all of which must be found but
 * one that is named.
 */
#include "scenario.h"

#include <sys/mman.h>

#include <err.h>
#include <fnmatch.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "child.h"
#include "judge.h"
#include "model.h"
#include "seen.h"

#define RANDOM_STATES	40	/* for each cut */
#define STATES_LIMIT	3000	/* of a scenario; of more a part is judged */
#define MUTANT_PART	20	/* the same, when a sync is left out */
#define SAMPLE_STEP	100	/* for so small a sample .. */
#define SAMPLE_CUTS	5	/* .. not every cut is looked at */
#define SEEN_SLOTS	(1u << 18)

struct campaign {
	struct world	*world;
	const struct scenario *scenario;
	const struct child_options *options;
	struct cut	 cut;
	uint8_t		 fates[MODEL_MAX_PENDING];
	uint64_t	*seen;		/* hashes of states; 0: free */
	size_t		 nseen;
	uint64_t	 random;
	uint64_t	 judged, failed;
	unsigned	 cuts;
	bool		 first_only;	/* one violation is enough */
	/* The states are counted first, to know which part is judged. */
	bool		 counting;
	uint64_t	 part;		/* one of so many */
	unsigned	 skip, syncs;
	char		 skipped[256];
};

static uint64_t
random_next(struct campaign *c)
{
	c->random ^= c->random << 13;
	c->random ^= c->random >> 7;
	c->random ^= c->random << 17;
	return c->random;
}

/* ---- one state ---- */

static const char *
fate_name(uint8_t fate)
{
	static const char *const texts[NFATES] = {
		"done", "lost", "torn", "zero"
	};

	return texts[fate];
}

static void
describe(const struct campaign *c)
{
	static const char *const kinds[] = {
		"link", "unlink", "rename", "write", "truncate"
	};
	const struct trace *t = c->cut.trace;
	const struct change *ch;
	size_t i;

	printf("FAIL %s, cut after %zu of %zu changes: %s\n",
	    c->scenario->name, c->cut.n, t->nchanges, c->world->why);
	for (i = 0; i < c->cut.npending; i++) {
		ch = &t->changes[c->cut.pending[i].change];
		if (c->cut.pending[i].minor)
			continue;
		printf("	%s: change %zu, %s", fate_name(c->fates[i]),
		    c->cut.pending[i].change, kinds[ch->kind]);
		if (ch->kind < CHANGE_WRITE)
			printf(" %s in object %u", t->names[ch->name],
			    ch->dir);
		else
			printf(" object %u at %llu", ch->object,
			    (unsigned long long)ch->offset);
		printf("\n");
	}
}

/* "far" from where all or nothing was lost: of these a part will do. */
static void
judge_state(struct campaign *c, bool far)
{
	const struct moment *m = &c->cut.trace->moments[c->cut.moment];
	struct world *w = c->world;
	uint64_t h = model_build(&c->cut, c->fates);

	/* Not seen then: the same may come again and be near. */
	if (!c->counting && (h % c->options->step != 0 ||
	    (far && h % c->part != 0)))
		return;
	if (!seen_add(c->seen, SEEN_SLOTS, &c->nseen, h) || c->counting ||
	    (c->first_only && c->failed > 0))
		return;
	world_begin(w, c->options->mode);
	w->power = true;
	w->expect = m->expect;
	w->op = m->op;
	w->serial = m->serial;
	model_write(&c->cut, w->dir);
	alarm(CHILD_SECONDS);
	judge_crash(w, c->scenario);
	c->judged++;
	if (w->why[0] != '\0') {
		c->failed++;
		if (!c->first_only && c->failed <= 5)
			describe(c);
	}
	world_end(w);
}

/* ---- the states of a cut ---- */

/* Two at a time; what nobody looks at is changed alone only. */
static void
judge_second(struct campaign *c, size_t first, uint8_t base)
{
	size_t i;
	uint8_t fate;

	for (i = first + 1; i < c->cut.npending; i++) {
		if (c->cut.pending[i].minor)
			continue;
		for (fate = 0; fate < model_fates(&c->cut, i); fate++) {
			if (fate == base)
				continue;
			c->fates[i] = fate;
			judge_state(c, true);
		}
		c->fates[i] = base;
	}
}

static void
judge_near(struct campaign *c, uint8_t base)
{
	size_t i;
	uint8_t fate;

	memset(c->fates, base, sizeof(c->fates));
	judge_state(c, false);
	for (i = 0; i < c->cut.npending; i++) {
		for (fate = 0; fate < model_fates(&c->cut, i); fate++) {
			if (fate == base)
				continue;
			c->fates[i] = fate;
			judge_state(c, false);
			if (!c->cut.pending[i].minor)
				judge_second(c, i, base);
		}
		c->fates[i] = base;
	}
}

static void
judge_random(struct campaign *c)
{
	unsigned k;
	size_t i;

	if (c->cut.npending < 3)
		return;
	for (k = 0; k < RANDOM_STATES; k++) {
		for (i = 0; i < c->cut.npending; i++)
			c->fates[i] = (uint8_t)(random_next(c) %
			    model_fates(&c->cut, i));
		judge_state(c, true);
	}
}

static void
judge_trace(struct campaign *c, const struct trace *t, bool counting)
{
	size_t n, stride = c->options->step < SAMPLE_STEP ? 1 : SAMPLE_CUTS;

	memset(c->seen, 0, SEEN_SLOTS * sizeof(*c->seen));
	c->nseen = 0;
	c->counting = counting;
	c->random = 88172645463325252u;
	for (n = 1 + stride / 2; n <= t->nchanges; n += stride) {
		model_cut(&c->cut, t, n);
		c->cuts += !counting;
		judge_near(c, FATE_DONE);
		judge_near(c, FATE_LOST);
		judge_random(c);
		if (c->first_only && c->failed > 0)
			return;
	}
}

static void
play_here(void *arg)
{
	struct campaign *c = arg;
	struct world *w = c->world;
	char dir[WORLD_DIR_SIZE];
	struct trace *t;

	world_begin(w, c->options->mode);
	memcpy(dir, w->dir, sizeof(dir));
	t = trace_record(w, c->scenario, c->skip, c->options->slow);
	c->syncs = t->syncs;
	memcpy(c->skipped, t->skipped, sizeof(c->skipped));
	alarm(0);
	c->nseen = 0;
	if (c->options->step == 1 && !c->first_only)
		judge_trace(c, t, true);
	c->part = c->first_only ? MUTANT_PART : c->nseen / STATES_LIMIT + 1;
	judge_trace(c, t, false);
	world_remove(dir);
	trace_free(t);
	w->why[0] = '\0';
}

/* In a child, which may crash.  Returns the number of syncs. */
static unsigned
play(struct campaign *c, const struct scenario *s, unsigned skip)
{
	c->scenario = s;
	c->skip = skip;
	if (child_run(c->world, play_here, c) != 0) {
		c->failed++;
		printf("FAIL %s, cut after %zu changes: %s\n", s->name,
		    c->cut.n, c->world->why);
	}
	return c->syncs;
}

/* ---- what must be found ---- */

/*
 * Begun with an empty directory, or nearly so, where a sync is not one of
 * something that is durable already.  One may be left out unseen, where it is
 * of "spare": of a directory that was synced before; of what other keepers
 * have done (mutants/blob_before_manifest); of the time of a link, which is
 * no part of these states (mutants/touch_not_synced).
 */
static const struct {
	const char	*scenario;
	const char	*spare;		/* a pattern of names; NULL: none */
} mutated[] = {
	{ "push", "docker/registry/v2" },
	{ "upload in pieces", "docker/registry/v2" },
	{ "delete blob", SKIPPED_ALL },
	{ "delete tag", "docker/registry/v2/repositories/a/b/_manifests/"
	    "revisions/sha256/*/link" },
	{ "delete manifest", NULL }
};

static bool
is_found(struct campaign *c, const struct scenario *s, unsigned skip)
{
	c->failed = 0;
	(void)play(c, s, skip);
	return c->failed > 0;
}

/* Nothing is synced at all: wherever something is promised, it is seen. */
static unsigned
show_none(struct campaign *c)
{
	unsigned found = 0;
	size_t i;

	for (i = 0; i < nscenarios; i++)
		found += is_found(c, &scenarios[i], TRACE_SKIP_ALL);
	printf("%u of %zu scenarios fail without any sync\n", found,
	    nscenarios);
	return found;
}

/* Each sync of the scenario is left out in turn.  False: one too many. */
static bool
show_each(struct campaign *c, const struct scenario *s, const char *spare,
    unsigned *tried)
{
	unsigned skip, syncs = 1, spared = 0, wrong = 0;

	for (skip = 1; skip <= syncs; skip++) {
		c->failed = 0;
		syncs = play(c, s, skip);
		if (c->failed > 0)
			continue;
		if (++spared > 1 || spare == NULL ||
		    fnmatch(spare, c->skipped, FNM_PATHNAME) != 0) {
			printf("FAIL ");
			wrong++;
		}
		printf("%s: sync %u, of %s, can be left out\n", s->name,
		    skip, c->skipped);
	}
	printf("%s: %u of %u syncs are needed\n", s->name, syncs - spared,
	    syncs);
	*tried += syncs;
	return wrong == 0;
}

static int
show_failing(struct campaign *c)
{
	unsigned tried = 0, failed = 0;
	size_t i;

	c->first_only = true;
	if (show_none(c) < nscenarios / 4 * 3)
		failed++;
	for (i = 0; i < sizeof(mutated) / sizeof(mutated[0]); i++)
		failed += !show_each(c, scenario_find(mutated[i].scenario),
		    mutated[i].spare, &tried);
	printf("%u syncs left out, %u failed\n", tried, failed);
	return failed > 0;
}

static uint64_t
play_all(struct campaign *c, unsigned *played)
{
	uint64_t before;
	size_t i;

	for (i = 0; i < nscenarios; i++) {
		if (!child_plays(c->options, i, scenarios[i].name))
			continue;
		before = c->judged;
		(*played)++;
		(void)play(c, &scenarios[i], TRACE_SKIP_NONE);
		if (getenv("VERBOSE") != NULL)
			fprintf(stderr, "%s: %llu states\n",
			    scenarios[i].name,
			    (unsigned long long)(c->judged - before));
	}
	return c->failed;
}

int
main(int argc, char *argv[])
{
	struct child_options o;
	unsigned played = 0;
	struct campaign *c;

	child_options(&o, argc, argv);
	content_init();
	/* Shared with the children, which fill it. */
	c = mmap(NULL, sizeof(*c), PROT_READ | PROT_WRITE,
	    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (c == MAP_FAILED ||
	    (c->seen = calloc(SEEN_SLOTS, sizeof(*c->seen))) == NULL)
		err(2, NULL);
	c->world = world_new();
	c->options = &o;
	if (o.selftest)
		return show_failing(c);
	(void)play_all(c, &played);
	printf("%llu states after %u cuts of %u scenarios in mode %s, "
	    "%llu failed\n", (unsigned long long)c->judged, c->cuts, played,
	    o.mode_name, (unsigned long long)c->failed);
	return c->failed > 0 || c->judged == 0;
}
