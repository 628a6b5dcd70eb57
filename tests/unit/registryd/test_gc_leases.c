/* SPDX-License-Identifier: ISC */
/*
 * gc: what clients were promised stays, comes back, or is refused in time;
 * the races by their names (r1 to r25) that need no two at a time.
 */
#include "gc_tree.h"

/* r1: a HEAD, then time, then the manifest. */
static void
test_r1_a_lease_keeps_an_old_blob(void **state)
{
	static const char *const blobs[] = { "old", NULL };
	struct tmp_store *t = *state;
	struct digest d = tmp_digest("old");
	char body[1024];

	tree_blob(t, "a", "old");
	tree_age(t, HOUR);
	assert_int_equal(repo_acquire_blob(t->store, "a", &d,
	    GRACE_MS / REPO_RENEW_PART), STORE_OK);
	tree_collect_times(t, &tree_options, 4);
	assert_true(tree_has_blob(t, "old"));
	tree_body(body, sizeof(body), blobs, NULL);
	assert_int_equal(tree_put(t, "a", body, blobs, "v1"), STORE_OK);
}

/* r1, when the blob and its link were condemned already. */
static void
test_r1_a_lease_brings_it_back(void **state)
{
	struct tmp_store *t = *state;
	struct digest d = tmp_digest("old");

	tree_blob(t, "a", "old");
	tree_age(t, HOUR);
	tree_collect(t);
	assert_false(tree_has_blob(t, "old"));
	assert_int_equal(repo_acquire_blob(t->store, "a", &d, 1000),
	    STORE_OK);
	assert_true(tree_has_blob(t, "old"));
	tree_collect_times(t, &tree_options, 4);
	assert_true(tree_has_blob(t, "old"));
}

/* r2: the manifest comes too late. */
static void
test_r2_a_late_manifest_is_refused(void **state)
{
	static const char *const blobs[] = { "old", NULL };
	struct tmp_store *t = *state;
	struct digest d = tmp_digest("old");
	char body[1024];

	tree_blob(t, "a", "old");
	assert_int_equal(repo_acquire_blob(t->store, "a", &d, 1000),
	    STORE_OK);
	tree_age(t, HOUR);
	tree_collect_times(t, &tree_options, 2);
	tree_body(body, sizeof(body), blobs, NULL);
	assert_int_equal(tree_put(t, "a", body, blobs, "v1"), STORE_MISSING);
	assert_int_equal(tmp_count(t, REPOS "a/_manifests/tags"), -1);
	tree_blob(t, "a", "old");
	assert_int_equal(tree_put(t, "a", body, blobs, "v1"), STORE_OK);
}

/* r5: the same bytes once more, while the old ones are condemned. */
static void
test_r5_upload_again_and_restore(void **state)
{
	static const char *const blobs[] = { "twice", NULL };
	struct tmp_store *t = *state;
	char body[1024];

	tree_blob(t, "a", "twice");
	tree_age(t, HOUR);
	tree_collect(t);
	tree_blob(t, "a", "twice");
	tree_body(body, sizeof(body), blobs, NULL);
	assert_int_equal(tree_put(t, "a", body, blobs, "v1"), STORE_OK);
	assert_int_equal(tree_names(t, "twice"), 2);
	tree_age(t, HOUR);
	tree_collect_times(t, &tree_options, 2);
	assert_true(tree_has_blob(t, "twice"));
	assert_int_equal(tree_names(t, "twice"), 1);
}

