/* SPDX-License-Identifier: ISC */
/*
 * Symbolic links, FIFOs and sockets at each level of a store: fsck names
 * each, and neither it nor a scrub follows or waits for one.
 */
#include "store_tmp.h"

#include "fsck_right.h"
#include "scrub_run.h"
#include "store_root.h"

#define ASIDE		"aside"
#define SECONDS		60		/* for all, should one hang */
#define PATHS_MAX	256

enum strange { LINK_ASIDE, LINK_NOWHERE, FIFO, SOCKET, NSTRANGE };

/* Every name of the store, by a walk of our own. */
struct paths {
	char		*names[PATHS_MAX];
	bool		 is_dir[PATHS_MAX];
	size_t		 n;
};

static struct paths all;

static int
on_path(const char *name, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st;
	if (ftw->level == 0)
		return 0;
	assert_true(all.n < PATHS_MAX);
	all.is_dir[all.n] = type == FTW_D;
	assert_non_null(all.names[all.n++] = strdup(name));
	return 0;
}

static void
list_paths(const struct tmp_store *t)
{
	size_t i;

	all.n = 0;
	assert_int_equal(nftw(t->dir, on_path, 16, FTW_PHYS), 0);
	assert_true(all.n > 60);
	for (i = 0; i < all.n; i++)
		memmove(all.names[i], all.names[i] + strlen(t->dir) + 1,
		    strlen(all.names[i]) - strlen(t->dir));
}

static void
free_paths(void)
{
	size_t i;

	for (i = 0; i < all.n; i++)
		free(all.names[i]);
}

static void
make_strange(const struct tmp_store *t, const char *name, enum strange what)
{
	char aside[sizeof(t->dir) + 16];

	switch (what) {
	case LINK_ASIDE:
		snprintf(aside, sizeof(aside), "%s/" ASIDE, t->dir);
		assert_int_equal(symlinkat(aside, root, name), 0);
		break;
	case LINK_NOWHERE:
		assert_int_equal(symlinkat("/nowhere", root, name), 0);
		break;
	case FIFO:
		assert_int_equal(mkfifoat(root, name, 0600), 0);
		break;
	default:
		assert_int_equal(mknodat(root, name, S_IFSOCK | 0600, 0), 0);
	}
}

/* ---- looking ---- */

struct look {
	const char	*path;
	bool		 named, beneath;
};

static void
on_found(const struct fsck_problem *p, void *arg)
{
	struct look *look = arg;
	size_t len = strlen(look->path);

	if (strcmp(p->path, look->path) == 0)
		look->named = true;
	else if (strncmp(p->path, look->path, len) == 0 &&
	    p->path[len] == '/' && p->kind != FSCK_TAG_REVISION_MISSING &&
	    p->kind != FSCK_SUBJECT_MISMATCH)
		look->beneath = true;
}

static void
look_for(struct tmp_store *t, const char *name, enum strange what)
{
	struct fsck_options options = { .strict = true };
	struct fsck_report report;
	struct look look = { name, false, false };

	assert_int_equal(fsck_run(t->store, &options, on_found, &look,
	    &report), STORE_OK);
	if (!look.named)
		fail_msg("%s, %d: not named", name, what);
	if (look.beneath)
		fail_msg("%s, %d: followed", name, what);
}

/* Is it, or is it above or in, the tree of blobs? */
static bool
is_of_blobs(const char *name)
{
	size_t len = strlen(name);

	return strncmp(name, LAYOUT_BLOBS "/", strlen(LAYOUT_BLOBS) + 1) ==
	    0 && len > strlen(LAYOUT_BLOBS "/sha256/");
}

static void
scrub_for(struct tmp_store *t, const char *name, enum strange what,
    uint64_t blobs)
{
	struct scrub_options options = { .dryrun = true };
	struct scrub_report report;

	/* There it has nothing to do. */
	if (strncmp(name, LAYOUT_REPOSITORIES "/",
	    strlen(LAYOUT_REPOSITORIES "/")) == 0)
		return;
	report = scrub_run(t->store, &options);
	assert_int_equal(report.bad, 0);
	assert_true(report.blobs <= blobs);
	if (is_of_blobs(name)) {
		if (report.strange == 0)
			fail_msg("%s, %d: not told by a scrub", name,
			    what);
		assert_true(report.blobs < blobs);
	}
}

/* ---- in the place of what belongs there, and beside it ---- */

static void
test_strange_in_its_place(void **state)
{
	struct scrub_options options = { .dryrun = true };
	struct tmp_store *t = *state;
	uint64_t blobs;
	size_t i;
	int what;

	root = store_root_fd(t->store);
	make_right();
	list_paths(t);
	blobs = scrub_run(t->store, &options).blobs;
	assert_true(blobs > 10);
	alarm(SECONDS);
	for (i = 0; i < all.n; i++)
		for (what = 0; what < NSTRANGE; what++) {
			assert_int_equal(renameat(root, all.names[i], root,
			    ASIDE), 0);
			make_strange(t, all.names[i], (enum strange)what);
			look_for(t, all.names[i], (enum strange)what);
			scrub_for(t, all.names[i], (enum strange)what,
			    blobs);
			assert_int_equal(unlinkat(root, all.names[i], 0), 0);
			assert_int_equal(renameat(root, ASIDE, root,
			    all.names[i]), 0);
		}
	alarm(0);
	free_paths();
}

static void
test_strange_beside(void **state)
{
	struct tmp_store *t = *state;
	char name[LAYOUT_PATH_SIZE];
	size_t i;
	int what;

	root = store_root_fd(t->store);
	make_right();
	list_paths(t);
	tmp_write(t, ASIDE "/data", "not a part of it");
	alarm(SECONDS);
	for (i = 0; i < all.n; i++)
		for (what = 0; all.is_dir[i] && what < NSTRANGE; what++) {
			snprintf(name, sizeof(name), "%s/strange",
			    all.names[i]);
			make_strange(t, name, (enum strange)what);
			look_for(t, name, (enum strange)what);
			assert_int_equal(unlinkat(root, name, 0), 0);
		}
	alarm(0);
	free_paths();
}

#define TEST(fn)	cmocka_unit_test_setup_teardown(fn, tmp_setup, \
	tmp_teardown)

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(test_strange_in_its_place),
		TEST(test_strange_beside)
	};

	umask(027);
	return cmocka_run_group_tests_name("strange", tests, NULL, NULL);
}
