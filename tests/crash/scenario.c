/* SPDX-License-Identifier: ISC */
/*
 * The list of scenarios, and how one is played.
 */
#include "scenario.h"

#include <err.h>
#include <string.h>

#include "op_admin.h"

#define A	.repo = REPO_A
#define C	.repo = REPO_C
#define TAGS(n)	.tags = (1u << (n)) - 1

#define NOTHING			{ .kind = OP_END }
#define PUSH(where, id)		{ OP_PUSH, where, .what = id }
#define START(id)		{ OP_START, A, .what = id }
#define PATCH(id, to)		{ OP_PATCH, A, .what = id, .end = to }
#define FINISH(id)		{ OP_FINISH, A, .what = id }
#define PUT(where, id, n)	{ OP_PUT, where, .what = id, TAGS(n) }
#define DAMAGED(id, how)	{ OP_DAMAGE, A, .what = id, .damage = how }
#define HOUR			3600
#define COLLECT(age)		{ OP_COLLECT, A, .end = age }
#define COLLECT_UNTAGGED	{ OP_COLLECT_UNTAGGED, A, .what = 0 }
#define SCRUB(ahead)		{ OP_SCRUB, A, .what = C_LAYER, .end = ahead }
#define READONLY(on)		{ OP_READONLY, A, .end = on }
#define BOTH_BLOBS		PUSH(A, C_CONFIG), PUSH(A, C_LAYER)
#define IMAGE_ONE		BOTH_BLOBS, PUT(A, C_ONE, 1)
#define IMAGES			IMAGE_ONE, PUSH(A, C_OTHER), PUT(A, C_TWO, 0)

