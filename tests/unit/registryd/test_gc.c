/* SPDX-License-Identifier: ISC */
/*
 * gc: what goes, what stays, in which steps, and how it comes back.
 */
#include "gc_tree.h"

static void
test_gc_empty_store(void **state)
{
	struct gc_report report;

	assert_int_equal(tree_collect_with(*state, &tree_options, &report),
	    STORE_OK);
	assert_int_equal(report.damaged, 0);
}

static void
test_gc_takes_two_runs_and_keeps_what_is_used(void **state)
{
	struct tmp_store *t = *state;
	struct gc_report report;

	tree_image(t, "a", "used", "v1");
	tree_blob(t, "a", "unused");
	tree_age(t, HOUR);
	assert_int_equal(tree_collect_with(t, &tree_options, &report),
	    STORE_OK);
	assert_int_equal(report.counts[GC_BLOBS].condemned, 1);
	assert_int_equal(report.counts[GC_BLOBS].live, 2);
	assert_int_equal(report.counts[GC_LAYERS].condemned, 1);
	assert_int_equal(report.condemned_bytes, 6);
	assert_false(tree_has_blob(t, "unused"));
	assert_int_equal(tree_names(t, "unused"), 1);
	assert_true(tree_has_blob(t, "used"));

	assert_int_equal(tree_collect_with(t, &tree_options, &report),
	    STORE_OK);
	assert_int_equal(report.counts[GC_BLOBS].deleted, 1);
	assert_int_equal(report.counts[GC_LAYERS].deleted, 1);
	assert_int_equal(report.deleted_bytes, 6);
	assert_int_equal(tree_names(t, "unused"), 0);
	assert_true(tree_has_blob(t, "used"));

	assert_int_equal(tree_collect_with(t, &tree_options, &report),
	    STORE_OK);
	assert_int_equal(report.counts[GC_BLOBS].live, 2);
	assert_int_equal(report.counts[GC_BLOBS].deleted, 0);
	assert_int_equal(report.manifests_read, 1);
}

int
main(void)
{
#define T(f)	cmocka_unit_test_setup_teardown(f, tmp_setup, tmp_teardown)
	const struct CMUnitTest tests[] = {
		T(test_gc_empty_store),
		T(test_gc_takes_two_runs_and_keeps_what_is_used)
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