static void
test_r14_one_of_many_repositories_goes(void **state)
{
	struct tmp_store *t = *state;
	struct gc_report report;
	struct digest d;

	(void)tree_image(t, "a", "shared", "v1");
	(void)tree_image(t, "b", "shared", "v1");
	d = tmp_digest(tree_image(t, "a/b", "shared", "v1"));
	tree_age(t, HOUR);
	assert_int_equal(repo_delete_manifest(t->store, "a", &d), STORE_OK);
	assert_int_equal(repo_delete_manifest(t->store, "a/b", &d),
	    STORE_OK);
	tree_age(t, HOUR);
	tree_collect_times(t, &tree_options, 2);
	assert_int_equal(tree_collect_with(t, &tree_options, &report),
	    STORE_OK);
	assert_true(tree_has_blob(t, "shared"));
	assert_int_equal(report.manifests_read, 1);
	assert_int_equal(report.repositories, 1);
	tree_age(t, HOUR);
	tree_collect(t);
	assert_false(tmp_exists(t, REPOS "a"));
	assert_true(tmp_exists(t, REPOS "b"));
}

/* r15: sha512 as such, and as distribution stores it. */
static void
test_r15_sha512(void **state)
{
	struct tmp_store *t = *state;
	char body[1024], text[DIGEST_STR_SIZE], path[LAYOUT_PATH_SIZE];
	struct digest own, alias, target = tmp_digest("distribution's");
	struct manifest_put m = { .repo = "a", .artifact_type = "" };
	struct digest refs[2], *missing;
	size_t n;

	assert_int_equal(digest_of(&own, DIGEST_SHA512, "ours", 4), 0);
	assert_int_equal(digest_of(&alias, DIGEST_SHA512, "distribution's",
	    14), 0);
	tmp_write(t, layout_blob(path, &own), "ours");
	tmp_write(t, layout_layer(path, "a", &own), digest_format(text,
	    &own));
	tmp_write(t, layout_blob(path, &target), "distribution's");
	digest_format(text, &target);
	tmp_write(t, layout_layer(path, "a", &alias), text);
	tmp_write(t, layout_layer(path, "a", &target), text);
	n = (size_t)snprintf(body, sizeof(body), "[\"%s\",",
	    digest_format(text, &own));
	snprintf(body + n, sizeof(body) - n, "\"%s\"]", digest_format(text,
	    &alias));
	m.data = body;
	m.len = strlen(body);
	assert_int_equal(digest_of(&m.digest, DIGEST_SHA512, body,
	    strlen(body)), 0);
	refs[0] = own;
	refs[1] = alias;
	m.refs = refs;
	m.nrefs = 2;
	assert_int_equal(repo_put_manifest(t->store, &m, &missing, &n),
	    STORE_OK);
	tree_age(t, HOUR);
	tree_collect_times(t, &tree_options, 3);
	for (n = 0; n < 2; n++)
		assert_int_equal(repo_stat_blob(t->store, "a", &refs[n],
		    &(struct store_stat){ 0 }), STORE_OK);
	assert_true(tmp_exists(t, layout_blob(path, &m.digest)));
}

/* r17, r18: all times lie ahead, or all are equally old. */
static void
test_r17_times_of_a_backup(void **state)
{
	struct tmp_store *t = *state;

	(void)tree_image(t, "a", "used", "v1");
	tree_blob(t, "a", "unused");
	tree_age(t, -24 * 365 * HOUR);
	tree_collect_times(t, &tree_options, 3);
	assert_true(tree_has_blob(t, "unused"));
	tree_age(t, 48 * 365 * HOUR);
	tree_collect_times(t, &tree_options, 3);
	assert_int_equal(tree_names(t, "unused"), 0);
	assert_true(tree_has_blob(t, "used"));
}

int
main(void)
{
#define T(f)	cmocka_unit_test_setup_teardown(f, tmp_setup, tmp_teardown)
	const struct CMUnitTest tests[] = {
		T(test_r1_a_lease_keeps_an_old_blob),
		T(test_r1_a_lease_brings_it_back),
		T(test_r2_a_late_manifest_is_refused),
		T(test_r5_upload_again_and_restore),
		T(test_r14_one_of_many_repositories_goes),
		T(test_r15_sha512),
		T(test_r17_times_of_a_backup)
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
