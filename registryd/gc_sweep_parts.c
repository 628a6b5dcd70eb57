/* SPDX-License-Identifier: ISC */
/*
 * The parts of the store that a collection sweeps when everything has been
 * marked: layers, revisions and the history of tags in each repository, our
 * own notes, and the blobs.  Runs in the collector.
 */
#include <string.h>

#include "gc_state.h"
#include "reference.h"
#include "str.h"
#include "tag.h"

static bool
is_wanted(const struct gc *gc, enum gc_class class, const struct digest *d)
{
	if (gc->blind && (class == GC_BLOBS || class == GC_NOTES))
		return true;
	return gc_marked(gc, class, gc_print_digest(&gc->key, d));
}

/* A PUT that never came back, or a file that distribution was writing. */
static enum store_result
sweep_leftover(struct gc *gc, const char *dir, const char *name)
{
	char path[LAYOUT_PATH_SIZE];
	struct store_stat st;
	enum store_result r;

	if (layout_join(path, dir, name) == -1)
		return STORE_OK;
	r = store_stat(gc->store, path, &st);
	if (r == STORE_OK && !st.is_dir &&
	    gc_age(gc, &st) >= gc->options.grace_ms) {
		gc->report.leftovers_deleted++;
		if (!gc->options.dryrun)
			r = store_unlink(gc->store, path);
	}
	return r == STORE_OK ? STORE_OK : gc_pass(gc, path, r);
}

/* "link.<uuid>.tmp" */
static bool
is_temporary(const char *name, const char *base)
{
	size_t len = strlen(base);

	return strncmp(name, base, len) == 0 && name[len] == '.' &&
	    str_ends(name, ".tmp");
}

static enum store_result
sweep_one(struct gc *gc, const struct gc_object *o, const char *name)
{
	if (layout_is_pending(name) || is_temporary(name, o->base))
		return sweep_leftover(gc, o->dir, name);
	return gc_sweep_name(gc, o, name);
}

/* All names of a directory that one object has to itself. */
static enum store_result
sweep_dir(struct gc *gc, const struct gc_object *o, const char *stop)
{
	enum store_result r;
	char **names;
	size_t i, n;
	uint64_t before = gc_changes(gc);

	if ((r = gc_scan(gc, o->dir, &names, &n)) != STORE_OK)
		return r;
	for (i = 0; i < n && r == STORE_OK; i++)
		r = sweep_one(gc, o, names[i]);
	store_names_free(names, n);
	if (r == STORE_OK && (n == 0 || gc_changes(gc) != before))
		gc_prune(gc, o->dir, stop, n > 0);
	return r;
}

static enum store_result
sweep_layer(struct gc *gc, const struct gc_item *item)
{
	struct gc_object o = { .class = GC_LAYERS, .dir = item->path,
	    .base = "link", .age_ms = gc->options.grace_ms, .condemn = true };
	struct digest d;

	if (!gc_digest(gc, item->path, item->names[0], item->names[1], &d))
		return STORE_OK;
	o.wanted = is_wanted(gc, GC_LAYERS, &d);
	return sweep_dir(gc, &o, LAYOUT_REPOSITORIES);
}

static enum store_result
sweep_revision(struct gc *gc, const struct gc_item *item)
{
	struct gc_object o = { .class = GC_REVISIONS, .dir = item->path,
	    .base = "link" };
	struct digest d;

	if (!gc_digest(gc, item->path, item->names[0], item->names[1], &d))
		return STORE_OK;
	o.wanted = is_wanted(gc, GC_REVISIONS, &d);
	o.condemn = gc->options.untagged_ms != GC_UNTAGGED_KEEP;
	o.age_ms = gc->options.untagged_ms > gc->options.grace_ms ?
	    gc->options.untagged_ms : gc->options.grace_ms;
	return sweep_dir(gc, &o, LAYOUT_REPOSITORIES);
}

/* ---- the history of tags: entries of manifests that are no more ---- */

