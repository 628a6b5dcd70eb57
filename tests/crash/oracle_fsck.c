/* SPDX-License-Identifier: ISC */
/*
 * The store's own checker as a second judge.
 */
#include "oracle_tree.h"

#include "fsck.h"

/* What was damaged on purpose would be found again and again. */
static bool
damage_is_expected(const struct expect *e)
{
	size_t i, j;

	for (i = 0; i < NREPOS; i++) {
		for (j = 0; j < C_MAX; j++)
			if ((e->blob[i][j] | e->manifest[i][j]) & IS_DAMAGED)
				return true;
		for (j = 0; j < NTAGS; j++)
			if (e->tag[i][j] & TAG_BROKEN)
				return true;
	}
	return false;
}

/*
 * A move between directories may be cut into its halves, a tag be half
 * removed while its client still waits, and when a session began is not
 * worth a sync.
 */
static bool
is_of_the_cut(const struct world *w, enum fsck_kind kind)
{
	return w->power && (kind == FSCK_BLOB_HARDLINK ||
	    kind == FSCK_LINK_HARDLINK ||
	    kind == FSCK_UPLOAD_STARTED_MALFORMED ||
	    kind == FSCK_TAG_INDEX_MISSING);
}

static void
on_found(const struct fsck_problem *p, void *arg)
{
	if (fsck_kind_severity(p->kind) != FSCK_NOTE &&
	    !is_of_the_cut(arg, p->kind))
		world_fail(arg, "fsck: %s %s %s", fsck_kind_name(p->kind),
		    p->path, p->detail);
}

bool
oracle_fsck(struct world *w)
{
	static const struct fsck_options strict = { .strict = true };
	struct fsck_report report;
	enum store_result r;

	if (damage_is_expected(&w->expect))
		return true;
	r = fsck_run(w->store, &strict, on_found, w, &report);
	if (r != STORE_OK)
		return world_fail(w, "fsck: %s", store_result_text(r));
	return w->why[0] == '\0';
}