/* A flat table. */
const struct scenario scenarios[] = {
	{ "push", { NOTHING }, { PUSH(A, C_LAYER) } },
	{ "push nothing", { NOTHING }, { PUSH(A, C_EMPTY) } },
	{ "push sha512", { NOTHING }, { PUSH(A, C_SMALL) } },
	{ "push again", { PUSH(A, C_LAYER) }, { PUSH(A, C_LAYER) } },
	{ "push to another repository", { PUSH(A, C_LAYER) },
	    { PUSH(C, C_LAYER) } },
	{ "push over a cut blob",
	    { PUSH(A, C_LAYER), DAMAGED(C_LAYER, DAMAGE_CUT) },
	    { PUSH(A, C_LAYER) } },
	{ "push over an empty blob",
	    { PUSH(A, C_LAYER), DAMAGED(C_LAYER, DAMAGE_EMPTY) },
	    { PUSH(A, C_LAYER) } },
	{ "push over wrong bytes, from elsewhere",
	    { PUSH(A, C_LAYER), DAMAGED(C_LAYER, DAMAGE_BYTES) },
	    { PUSH(C, C_LAYER) } },
	{ "push two", { NOTHING },
	    { { OP_PUSH, A, .what = C_LAYER, .with_next = true },
	      PUSH(C, C_OTHER) } },
	{ "push the same twice", { NOTHING },
	    { { OP_PUSH, A, .what = C_LAYER, .with_next = true },
	      PUSH(C, C_LAYER) } },

	{ "upload in pieces", { NOTHING },
	    { START(C_LAYER), PATCH(C_LAYER, 1000), PATCH(C_LAYER, 2500),
	      FINISH(C_LAYER) } },
	{ "upload with nothing to patch", { START(C_SMALL) },
	    { FINISH(C_SMALL) } },
	{ "upload resumed after an abort",
	    { START(C_LAYER), PATCH(C_LAYER, 1000) },
	    { { OP_ABORT, A, .what = C_LAYER, .end = 2000 },
	      PATCH(C_LAYER, 3000), FINISH(C_LAYER) } },
	{ "upload with a wrong digest",
	    { START(C_LAYER), PATCH(C_LAYER, 3000) },
	    { { OP_REFUSED, A, .what = C_LAYER }, FINISH(C_LAYER) } },
	{ "upload over a damaged blob",
	    { PUSH(A, C_LAYER), DAMAGED(C_LAYER, DAMAGE_BYTES),
	      START(C_LAYER) },
	    { PATCH(C_LAYER, 600), FINISH(C_LAYER) } },
	{ "two uploads of the same",
	    { START(C_LAYER), { OP_START, A, .what = C_LAYER, .session = 1 } },
	    { { OP_FINISH, A, .what = C_LAYER, .with_next = true },
	      { OP_FINISH, A, .what = C_LAYER, .session = 1 } } },
	{ "cancel", { START(C_LAYER), PATCH(C_LAYER, 1000) },
	    { { OP_CANCEL, A, .what = C_LAYER } } },
	{ "start, cancel and push", { NOTHING },
	    { START(C_LAYER), { OP_CANCEL, A, .what = C_LAYER },
	      PUSH(A, C_LAYER) } },
	{ "expire", { START(C_LAYER), PATCH(C_LAYER, 1000),
	      { OP_START, A, .what = C_OTHER, .session = 1 } },
	    { { OP_EXPIRE, A } } },

	{ "mount", { PUSH(A, C_LAYER) },
	    { { OP_MOUNT, C, .what = C_LAYER, .from = REPO_A } } },
	{ "mount what is there", { PUSH(A, C_LAYER), PUSH(C, C_LAYER) },
	    { { OP_MOUNT, C, .what = C_LAYER, .from = REPO_A } } },
	{ "delete blob", { PUSH(A, C_LAYER), PUSH(C, C_LAYER) },
	    { { OP_BLOB_DELETE, A, .what = C_LAYER } } },
	{ "delete blob and push again", { PUSH(A, C_LAYER) },
	    { { OP_BLOB_DELETE, A, .what = C_LAYER }, PUSH(A, C_LAYER) } },

	{ "put manifest", { BOTH_BLOBS }, { PUT(A, C_ONE, 1) } },
	{ "put manifest without a tag", { BOTH_BLOBS }, { PUT(A, C_ONE, 0) } },
	{ "put manifest again", { IMAGE_ONE }, { PUT(A, C_ONE, 1) } },
	{ "put manifest over a damaged one",
	    { IMAGE_ONE, DAMAGED(C_ONE, DAMAGE_CUT) }, { PUT(A, C_ONE, 1) } },
	{ "put manifest with many tags", { IMAGE_ONE },
	    { PUT(A, C_ONE, NTAGS) } },
	{ "put manifest with a note", { BOTH_BLOBS },
	    { PUT(A, C_NOTED, 1) } },
	{ "put manifest with a subject", { IMAGE_ONE, PUSH(A, C_EMPTY) },
	    { PUT(A, C_SIGNATURE, 0) } },
	{ "put manifest before its subject",
	    { PUSH(A, C_CONFIG), PUSH(A, C_EMPTY) },
	    { PUT(A, C_SIGNATURE, 0) } },
	{ "put index", { IMAGES }, { PUT(A, C_INDEX, 2) } },
	{ "put two manifests", { BOTH_BLOBS, PUSH(A, C_OTHER) },
	    { { OP_PUT, A, .what = C_ONE, TAGS(1), .with_next = true },
	      { OP_PUT, A, .what = C_TWO, .tags = 2 } } },
	{ "whole image", { NOTHING },
	    { BOTH_BLOBS, PUT(A, C_ONE, 1), PUSH(A, C_EMPTY),
	      PUT(A, C_SIGNATURE, 0) } },

	{ "move tag", { IMAGES }, { PUT(A, C_TWO, 1) } },
	{ "move tag there and back", { IMAGES },
	    { PUT(A, C_TWO, 1), PUT(A, C_ONE, 1) } },
	{ "delete tag", { IMAGE_ONE },
	    { { OP_TAG_DELETE, A, TAGS(1) } } },
	{ "delete tag and put it back", { IMAGE_ONE },
	    { { OP_TAG_DELETE, A, TAGS(1) }, PUT(A, C_ONE, 1) } },
	{ "delete tag that points there", { IMAGES },
	    { { OP_TAG_DELETE_IF, A, .what = C_ONE, TAGS(1) } } },
	{ "delete tag that points elsewhere", { IMAGES },
	    { { OP_TAG_DELETE_IF, A, .what = C_TWO, TAGS(1),
	        .mismatch = true } } },
	{ "delete manifest", { IMAGE_ONE },
	    { { OP_MANIFEST_DELETE, A, .what = C_ONE } } },
	{ "delete manifest with tags", { IMAGES, PUT(A, C_ONE, 5),
	      { OP_PUT, A, .what = C_TWO, .tags = 4 } },
	    { { OP_MANIFEST_DELETE, A, .what = C_ONE } } },
	{ "delete manifest with a subject",
	    { IMAGE_ONE, PUSH(A, C_EMPTY), PUT(A, C_SIGNATURE, 0) },
	    { { OP_MANIFEST_DELETE, A, .what = C_SIGNATURE } } },
	{ "delete manifest that is a subject",
	    { IMAGE_ONE, PUSH(A, C_EMPTY), PUT(A, C_SIGNATURE, 0) },
	    { { OP_MANIFEST_DELETE, A, .what = C_ONE } } },
	{ "delete manifest with a note, and put it again",
	    { BOTH_BLOBS, PUT(A, C_NOTED, 2) },
	    { { OP_MANIFEST_DELETE, A, .what = C_NOTED },
	      PUT(A, C_NOTED, 1) } },

	{ "sweep", { IMAGE_ONE, START(C_OTHER) }, { { OP_SWEEP, A } } },
	{ "collect", { IMAGE_ONE, PUSH(A, C_OTHER), PUSH(C, C_LAYER) },
	    { COLLECT(0), COLLECT(0) } },
	{ "collect and bring back by a push",
	    { IMAGE_ONE, PUSH(A, C_OTHER), COLLECT(0) },
	    { PUSH(A, C_OTHER), COLLECT(HOUR), PUT(A, C_TWO, 1),
	      COLLECT(0) } },
	{ "collect and bring back by a manifest",
	    { BOTH_BLOBS, COLLECT(0) },
	    { PUT(A, C_ONE, 1), COLLECT(0), COLLECT(0) } },
	{ "collect and bring back by a mount",
	    { PUSH(A, C_LAYER), COLLECT(0) },
	    { { OP_MOUNT, C, .what = C_LAYER, .from = REPO_A },
	      COLLECT(HOUR) } },
	{ "collect and delete blob", { PUSH(A, C_LAYER), COLLECT(0) },
	    { { OP_BLOB_DELETE, A, .what = C_LAYER }, COLLECT(0) } },
	{ "collect what a deleted manifest has left",
	    { IMAGE_ONE, PUSH(A, C_EMPTY), PUT(A, C_SIGNATURE, 0) },
	    { { OP_MANIFEST_DELETE, A, .what = C_ONE }, COLLECT(0),
	      COLLECT(0) } },
	{ "collect manifests without a tag",
	    { IMAGES, PUT(A, C_TWO, 1), PUSH(A, C_EMPTY),
	      PUT(A, C_SIGNATURE, 0) },
	    { COLLECT_UNTAGGED, COLLECT_UNTAGGED } },
	{ "collect the parts of an index",
	    { IMAGES, PUT(A, C_INDEX, 1) },
	    { COLLECT_UNTAGGED, { OP_TAG_DELETE, A, TAGS(1) },
	      COLLECT_UNTAGGED, COLLECT_UNTAGGED } },
	{ "remove repository",
	    { IMAGE_ONE, PUSH(A, C_EMPTY), PUT(A, C_SIGNATURE, 0),
	      { OP_MOUNT, C, .what = C_LAYER, .from = REPO_A },
	      START(C_OTHER) },
	    { { OP_REPO_REMOVE, A } } },
	{ "remove tag", { IMAGE_ONE },
	    { { OP_TAG_REMOVE, A, TAGS(1) }, PUT(A, C_ONE, 1) } },
	{ "remove upload", { START(C_LAYER), PATCH(C_LAYER, 1000) },
	    { { OP_UPLOAD_REMOVE, A, .what = C_LAYER } } },
	{ "read-only on", { IMAGE_ONE }, { READONLY(1), READONLY(1) } },
	{ "read-only off", { IMAGE_ONE, READONLY(1) },
	    { READONLY(0), PUSH(A, C_OTHER) } },
	{ "import", { NOTHING }, { { OP_IMPORT, A, TAGS(1) } } },
	{ "import again", { IMAGES, PUT(A, C_TWO, 1) },
	    { { OP_IMPORT, A, TAGS(1) } } },
	{ "import over a cut blob",
	    { PUSH(A, C_LAYER), DAMAGED(C_LAYER, DAMAGE_CUT) },
	    { { OP_IMPORT, A, TAGS(1) } } },
	{ "import what is condemned", { IMAGE_ONE,
	      { OP_MANIFEST_DELETE, A, .what = C_ONE }, COLLECT(0) },
	    { { OP_IMPORT, A, TAGS(1) }, COLLECT(0) } },

	{ "scrub", { IMAGE_ONE }, { SCRUB(0) } },
	{ "scrub wrong bytes",
	    { PUSH(A, C_LAYER), DAMAGED(C_LAYER, DAMAGE_BYTES) },
	    { SCRUB(0), PUSH(A, C_LAYER) } },
	{ "scrub bytes while they are replaced",
	    { PUSH(A, C_LAYER), DAMAGED(C_LAYER, DAMAGE_BYTES) },
	    { { OP_SCRUB, A, .what = C_LAYER, .end = 3, .with_next = true },
	      PUSH(A, C_LAYER) } },
	{ "scrub bytes while they are being pushed",
	    { PUSH(A, C_LAYER), DAMAGED(C_LAYER, DAMAGE_BYTES) },
	    { { OP_SCRUB, A, .what = C_LAYER, .end = 2, .with_next = true },
	      { OP_PUSH, A, .what = C_LAYER, .with_next = true },
	      PUSH(C, C_LAYER) } },
	{ "scrub brings back right bytes",
	    { PUSH(A, C_LAYER), DAMAGED(C_LAYER, DAMAGE_MISLAID) },
	    { SCRUB(0) } },
	{ "scrub what is condemned", { PUSH(A, C_LAYER), COLLECT(0) },
	    { SCRUB(0), PUSH(A, C_LAYER), SCRUB(0) } },

	{ "collect bytes and push them again",
	    { PUSH(A, C_LAYER), COLLECT(0) },
	    { COLLECT(0), PUSH(A, C_LAYER), PUSH(C, C_LAYER) } },
	{ "delete blob, collect and push again", { PUSH(A, C_LAYER) },
	    { { OP_BLOB_DELETE, A, .what = C_LAYER }, COLLECT(0), COLLECT(0),
	      PUSH(C, C_LAYER), PUSH(A, C_LAYER) } },
	{ "delete manifest, collect and put it again", { IMAGE_ONE },
	    { { OP_MANIFEST_DELETE, A, .what = C_ONE }, COLLECT(0), COLLECT(0),
	      IMAGE_ONE } },

	{ "take over a foreign store", { { OP_FOREIGN, A } },
	    { PUT(A, C_ONE, 2), PUSH(A, C_OTHER), PUT(A, C_TWO, 1),
	      { OP_MANIFEST_DELETE, A, .what = C_ONE } } },
	{ "mount from a foreign store", { { OP_FOREIGN, A } },
	    { { OP_MOUNT, C, .what = C_LAYER, .from = REPO_A } } }
};
const size_t nscenarios = sizeof(scenarios) / sizeof(scenarios[0]);

