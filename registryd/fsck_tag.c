/* SPDX-License-Identifier: ISC */
/*
 * Tags in a check: that each points to a revision of its repository, and is
 * in its own history.
 */
#include <dirent.h>
#include <stdio.h>
#include <string.h>

#include "fsck_state.h"
#include "layout.h"
#include "tag.h"

struct tag_state {
	const char	*name;
	bool		 has_current;	/* whatever is in it */
	bool		 pointed;	/* "target" is set */
	struct digest	 target;
	bool		 in_index;
	unsigned	 dangling;
};

static void
on_current_name(struct fsck *f, int dirfd, const char *name,
    unsigned char type, void *arg)
{
	struct tag_state *tag = arg;

	if (strcmp(name, "link") != 0) {
		fsck_unknown_name(f, name);
		return;
	}
	tag->has_current = true;
	if (!fsck_is(f, type, DT_REG))
		return;
	fsck_count(f);
	tag->pointed = fsck_link(f, dirfd, name, &tag->target) == 0;
}

/* Links of the index are looked at when "current" is known. */
static void
on_index(struct fsck *f, const struct digest *d, const struct digest *target,
    unsigned flags, void *arg)
{
	struct tag_state *tag = arg;
	char text[DIGEST_STR_SIZE];

	(void)target;
	(void)flags;
	if (tag->pointed && digest_equal(d, &tag->target))
		tag->in_index = true;
	else if (!fsck_has_revision(f, d))
		fsck_report(f, FSCK_TAG_INDEX_DANGLING, "%s",
		    digest_format(text, d));
}

static void
on_tag_name(struct fsck *f, int dirfd, const char *name, unsigned char type,
    void *arg)
{
	(void)dirfd;
	(void)arg;
	if (strcmp(name, "current") != 0 && strcmp(name, "index") != 0)
		fsck_unknown_name(f, name);
	else
		fsck_is(f, type, DT_DIR);
}

/* Is it still so?  Tags move and go while we look. */
static bool
still_points(struct fsck *f, const struct tag_state *tag)
{
	struct digest d;

	return tag_get(f->store, f->repo, tag->name, &d) == STORE_OK &&
	    digest_equal(&d, &tag->target);
}

static void
check_target(struct fsck *f, const struct tag_state *tag)
{
	char text[DIGEST_STR_SIZE], path[LAYOUT_PATH_SIZE];

	if (!fsck_has_revision(f, &tag->target)) {
		if (still_points(f, tag))
			fsck_report(f, FSCK_TAG_REVISION_MISSING, "%s",
			    digest_format(text, &tag->target));
	} else if (!tag->in_index && still_points(f, tag) &&
	    !fsck_exists(f, layout_tag_index(path, f->repo, tag->name,
	    &tag->target)))
		fsck_report(f, FSCK_TAG_INDEX_MISSING, "%s",
		    digest_format(text, &tag->target));
}

static void
check_tag(struct fsck *f, int dirfd, const char *name)
{
	struct tag_state tag = { .name = name };
	char path[TAG_SIZE + 16];
	size_t old;

	if (fsck_directory(f, dirfd, name, on_tag_name, &tag) != 0)
		return;
	f->report->tags++;
	snprintf(path, sizeof(path), "%s/current", name);
	old = fsck_push(f, "current");
	fsck_directory(f, dirfd, path, on_current_name, &tag);
	fsck_pop(f, old);
	snprintf(path, sizeof(path), "%s/index", name);
	old = fsck_push(f, "index");
	fsck_link_tree(f, dirfd, path, on_index, &tag);
	fsck_pop(f, old);
	if (tag.pointed)
		check_target(f, &tag);
	else if (!tag.has_current)
		fsck_report(f, FSCK_TAG_EMPTY, "%s", "");
}

static void
on_tag(struct fsck *f, int dirfd, const char *name, unsigned char type,
    void *arg)
{
	(void)arg;
	if (!tag_ok(name))
		fsck_report(f, FSCK_TAG_NAME, "%s", "");
	else if (fsck_is(f, type, DT_DIR))
		check_tag(f, dirfd, name);
}

void
fsck_tags(struct fsck *f, int dirfd)
{
	fsck_directory(f, dirfd, "tags", on_tag, NULL);
}
