/* SPDX-License-Identifier: ISC */
/*
 * What the store makes of the errors of storage that others share, or that
 * cannot do what a local disk can.
 */
#include "store_operations.h"

#include "sysfs.h"

struct fault {
	int		 error;
	enum sysfs_kind	 kind;
	unsigned	 at, n;		/* which call of this kind; so far */
};

static int
on_call_fail(const struct sysfs_call *call, void *arg)
{
	struct fault *f = arg;

	return call->kind == f->kind && ++f->n == f->at ? f->error : 0;
}

/* ---- for now ---- */

/*
 * Each open of each operation: it succeeds all the same, or the client is
 * told to come again, and then it can be done.
 */
static void
fail_each_open(const struct operation *op, int error)
{
	struct fault f = { .error = error, .kind = SYSFS_OPEN };
	struct tmp_store t;
	enum store_result r;
	unsigned failed = 0;

	for (f.at = 1;; f.at++) {
		tmp_open(&t);
		op->prepare(&t);
		f.n = 0;
		sysfs_set_hook(on_call_fail, &f);
		r = op->run(&t);
		sysfs_set_hook(NULL, NULL);
		if (r != STORE_OK && r != STORE_UNAVAILABLE)
			fail_msg("%s: open %u fails with \"%s\"", op->name,
			    f.at, store_result_text(r));
		if (r != STORE_OK) {
			failed++;
			assert_int_equal(op->run(&t), STORE_OK);
		}
		if (!op->done(&t))
			fail_msg("%s: open %u: not done", op->name, f.at);
		tmp_close(&t);
		if (f.n < f.at)
			break;
	}
	assert_true(failed > 0);
}

static void
test_errors_stale_is_for_now(void **state)
{
	size_t i;

	(void)state;
	for (i = 0; i < NOPERATIONS; i++)
		if (!operations[i].deletes)
			fail_each_open(&operations[i], ESTALE);
}

static void
test_errors_of_servers(void **state)
{
	static const int errors[] = {
		ESTALE, ETIMEDOUT, EHOSTDOWN, ENOTCONN
	};
	struct tmp_store *t = *state;
	struct fault f = { .kind = SYSFS_READ };
	char *data;
	size_t i, n;

	assert_int_equal(store_put(t->store, "x", "x", 1, 0), STORE_OK);
	for (i = 0; i < sizeof(errors) / sizeof(errors[0]); i++) {
		f.error = errors[i];
		f.at = 1;
		f.n = 0;
		sysfs_set_hook(on_call_fail, &f);
		assert_int_equal(store_read(t->store, "x", 9, &data, &n),
		    STORE_UNAVAILABLE);
		sysfs_set_hook(NULL, NULL);
		assert_int_equal(store_read(t->store, "x", 9, &data, &n),
		    STORE_OK);
		free(data);
	}
}

/* ---- for ever ---- */

static int
on_directory_sync(const struct sysfs_call *call, void *arg)
{
	const int *error = arg;
	struct stat st;

	return call->kind == SYSFS_SYNC && fstat(call->fd, &st) == 0 &&
	    S_ISDIR(st.st_mode) ? *error : 0;
}

/* Then all is synced, where a directory would have been. */
static void
test_errors_no_directory_can_be_synced(void **state)
{
	static const int errors[] = { EINVAL, ENOTSUP };
	uint64_t syncs, all;
	struct tmp_store t;
	int error;
	size_t i;

	(void)state;
	for (i = 0; i < 2; i++) {
		tmp_open(&t);
		assert_int_equal(store_name_sync(t.store), STORE_NAME_ALONE);
		error = errors[i];
		sysfs_set_hook(on_directory_sync, &error);
		assert_int_equal(store_name_sync(t.store),
		    STORE_NAME_WITH_ALL);
		assert_int_equal(store_put(t.store, "a/b", "b", 1, 0),
		    STORE_OK);
		syncs = sysfs_count(SYSFS_SYNC);
		all = sysfs_count(SYSFS_SYNCFS);
		assert_int_equal(store_put(t.store, "a/c", "c", 1, 0),
		    STORE_OK);
		/* the file and its directory */
		assert_int_equal(sysfs_count(SYSFS_SYNC), syncs + 2);
		assert_int_equal(sysfs_count(SYSFS_SYNCFS), all + 1);
		sysfs_set_hook(NULL, NULL);
		store_free(t.store);
		t.store = tmp_reopen(t.dir, true, STORE_NONE);
		sysfs_set_hook(on_directory_sync, &error);
		assert_int_equal(store_name_sync(t.store), STORE_NAME_ALONE);
		sysfs_set_hook(NULL, NULL);
		assert_int_equal(store_failure(t.store), 0);
		tmp_close(&t);
	}
}

/* Of a file it is an error like any other. */
static void
test_errors_file_that_cannot_be_synced(void **state)
{
	struct tmp_store *t = *state;
	struct fault f = { .error = EINVAL, .kind = SYSFS_SYNC, .at = 1 };

	sysfs_set_hook(on_call_fail, &f);
	assert_int_equal(store_put(t->store, "x", "x", 1, 0), STORE_IO);
	sysfs_set_hook(NULL, NULL);
	assert_false(tmp_exists(t, "x"));
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, tmp_setup, tmp_teardown)

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_errors_stale_is_for_now),
		TEST(test_errors_of_servers),
		cmocka_unit_test(test_errors_no_directory_can_be_synced),
		TEST(test_errors_file_that_cannot_be_synced)
	};

	return cmocka_run_group_tests_name("store_errors", tests, NULL, NULL);
}
