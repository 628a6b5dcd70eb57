/* SPDX-License-Identifier: ISC */
/*
 * Files that have been cut short: nobody is told that they are there, so
 * that they are pushed again, and that heals them.
 */
#include "store_operations.h"

#include "repo_put.h"

static void
cut_short(struct tmp_store *t, const struct digest *d)
{
	char path[LAYOUT_PATH_SIZE];
	struct stat st;

	assert_int_equal(stat(tmp_path(t, layout_blob(path, d)), &st), 0);
	assert_true(st.st_size > 1);
	assert_int_equal(truncate(tmp_path(t, path), st.st_size - 1), 0);
}

static void
test_damage_blob_is_missing(void **state)
{
	struct tmp_store *t = *state;
	struct digest d = tmp_digest(BLOB);

	prepare_blob(t);
	cut_short(t, &d);
	assert_int_equal(repo_stat_blob(t->store, "a/b", &d, NULL),
	    STORE_INVALID);
	assert_int_equal(repo_acquire_blob(t->store, "a/b", &d, 0),
	    STORE_NOTFOUND);
	assert_int_equal(repo_recheck_blob(t->store, "a/b", &d),
	    STORE_NOTFOUND);
	assert_int_equal(run_mount(t), STORE_NOTFOUND);
	assert_int_equal(run_manifest(t), STORE_MISSING);
	assert_int_equal(push_blob(t), STORE_OK);
	assert_int_equal(repo_acquire_blob(t->store, "a/b", &d, 0), STORE_OK);
	assert_int_equal(run_mount(t), STORE_OK);
	assert_int_equal(run_manifest(t), STORE_OK);
}

/* Cut while the manifest is on its way: it is not acknowledged. */
static void
test_damage_is_seen_by_each_look(void **state)
{
	struct tmp_store *t = *state;
	struct digest blob = tmp_digest(BLOB), d = tmp_digest("{}");
	struct manifest_put m = { .repo = "a/b", .digest = d, .data = "{}",
	    .len = 2, .refs = &blob, .nrefs = 1, .artifact_type = "" };
	struct manifest_commit *c;
	enum store_result r;
	size_t n;
	int at, steps;

	/* In mode batch it goes step by step. */
	store_free(t->store);
	t->store = tmp_reopen(t->dir, true, STORE_BATCH);
	for (at = 1; at <= 3; at++) {
		prepare_blob(t);
		c = manifest_commit_new(t->store, &m, 0);
		assert_non_null(c);
		for (steps = 1;; steps++) {
			if ((r = manifest_commit_step(c)) != STORE_AGAIN)
				break;
			assert_int_equal(store_barrier(t->store), STORE_OK);
			if (steps == at)
				cut_short(t, &blob);
		}
		assert_int_equal(r, STORE_MISSING);
		assert_non_null(manifest_commit_missing(c, &n));
		assert_int_equal(n, 1);
		manifest_commit_free(c);
		assert_int_equal(store_barrier(t->store), STORE_OK);
		assert_int_equal(repo_stat_manifest(t->store, "a/b", &d,
		    NULL), STORE_NOTFOUND);
	}
}

static enum store_result
put_index(struct tmp_store *t, const struct digest *child)
{
	struct manifest_put m = { .repo = "a/b", .data = "[]", .len = 2,
	    .children = child, .nchildren = 1, .artifact_type = "" };
	struct digest *missing;
	enum store_result r;
	size_t n;

	m.digest = tmp_digest("[]");
	r = repo_put_manifest(t->store, &m, &missing, &n);
	free(missing);
	return r;
}

/* Of the right length, too: it is read. */
static void
test_damage_child_is_missing(void **state)
{
	struct tmp_store *t = *state;
	struct digest d = tmp_digest(MANIFEST);
	char path[LAYOUT_PATH_SIZE];

	prepare_manifest(t);
	assert_int_equal(put_index(t, &d), STORE_OK);
	cut_short(t, &d);
	assert_int_equal(repo_acquire_manifest(t->store, "a/b", &d, 0),
	    STORE_NOTFOUND);
	assert_int_equal(put_index(t, &d), STORE_MISSING);
	tmp_write(t, layout_blob(path, &d), "{\"layers\":{}}");
	assert_int_equal(put_index(t, &d), STORE_MISSING);
	assert_int_equal(run_manifest(t), STORE_OK);
	assert_int_equal(put_index(t, &d), STORE_OK);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, tmp_setup, tmp_teardown)

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(test_damage_blob_is_missing),
		TEST(test_damage_is_seen_by_each_look),
		TEST(test_damage_child_is_missing)
	};

	return cmocka_run_group_tests_name("store_damage", tests, NULL, NULL);
}