struct group {
	struct world	*world;
	const struct op	*ops;
	size_t		 n;
	struct running	*running[SCENARIO_MAX_OPS];	/* NULL: answered */
	bool		 waiting[SCENARIO_MAX_OPS];
	enum store_result result;	/* the first that was not OK */
	play_done_fn	*done;
	void		*arg;
};

static void
group_answer(struct group *g, size_t i, enum store_result r)
{
	r = op_end(g->running[i], r);
	g->running[i] = NULL;
	if (r != STORE_OK) {
		if (g->result == STORE_OK)
			g->result = r;
		return;
	}
	if (g->done != NULL)
		g->done(g->arg);
	op_settle(&g->world->expect, &g->ops[i]);
}

/* One barrier for all that wait, then a step of each; false: all are done. */
static bool
group_round(struct group *g)
{
	enum store_result r, barrier = STORE_OK;
	bool left = false;
	size_t i;

	for (i = 0; i < g->n; i++)
		if (g->waiting[i]) {
			barrier = store_barrier(g->world->store);
			break;
		}
	for (i = 0; i < g->n; i++) {
		if (g->running[i] == NULL)
			continue;
		r = g->waiting[i] && barrier != STORE_OK ? barrier :
		    op_step(g->running[i]);
		g->waiting[i] = r == STORE_AGAIN;
		left = left || g->waiting[i];
		if (!g->waiting[i])
			group_answer(g, i, r);
	}
	return left;
}

