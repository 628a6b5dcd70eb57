/* SPDX-License-Identifier: ISC */
/*
 * Collection: the phases of one run.  Runs in the collector, in slices, while
 * keepers and workers of any number of hosts use the store.
 *
 * An object X (a blob's data, the link of a layer or of a revision, one of
 * our own notes) is live under its own name, condemned under the name
 * X.condemned.<run>.<nonce> in the same directory, then gone.  Each step from
 * one to the next is one rename or unlink of exactly one name, and a nonce is
 * never used twice, so that whoever acts late finds that the name is gone.
 *
 * One run:
 *  1. LIST   P := every condemned name there is, of all classes
 *  2. MARK   S := for each repository
 *              revisions: list the names of the directory, then look at
 *              "link".  Each revision present under any name (link, pending,
 *              condemned): its own bytes, every digest in its bytes as blob
 *              and as layer of this repository, its notes; and itself, if
 *              manifests without a tag are kept, else only when it is live:
 *              tagged, young or pending, named by one that is live, or naming
 *              a live one as its subject; or named by any that is present, so
 *              that one that comes back has all that it needs.
 *              tags: what a tag points to, revision or not.
 *              layers: the bytes of links that are marked or young (leases),
 *              live or condemned.
 *            Any error but the absence of the object itself ends the run here,
 *            and not one name has been changed.  What is neither directory
 *            nor file is passed over; if marks may be missing for it, no blob
 *            is condemned or removed (gc_odd.c).
 *  3. SYNC   what MARK found absent, whoever removed it, is made durable (of
 *            this host; others have a delay for it), so that no power cut
 *            brings back what referred to something that step 4 removes
 *  4. SWEEP  live X, not in S, older than the grace: rename to condemned; if
 *              that caught something younger, rename it back;
 *            condemned X, in S or younger than the grace: rename back unless
 *              a live X exists, and then remove it;
 *            condemned X in P, not in S, condemned for the delay: unlink;
 *            empty directories: rmdir
 *
 * Why nothing in use is lost: a manifest is acknowledged after its link is in
 * place and every reference has been looked at once more after that, and
 * renamed back where condemned (repo_put.c, 6).  If it lost a reference
 * later, some run condemned the reference after that look and another unlinked
 * the name; that run had listed the name in 1, so it marked after the link
 * was in place, saw it under one of its names, and had the reference in S.
 * No clock, lock or lease enters this: the lock that a run holds only saves
 * work, and grace, delay and leases only keep clients from being refused.
 */
#include "gc.h"

#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "gc_state.h"
#include "str.h"

#define S_NS		((int64_t)1000000000)
#define CLOCK_JUMP_MS	((int64_t)600 * 1000)

static gc_fn	 begin_mark, begin_sweep;

static const struct gc_phase phases[] = {
	{ "listing blobs", LAYOUT_BLOBS, false, gc_list_blobs, 1, NULL,
	    NULL },
	{ "listing repositories", LAYOUT_REPOSITORIES, true, gc_list_repos, 2,
	    NULL, NULL },
	{ "listing notes", LAYOUT_OWN_REPOSITORIES, true, gc_list_notes, 3,
	    NULL, NULL },
	{ "marking", LAYOUT_REPOSITORIES, true, gc_mark_repos, 4,
	    gc_mark_enter, begin_mark },
	{ "sweeping repositories", LAYOUT_REPOSITORIES, true, gc_sweep_repos,
	    4, gc_enter_repo, begin_sweep },
	{ "sweeping notes", LAYOUT_OWN_REPOSITORIES, true, gc_sweep_notes, 3,
	    gc_enter_repo, NULL },
	{ "sweeping blobs", LAYOUT_BLOBS, false, gc_sweep_blobs, 1, NULL,
	    NULL }
};
#define NPHASES	(sizeof(phases) / sizeof(phases[0]))

const char *
gc_class_name(enum gc_class class)
{
	static const char *const names[GC_NCLASSES] = {
		"blobs", "layer links", "manifests", "notes"
	};

	return names[class];
}

