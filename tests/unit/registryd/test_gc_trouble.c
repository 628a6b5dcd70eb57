/* SPDX-License-Identifier: ISC */
/*
 * gc: errors, death and what vanishes, at each call to the file system.
 */
#include "gc_tree.h"

#include "sysfs.h"

static struct {
	unsigned long	 calls, fail_at;
	bool		 dead;		/* all calls after it fail as well */
} trouble;

static int
on_trouble(const struct sysfs_call *call, void *arg)
{
	(void)arg;
	trouble.calls++;
	if (trouble.calls == trouble.fail_at ||
	    (trouble.dead && trouble.calls > trouble.fail_at))
		return call->kind == SYSFS_CLOSE ? 0 : EIO;
	return 0;
}

/* r16, r19: an error, or death, at each call. */
static void
trouble_everywhere(bool dead)
{
	struct gc_report report;
	struct tmp_store t;
	enum store_result r;
	uint64_t before;
	bool met = true;

	trouble.dead = dead;
	for (trouble.fail_at = 1; met; trouble.fail_at += 3) {
		tree_prepare(&t);
		before = tree_hash(&t);
		trouble.calls = 0;
		sysfs_set_hook(on_trouble, NULL);
		r = tree_collect_with(&t, &tree_options, &report);
		sysfs_set_hook(NULL, NULL);
		met = trouble.calls >= trouble.fail_at;
		/* While marking, not a name may change. */
		if (r != STORE_OK && report.phase_number < 5)
			assert_true(tree_hash(&t) == before);
		/* After a failed sync this process would not go on. */
		store_free(t.store);
		t.store = tmp_reopen(t.dir, true, STORE_FULL);
		tree_check(&t);
		tree_collect_times(&t, &tree_options, 3);
		tree_check(&t);
		assert_int_equal(tree_names(&t, "unused"), 0);
		assert_int_equal(tree_names(&t, "condemned"), 0);
		tmp_close(&t);
	}
	assert_true(trouble.fail_at > 100);
}

static void
test_r19_an_error_ends_the_run(void **state)
{
	(void)state;
	trouble_everywhere(false);
}

static void
test_r16_death_at_each_call(void **state)
{
	(void)state;
	trouble_everywhere(true);
}

static int
on_vanish(const struct sysfs_call *call, void *arg)
{
	struct tmp_store *t = arg;
	struct store *s;

	(void)call;
	if (++trouble.calls != trouble.fail_at)
		return 0;
	sysfs_set_hook(NULL, NULL);
	s = tmp_reopen(t->dir, true, STORE_NONE);
	(void)store_remove_tree(s, REPOS "m", 0);
	store_free(s);
	return 0;
}

/* r20: what vanishes takes nothing else with it. */
static void
test_r20_a_repository_vanishes(void **state)
{
	struct tmp_store t;
	bool met = true;

	(void)state;
	for (trouble.fail_at = 1; met; trouble.fail_at += 5) {
		tree_prepare(&t);
		(void)tree_image(&t, "m", "goes", "v1");
		trouble.calls = 0;
		sysfs_set_hook(on_vanish, &t);
		assert_int_equal(tree_collect_with(&t, &tree_options, NULL),
		    STORE_OK);
		sysfs_set_hook(NULL, NULL);
		met = trouble.calls >= trouble.fail_at;
		tree_check(&t);
		tree_collect_times(&t, &tree_options, 2);
		tree_check(&t);
		tmp_close(&t);
	}
}

static int
on_tags_opened(const struct sysfs_call *call, void *arg)
{
	if (call->name == NULL ||
	    strcmp(call->name, REPOS "a/_manifests/tags") != 0)
		return 0;
	sysfs_set_hook(NULL, NULL);
	(void)tree_image(arg, "a", "just now", "new");
	return 0;
}

/* A manifest that comes between the look at revisions and that at tags. */
static void
test_gc_a_tag_that_is_new_is_no_damage(void **state)
{
	struct gc_report report;
	struct tmp_store t;

	(void)state;
	tree_prepare(&t);
	sysfs_set_hook(on_tags_opened, &t);
	assert_int_equal(tree_collect_with(&t, &tree_options, &report),
	    STORE_OK);
	sysfs_set_hook(NULL, NULL);
	assert_true(tree_has_blob(&t, "just now"));
	assert_int_equal(report.damaged, 0);
	tree_check(&t);
	tmp_close(&t);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_r19_an_error_ends_the_run),
		cmocka_unit_test(test_r16_death_at_each_call),
		cmocka_unit_test(test_r20_a_repository_vanishes),
		cmocka_unit_test(test_gc_a_tag_that_is_new_is_no_damage)
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
