/* SPDX-License-Identifier: ISC */
/*
 * What is condemned while an administrator lets nothing be written: it is
 * read, and nothing of it is renamed or touched; afterwards it comes back.
 */
#include "keeper_pair.h"

#include "layout.h"
#include "repo.h"
#include "sysfs.h"

#define BLOB		"the bytes"
#define MANIFEST	"{}"
#define ENDING		".condemned.0000000000000001.0000000000000002"

typedef enum store_result see_fn(struct store *, const char *,
		    const struct digest *, uint64_t, int *,
		    struct store_stat *, bool *);

static void
condemn(struct fixture *f, const char *path)
{
	static const struct timespec old[2] = { { .tv_sec = 1000000000 },
	    { .tv_sec = 1000000000 } };
	char from[2048], to[2048 + sizeof(ENDING)];

	snprintf(from, sizeof(from), "%s/%s", f->tmp.dir, path);
	snprintf(to, sizeof(to), "%s" ENDING, from);
	assert_int_equal(utimensat(AT_FDCWD, from, old, 0), 0);
	assert_int_equal(rename(from, to), 0);
}

static void
assert_untouched(struct fixture *f, const char *path)
{
	char full[2048 + sizeof(ENDING)];
	struct stat st;

	assert_false(tmp_exists(&f->tmp, path));
	snprintf(full, sizeof(full), "%s/%s" ENDING, f->tmp.dir, path);
	assert_int_equal(stat(full, &st), 0);
	assert_int_equal(st.st_mtime, 1000000000);
}

static enum store_result
lease(struct fixture *f, unsigned kind, const struct digest *d)
{
	struct answer a = { .f = f };

	assert_non_null(keeper_lease(f->keepers, "a", d, kind, on_done, &a));
	return await(&a);
}

/* As a worker reads it. */
static void
assert_seen(struct fixture *f, see_fn *see, const struct digest *d,
    const char *text, bool leased)
{
	struct store *s = tmp_reopen(f->tmp.dir, false, STORE_FULL);
	char data[64];
	struct store_stat st;
	bool lease_due;
	size_t n;
	int fd;

	assert_int_equal(see(s, "a", d, REPO_NO_LEASE, &fd, &st, &lease_due),
	    STORE_OK);
	assert_int_equal(lease_due, !leased);
	assert_int_equal(st.size, strlen(text));
	assert_int_equal(store_pread(s, fd, data, sizeof(data), 0, &n),
	    STORE_OK);
	assert_int_equal(n, strlen(text));
	assert_memory_equal(data, text, n);
	store_close(s, fd);
	store_free(s);
}

static void
test_condemned_is_read_while_readonly(void **state)
{
	struct fixture *f = *state;
	struct digest blob = tmp_digest(BLOB), m = tmp_digest(MANIFEST);
	struct manifest_put put = { .repo = "a", .data = MANIFEST, .len = 2,
	    .digest = m, .refs = &blob, .nrefs = 1, .artifact_type = "" };
	struct answer a = { .f = f }, b = a;
	char layer[LAYOUT_PATH_SIZE], data[LAYOUT_PATH_SIZE];
	char revision[LAYOUT_PATH_SIZE], body[LAYOUT_PATH_SIZE];

	assert_int_equal(finish(&a, true, 0, strlen(BLOB), &blob, BLOB,
	    strlen(BLOB)), STORE_OK);
	assert_non_null(keeper_manifest_put(f->keepers, &put, on_done, &b));
	assert_int_equal(await(&b), STORE_OK);
	condemn(f, layout_layer(layer, "a", &blob));
	condemn(f, layout_blob(data, &blob));
	condemn(f, layout_revision(revision, "a", &m));
	condemn(f, layout_blob(body, &m));

	tmp_write(&f->tmp, LAYOUT_READONLY, "");
	assert_int_equal(lease(f, KEEPER_LEASE_BLOB, &blob), STORE_READONLY);
	assert_int_equal(lease(f, KEEPER_LEASE_MANIFEST, &m),
	    STORE_READONLY);
	assert_seen(f, repo_see_blob, &blob, BLOB, false);
	assert_seen(f, repo_see_manifest, &m, MANIFEST, false);
	assert_untouched(f, layer);
	assert_untouched(f, data);
	assert_untouched(f, revision);
	assert_untouched(f, body);

	assert_int_equal(unlink(tmp_path(&f->tmp, LAYOUT_READONLY)), 0);
	assert_int_equal(lease(f, KEEPER_LEASE_BLOB, &blob), STORE_OK);
	assert_int_equal(lease(f, KEEPER_LEASE_MANIFEST, &m), STORE_OK);
	assert_seen(f, repo_see_blob, &blob, BLOB, true);
	assert_seen(f, repo_see_manifest, &m, MANIFEST, true);
}