/* Nobody is setting the tag, and it is not what the tag points to. */
static enum store_result
remove_entry(struct gc *gc, const char *tag, const char *path,
    const struct digest *d)
{
	char current_path[LAYOUT_PATH_SIZE];
	struct digest current;
	struct store_stat st;
	enum store_result r;

	r = tag_get(gc->store, gc->repo, tag, &current);
	if (r == STORE_OK && digest_equal(&current, d))
		return STORE_OK;
	/* Nobody knows what it points to. */
	if (r != STORE_OK && r != STORE_NOTFOUND)
		return gc_pass_file(gc, layout_tag_current(current_path,
		    gc->repo, tag), r);
	r = store_stat(gc->store, path, &st);
	if (r != STORE_OK || gc_age(gc, &st) < gc->options.grace_ms)
		return r;
	gc->report.tag_entries_deleted++;
	return gc->options.dryrun ? STORE_OK :
	    store_unlink(gc->store, path);
}

static enum store_result
sweep_entry(struct gc *gc, const char *tag, const char *dir,
    const struct digest *d)
{
	char path[LAYOUT_PATH_SIZE];
	uint64_t before = gc->report.tag_entries_deleted;
	struct store_lock lock;
	struct store_stat st;
	enum store_result r;

	if (is_wanted(gc, GC_NOTES, d) ||
	    layout_join(path, dir, "link") == -1)
		return STORE_OK;
	r = store_stat(gc->store, path, &st);
	if (r == STORE_OK && gc_age(gc, &st) >= gc->options.grace_ms &&
	    !gc->options.dryrun) {
		r = tag_lock(gc->store, gc->repo, tag, &lock);
		if (r == STORE_BUSY)
			return STORE_OK;
		if (r != STORE_OK)
			return gc_stop(gc, path, r);
		r = remove_entry(gc, tag, path, d);
		store_unlock(gc->store, &lock);
	} else if (r == STORE_OK)
		r = remove_entry(gc, tag, path, d);
	if (r == STORE_OK || r == STORE_NOTFOUND)
		gc_prune(gc, dir, LAYOUT_REPOSITORIES,
		    gc->report.tag_entries_deleted != before);
	return r == STORE_OK ? STORE_OK : gc_pass(gc, path, r);
}

static enum store_result
sweep_history(struct gc *gc, const char *tag, const char *index,
    const char *alg)
{
	char path[LAYOUT_PATH_SIZE], dir[LAYOUT_PATH_SIZE];
	struct gc_names names;
	enum store_result r;
	struct digest d;
	const char *hex;

	if (layout_join(path, index, alg) == -1)
		return STORE_OK;
	gc_names_open(&names, path);
	while ((r = gc_names_next(gc, &names, &hex)) == STORE_OK &&
	    hex != NULL) {
		if (layout_join(dir, path, hex) == -1 ||
		    !gc_digest(gc, dir, alg, hex, &d))
			continue;
		if ((r = sweep_entry(gc, tag, dir, &d)) != STORE_OK)
			break;
	}
	gc_names_close(&names);
	return r;
}

/* Of the link itself nothing is taken: it is the tag. */
static enum store_result
sweep_current(struct gc *gc, const char *tag)
{
	char path[LAYOUT_PATH_SIZE];
	enum store_result r;
	char **names;
	size_t i, n;

	if (layout_join(path, tag, "current") == -1)
		return STORE_OK;
	if ((r = gc_scan(gc, path, &names, &n)) != STORE_OK)
		return r;
	for (i = 0; i < n && r == STORE_OK; i++)
		if (is_temporary(names[i], "link"))
			r = sweep_leftover(gc, path, names[i]);
	store_names_free(names, n);
	/* One that was never finished, or whose last entry has gone. */
	if (r == STORE_OK && n == 0)
		gc_prune(gc, path, LAYOUT_REPOSITORIES, false);
	return r;
}

static enum store_result
sweep_tag(struct gc *gc, const struct gc_item *item)
{
	char path[LAYOUT_PATH_SIZE];
	struct gc_names names;
	enum store_result r;
	const char *alg;

	if (layout_join(path, item->path, "index") == -1)
		return STORE_OK;
	if (!tag_ok(item->names[0]) || !repo_name_ok(gc->repo)) {
		gc_strange(gc, item->path);
		return STORE_OK;
	}
	gc_names_open(&names, path);
	while ((r = gc_names_next(gc, &names, &alg)) == STORE_OK &&
	    alg != NULL)
		if ((r = sweep_history(gc, item->names[0], path,
		    alg)) != STORE_OK)
			break;
	gc_names_close(&names);
	if (r == STORE_OK)
		r = sweep_current(gc, item->path);
	return r;
}

