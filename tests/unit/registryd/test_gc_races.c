/* SPDX-License-Identifier: ISC */
/*
 * gc against what clients do at the same time, each race by its name (r1 to
 * r25).
 */
#include "gc_meet.h"

/* ---- the races that meet everywhere ---- */

static void
test_r6_put_and_condemn(void **state)
{
	static const struct scene scene = {
		.prepare = prepare_blob, .act = act_put, .check = check_put
	};

	(void)state;
	meet_everywhere(&scene);
}

static void
test_r6_put_and_condemn_in_groups(void **state)
{
	static const struct scene scene = {
		.prepare = prepare_blob, .act = act_put, .check = check_put,
		.batch = true
	};

	(void)state;
	meet_everywhere(&scene);
}

static enum store_result
act_mount(struct tmp_store *t)
{
	struct digest d = tmp_digest(one_blob[0]);
	enum store_result r;

	if ((r = repo_mount_blob(t->store, "b", "a", &d)) != STORE_OK)
		return r;
	return tree_put(t, "b", body_one, one_blob, "v1");
}

static void
check_mount(struct tmp_store *t, enum store_result r)
{
	if (r == STORE_OK)
		assert_whole(t, "b", body_one, one_blob);
	else {
		/* BUSY: the link had gone before it could be synced. */
		if (r != STORE_MISSING && r != STORE_NOTFOUND &&
		    r != STORE_BUSY)
			fail_msg("mount: %s", store_result_text(r));
		assert_false(is_there(t, "b", body_one));
	}
}

static void
test_r3_mount_while_the_source_goes(void **state)
{
	static const struct scene scene = {
		.prepare = prepare_blob, .act = act_mount,
		.check = check_mount
	};

	(void)state;
	meet_everywhere(&scene);
}

static enum store_result
act_upload(struct tmp_store *t)
{
	struct digest d = tmp_digest(one_blob[0]);
	struct upload *u;
	enum store_result r;

	r = upload_start(t->store, "a", "id1", DIGEST_SHA256, &u);
	if (r != STORE_OK)
		return r;
	r = upload_append(u, one_blob[0], strlen(one_blob[0]));
	if (r == STORE_OK)
		r = upload_finish(u, &d);
	upload_close(u);
	return r == STORE_OK ? act_put(t) : r;
}

static void
check_upload(struct tmp_store *t, enum store_result r)
{
	if (r == STORE_OK || r == STORE_MISSING)
		check_put(t, r);
	else			/* taken before the end: to be sent again */
		assert_false(is_there(t, "a", body_one));
}

static void
prepare_old_bytes(struct tmp_store *t)
{
	bodies();
	tree_blob(t, "b", one_blob[0]);
}

static void
test_r4_r25_upload_and_reclaim(void **state)
{
	static const struct scene scene = {
		.prepare = prepare_old_bytes, .act = act_upload,
		.check = check_upload
	};

	(void)state;
	meet_everywhere(&scene);
}

static void
prepare_image(struct tmp_store *t)
{
	prepare_blob(t);
	assert_int_equal(act_put(t), STORE_OK);
}

static enum store_result
act_delete(struct tmp_store *t)
{
	struct digest d = tmp_digest(body_one);

	return repo_delete_manifest(t->store, "a", &d);
}

static void
check_deleted(struct tmp_store *t, enum store_result r)
{
	struct digest d;

	assert_int_equal(r, STORE_OK);
	assert_false(is_there(t, "a", body_one));
	assert_int_equal(tag_get(t->store, "a", "v1", &d), STORE_NOTFOUND);
}

static void
test_r24_delete_wins_over_restore(void **state)
{
	static const struct scene scene = {
		.prepare = prepare_image, .act = act_delete,
		.check = check_deleted
	};

	(void)state;
	meet_everywhere(&scene);
}

/* Untagged, so that collection condemns and restores the link itself. */
static void
prepare_untagged(struct tmp_store *t)
{
	prepare_blob(t);
	assert_int_equal(tree_put(t, "a", body_one, one_blob, NULL),
	    STORE_OK);
}