struct gc *
gc_new(struct store *s, const struct gc_options *options)
{
	struct gc *gc;

	if ((gc = calloc(1, sizeof(*gc))) == NULL)
		return NULL;
	gc->store = s;
	gc->options = *options;
	gc->lock.fd = -1;
	gc->report.phase = phases[0].name;
	gc->report.phases = NPHASES;
	gc->budget.limit = (size_t)options->memory;
	gc->marks.budget = gc->strange.budget = &gc->budget;
	gc->read.budget = gc->node_of.budget = &gc->budget;
	gc->condemned.budget = &gc->budget;
	gc_key_init(&gc->key);
	return gc;
}

void
gc_free(struct gc *gc)
{
	if (gc == NULL)
		return;
	if (gc->lock.fd != -1)
		store_unlock(gc->store, &gc->lock);
	gc_walk_done(&gc->walk);
	gc_map_done(&gc->marks);
	gc_names_set_done(&gc->condemned);
	gc_map_done(&gc->strange);
	gc_map_done(&gc->read);
	free(gc->manifests);
	free(gc->edges);
	/* The budget ends with it. */
	gc_live_reset(gc);
	free(gc);
}

const struct gc_report *
gc_report(const struct gc *gc)
{
	return &gc->report;
}

/* ---- for the other files ---- */

enum store_result
gc_stop(struct gc *gc, const char *path, enum store_result r)
{
	(void)str_copy(gc->report.path, sizeof(gc->report.path), path);
	return r;
}

void
gc_damaged(struct gc *gc, const char *path)
{
	if (gc->report.damaged++ == 0)
		(void)str_copy(gc->report.path, sizeof(gc->report.path),
		    path);
}

static uint64_t
mark_key(const struct gc *gc, enum gc_class class, uint64_t print)
{
	return class == GC_BLOBS ? print :
	    gc_print_pair(&gc->key, print, gc->prints[class]);
}

enum store_result
gc_mark(struct gc *gc, enum gc_class class, uint64_t print)
{
	bool failed = false;

	(void)gc_map_add(&gc->marks, mark_key(gc, class, print), &failed);
	return failed ? STORE_NOMEM : STORE_OK;
}

bool
gc_marked(const struct gc *gc, enum gc_class class, uint64_t print)
{
	return gc_map_has(&gc->marks, mark_key(gc, class, print));
}

bool
gc_digest(struct gc *gc, const char *path, const char *alg, const char *hex,
    struct digest *d)
{
	char text[2 * GC_NAME_SIZE];
	size_t len = strlen(alg);

	memcpy(text, alg, len);
	text[len] = ':';
	memcpy(text + len + 1, hex, strlen(hex) + 1);
	if (digest_parse(d, text) == 0)
		return true;
	gc_strange(gc, path);
	return false;
}

uint64_t
gc_age(const struct gc *gc, const struct store_stat *st)
{
	int64_t then = (int64_t)st->mtime * S_NS + st->mtime_nsec;

	return gc->now > then ? (uint64_t)(gc->now - then) / 1000000 : 0;
}

enum store_result
gc_enter_repo(struct gc *gc)
{
	char text[LAYOUT_PATH_SIZE + 1];
	size_t i, len = strlen(gc->repo);

	memcpy(text + 1, gc->repo, len);
	for (i = 0; i < GC_NCLASSES; i++) {
		text[0] = (char)i;
		gc->prints[i] = gc_print64(&gc->key, text, 1 + len);
	}
	if (phases[gc->phase].parts == gc_mark_repos)
		gc->report.repositories++;
	return STORE_OK;
}

/* ---- begin ---- */

/* What time is it for the one who gives files their times? */
static enum store_result
read_clock(struct gc *gc)
{
	struct store_stat st;
	enum store_result r;

	r = store_put(gc->store, LAYOUT_CLOCK, "", 0, STORE_REPLACE);
	if (r == STORE_OK)
		r = store_stat(gc->store, LAYOUT_CLOCK, &st);
	if (r == STORE_READONLY && gc->options.dryrun) {
		gc->now = (int64_t)clock_wall() * S_NS;
		return STORE_OK;
	}
	if (r != STORE_OK)
		return gc_stop(gc, LAYOUT_CLOCK, r);
	gc->now = (int64_t)st.mtime * S_NS + st.mtime_nsec;
	return STORE_OK;
}

