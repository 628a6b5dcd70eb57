/* SPDX-License-Identifier: ISC */
/*
 * The walk of a collection through the store, item by item, so that it can
 * stop after each: runs in the collector.  A directory that has gone has
 * nothing in it, and what has taken its place is gc_odd.c's; any other error
 * ends the run, since what was not seen must not count as absent.  A path too
 * long for us is longer than any registry's.
 *
 * Repositories are found by walking all directories beneath the root whose
 * names may be parts of a name, whether or not we would serve them: what
 * cannot be reached cannot be marked.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "gc_state.h"
#include "store_root.h"
#include "str.h"
#include "sysfs.h"

#define PAGE	1024
#define SCAN_MAX	65536	/* names of one object, and strange ones */

/* ---- a directory ---- */

void
gc_names_open(struct gc_names *d, const char *path)
{
	memset(d, 0, sizeof(*d));
	str_copy(d->path, sizeof(d->path), path);
	d->more = true;
}

void
gc_names_close(struct gc_names *d)
{
	store_names_free(d->names, d->n);
	d->names = NULL;
	d->n = d->next = 0;
	d->more = false;
}

enum store_result
gc_names_next(struct gc *gc, struct gc_names *d, const char **name)
{
	enum store_result r;

	*name = NULL;
	if (d->next == d->n) {
		if (!d->more)
			return STORE_OK;
		store_names_free(d->names, d->n);
		d->names = NULL;
		d->n = d->next = 0;
		r = store_list(gc->store, d->path, d->after[0] != '\0' ?
		    d->after : NULL, PAGE, &d->names, &d->n, &d->more);
		if (r != STORE_OK) {
			d->more = false;
			return gc_pass(gc, d->path, r);
		}
		if (d->n == 0)
			return STORE_OK;
		str_copy(d->after, sizeof(d->after), d->names[d->n - 1]);
	}
	*name = d->names[d->next++];
	return STORE_OK;
}

/* ---- a small directory ---- */

struct scan {
	struct gc	*gc;
	const char	*path;
	char		**names;
	size_t		 n, size;
};

static int
scan_name(const char *name, unsigned char type, void *arg)
{
	struct scan *scan = arg;
	char one[LAYOUT_PATH_SIZE], **grown;

	/* No object is any of this, and those in use are not looked at. */
	if (type != DT_REG && type != DT_UNKNOWN)
		gc_strange(scan->gc, layout_join(one, scan->path, name) == 0 ?
		    one : scan->path);
	if (scan->n == scan->size) {
		if (scan->size == SCAN_MAX) {
			errno = EMFILE;		/* a limit of ours */
			return -1;
		}
		scan->size = scan->size == 0 ? 4 : 2 * scan->size;
		grown = reallocarray(scan->names, scan->size,
		    sizeof(*grown));
		if (grown == NULL)
			return -1;
		scan->names = grown;
	}
	if ((scan->names[scan->n] = strdup(name)) == NULL)
		return -1;
	scan->n++;
	return 0;
}

enum store_result
gc_scan(struct gc *gc, const char *path, char ***names, size_t *n)
{
	struct scan scan = { .gc = gc, .path = path };
	enum store_result r = STORE_OK;
	int fd;

	fd = sysfs_open(store_root_fd(gc->store), path,
	    O_RDONLY | O_DIRECTORY, 0);
	if (fd == -1 || sysfs_list(fd, scan_name, &scan) != 0)
		r = store_result_errno(errno);
	if (r != STORE_OK) {
		store_names_free(scan.names, scan.n);
		scan.names = NULL;
		scan.n = 0;
	}
	*names = scan.names;
	*n = scan.n;
	return r == STORE_OK ? STORE_OK : gc_pass(gc, path, r);
}

/* ---- repositories ---- */

static enum store_result
tree_push(struct gc *gc, const char *path)
{
	struct gc_walk *w = &gc->walk;
	struct gc_names *d;

	if (w->depth == GC_TREE_DEPTH)
		return gc_stop(gc, path, STORE_LIMIT);
	if ((d = malloc(sizeof(*d))) == NULL)
		return STORE_NOMEM;
	gc_names_open(d, path);
	w->tree[w->depth++] = d;
	return STORE_OK;
}

static void
tree_pop(struct gc *gc, const struct gc_phase *phase)
{
	struct gc_walk *w = &gc->walk;
	struct gc_names *d = w->tree[--w->depth];

	/* Whatever was in it has been walked. */
	if (w->depth > 0)
		gc_prune(gc, d->path, phase->root, false);
	gc_names_close(d);
	free(d);
}

/* Does the directory hold what repositories have? */
static enum store_result
has_parts(struct gc *gc, const char *dir, bool *yes)
{
	static const char *const marks[] = { "_manifests", "_layers",
	    "_uploads", "_mediatypes", "_subjects", "_referrers" };
	char path[LAYOUT_PATH_SIZE];
	struct store_stat st;
	enum store_result r;
	size_t i;

	*yes = false;
	for (i = 0; i < sizeof(marks) / sizeof(marks[0]) && !*yes; i++) {
		if (layout_join(path, dir, marks[i]) == -1) {
			gc_strange(gc, dir);
			return STORE_OK;
		}
		r = store_stat(gc->store, path, &st);
		*yes = r == STORE_OK && st.is_dir;
		if (r != STORE_OK && r != STORE_NOTFOUND &&
		    (r = gc_pass(gc, path, r)) != STORE_OK)
			return r;
	}
	return STORE_OK;
}

