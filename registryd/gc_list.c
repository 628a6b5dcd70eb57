/* SPDX-License-Identifier: ISC */
/*
 * The names that are condemned already, all of them before any marking
 * begins: only these may be removed at the end of this run.
 */
#include <string.h>

#include "gc_state.h"

static enum store_result
remember(struct gc *gc, const char *dir, const char *name)
{
	char path[LAYOUT_PATH_SIZE];
	size_t baselen;
	uint64_t run;

	if (!layout_condemned_parse(name, &baselen, &run))
		return STORE_OK;
	if (layout_join(path, dir, name) == -1) {
		gc_strange(gc, dir);
		return STORE_OK;
	}
	if (gc_names_set_add(&gc->condemned, gc_print128(&gc->key, path,
	    strlen(path))) == -1)
		return STORE_NOMEM;
	return STORE_OK;
}

/* A directory of a blob, a layer or a revision. */
static enum store_result
list_dir(struct gc *gc, const struct gc_item *item)
{
	struct gc_names names;
	enum store_result r;
	const char *name;

	gc_names_open(&names, item->path);
	while ((r = gc_names_next(gc, &names, &name)) == STORE_OK &&
	    name != NULL)
		if ((r = remember(gc, item->path, name)) != STORE_OK)
			break;
	gc_names_close(&names);
	return r;
}

static enum store_result
list_blob(struct gc *gc, const struct gc_item *item)
{
	gc->report.total += 2;
	return list_dir(gc, item);
}

static enum store_result
list_link(struct gc *gc, const struct gc_item *item)
{
	gc->report.total += 3;
	return list_dir(gc, item);
}

static enum store_result
list_note(struct gc *gc, const struct gc_item *item)
{
	gc->report.total += 2;
	return remember(gc, item->dir, strrchr(item->path, '/') + 1);
}

const struct gc_part gc_list_blobs[1] = {
	{ "", 3, list_blob }
};
const struct gc_part gc_list_repos[2] = {
	{ "_layers", 2, list_link },
	{ "_manifests/revisions", 2, list_link }
};
const struct gc_part gc_list_notes[3] = {
	{ "_mediatypes", 2, list_note },
	{ "_subjects", 2, list_note },
	{ "_referrers", 3, list_note }
};