/* Neither is a live link whose lease is old. */
static void
test_no_lease_while_readonly(void **state)
{
	static const struct timespec old[2] = { { .tv_sec = 1000000000 },
	    { .tv_sec = 1000000000 } };
	struct fixture *f = *state;
	struct digest blob = tmp_digest(BLOB);
	struct answer a = { .f = f };
	char layer[LAYOUT_PATH_SIZE];
	const char *full;
	struct stat st;

	assert_int_equal(finish(&a, true, 0, strlen(BLOB), &blob, BLOB,
	    strlen(BLOB)), STORE_OK);
	tmp_write(&f->tmp, LAYOUT_READONLY, "");
	full = tmp_path(&f->tmp, layout_layer(layer, "a", &blob));
	assert_int_equal(utimensat(AT_FDCWD, full, old, 0), 0);
	assert_int_equal(lease(f, KEEPER_LEASE_BLOB, &blob), STORE_READONLY);
	assert_int_equal(stat(full, &st), 0);
	assert_int_equal(st.st_mtime, 1000000000);
}

static int
on_sync_fail(const struct sysfs_call *call, void *arg)
{
	(void)arg;
	return call->kind == SYSFS_SYNC || call->kind == SYSFS_SYNCFS ? EIO :
	    0;
}

/*
 * A keeper that could not sync writes no more, but others still remove: it
 * must not say what it would say of a disk on which nobody can.
 */
static void
test_failed_keeper_is_not_readonly(void **state)
{
	static const struct timespec old[2] = { { .tv_sec = 1000000000 },
	    { .tv_sec = 1000000000 } };
	struct fixture *f = *state;
	struct digest blob = tmp_digest(BLOB);
	struct answer a = { .f = f };
	char layer[LAYOUT_PATH_SIZE];

	assert_int_equal(finish(&a, true, 0, strlen(BLOB), &blob, BLOB,
	    strlen(BLOB)), STORE_OK);
	store_free(f->tmp.store);
	f->tmp.store = tmp_reopen(f->tmp.dir, true, STORE_FULL);
	f->keeper.store = f->tmp.store;
	sysfs_set_hook(on_sync_fail, NULL);
	assert_int_equal(store_put(f->tmp.store, "some/file", "x", 1,
	    STORE_NOSYNC), STORE_OK);
	assert_int_equal(store_unlink(f->tmp.store, "some/file"),
	    STORE_READONLY);
	sysfs_set_hook(NULL, NULL);
	assert_int_equal(store_failure(f->tmp.store), EIO);
	assert_int_equal(utimensat(AT_FDCWD, tmp_path(&f->tmp,
	    layout_layer(layer, "a", &blob)), old, 0), 0);
	assert_int_equal(lease(f, KEEPER_LEASE_BLOB, &blob), STORE_GONE);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(test_condemned_is_read_while_readonly),
		TEST(test_no_lease_while_readonly),
		TEST(test_failed_keeper_is_not_readonly)
	};

	return cmocka_run_group_tests_name("keeper_readonly", tests, NULL,
	    NULL);
}