static enum store_result
play_group(struct world *w, const struct op *ops, size_t n, bool retry,
    play_done_fn *done, void *arg)
{
	struct group g = { .world = w, .ops = ops, .n = n,
	    .result = STORE_OK, .done = done, .arg = arg };
	size_t i;

	for (i = 0; i < n; i++)
		op_widen(&w->expect, &ops[i]);
	for (i = 0; i < n; i++)
		g.running[i] = op_start(w, &ops[i], retry);
	while (group_round(&g))
		continue;
	if (g.result == STORE_OK)
		w->op += n;
	return g.result;
}

static enum store_result
play(struct world *w, const struct op *ops, bool retry, play_done_fn *done,
    void *arg)
{
	enum store_result r = STORE_OK;
	size_t n;

	while (r == STORE_OK && w->op < SCENARIO_MAX_OPS &&
	    ops[w->op].kind != OP_END) {
		for (n = 1; ops[w->op + n - 1].with_next; n++)
			continue;
		r = play_group(w, &ops[w->op], n, retry, done, arg);
		retry = false;
	}
	return r;
}

void
scenario_prepare(struct world *w, const struct scenario *s)
{
	enum store_result r;
	size_t i;

	for (i = 0; i < SCENARIO_MAX_OPS; i++)
		op_admin_prepare(&s->run[i]);
	world_open(w, true);
	if ((r = play(w, s->prepare, false, NULL, NULL)) != STORE_OK)
		errx(2, "%s: %s, in preparation: %s", s->name,
		    op_name(s->prepare[w->op].kind), store_result_text(r));
	w->op = 0;
	/* As after a restart: nothing is remembered. */
	world_open(w, true);
}

enum store_result
scenario_play(struct world *w, const struct scenario *s, bool retry,
    play_done_fn *done, void *arg)
{
	return play(w, s->run, retry, done, arg);
}

const struct scenario *
scenario_find(const char *name)
{
	size_t i;

	for (i = 0; i < nscenarios; i++)
		if (strcmp(scenarios[i].name, name) == 0)
			return &scenarios[i];
	return NULL;
}
