/* SPDX-License-Identifier: ISC */
/*
 * What is in use, repository by repository: first the revisions and what
 * their manifests refer to, then the tags, then the links of layers, of which
 * the young ones are leases.  Runs in the collector.
 *
 * A revision counts under every name that it may have: link, pending,
 * condemned.  The names are listed before the link is looked at, so that one
 * that is being renamed to "link" is seen.  What a condemned manifest refers
 * to is kept until the last of its names is gone.
 */
#include <stdio.h>
#include <string.h>

#include "gc_state.h"
#include "link.h"

static enum store_result
mark_digest(struct gc *gc, enum gc_class class, const struct digest *d)
{
	return gc_mark(gc, class, gc_print_digest(&gc->key, d));
}

static bool
keeps_untagged(const struct gc *gc)
{
	return gc->options.untagged_ms == GC_UNTAGGED_KEEP;
}

enum store_result
gc_mark_enter(struct gc *gc)
{
	gc->repo_damaged = false;
	gc_live_reset(gc);
	return gc_enter_repo(gc);
}

/* Younger than limit; what has gone is not. */
static enum store_result
is_young(struct gc *gc, const char *path, uint64_t limit_ms, bool *young)
{
	struct store_stat st;
	enum store_result r;

	r = store_stat(gc->store, path, &st);
	if (r == STORE_OK)
		*young = *young || gc_age(gc, &st) < limit_ms;
	return r == STORE_OK || r == STORE_NOTFOUND ||
	    r == STORE_INVALID ? STORE_OK : gc_stop(gc, path, r);
}

/* A link that cannot be understood is damage, whatever it is. */
static enum store_result
damaged_link(struct gc *gc, const char *path, enum store_result r)
{
	r = gc_pass_file(gc, path, r);
	if (r == STORE_OK)
		gc_damaged(gc, path);
	return r;
}

/*
 * The target of a link: of the path itself when the content says nothing.
 * NOTFOUND, or an error that ends the run.
 */
static enum store_result
read_target(struct gc *gc, const char *path, const struct digest *own,
    struct digest *target)
{
	enum store_result r;

	r = link_get(gc->store, path, target);
	if (r == STORE_OK || r == STORE_NOTFOUND)
		return r;
	*target = *own;
	return damaged_link(gc, path, r);
}

/* ---- revisions ---- */

struct revision {
	bool		 present;	/* under any name */
	bool		 root;		/* pending, or young */
};

static uint64_t
untagged_limit(const struct gc *gc)
{
	return gc->options.untagged_ms > gc->options.grace_ms ?
	    gc->options.untagged_ms : gc->options.grace_ms;
}

static enum store_result
look_at_name(struct gc *gc, const char *dir, const char *name,
    struct revision *rev)
{
	char path[LAYOUT_PATH_SIZE];

	if (layout_is_pending(name))
		rev->present = rev->root = true;
	if (!layout_stands_for(name, "link") ||
	    layout_join(path, dir, name) == -1)
		return STORE_OK;
	rev->present = true;
	return keeps_untagged(gc) ? STORE_OK :
	    is_young(gc, path, untagged_limit(gc), &rev->root);
}

static enum store_result
mark_present(struct gc *gc, const struct digest *d, bool root)
{
	enum store_result r;
	uint32_t manifest;

	r = gc_manifest_mark(gc, d, &manifest);
	if (r == STORE_OK)
		r = mark_digest(gc, GC_NOTES, d);
	if (r != STORE_OK)
		return r;
	return keeps_untagged(gc) ? mark_digest(gc, GC_REVISIONS, d) :
	    gc_live_add(gc, d, manifest, root);
}

static enum store_result
mark_revision(struct gc *gc, const struct gc_item *item)
{
	struct revision rev = { .present = false };
	char path[LAYOUT_PATH_SIZE];
	struct digest d, target;
	struct gc_names names;
	enum store_result r;
	const char *name;
	uint32_t manifest;

	if (!gc_digest(gc, item->path, item->names[0], item->names[1], &d))
		return STORE_OK;
	gc_names_open(&names, item->path);
	while ((r = gc_names_next(gc, &names, &name)) == STORE_OK &&
	    name != NULL)
		if ((r = look_at_name(gc, item->path, name, &rev)) !=
		    STORE_OK)
			break;
	gc_names_close(&names);
	if (r != STORE_OK || layout_join(path, item->path, "link") == -1)
		return r;
	/* Only now: see above. */
	r = read_target(gc, path, &d, &target);
	if (r == STORE_NOTFOUND && !rev.present)
		return STORE_OK;
	if (r == STORE_NOTFOUND)
		target = d;
	else if (r != STORE_OK)
		return r;
	/* It came after the listing. */
	rev.root = rev.root || !rev.present;
	if ((r = mark_present(gc, &d, rev.root)) != STORE_OK)
		return r;
	return digest_equal(&d, &target) ? STORE_OK :
	    gc_manifest_mark(gc, &target, &manifest);
}

/* ---- tags ---- */

/* Every digest that the tag ever had. */
static enum store_result
mark_history(struct gc *gc, const char *tag)
{
	char path[LAYOUT_PATH_SIZE], sub[LAYOUT_PATH_SIZE];
	struct gc_names algs, hexes;
	const char *alg, *hex;
	enum store_result r;
	struct digest d;

	if (layout_join(path, tag, "index") == -1)
		return STORE_OK;
	gc_names_open(&algs, path);
	while ((r = gc_names_next(gc, &algs, &alg)) == STORE_OK &&
	    alg != NULL && layout_join(sub, path, alg) == 0) {
		gc_names_open(&hexes, sub);
		while ((r = gc_names_next(gc, &hexes, &hex)) == STORE_OK &&
		    hex != NULL)
			if (gc_digest(gc, sub, alg, hex, &d) &&
			    (r = gc_live_root(gc, &d)) != STORE_OK)
				break;
		gc_names_close(&hexes);
		if (r != STORE_OK)
			break;
	}
	gc_names_close(&algs);
	return r;
}