static enum store_result
act_delete_untagged(struct tmp_store *t)
{
	enum store_result r = act_delete(t);

	/* Collection may have been faster. */
	return r == STORE_NOTFOUND ? STORE_OK : r;
}

static void
test_r24_delete_wins_over_resurrect(void **state)
{
	static const struct scene scene = {
		.prepare = prepare_untagged, .act = act_delete_untagged,
		.check = check_deleted, .untagged_ms = 1000
	};

	(void)state;
	meet_everywhere(&scene);
}

static void
test_r10_r11_push_again_while_it_is_collected(void **state)
{
	static const struct scene scene = {
		.prepare = prepare_untagged, .act = act_put,
		.check = check_put, .untagged_ms = 1000
	};

	(void)state;
	meet_everywhere(&scene);
}

/* An index of a manifest that nothing else keeps. */
static enum store_result
act_index(struct tmp_store *t)
{
	struct manifest_put m = { .repo = "a", .data = body_index,
	    .len = strlen(body_index), .artifact_type = "" };
	struct digest child = tmp_digest(body_one), *missing;
	const char *tag = "all";
	enum store_result r;
	size_t n;

	m.digest = tmp_digest(body_index);
	m.children = &child;
	m.nchildren = 1;
	m.tags = &tag;
	m.ntags = 1;
	r = repo_put_manifest(t->store, &m, &missing, &n);
	free(missing);
	return r;
}

static void
check_index(struct tmp_store *t, enum store_result r)
{
	if (r == STORE_OK) {
		assert_whole(t, "a", body_index, NULL);
		assert_whole(t, "a", body_one, one_blob);
	} else {
		assert_int_equal(r, STORE_MISSING);
		assert_false(is_there(t, "a", body_index));
	}
}

static void
test_r12_index_while_its_child_is_collected(void **state)
{
	static const struct scene scene = {
		.prepare = prepare_untagged, .act = act_index,
		.check = check_index, .untagged_ms = 1000
	};

	(void)state;
	meet_everywhere(&scene);
}

/* Whoever reads it brings it back, and then it is whole. */
static enum store_result
act_read(struct tmp_store *t)
{
	struct digest d = tmp_digest(body_one);

	return repo_acquire_manifest(t->store, "a", &d, 0);
}

static void
check_read(struct tmp_store *t, enum store_result r)
{
	struct digest d = tmp_digest(one_blob[0]);

	assert_true(r == STORE_OK || r == STORE_NOTFOUND);
	if (is_there(t, "a", body_one))
		assert_int_equal(repo_recheck_blob(t->store, "a", &d),
		    STORE_OK);
	if (r == STORE_NOTFOUND)
		assert_false(is_there(t, "a", body_one));
}

static void
test_r10_read_while_it_is_collected(void **state)
{
	static const struct scene scene = {
		.prepare = prepare_untagged, .act = act_read,
		.check = check_read, .untagged_ms = 1000
	};

	(void)state;
	meet_everywhere(&scene);
}

static enum store_result
act_delete_blob(struct tmp_store *t)
{
	struct digest d = tmp_digest(one_blob[0]);

	return repo_delete_blob(t->store, "a", &d);
}

static void
check_in_use(struct tmp_store *t, enum store_result r)
{
	assert_int_equal(r, STORE_EXISTS);
	assert_whole(t, "a", body_one, one_blob);
}

static void
test_blob_in_use_is_not_deleted(void **state)
{
	static const struct scene scene = {
		.prepare = prepare_image, .act = act_delete_blob,
		.check = check_in_use
	};

	(void)state;
	meet_everywhere(&scene);
}

/* r22: the repository is nothing but what collection removes. */
static void
prepare_remains(struct tmp_store *t)
{
	prepare_blob(t);
	tree_image(t, "a/b", "other", "x");
	assert_int_equal(store_remove_tree(t->store, REPOS
	    "a/b/_manifests", 0), STORE_OK);
}

static enum store_result
act_first_push(struct tmp_store *t)
{
	enum store_result r;

	/* The bytes are there: only directories are in question. */
	r = act_upload(t);
	return r;
}

static void
test_r22_first_push_while_the_repository_goes(void **state)
{
	static const struct scene scene = {
		.prepare = prepare_remains, .act = act_first_push,
		.check = check_upload
	};

	(void)state;
	meet_everywhere(&scene);
}