/* What is left of a repository, or of one that was never finished. */
static enum store_result
sweep_rest(struct gc *gc, const struct gc_item *item)
{
	static const char *const dirs[] = { "_layers/sha256", "_layers/sha512",
	    "_layers", "_manifests/revisions/sha256",
	    "_manifests/revisions/sha512", "_manifests/revisions",
	    "_manifests/tags", "_manifests", "_uploads" };
	char path[LAYOUT_PATH_SIZE];
	size_t i;

	for (i = 0; i < sizeof(dirs) / sizeof(dirs[0]); i++)
		if (layout_join(path, item->path, dirs[i]) == 0)
			gc_prune(gc, path, LAYOUT_REPOSITORIES, false);
	return STORE_OK;
}

const struct gc_part gc_sweep_repos[4] = {
	{ "_layers", 2, sweep_layer },
	{ "_manifests/revisions", 2, sweep_revision },
	{ "_manifests/tags", 1, sweep_tag },
	{ "", 0, sweep_rest }
};

/* ---- our own notes ---- */

/* One of many in its directory; "name" may be a condemned one. */
static enum store_result
sweep_note(struct gc *gc, const struct gc_item *item, const char *name,
    const struct digest *d, const char *base)
{
	struct gc_object o = { .class = GC_NOTES, .dir = item->dir,
	    .base = base, .age_ms = gc->options.grace_ms, .condemn = true };
	uint64_t before = gc_changes(gc);
	enum store_result r;

	o.wanted = is_wanted(gc, GC_NOTES, d);
	r = gc_sweep_name(gc, &o, name);
	if (r == STORE_OK && gc_changes(gc) != before)
		gc_prune(gc, item->dir, LAYOUT_OWN_REPOSITORIES, true);
	return r;
}

/* The name without what collection has put behind it. */
static void
note_base(char dst[GC_NAME_SIZE], const char *name)
{
	size_t baselen;
	uint64_t run;

	str_copy(dst, GC_NAME_SIZE, name);
	if (layout_condemned_parse(name, &baselen, &run))
		dst[baselen] = '\0';
}

static enum store_result
sweep_plain_note(struct gc *gc, const struct gc_item *item)
{
	char base[GC_NAME_SIZE];
	struct digest d;

	note_base(base, item->names[1]);
	if (!gc_digest(gc, item->path, item->names[0], base, &d))
		return STORE_OK;
	return sweep_note(gc, item, item->names[1], &d, base);
}

static enum store_result
sweep_referrer(struct gc *gc, const struct gc_item *item)
{
	char base[GC_NAME_SIZE];
	struct digest d;

	note_base(base, item->names[2]);
	if (digest_parse(&d, base) == -1) {
		gc_strange(gc, item->path);
		return STORE_OK;
	}
	return sweep_note(gc, item, item->names[2], &d, base);
}

const struct gc_part gc_sweep_notes[3] = {
	{ "_mediatypes", 2, sweep_plain_note },
	{ "_subjects", 2, sweep_plain_note },
	{ "_referrers", 3, sweep_referrer }
};

/* ---- blobs ---- */

static enum store_result
sweep_blob(struct gc *gc, const struct gc_item *item)
{
	struct gc_object o = { .class = GC_BLOBS, .dir = item->path,
	    .base = "data", .age_ms = gc->options.grace_ms, .condemn = true };
	struct digest d;

	if (!gc_digest(gc, item->path, item->names[0], item->names[2], &d) ||
	    strncmp(item->names[1], item->names[2], 2) != 0 ||
	    item->names[1][2] != '\0')
		return STORE_OK;
	o.wanted = is_wanted(gc, GC_BLOBS, &d);
	return sweep_dir(gc, &o, item->dir);
}

const struct gc_part gc_sweep_blobs[1] = {
	{ "", 3, sweep_blob }
};