static enum store_result
begin_run(struct gc *gc)
{
	enum store_result r;

	/* Only one at a time does the work; nothing rests on it. */
	r = store_lock_file(gc->store, LAYOUT_COLLECT_LOCK, &gc->lock);
	if (r != STORE_OK && !(r == STORE_READONLY && gc->options.dryrun))
		return gc_stop(gc, LAYOUT_COLLECT_LOCK, r);
	gc->locked = true;
	if ((r = read_clock(gc)) != STORE_OK)
		return r;
	gc->first_now = gc->now;
	gc->first_ms = clock_monotonic_ms();
	return STORE_OK;
}

/* What is no directory, a symbolic link among others, is no half of a store. */
static enum store_result
look_at_half(struct gc *gc, const char *path)
{
	struct store_stat st;
	enum store_result r;

	r = store_stat(gc->store, path, &st);
	if (r == STORE_OK && !st.is_dir)
		r = STORE_INVALID;
	return r == STORE_OK || r == STORE_NOTFOUND ? r :
	    gc_stop(gc, path, r);
}

/*
 * Blobs without any directory for repositories: not a store from which
 * everything has been deleted, but one of which half is not mounted.
 */
static enum store_result
begin_mark(struct gc *gc)
{
	enum store_result r;

	r = look_at_half(gc, LAYOUT_BLOBS);
	if (r == STORE_OK || r == STORE_NOTFOUND)
		r = look_at_half(gc, LAYOUT_REPOSITORIES);
	if (r == STORE_NOTFOUND && gc->report.total > 0)
		return gc_stop(gc, LAYOUT_REPOSITORIES, STORE_INVALID);
	return r == STORE_NOTFOUND ? STORE_OK : r;
}

static enum store_result
begin_sweep(struct gc *gc)
{
	enum store_result r;
	int64_t passed;

	if ((r = read_clock(gc)) != STORE_OK)
		return r;
	passed = (gc->now - gc->first_now) / 1000000 -
	    (int64_t)(clock_monotonic_ms() - gc->first_ms);
	if (passed > CLOCK_JUMP_MS || passed < -CLOCK_JUMP_MS)
		return gc_stop(gc, LAYOUT_CLOCK, STORE_MISMATCH);
	if (!gc->options.dryrun &&
	    (r = store_sync_all(gc->store)) != STORE_OK)
		return gc_stop(gc, LAYOUT_BLOBS, r);
	gc->sweeping = true;
	return STORE_OK;
}

/* ---- steps ---- */

static enum store_result
begin_phase(struct gc *gc)
{
	const struct gc_phase *phase = &phases[gc->phase];

	gc->begun = true;
	gc->report.phase = phase->name;
	gc->report.phase_number = (unsigned)gc->phase + 1;
	return phase->begin != NULL ? phase->begin(gc) : STORE_OK;
}

static enum store_result
one_step(struct gc *gc)
{
	enum store_result r;
	bool done;

	if (!gc->locked)
		return begin_run(gc);
	if (!gc->begun)
		return begin_phase(gc);
	r = gc_walk_step(gc, &phases[gc->phase], &done);
	if (r == STORE_OK && done) {
		gc_walk_done(&gc->walk);
		gc->phase++;
		gc->begun = false;
	}
	return r;
}

enum store_result
gc_step(struct gc *gc, unsigned budget_us, bool *done)
{
	uint64_t end = clock_monotonic_us() + budget_us;
	enum store_result r = STORE_OK;

	while (r == STORE_OK && gc->phase < NPHASES) {
		r = one_step(gc);
		if (clock_monotonic_us() >= end)
			break;
	}
	gc->report.memory = gc->budget.peak;
	if (r == STORE_NOMEM && gc->budget.over) {
		gc->report.memory_over = true;
		gc->report.path[0] = '\0';
		r = STORE_LIMIT;
	}
	*done = r == STORE_OK && gc->phase == NPHASES;
	if (*done && gc->report.total < gc->report.done)
		gc->report.total = gc->report.done;
	return r;
}
