/* SPDX-License-Identifier: ISC */
/*
 * A directory that other hosts change as well, on a file system that answers
 * from memory: what the store asks for before it believes what it finds.
 */
#include "store_operations.h"

#include <sys/vfs.h>

#include <linux/magic.h>

#include "sysfs.h"

#define SAID_SIZE	512

/* The linker sends the store to these. */
int	 __wrap_fstatfs(int, struct statfs *);
int	 __wrap_openat(int, const char *, int, mode_t);
int	 __wrap_statx(int, const char *, int, unsigned, struct statx *);
int	 __real_fstatfs(int, struct statfs *);
int	 __real_openat(int, const char *, int, mode_t);
int	 __real_statx(int, const char *, int, unsigned, struct statx *);

static bool nfs;
static int ask_error;		/* of directories */
static char said[SAID_SIZE];	/* "NAME " opened, "?NAME " asked for */

static void
say(const char *what, const char *name)
{
	size_t len = strlen(said);

	snprintf(said + len, sizeof(said) - len, "%s%s ", what, name);
}

int
__wrap_fstatfs(int fd, struct statfs *st)
{
	int r = __real_fstatfs(fd, st);

	if (r == 0 && nfs)
		st->f_type = NFS_SUPER_MAGIC;
	return r;
}

int
__wrap_openat(int fd, const char *name, int flags, mode_t mode)
{
	say("", name);
	return __real_openat(fd, name, flags, mode);
}

int
__wrap_statx(int fd, const char *name, int flags, unsigned mask,
    struct statx *st)
{
	if ((flags & AT_STATX_FORCE_SYNC) == 0)
		return __real_statx(fd, name, flags, mask, st);
	say("?", name);
	if (*name == '\0' && ask_error != 0) {
		errno = ask_error;
		return -1;
	}
	return __real_statx(fd, name, flags, mask, st);
}

static int
setup(void **state)
{
	struct tmp_store *t;

	nfs = true;
	ask_error = 0;
	if (tmp_setup(state) == -1)
		return -1;
	t = *state;
	tmp_write(t, "a/b/c", "text");
	said[0] = '\0';
	return 0;
}

static int
setup_local(void **state)
{
	int r = setup(state);
	struct tmp_store *t = *state;

	nfs = false;
	store_free(t->store);
	t->store = tmp_reopen(t->dir, true, STORE_FULL);
	said[0] = '\0';
	return r;
}

/* Each directory is opened by its own name, and the first one asked for. */
static void
test_remote_opens_each_name(void **state)
{
	struct tmp_store *t = *state;
	size_t len;
	char *data;

	assert_int_equal(store_read(t->store, "a/b/c", 16, &data, &len),
	    STORE_OK);
	assert_string_equal(data, "text");
	free(data);
	assert_string_equal(said, "? a b c ");
	said[0] = '\0';
	assert_int_equal(store_read(t->store, "a/x/c", 16, &data, &len),
	    STORE_NOTFOUND);
	assert_string_equal(said, "? a x ");
}

static void
test_remote_asks_before_a_stat(void **state)
{
	struct tmp_store *t = *state;
	struct store_stat st;

	assert_int_equal(store_stat(t->store, "a/b/c", &st), STORE_OK);
	assert_int_equal(st.size, 4);
	assert_string_equal(said, "? a b ? ?c ");
	assert_int_equal(store_stat(t->store, "a/b/d", &st), STORE_NOTFOUND);
	assert_int_equal(store_stat(t->store, "c", &st), STORE_NOTFOUND);
}

/* In a directory that another host has removed nothing is there. */
static void
test_remote_directory_has_gone(void **state)
{
	struct tmp_store *t = *state;
	struct store_stat st;

	ask_error = ESTALE;
	assert_int_equal(store_stat(t->store, "a/b/c", &st), STORE_NOTFOUND);
	ask_error = ETIMEDOUT;
	assert_int_equal(store_stat(t->store, "a/b/c", &st),
	    STORE_UNAVAILABLE);
}

/* After it has the lock, the file must still have its name. */
static void
test_remote_asks_with_the_lock(void **state)
{
	struct tmp_store *t = *state;
	struct store_stat st;
	int fd;

	assert_int_equal(store_open_append(t->store, "a/b/c", &fd, &st),
	    STORE_OK);
	store_close(t->store, fd);
	assert_string_equal(said, "? a b c ? ?c ");
}

static void
test_remote_follows_no_link(void **state)
{
	struct tmp_store *t = *state;
	char to[300];
	size_t len;
	char *data;

	snprintf(to, sizeof(to), "%s/l", t->dir);
	assert_int_equal(symlink("a", to), 0);
	assert_int_equal(store_read(t->store, "l/b/c", 16, &data, &len),
	    STORE_INVALID);
	assert_int_equal(store_read(t->store, "a/../a/b/c", 16, &data, &len),
	    STORE_INVALID);
}

/* The server has a name on its disk when it answers; bytes are synced. */
static void
test_remote_names_need_no_sync(void **state)
{
	struct tmp_store *t = *state;
	uint64_t before = sysfs_count(SYSFS_SYNC);

	assert_int_equal(store_put(t->store, "x/y/z/f", "text", 4, 0),
	    STORE_OK);
	assert_int_equal(sysfs_count(SYSFS_SYNC) - before, 2);
}

static void
test_remote_takes_no_lease(void **state)
{
	struct tmp_store *t = *state;
	uint64_t before = sysfs_count(SYSFS_LEASE);
	struct digest d = tmp_digest(BLOB);
	struct upload *u;

	assert_int_equal(upload_start(t->store, "a/b", ID, d.alg, &u),
	    STORE_OK);
	assert_int_equal(upload_append(u, BLOB, strlen(BLOB)), STORE_OK);
	assert_int_equal(upload_finish(u, &d), STORE_OK);
	upload_close(u);
	assert_int_equal(sysfs_count(SYSFS_LEASE), before);
	assert_int_equal(repo_acquire_blob(t->store, "a/b", &d, 0), STORE_OK);
}

/* Where nobody else is, nothing is asked twice. */
static void
test_local_is_believed(void **state)
{
	struct tmp_store *t = *state;
	struct store_stat st;
	size_t len;
	char *data;

	assert_int_equal(store_read(t->store, "a/b/c", 16, &data, &len),
	    STORE_OK);
	free(data);
	assert_int_equal(store_stat(t->store, "a/b/c", &st), STORE_OK);
	assert_null(strchr(said, '?'));
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, tmp_teardown)

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(test_remote_opens_each_name),
		TEST(test_remote_asks_before_a_stat),
		TEST(test_remote_directory_has_gone),
		TEST(test_remote_asks_with_the_lock),
		TEST(test_remote_follows_no_link),
		TEST(test_remote_names_need_no_sync),
		TEST(test_remote_takes_no_lease),
		cmocka_unit_test_setup_teardown(test_local_is_believed,
		    setup_local, tmp_teardown)
	};

	return cmocka_run_group_tests_name("store_remote", tests, NULL, NULL);
}
