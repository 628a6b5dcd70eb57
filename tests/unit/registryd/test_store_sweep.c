/* SPDX-License-Identifier: ISC */
/*
 * Sweeps of the store in slices: each does some of it, together they do all,
 * and what cannot be removed does not keep them from their end.
 */
#include "store_tmp.h"

#include "clock.h"
#include "sysfs.h"

#define TREES	5
#define FILES	400
#define STEPS_MAX	(10 * TREES * FILES)

static void
make_trash(const struct tmp_store *t)
{
	const struct timespec old[2] = { { .tv_sec = 1000 },
	    { .tv_sec = 1000 } };
	char path[256];
	int i, j;

	for (i = 0; i < TREES; i++)
		for (j = 0; j < FILES; j++) {
			snprintf(path, sizeof(path), LAYOUT_TRASH
			    "/%d/a%d/b/%d%d", i, j % 7, j, i);
			tmp_write(t, path, "");
		}
	for (j = 0; j < FILES; j++) {
		snprintf(path, sizeof(path), LAYOUT_TMP "/%s%d",
		    j % 2 == 0 ? "old" : "young", j);
		tmp_write(t, path, "");
		if (j % 2 == 0)
			assert_int_equal(utimensat(AT_FDCWD,
			    tmp_path(t, path), old, 0), 0);
	}
}

/* How many steps it took. */
static unsigned
sweep_all(struct tmp_store *t, unsigned budget_us)
{
	struct store_sweep sweep = { 0, 0 };
	unsigned steps = 0;
	bool done = false;
	uint64_t began;

	while (!done) {
		began = clock_monotonic_ms();
		assert_int_equal(store_sweep_step(t->store, &sweep, 2000,
		    budget_us, &done), STORE_OK);
		assert_true(clock_monotonic_ms() - began <
		    budget_us / 1000 + 500);
		assert_true(++steps < STEPS_MAX);
	}
	return steps;
}

static void
test_sweep_in_slices(void **state)
{
	struct tmp_store *t = *state;

	make_trash(t);
	/* One name at a time, and hardly more. */
	assert_true(sweep_all(t, 0) > TREES * FILES / 2);
	assert_int_equal(tmp_count(t, LAYOUT_TRASH), 0);
	assert_int_equal(tmp_count(t, LAYOUT_TMP), FILES / 2);
	assert_true(tmp_exists(t, LAYOUT_TMP "/young1"));
	assert_false(tmp_exists(t, LAYOUT_TMP "/old0"));
	assert_true(sweep_all(t, 0) <= 2);
	assert_int_equal(tmp_count(t, LAYOUT_TMP), FILES / 2);
}

static int
on_unlink(const struct sysfs_call *call, void *arg)
{
	const char *stays = arg;

	if (call->kind == SYSFS_UNLINK && call->name != NULL &&
	    call->name[strlen(call->name) - 1] == *stays)
		return EACCES;
	return 0;
}

static void
test_sweep_comes_to_its_end(void **state)
{
	static char stays[] = "3";
	struct tmp_store *t = *state;

	make_trash(t);
	sysfs_set_hook(on_unlink, stays);
	(void)sweep_all(t, 0);
	(void)sweep_all(t, 1000000);
	sysfs_set_hook(NULL, NULL);
	/* The tree whose files all end so. */
	assert_int_equal(tmp_count(t, LAYOUT_TRASH), 1);
	assert_true(tmp_exists(t, LAYOUT_TRASH "/3/a0/b/03"));
	(void)sweep_all(t, 1000000);
	assert_int_equal(tmp_count(t, LAYOUT_TRASH), 0);
}

static void
test_sweep_of_a_tree_for_later(void **state)
{
	struct tmp_store *t = *state;

	tmp_write(t, "x/tree/a/b", "");
	assert_int_equal(store_remove_tree(t->store, "x/tree", STORE_LATER),
	    STORE_OK);
	assert_false(tmp_exists(t, "x/tree"));
	assert_int_equal(tmp_count(t, LAYOUT_TRASH), 1);
	assert_int_equal(sweep_all(t, 1000000), 2);
	assert_int_equal(tmp_count(t, LAYOUT_TRASH), 0);
}

#define TEST(fn)	cmocka_unit_test_setup_teardown(fn, tmp_setup, \
	tmp_teardown)

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(test_sweep_in_slices),
		TEST(test_sweep_comes_to_its_end),
		TEST(test_sweep_of_a_tree_for_later)
	};

	return cmocka_run_group_tests_name("store_sweep", tests, NULL, NULL);
}
