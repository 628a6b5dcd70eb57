/* SPDX-License-Identifier: ISC */
/*
 * gc: what goes, what stays, in which steps, and what a run leaves alone.
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

static void
test_gc_leaves_what_is_young(void **state)
{
	char path[LAYOUT_PATH_SIZE];
	struct tmp_store *t = *state;
	struct gc_report report;
	struct digest d;

	tree_blob(t, "a", "unused");
	/* What the removal of a repository leaves. */
	d = tmp_digest("of nobody");
	tmp_write(t, layout_blob(path, &d), "of nobody");
	tree_age(t, GRACE_MS / 1000 - 10);
	tree_collect_times(t, &tree_options, 3);
	assert_int_equal(tree_collect_with(t, &tree_options, &report),
	    STORE_OK);
	assert_int_equal(report.counts[GC_LAYERS].young, 1);
	assert_int_equal(report.counts[GC_BLOBS].young, 1);
	assert_int_equal(report.counts[GC_BLOBS].live, 2);
	assert_int_equal(report.young_bytes, 9);
	assert_true(tree_has_blob(t, "unused"));
	tree_age(t, 20);
	tree_collect(t);
	assert_false(tree_has_blob(t, "unused"));
}

static void
test_gc_waits_for_the_delay(void **state)
{
	struct gc_options o = tree_options;
	struct gc_report report;

	tree_blob(*state, "a", "unused");
	tree_age(*state, HOUR);
	o.delay_ms = HOUR * 1000;
	tree_collect_times(*state, &o, 1);
	assert_int_equal(tree_collect_with(*state, &o, &report), STORE_OK);
	assert_int_equal(report.counts[GC_BLOBS].waiting, 1);
	assert_int_equal(report.waiting_bytes, 6);
	assert_int_equal(tree_names(*state, "unused"), 1);
}

static void
test_gc_reads_a_manifest_once(void **state)
{
	struct tmp_store *t = *state;
	struct gc_report report;
	char repo[32];
	int i;

	for (i = 0; i < 20; i++) {
		snprintf(repo, sizeof(repo), "r%d", i);
		(void)tree_image(t, repo, "shared", "v1");
	}
	tree_age(t, HOUR);
	tree_collect_times(t, &tree_options, 2);
	assert_int_equal(tree_collect_with(t, &tree_options, &report),
	    STORE_OK);
	assert_int_equal(report.repositories, 20);
	assert_int_equal(report.manifests_read, 1);
	assert_int_equal(report.counts[GC_LAYERS].live, 20);
}

static void
test_gc_half_a_store_is_refused(void **state)
{
	struct tmp_store *t = *state;
	struct gc_report report;

	(void)tree_image(t, "a", "used", "v1");
	tree_age(t, HOUR);
	assert_int_equal(rename(tmp_path(t,
	    "docker/registry/v2/repositories"), t->dir), -1);
	assert_int_equal(store_move(t->store,
	    "docker/registry/v2/repositories", "elsewhere", 0), STORE_OK);
	assert_int_equal(tree_collect_with(t, &tree_options, &report),
	    STORE_INVALID);
	assert_true(tree_has_blob(t, "used"));
}

static void
test_gc_one_at_a_time(void **state)
{
	struct tmp_store *t = *state;
	struct gc *first, *second;
	bool done;

	assert_non_null(first = gc_new(t->store, &tree_options));
	assert_non_null(second = gc_new(t->store, &tree_options));
	assert_int_equal(gc_step(first, 0, &done), STORE_OK);
	assert_int_equal(gc_step(second, 0, &done), STORE_BUSY);
	gc_free(first);
	gc_free(second);
	tree_collect(t);
}

static void
test_gc_dry_run_changes_nothing(void **state)
{
	struct gc_options o = tree_options;
	struct gc_report report;
	struct tmp_store t;
	uint64_t before;

	(void)state;
	tree_prepare(&t);
	before = tree_hash(&t);
	o.dryrun = true;
	assert_int_equal(tree_collect_with(&t, &o, &report), STORE_OK);
	assert_true(tree_hash(&t) == before);
	assert_int_equal(report.counts[GC_BLOBS].condemned, 1);
	assert_int_equal(report.counts[GC_BLOBS].deleted, 1);
	tmp_close(&t);
}

/* A PUT that died, and names that only a crash leaves. */
static void
test_gc_leftovers(void **state)
{
	struct tmp_store *t = *state;
	char path[LAYOUT_PATH_SIZE], text[DIGEST_STR_SIZE], body[1024];
	static const char *const blobs[] = { "x", NULL };
	struct digest d;

	tree_blob(t, "a", "x");
	tree_body(body, sizeof(body), blobs, NULL);
	d = tmp_digest(body);
	tmp_write(t, layout_blob(path, &d), body);
	tmp_write(t, layout_pending(path, "a", &d, 7), digest_format(text,
	    &d));
	tree_collect(t);
	assert_true(tmp_exists(t, path));
	tree_age(t, HOUR);
	tree_collect(t);
	assert_false(tmp_exists(t, path));
	assert_true(tree_has_blob(t, "x"));
	tree_collect_times(t, &tree_options, 2);
	assert_int_equal(tree_names(t, "x"), 0);
	assert_int_equal(tree_names(t, body), 0);
}

int
main(void)
{
#define T(f)	cmocka_unit_test_setup_teardown(f, tmp_setup, tmp_teardown)
	const struct CMUnitTest tests[] = {
		T(test_gc_empty_store),
		T(test_gc_takes_two_runs_and_keeps_what_is_used),
		T(test_gc_leaves_what_is_young),
		T(test_gc_waits_for_the_delay),
		T(test_gc_reads_a_manifest_once),
		T(test_gc_half_a_store_is_refused),
		T(test_gc_one_at_a_time),
		cmocka_unit_test(test_gc_dry_run_changes_nothing),
		T(test_gc_leftovers)
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
