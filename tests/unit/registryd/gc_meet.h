/* SPDX-License-Identifier: ISC */
/*
 * For tests of gc against what clients do at the same time.  Where two sides
 * meet, one of them is stopped before each of its file system calls in turn,
 * the other one runs to its end there, and then the first goes on: with a
 * grace of nothing, so that no lease helps.
 */
#ifndef GC_MEET_H
#define GC_MEET_H

#include "gc_tree.h"

#include "sysfs.h"
#include "upload.h"

#define MAX_CALLS	4000
/* Every so many calls, from another one each time; GC_RACES=1 is all. */
#define STRIDE		11

struct scene {
	void		 (*prepare)(struct tmp_store *);
	enum store_result (*act)(struct tmp_store *);
	/* After the act and three more collections. */
	void		 (*check)(struct tmp_store *, enum store_result);
	uint64_t	 untagged_ms;	/* 0: keep */
	bool		 batch;
};

static const char *const one_blob[] = { "layer one", NULL };
static char body_one[1024];		/* a manifest with that */
static char body_index[1024];		/* an index of that */

static struct {
	struct tmp_store *t;
	const struct scene *scene;
	struct gc_options options;
	unsigned long	 calls, stop;	/* stop before this call */
	bool		 act_inside;	/* else collections */
	unsigned	 runs;
	enum store_result result;
	bool		 done;
} race;

static inline void
collect_runs(struct tmp_store *t, unsigned n)
{
	while (n-- > 0)
		assert_int_equal(tree_collect_with(t, &race.options, NULL),
		    STORE_OK);
}

static inline int
on_call(const struct sysfs_call *call, void *arg)
{
	struct store *outside = race.t->store;

	(void)call;
	(void)arg;
	if (++race.calls != race.stop)
		return 0;
	sysfs_set_hook(NULL, NULL);
	/* The one inside is another process. */
	race.t->store = tmp_reopen(race.t->dir, true, race.scene->batch ?
	    STORE_BATCH : STORE_FULL);
	if (race.act_inside)
		race.result = race.scene->act(race.t);
	else
		collect_runs(race.t, race.runs);
	store_free(race.t->store);
	race.t->store = outside;
	race.done = true;
	return 0;
}

static inline void
open_batch(struct tmp_store *t)
{
	store_free(t->store);
	t->store = tmp_reopen(t->dir, true, STORE_BATCH);
}

/* One meeting, before call "stop" of the side outside: false, none so far. */
static inline bool
meet(const struct scene *scene, unsigned before, unsigned long stop,
    bool act_inside, unsigned runs)
{
	struct tmp_store t;

	tmp_open(&t);
	if (scene->batch)
		open_batch(&t);
	race.t = &t;
	race.scene = scene;
	race.options.grace_ms = race.options.delay_ms = 0;
	race.options.untagged_ms = scene->untagged_ms > 0 ?
	    scene->untagged_ms : GC_UNTAGGED_KEEP;
	race.act_inside = act_inside;
	race.runs = runs;
	race.calls = 0;
	race.stop = stop;
	race.done = false;
	scene->prepare(&t);
	tree_age(&t, HOUR);
	collect_runs(&t, before);
	sysfs_set_hook(on_call, NULL);
	if (act_inside)
		/* BUSY: the one inside was a collection, too. */
		(void)tree_collect_with(&t, &race.options, NULL);
	else
		race.result = scene->act(&t);
	sysfs_set_hook(NULL, NULL);
	if (race.done) {
		scene->check(&t, race.result);
		collect_runs(&t, 3);
		scene->check(&t, race.result);
	}
	tmp_close(&t);
	return race.done;
}

static inline unsigned long
stride(void)
{
	const char *text = getenv("GC_RACES");
	unsigned long n = text != NULL ? strtoul(text, NULL, 10) : STRIDE;

	return n == 0 ? 1 : n;
}

static inline void
meet_at_each(const struct scene *scene, unsigned before, bool act_inside,
    unsigned runs)
{
	unsigned long step = stride(), first, stop, met = 0;

	first = 1 + (before + runs) * 5 % step;
	for (stop = first; meet(scene, before, stop, act_inside, runs);
	    stop += step) {
		assert_true(stop < MAX_CALLS);
		met++;
	}
	/* With larger steps, some acts are over before the first. */
	assert_true(met * step > 10 || step > STRIDE);
}

static inline void
meet_everywhere(const struct scene *scene)
{
	unsigned n;

	for (n = 0; n < 3; n++)
		meet_at_each(scene, n, true, 0);
	for (n = 1; n < 4; n++)
		meet_at_each(scene, 0, false, n);
}

/* ---- what must hold ---- */

static inline bool
is_there(struct tmp_store *t, const char *repo, const char *body)
{
	struct digest d = tmp_digest(body);

	return repo_recheck_manifest(t->store, repo, &d) == STORE_OK;
}

static inline void
assert_whole(struct tmp_store *t, const char *repo, const char *body,
    const char *const *blobs)
{
	struct digest d;

	assert_true(is_there(t, repo, body));
	for (; blobs != NULL && *blobs != NULL; blobs++) {
		d = tmp_digest(*blobs);
		assert_int_equal(repo_recheck_blob(t->store, repo, &d),
		    STORE_OK);
	}
}

static inline void
assert_tag(struct tmp_store *t, const char *repo, const char *tag,
    const char *body)
{
	struct digest d, want = tmp_digest(body);

	assert_int_equal(tag_get(t->store, repo, tag, &d), STORE_OK);
	assert_true(digest_equal(&d, &want));
}

/* Acknowledged: whole for ever.  Refused: not there, and no tag. */
static inline void
check_put(struct tmp_store *t, enum store_result r)
{
	struct digest d;

	if (r == STORE_OK) {
		assert_whole(t, "a", body_one, one_blob);
		assert_tag(t, "a", "v1", body_one);
		return;
	}
	assert_int_equal(r, STORE_MISSING);
	assert_false(is_there(t, "a", body_one));
	assert_int_equal(tag_get(t->store, "a", "v1", &d), STORE_NOTFOUND);
}

static inline void
bodies(void)
{
	const char *const children[] = { body_one, NULL };

	tree_body(body_one, sizeof(body_one), one_blob, NULL);
	tree_body(body_index, sizeof(body_index), NULL, children);
}

static inline void
prepare_blob(struct tmp_store *t)
{
	bodies();
	tree_blob(t, "a", one_blob[0]);
}

static inline enum store_result
act_put(struct tmp_store *t)
{
	return tree_put(t, "a", body_one, one_blob, "v1");
}

#endif