/* The next directory: descended into later, and a repository if it is one. */
static enum store_result
tree_step(struct gc *gc, const struct gc_phase *phase, bool *done)
{
	struct gc_walk *w = &gc->walk;
	struct store_stat st;
	enum store_result r;
	const char *name;

	if (w->depth == 0) {
		*done = true;
		return STORE_OK;
	}
	r = gc_names_next(gc, w->tree[w->depth - 1], &name);
	if (r != STORE_OK)
		return r;
	if (name == NULL) {
		tree_pop(gc, phase);
		return STORE_OK;
	}
	if (name[0] == '_')
		return STORE_OK;
	if (layout_join(w->repo, w->tree[w->depth - 1]->path, name) == -1) {
		gc_strange(gc, w->tree[w->depth - 1]->path);
		return STORE_OK;
	}
	if ((r = store_stat(gc->store, w->repo, &st)) == STORE_NOTFOUND)
		return STORE_OK;
	if (r != STORE_OK)
		return gc_pass(gc, w->repo, r);
	if (!st.is_dir || gc_is_lost(name)) {
		gc_strange(gc, w->repo);
		return STORE_OK;
	}
	if ((r = tree_push(gc, w->repo)) != STORE_OK ||
	    (r = has_parts(gc, w->repo, &w->inside)) != STORE_OK ||
	    !w->inside)
		return r;
	gc->repo = w->repo + strlen(phase->root) + 1;
	w->part = 0;
	w->open = false;
	return phase->enter != NULL ? phase->enter(gc) : STORE_OK;
}

/* ---- the parts of one ---- */

static enum store_result
part_open(struct gc *gc, const struct gc_part *part)
{
	struct gc_walk *w = &gc->walk;
	char path[LAYOUT_PATH_SIZE];

	if (part->base[0] == '\0')
		str_copy(path, sizeof(path), w->repo);
	else if (layout_join(path, w->repo, part->base) == -1) {
		gc_strange(gc, w->repo);
		w->part++;
		return STORE_OK;
	}
	gc_names_open(&w->levels[0], path);
	w->level = 0;
	w->open = true;
	return STORE_OK;
}

static enum store_result
part_item(struct gc *gc, const struct gc_part *part, const char *path)
{
	struct gc_walk *w = &gc->walk;
	struct gc_item item = { .path = path };
	unsigned i;

	item.dir = w->levels[w->level].path;
	for (i = 0; i < part->levels; i++)
		item.names[i] = w->names[i];
	gc->report.done++;
	return part->item(gc, &item);
}

/* The next name of the innermost directory, and what it is. */
static enum store_result
part_step(struct gc *gc, const struct gc_part *part)
{
	struct gc_walk *w = &gc->walk;
	char path[LAYOUT_PATH_SIZE];
	enum store_result r;
	const char *name;

	if (!w->open) {
		if ((r = part_open(gc, part)) != STORE_OK || !w->open)
			return r;
		if (part->levels == 0) {
			w->open = false;
			w->part++;
			return part_item(gc, part, w->levels[0].path);
		}
	}
	r = gc_names_next(gc, &w->levels[w->level], &name);
	if (r != STORE_OK)
		return r;
	if (name == NULL) {
		gc_names_close(&w->levels[w->level]);
		if (w->level > 0)
			w->level--;
		else {
			w->open = false;
			w->part++;
		}
		return STORE_OK;
	}
	str_copy(w->names[w->level], GC_NAME_SIZE, name);
	if (layout_join(path, w->levels[w->level].path, name) == -1) {
		gc_strange(gc, w->levels[w->level].path);
		return STORE_OK;
	}
	if (gc_is_lost(name)) {
		gc_strange(gc, path);
		return STORE_OK;
	}
	if (w->level + 1 == part->levels)
		return part_item(gc, part, path);
	gc_names_open(&w->levels[++w->level], path);
	return STORE_OK;
}

enum store_result
gc_walk_step(struct gc *gc, const struct gc_phase *phase, bool *done)
{
	struct gc_walk *w = &gc->walk;

	*done = false;
	if (!w->started) {
		w->started = true;
		if (phase->repos)
			return tree_push(gc, phase->root);
		str_copy(w->repo, sizeof(w->repo), phase->root);
		w->inside = true;
		w->part = 0;
		w->open = false;
	}
	if (w->inside && w->part < phase->nparts)
		return part_step(gc, &phase->parts[w->part]);
	w->inside = false;
	return tree_step(gc, phase, done);
}

void
gc_walk_done(struct gc_walk *w)
{
	unsigned i;

	while (w->depth > 0) {
		gc_names_close(w->tree[--w->depth]);
		free(w->tree[w->depth]);
	}
	if (w->open)
		for (i = 0; i <= w->level; i++)
			gc_names_close(&w->levels[i]);
	memset(w, 0, sizeof(*w));
}