/* r9: the act is another collection that lost its lock. */
static enum store_result
act_collect(struct tmp_store *t)
{
	(void)unlink(tmp_path(t, LAYOUT_COLLECT_LOCK));
	return tree_collect_with(t, &race.options, NULL);
}

static void
check_collect(struct tmp_store *t, enum store_result r)
{
	assert_int_equal(r, STORE_OK);
	assert_whole(t, "a", body_one, one_blob);
	assert_tag(t, "a", "v1", body_one);
	assert_true(tree_has_blob(t, one_blob[0]));
}

/* Its layer is condemned though it is wanted: restored by whoever sees it. */
static void
prepare_condemned(struct tmp_store *t)
{
	char path[LAYOUT_PATH_SIZE], to[LAYOUT_PATH_SIZE];
	struct digest d = tmp_digest(one_blob[0]);

	prepare_image(t);
	layout_condemned(to, layout_blob(path, &d), 1, 1);
	assert_int_equal(store_move(t->store, path, to, 0), STORE_OK);
	layout_condemned(to, layout_layer(path, "a", &d), 1, 2);
	assert_int_equal(store_move(t->store, path, to, 0), STORE_OK);
	tree_blob(t, "a", "rubbish");
}

static void
test_r8_r9_two_collectors(void **state)
{
	static const struct scene scene = {
		.prepare = prepare_condemned, .act = act_collect,
		.check = check_collect
	};

	(void)state;
	meet_at_each(&scene, 0, true, 0);
	meet_at_each(&scene, 1, true, 0);
}

/* ---- r7: a publisher that sleeps between any two steps ---- */

static void
test_r7_put_sleeps_between_steps(void **state)
{
	struct manifest_put m = { .repo = "a", .artifact_type = "" };
	struct digest ref = tmp_digest(one_blob[0]);
	const char *tag = "v1";
	struct manifest_commit *c;
	enum store_result r;
	struct tmp_store t;
	unsigned step, sleep_at, runs;

	(void)state;
	for (runs = 1; runs < 5; runs++)
		for (sleep_at = 0; sleep_at < 8; sleep_at++) {
			tmp_open(&t);
			open_batch(&t);
			prepare_blob(&t);
			m.data = body_one;
			m.len = strlen(body_one);
			m.digest = tmp_digest(body_one);
			m.refs = &ref;
			m.nrefs = 1;
			m.tags = &tag;
			m.ntags = 1;
			c = manifest_commit_new(t.store, &m, 1000);
			assert_non_null(c);
			race.options.grace_ms = race.options.delay_ms = 0;
			race.options.untagged_ms = 1000;
			for (step = 0; step < 64; step++) {
				if (step == sleep_at) {
					tree_age(&t, 24 * HOUR);
					collect_runs(&t, runs);
				}
				r = manifest_commit_step(c);
				if (r != STORE_AGAIN)
					break;
				assert_int_equal(store_barrier(t.store),
				    STORE_OK);
			}
			manifest_commit_free(c);
			check_put(&t, r);
			collect_runs(&t, 3);
			check_put(&t, r);
			tmp_close(&t);
		}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_r3_mount_while_the_source_goes),
		cmocka_unit_test(test_r4_r25_upload_and_reclaim),
		cmocka_unit_test(test_r6_put_and_condemn),
		cmocka_unit_test(test_r6_put_and_condemn_in_groups),
		cmocka_unit_test(test_r7_put_sleeps_between_steps),
		cmocka_unit_test(test_r8_r9_two_collectors),
		cmocka_unit_test(test_r10_r11_push_again_while_it_is_collected),
		cmocka_unit_test(test_r10_read_while_it_is_collected),
		cmocka_unit_test(test_r12_index_while_its_child_is_collected),
		cmocka_unit_test(test_r22_first_push_while_the_repository_goes),
		cmocka_unit_test(test_r24_delete_wins_over_restore),
		cmocka_unit_test(test_r24_delete_wins_over_resurrect),
		cmocka_unit_test(test_blob_in_use_is_not_deleted)
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
