/* SPDX-License-Identifier: ISC */
/*
 * The reserve for a full disk: made, given out, filled again, done without;
 * what is told before it is begun; and how many uploads may be open.
 */
#include "keeper_pair.h"

#include "sysfs.h"
#include "tag.h"
#include "upload.h"

#define SIZE	(1024u * 1024)

static off_t
reserve_size(const struct tmp_store *t)
{
	struct stat st;

	if (stat(tmp_path(t, LAYOUT_RESERVE), &st) == -1)
		return -1;
	/* It has its blocks. */
	assert_true(st.st_blocks * 512 >= st.st_size);
	return st.st_size;
}

struct fault {
	enum sysfs_kind	 kind;
	int		 error;
	int		 times;
};

static int
on_call(const struct sysfs_call *call, void *arg)
{
	struct fault *f = arg;

	if (call->kind != f->kind || f->times == 0)
		return 0;
	f->times--;
	return f->error;
}

static void
test_space_reserve_is_given_out_and_filled_again(void **state)
{
	struct fault full = { SYSFS_ALLOCATE, ENOSPC, -1 };
	struct tmp_store *t = *state;
	struct store *other;

	assert_false(store_release(t->store));
	store_reserve(t->store, SIZE);
	assert_int_equal(reserve_size(t), SIZE);
	assert_int_equal(store_room(t->store, 1), STORE_OK);
	assert_true(store_release(t->store));
	assert_int_equal(reserve_size(t), 0);
	assert_false(store_release(t->store));
	/* All processes know that what is free is not for them. */
	other = tmp_reopen(t->dir, true, STORE_FULL);
	store_reserve(other, SIZE);
	sysfs_set_hook(on_call, &full);
	assert_int_equal(store_room(t->store, 0), STORE_NOSPACE);
	assert_int_equal(store_room(other, 0), STORE_NOSPACE);
	assert_int_equal(reserve_size(t), 0);
	sysfs_set_hook(NULL, NULL);
	assert_int_equal(store_room(other, 0), STORE_OK);
	assert_int_equal(reserve_size(t), SIZE);
	assert_int_equal(store_room(t->store, 0), STORE_OK);
	/* Not wanted any more. */
	store_reserve(other, 0);
	assert_int_equal(reserve_size(t), -1);
	assert_int_equal(store_room(other, 0), STORE_OK);
	store_free(other);
}

static void
test_space_goes_without_a_reserve(void **state)
{
	struct fault cannot = { SYSFS_ALLOCATE, EOPNOTSUPP, -1 };
	struct fault full = { SYSFS_ALLOCATE, ENOSPC, -1 };
	struct tmp_store *t = *state;

	sysfs_set_hook(on_call, &cannot);
	store_reserve(t->store, SIZE);
	assert_int_equal(reserve_size(t), -1);
	assert_int_equal(store_room(t->store, 0), STORE_OK);
	sysfs_set_hook(on_call, &full);
	store_reserve(t->store, SIZE);
	assert_int_equal(reserve_size(t), -1);
	assert_int_equal(store_room(t->store, 0), STORE_OK);
	sysfs_set_hook(NULL, NULL);
	/* Too small to be of use. */
	store_reserve(t->store, 100);
	assert_int_equal(reserve_size(t), -1);
	/* No more than a part of the file system. */
	store_reserve(t->store, UINT64_MAX);
	assert_true(reserve_size(t) < INT64_MAX);
	assert_int_equal(store_room(t->store, UINT64_MAX), STORE_NOSPACE);
}

static void
test_space_deletion_takes_the_reserve(void **state)
{
	struct fault full = { SYSFS_RENAME, ENOSPC, 1 };
	struct fixture *f = *state;
	struct answer a = { .f = f }, b = a;
	struct digest d = tmp_digest("x");

	store_reserve(f->tmp.store, SIZE);
	assert_int_equal(tag_put(f->tmp.store, "a", "t", &d), STORE_OK);
	sysfs_set_hook(on_call, &full);
	assert_non_null(keeper_tag_delete(f->keepers, "a", "t", on_done, &a));
	assert_int_equal(await(&a), STORE_OK);
	assert_int_equal(reserve_size(&f->tmp), 0);
	assert_int_equal(full.times, 0);
	/* A push is no reason, and fills it again where it can. */
	full.times = 1;
	assert_int_equal(finish(&b, true, 0, 1, &d, "x", 1), STORE_NOSPACE);
	assert_int_equal(reserve_size(&f->tmp), SIZE);
	sysfs_set_hook(NULL, NULL);
}

static void
test_space_is_asked_for_before_a_body(void **state)
{
	struct fixture *f = *state;
	struct answer a = { .f = f }, b = a, c = a;
	uint64_t writes;

	assert_int_equal(start(f, ID), STORE_OK);
	writes = sysfs_count(SYSFS_WRITE);
	a.call = keeper_upload_append(f->keepers, "a", ID, 0, UINT64_MAX / 2,
	    on_room, on_done, &a);
	assert_int_equal(await(&a), STORE_NOSPACE);
	assert_int_equal(sysfs_count(SYSFS_WRITE), writes);
	assert_int_equal(a.offset, 0);
	/* The session is as good as before. */
	assert_int_equal(append(&b, 0, 1, "x", 1), STORE_OK);
	assert_int_equal(append(&c, 1, KEEPER_ANY, "y", 1), STORE_OK);
	assert_int_equal(c.offset, 2);
}

static enum store_result
start_in(struct fixture *f, const char *repo, const char *id)
{
	struct answer a = { .f = f };

	assert_non_null(keeper_upload_start(f->keepers, repo, id,
	    DIGEST_SHA256, on_done, &a));
	return await(&a);
}

static enum store_result
cancel_in(struct fixture *f, const char *repo, const char *id)
{
	struct answer a = { .f = f };

	assert_non_null(keeper_upload_cancel(f->keepers, repo, id, on_done,
	    &a));
	return await(&a);
}

static void
test_space_open_uploads_are_bounded(void **state)
{
	struct fixture *f = *state;

	f->keeper.max_uploads = 2;
	f->keeper.max_uploads_total = 3;
	assert_int_equal(start_in(f, "a", "1"), STORE_OK);
	assert_int_equal(start_in(f, "a", "2"), STORE_OK);
	assert_int_equal(start_in(f, "a", "3"), STORE_LIMIT);
	assert_int_equal(start_in(f, "b", "4"), STORE_OK);
	assert_int_equal(start_in(f, "b", "5"), STORE_LIMIT);
	assert_int_equal(cancel_in(f, "a", "2"), STORE_OK);
	assert_int_equal(start_in(f, "c", "6"), STORE_OK);
	assert_int_equal(start_in(f, "d", "7"), STORE_LIMIT);
	/* Others have ended them: seen when they are counted again. */
	assert_int_equal(upload_cancel(f->tmp.store, "a", "1"), STORE_OK);
	assert_int_equal(start_in(f, "d", "7"), STORE_LIMIT);
	f->keeper.counted_ms = 0;
	assert_int_equal(start_in(f, "d", "7"), STORE_OK);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
#define STORE(f) cmocka_unit_test_setup_teardown(f, tmp_setup, tmp_teardown)

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		STORE(test_space_reserve_is_given_out_and_filled_again),
		STORE(test_space_goes_without_a_reserve),
		TEST(test_space_deletion_takes_the_reserve),
		TEST(test_space_is_asked_for_before_a_body),
		TEST(test_space_open_uploads_are_bounded)
	};

	return cmocka_run_group_tests_name("store_space", tests, NULL, NULL);
}