/*
 * A tag whose revision has not been seen: it may have come since.  If it is
 * not there, what is left is kept, so that somebody may mend it, but nothing
 * more is kept for what is not.
 */
static enum store_result
mark_unseen(struct gc *gc, const char *path, const struct digest *d)
{
	char link[LAYOUT_PATH_SIZE], dir[LAYOUT_PATH_SIZE];
	char revision[LAYOUT_PATH_SIZE], hex[DIGEST_HEX_SIZE];
	bool damaged;
	struct gc_item item = { .path = revision };
	struct digest now;
	enum store_result r;
	uint32_t manifest;

	snprintf(dir, sizeof(dir), "%s", gc->walk.repo);
	item.names[0] = digest_alg_name(d->alg);
	item.names[1] = digest_hex(hex, d);
	if (layout_join(link, dir, "_manifests/revisions") == -1 ||
	    layout_join(dir, link, item.names[0]) == -1 ||
	    layout_join(revision, dir, hex) == -1)
		return STORE_OK;
	r = mark_revision(gc, &item);
	if (r != STORE_OK || gc_marked(gc, GC_NOTES,
	    gc_print_digest(&gc->key, d)))
		return r;
	/* Both may have gone. */
	r = link_get(gc->store, path, &now);
	if (r == STORE_NOTFOUND || (r == STORE_OK && !digest_equal(&now, d)))
		return STORE_OK;
	if (r != STORE_OK)
		return damaged_link(gc, path, r);
	gc_damaged(gc, path);
	damaged = gc->repo_damaged;
	r = gc_manifest_mark(gc, d, &manifest);
	gc->repo_damaged = damaged;
	return r;
}

/*
 * A tag keeps its manifest.  Where its link is missing or says nothing,
 * everything that it ever pointed to is kept; and for as long as a manifest
 * without a tag may live, what the tag pointed to before it was last moved.
 */
static enum store_result
mark_tag(struct gc *gc, const struct gc_item *item)
{
	char path[LAYOUT_PATH_SIZE];
	enum store_result r;
	struct digest d;
	bool moved = false;

	if (layout_join(path, item->path, "current/link") == -1)
		return STORE_OK;
	r = link_get(gc->store, path, &d);
	if (r != STORE_OK) {
		if (r != STORE_NOTFOUND &&
		    (r = damaged_link(gc, path, r)) != STORE_OK)
			return r;
		return keeps_untagged(gc) ? STORE_OK :
		    mark_history(gc, item->path);
	}
	if (!gc_marked(gc, GC_NOTES, gc_print_digest(&gc->key, &d)))
		r = mark_unseen(gc, path, &d);
	if (r == STORE_OK)
		r = gc_live_root(gc, &d);
	if (r != STORE_OK || keeps_untagged(gc))
		return r;
	r = is_young(gc, path, untagged_limit(gc), &moved);
	return r == STORE_OK && moved ? mark_history(gc, item->path) : r;
}

/* ---- layers ---- */

/* Keep the bytes of a link that is wanted, or that is a lease. */
static enum store_result
mark_link(struct gc *gc, const char *path, const struct digest *d, bool *seen)
{
	struct digest target;
	enum store_result r;
	bool keep;

	r = read_target(gc, path, d, &target);
	if (r != STORE_OK)
		return r == STORE_NOTFOUND ? STORE_OK : r;
	*seen = true;
	keep = gc->repo_damaged || gc_marked(gc, GC_LAYERS,
	    gc_print_digest(&gc->key, d)) || gc_marked(gc, GC_LAYERS,
	    gc_print_digest(&gc->key, &target));
	/* Distribution looks for the link of the target as well. */
	if (keep && (r = mark_digest(gc, GC_LAYERS, d)) == STORE_OK)
		r = mark_digest(gc, GC_LAYERS, &target);
	else if (!keep)
		r = is_young(gc, path, gc->options.grace_ms, &keep);
	if (r == STORE_OK && keep)
		r = mark_digest(gc, GC_BLOBS, &target);
	return r;
}

static enum store_result
mark_layer(struct gc *gc, const struct gc_item *item)
{
	char path[LAYOUT_PATH_SIZE];
	struct gc_names names;
	enum store_result r;
	const char *name;
	struct digest d;
	bool seen = false;

	if (!gc_digest(gc, item->path, item->names[0], item->names[1], &d))
		return STORE_OK;
	gc_names_open(&names, item->path);
	while ((r = gc_names_next(gc, &names, &name)) == STORE_OK &&
	    name != NULL) {
		if (!layout_stands_for(name, "link") ||
		    layout_join(path, item->path, name) == -1)
			continue;
		if ((r = mark_link(gc, path, &d, &seen)) != STORE_OK)
			break;
	}
	gc_names_close(&names);
	/* Renamed back behind the listing. */
	if (r == STORE_OK && !seen &&
	    layout_join(path, item->path, "link") == 0)
		r = mark_link(gc, path, &d, &seen);
	return r;
}

const struct gc_part gc_mark_repos[4] = {
	{ "_manifests/revisions", 2, mark_revision },
	{ "_manifests/tags", 1, mark_tag },
	{ "", 0, gc_live_spread },
	{ "_layers", 2, mark_layer }
};
