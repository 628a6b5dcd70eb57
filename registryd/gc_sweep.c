/* SPDX-License-Identifier: ISC */
/*
 * One name at a time: condemn what nobody wants, remove what was condemned
 * long enough ago and is still not wanted, rename back what is.  Runs in the
 * collector; every step is one rename or unlink of exactly one name.
 */
#include <string.h>

#include "gc_state.h"
#include "random.h"

#define MS_NS	1000000
/* A run in the name that lies further ahead comes from a wrong clock. */
#define AHEAD_NS	((int64_t)600 * 1000 * MS_NS)

/* What comes after is for the report, and young things are left alone. */
static enum store_result
look(struct gc *gc, const char *path, struct store_stat *st)
{
	enum store_result r;

	r = store_stat(gc->store, path, st);
	if (r == STORE_OK || r == STORE_NOTFOUND)
		return r;
	r = gc_pass(gc, path, r);
	return r == STORE_OK ? STORE_NOTFOUND : r;
}

static enum store_result
done_with(struct gc *gc, const char *path, enum store_result r)
{
	return r == STORE_OK || r == STORE_NOTFOUND || r == STORE_EXISTS ?
	    STORE_OK : gc_stop(gc, path, r);
}

static void
count(const struct gc_object *o, uint64_t *n, uint64_t *bytes,
    const struct store_stat *st)
{
	(*n)++;
	if (o->class == GC_BLOBS && bytes != NULL)
		*bytes += st->size;
}

/*
 * Renaming takes whatever has the name by then.  If that is not what was
 * looked at, somebody has renewed it meanwhile: it goes back at once.
 */
static enum store_result
condemn(struct gc *gc, const struct gc_object *o, const char *path,
    const struct store_stat *was)
{
	struct gc_count *c = &gc->report.counts[o->class];
	char to[LAYOUT_PATH_SIZE];
	struct store_stat st;
	enum store_result r;
	uint64_t nonce;

	if (strlen(path) + 64 >= sizeof(to))
		return STORE_OK;
	if (!gc->options.dryrun) {
		random_bytes(&nonce, sizeof(nonce));
		layout_condemned(to, path, (uint64_t)gc->now, nonce);
		r = store_move(gc->store, path, to, STORE_NOSYNC);
		if (r != STORE_OK)
			return done_with(gc, path, r);
		r = store_stat(gc->store, to, &st);
		if (r == STORE_OK && (st.ino != was->ino ||
		    st.mtime != was->mtime ||
		    st.mtime_nsec != was->mtime_nsec)) {
			c->live++;
			return done_with(gc, to, store_move(gc->store, to,
			    path, STORE_NOSYNC));
		}
	}
	count(o, &c->condemned, &gc->report.condemned_bytes, was);
	return STORE_OK;
}

static enum store_result
sweep_live(struct gc *gc, const struct gc_object *o, const char *path)
{
	struct store_stat st;
	enum store_result r;

	if (o->wanted || !o->condemn) {
		gc->report.counts[o->class].live++;
		return STORE_OK;
	}
	if ((r = look(gc, path, &st)) != STORE_OK)
		return done_with(gc, path, r);
	if (st.is_dir) {
		gc_strange(gc, path);
		return STORE_OK;
	}
	if (gc_age(gc, &st) < o->age_ms) {
		gc->report.counts[o->class].live++;
		count(o, &gc->report.counts[o->class].young,
		    &gc->report.young_bytes, &st);
		return STORE_OK;
	}
	return condemn(gc, o, path, &st);
}

/* One is enough, but the lease of either counts. */
static enum store_result
merge(struct gc *gc, const char *path, const char *live, bool young)
{
	enum store_result r = STORE_OK;

	if (young)
		r = store_touch(gc->store, live);
	if (r == STORE_OK)
		r = store_unlink(gc->store, path);
	return done_with(gc, path, r);
}

static enum store_result
restore(struct gc *gc, const struct gc_object *o, const char *path,
    const char *live, bool young)
{
	enum store_result r = STORE_OK;

	if (!gc->options.dryrun) {
		r = store_move(gc->store, path, live, STORE_NOSYNC);
		if (r == STORE_EXISTS)
			return merge(gc, path, live, young);
	}
	if (r == STORE_OK)
		gc->report.counts[o->class].restored++;
	return done_with(gc, path, r);
}

/* Was the name there before this run began to mark? */
static bool
is_listed(const struct gc *gc, const char *path)
{
	return gc_names_set_has(&gc->condemned, gc_print128(&gc->key, path,
	    strlen(path)));
}

static enum store_result
reclaim(struct gc *gc, const struct gc_object *o, const char *path,
    const struct store_stat *st)
{
	struct gc_count *c = &gc->report.counts[o->class];
	enum store_result r;

	if (!gc->options.dryrun) {
		r = store_unlink(gc->store, path);
		if (r != STORE_OK)
			return done_with(gc, path, r);
	}
	count(o, &c->deleted, &gc->report.deleted_bytes, st);
	return STORE_OK;
}

static enum store_result
sweep_condemned(struct gc *gc, const struct gc_object *o, const char *path,
    uint64_t run)
{
	struct gc_count *c = &gc->report.counts[o->class];
	char live[LAYOUT_PATH_SIZE];
	int64_t since = gc->now - (int64_t)run;
	struct store_stat st;
	enum store_result r;
	bool young;

	if ((r = look(gc, path, &st)) != STORE_OK)
		return done_with(gc, path, r);
	if (layout_join(live, o->dir, o->base) == -1)
		return STORE_OK;
	/* Wanted, or a lease came before it was renamed, or no time at all. */
	young = gc_age(gc, &st) < o->age_ms;
	if (o->wanted || !o->condemn || young || run > INT64_MAX ||
	    since < -AHEAD_NS)
		return restore(gc, o, path, live, young);
	if (!is_listed(gc, path) || since < 0 ||
	    (uint64_t)since / MS_NS < gc->options.delay_ms) {
		count(o, &c->waiting, &gc->report.waiting_bytes, &st);
		return STORE_OK;
	}
	return reclaim(gc, o, path, &st);
}

enum store_result
gc_sweep_name(struct gc *gc, const struct gc_object *o, const char *name)
{
	char path[LAYOUT_PATH_SIZE];
	size_t baselen;
	uint64_t run;

	if (layout_join(path, o->dir, name) == -1) {
		gc_strange(gc, o->dir);
		return STORE_OK;
	}
	if (strcmp(name, o->base) == 0)
		return sweep_live(gc, o, path);
	if (layout_condemned_parse(name, &baselen, &run))
		return sweep_condemned(gc, o, path, run);
	gc_strange(gc, path);
	return STORE_OK;
}

/*
 * A directory found empty may be one that is being filled; the store copes,
 * but others who use it may not: so it must be old, unless we have just taken
 * its last name.
 */
void
gc_prune(struct gc *gc, const char *dir, const char *stop, bool ours)
{
	struct store_stat st;

	if (gc->options.dryrun || !gc->sweeping)
		return;
	if (!ours && (store_stat(gc->store, dir, &st) != STORE_OK ||
	    gc_age(gc, &st) < gc->options.grace_ms))
		return;
	store_prune(gc->store, dir, stop);
}

uint64_t
gc_changes(const struct gc *gc)
{
	uint64_t n = gc->report.leftovers_deleted;
	size_t i;

	for (i = 0; i < GC_NCLASSES; i++)
		n += gc->report.counts[i].deleted;
	return n;
}
