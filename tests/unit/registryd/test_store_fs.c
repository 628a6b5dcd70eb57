/* SPDX-License-Identifier: ISC */
/*
 * store_fs: small files, appending under a lock, moves, trees, listing, and
 * that nothing outside the root or behind a link is ever reached.
 */
#include "store_tmp.h"

#include <sys/wait.h>

#include "compat_fs.h"
#include "sysfs.h"

static void
test_store_put_and_read(void **state)
{
	struct tmp_store *t = *state;
	struct store_stat st;
	char *data;
	size_t len;
	int fd;

	assert_int_equal(store_put(t->store, "a/b/c", "hello", 5, 0),
	    STORE_OK);
	assert_string_equal(tmp_read(t, "a/b/c"), "hello");
	assert_int_equal(store_put(t->store, "a/b/c", "other", 5, 0),
	    STORE_EXISTS);
	assert_string_equal(tmp_read(t, "a/b/c"), "hello");
	assert_int_equal(store_put(t->store, "a/b/c", "new", 3,
	    STORE_REPLACE), STORE_OK);
	assert_int_equal(store_read(t->store, "a/b/c", 3, &data, &len),
	    STORE_OK);
	assert_int_equal(len, 3);
	assert_string_equal(data, "new");
	free(data);
	assert_int_equal(store_read(t->store, "a/b/c", 2, &data, &len),
	    STORE_TOOBIG);
	assert_int_equal(store_read(t->store, "a/b/d", 2, &data, &len),
	    STORE_NOTFOUND);
	assert_int_equal(store_read(t->store, "a/b/c/d", 2, &data, &len),
	    STORE_NOTFOUND);
	assert_int_equal(store_read(t->store, "a/b", 2, &data, &len),
	    STORE_INVALID);
	assert_int_equal(store_open(t->store, "a/b/c", &fd, &st), STORE_OK);
	assert_int_equal(st.size, 3);
	assert_false(st.is_dir);
	close(fd);
	assert_int_equal(store_stat(t->store, "a/b", &st), STORE_OK);
	assert_true(st.is_dir);
	/* Nothing is left of the files that were not put in place. */
	assert_int_equal(tmp_count(t, LAYOUT_TMP), 0);
}

static void
test_store_refuses_paths(void **state)
{
	static const char *const bad[] = {
		"", "/", "/etc/passwd", "a//b", "a/", ".", "..", "a/..",
		"a/../b", "./a", "a/./b"
	};
	struct tmp_store *t = *state;
	char longer[LAYOUT_PATH_SIZE + 1], **names, *data;
	struct store_stat st;
	size_t i, n;
	bool more;
	int fd;

	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		assert_int_equal(store_open(t->store, bad[i], &fd, &st),
		    STORE_INVALID);
		assert_int_equal(store_stat(t->store, bad[i], &st),
		    STORE_INVALID);
		assert_int_equal(store_read(t->store, bad[i], 9, &data, &n),
		    STORE_INVALID);
		assert_int_equal(store_list(t->store, bad[i], NULL, 9, &names,
		    &n, &more), STORE_INVALID);
		assert_int_equal(store_put(t->store, bad[i], "", 0, 0),
		    STORE_INVALID);
		assert_int_equal(store_create(t->store, bad[i], &fd),
		    STORE_INVALID);
		assert_int_equal(store_move(t->store, "x", bad[i], 0),
		    STORE_INVALID);
		assert_int_equal(store_unlink(t->store, bad[i]),
		    STORE_INVALID);
		assert_int_equal(store_remove_tree(t->store, bad[i], 0),
		    STORE_INVALID);
	}
	memset(longer, 'a', sizeof(longer));
	longer[sizeof(longer) - 1] = '\0';
	assert_int_equal(store_put(t->store, longer, "", 0, 0),
	    STORE_INVALID);
}

static void
test_store_never_follows_links(void **state)
{
	struct tmp_store *t = *state;
	struct store_stat st;
	char *data;
	size_t len;
	int fd;

	tmp_write(t, "real/file", "secret");
	assert_int_equal(symlink("real", tmp_path(t, "dir")), 0);
	assert_int_equal(symlink("file", tmp_path(t, "real/link")), 0);
	assert_int_equal(symlink("/etc", tmp_path(t, "etc")), 0);
	assert_int_equal(mkfifo(tmp_path(t, "fifo"), 0666), 0);

	assert_int_equal(store_open(t->store, "real/link", &fd, &st),
	    STORE_INVALID);
	assert_int_equal(store_read(t->store, "dir/file", 9, &data, &len),
	    STORE_INVALID);
	assert_int_equal(store_read(t->store, "etc/passwd", 99999, &data,
	    &len), STORE_INVALID);
	assert_int_not_equal(store_put(t->store, "dir/new", "", 0, 0),
	    STORE_OK);
	assert_int_not_equal(store_unlink(t->store, "dir/file"), STORE_OK);
	assert_int_not_equal(store_remove_tree(t->store, "dir/file", 0),
	    STORE_OK);
	assert_string_equal(tmp_read(t, "real/file"), "secret");
	/* Neither waits for a writer. */
	assert_int_equal(store_open(t->store, "fifo", &fd, &st),
	    STORE_INVALID);
	assert_int_equal(store_open_append(t->store, "fifo", &fd, &st),
	    STORE_INVALID);
	assert_int_equal(store_stat(t->store, "fifo", &st), STORE_INVALID);
}

static int
on_rename_unknown(const struct sysfs_call *call, void *arg)
{
	(void)arg;
	return call->kind == SYSFS_RENAME ? EINVAL : 0;
}

/* Systems without openat2 and renameat2, or file systems that refuse. */
static void
test_store_without_new_calls(void **state)
{
	struct tmp_store *t = *state;
	int fd, root = open(t->dir, O_RDONLY | O_DIRECTORY);

	tmp_write(t, "from", "new");
	tmp_write(t, "to", "old");
	sysfs_set_hook(on_rename_unknown, NULL);
	assert_int_equal(store_move(t->store, "from", "to", 0), STORE_EXISTS);
	assert_int_equal(store_move(t->store, "from", "a/b", 0), STORE_OK);
	assert_int_equal(store_put(t->store, "a/c", "x", 1, 0), STORE_OK);
	assert_int_equal(store_put(t->store, "a/c", "y", 1, 0),
	    STORE_EXISTS);
	sysfs_set_hook(NULL, NULL);
	assert_string_equal(tmp_read(t, "to"), "old");
	assert_string_equal(tmp_read(t, "a/b"), "new");
	assert_string_equal(tmp_read(t, "a/c"), "x");
	assert_false(tmp_exists(t, "from"));
	assert_int_equal(tmp_count(t, LAYOUT_TMP), 0);

	assert_int_equal(symlink("a", tmp_path(t, "link")), 0);
	fd = compat_open_components(root, "a/b", O_RDONLY, 0);
	assert_int_not_equal(fd, -1);
	close(fd);
	fd = compat_open_components(root, ".", O_RDONLY | O_DIRECTORY, 0);
	assert_int_not_equal(fd, -1);
	close(fd);
	assert_int_equal(compat_open_components(root, "link/b", O_RDONLY, 0),
	    -1);
	assert_int_equal(compat_open_components(root, "a/../to", O_RDONLY,
	    0), -1);
	assert_int_equal(compat_open_components(root, "/etc", O_RDONLY, 0),
	    -1);
	assert_int_equal(compat_open_components(root, "a/none", O_RDONLY, 0),
	    -1);
	assert_int_equal(errno, ENOENT);
	close(root);
}

static void
test_store_read_only(void **state)
{
	struct tmp_store *t = *state;
	struct store *s = tmp_reopen(t->dir, false, STORE_FULL);
	struct store_stat st;
	char *data;
	size_t len;
	int fd;

	tmp_write(t, "a", "x");
	assert_int_equal(store_read(s, "a", 9, &data, &len), STORE_OK);
	free(data);
	assert_int_equal(store_put(s, "b", "", 0, 0), STORE_READONLY);
	assert_int_equal(store_create(s, "b", &fd), STORE_READONLY);
	assert_int_equal(store_open_append(s, "a", &fd, &st), STORE_READONLY);
	assert_int_equal(store_write(s, 0, "", 0, 0), STORE_READONLY);
	assert_int_equal(store_truncate(s, 0, 0), STORE_READONLY);
	assert_int_equal(store_sync(s, 0), STORE_READONLY);
	assert_int_equal(store_move(s, "a", "b", 0), STORE_READONLY);
	assert_int_equal(store_unlink(s, "a"), STORE_READONLY);
	assert_int_equal(store_remove_tree(s, "a", 0), STORE_READONLY);
	assert_int_equal(store_sweep(s, 0), STORE_READONLY);
	store_prune(s, "a", "b");
	assert_true(tmp_exists(t, "a"));
	store_free(s);
}

static void
test_store_append_is_exclusive(void **state)
{
	struct tmp_store *t = *state;
	struct store *other = tmp_reopen(t->dir, true, STORE_FULL);
	struct store_stat st;
	size_t n;
	char buf[16];
	int fd, fd2;

	assert_int_equal(store_create(t->store, "u/1/data", &fd), STORE_OK);
	assert_int_equal(store_create(other, "u/1/data", &fd2), STORE_EXISTS);
	assert_int_equal(store_open_append(other, "u/1/data", &fd2, &st),
	    STORE_BUSY);
	assert_int_equal(store_write(t->store, fd, "abc", 3, 0), STORE_OK);
	store_close(t->store, fd);

	assert_int_equal(store_open_append(other, "u/1/data", &fd2, &st),
	    STORE_OK);
	assert_int_equal(st.size, 3);
	assert_int_equal(store_write(other, fd2, "def", 3, 3), STORE_OK);
	assert_int_equal(store_pread(other, fd2, buf, sizeof(buf), 1, &n),
	    STORE_OK);
	assert_int_equal(n, 5);
	assert_memory_equal(buf, "bcdef", 5);
	assert_int_equal(store_truncate(other, fd2, 2), STORE_OK);
	assert_int_equal(store_sync(other, fd2), STORE_OK);
	assert_int_equal(store_move(other, "u/1/data", "blob/data", 0),
	    STORE_OK);
	/* The lock went with the file; nothing is left at the old name. */
	assert_int_equal(store_open_append(t->store, "u/1/data", &fd, &st),
	    STORE_NOTFOUND);
	store_close(other, fd2);
	assert_string_equal(tmp_read(t, "blob/data"), "ab");
	store_free(other);
}

/* Between opening and locking, somebody replaces the file. */
static int
on_lock_replace(const struct sysfs_call *call, void *arg)
{
	struct tmp_store *t = arg;
	char from[2048];

	if (call->kind != SYSFS_LOCK)
		return 0;
	snprintf(from, sizeof(from), "%s", tmp_path(t, "u/data"));
	assert_int_equal(rename(from, tmp_path(t, "u/blob")), 0);
	tmp_write(t, "u/data", "new");
	return 0;
}

static void
test_store_append_looks_again_after_locking(void **state)
{
	struct tmp_store *t = *state;
	struct store_stat st;
	int fd;

	tmp_write(t, "u/data", "old");
	sysfs_set_hook(on_lock_replace, t);
	assert_int_equal(store_open_append(t->store, "u/data", &fd, &st),
	    STORE_NOTFOUND);
	sysfs_set_hook(NULL, NULL);
	assert_int_equal(store_open_append(t->store, "u/data", &fd, &st),
	    STORE_OK);
	store_close(t->store, fd);
}

static int
on_close_full(const struct sysfs_call *call, void *arg)
{
	bool *synced = arg;

	if (call->kind == SYSFS_SYNC)
		*synced = true;
	return call->kind == SYSFS_CLOSE && *synced ? EDQUOT : 0;
}

/* A network file system tells of a full disk at last here. */
static void
test_store_put_checks_close(void **state)
{
	struct tmp_store *t = *state;
	bool synced = false;

	sysfs_set_hook(on_close_full, &synced);
	assert_int_equal(store_put(t->store, "a", "x", 1, 0), STORE_NOSPACE);
	sysfs_set_hook(NULL, NULL);
	assert_false(tmp_exists(t, "a"));
	assert_int_equal(tmp_count(t, LAYOUT_TMP), 0);
}

static void
test_store_move_keeps_or_replaces(void **state)
{
	struct tmp_store *t = *state;

	tmp_write(t, "from", "new");
	tmp_write(t, "to", "old");
	assert_int_equal(store_move(t->store, "from", "to", 0), STORE_EXISTS);
	assert_string_equal(tmp_read(t, "to"), "old");
	assert_string_equal(tmp_read(t, "from"), "new");
	assert_int_equal(store_move(t->store, "from", "to", STORE_REPLACE),
	    STORE_OK);
	assert_string_equal(tmp_read(t, "to"), "new");
	assert_false(tmp_exists(t, "from"));
	assert_int_equal(store_move(t->store, "from", "to", STORE_REPLACE),
	    STORE_NOTFOUND);
	tmp_write(t, "file", "");
	assert_int_equal(store_move(t->store, "to", "file/x", 0),
	    STORE_INVALID);
}

static void
test_store_removes_trees(void **state)
{
	struct tmp_store *t = *state;

	tmp_write(t, "x/y/tree/a/b/c", "1");
	tmp_write(t, "x/y/tree/d", "2");
	assert_int_equal(symlink("/etc", tmp_path(t, "x/y/tree/etc")), 0);
	assert_int_equal(store_remove_tree(t->store, "x/y/tree", 0),
	    STORE_OK);
	assert_false(tmp_exists(t, "x/y/tree"));
	assert_int_equal(tmp_count(t, LAYOUT_TRASH), 0);
	assert_int_equal(store_remove_tree(t->store, "x/y/tree", 0),
	    STORE_NOTFOUND);
	assert_int_equal(access("/etc/passwd", F_OK), 0);

	store_prune(t->store, "x/y", "x");
	assert_false(tmp_exists(t, "x/y"));
	assert_true(tmp_exists(t, "x"));
	tmp_write(t, "x/p/q/r", "");
	assert_int_equal(store_unlink(t->store, "x/p/q/r"), STORE_OK);
	assert_int_equal(store_unlink(t->store, "x/p/q/r"), STORE_NOTFOUND);
	tmp_write(t, "x/p/keep", "");
	store_prune(t->store, "x/p/q", "x");
	assert_false(tmp_exists(t, "x/p/q"));
	assert_true(tmp_exists(t, "x/p/keep"));
}

static void
test_store_sweeps(void **state)
{
	struct tmp_store *t = *state;
	struct timespec old[2] = { { .tv_sec = 1000 }, { .tv_sec = 1000 } };

	assert_int_equal(store_sweep(t->store, 2000), STORE_OK);
	tmp_write(t, LAYOUT_TRASH "/0123/a/b", "");
	tmp_write(t, LAYOUT_TMP "/old", "");
	tmp_write(t, LAYOUT_TMP "/new", "");
	assert_int_equal(utimensat(AT_FDCWD, tmp_path(t, LAYOUT_TMP "/old"),
	    old, 0), 0);
	assert_int_equal(store_sweep(t->store, 2000), STORE_OK);
	assert_int_equal(tmp_count(t, LAYOUT_TRASH), 0);
	assert_false(tmp_exists(t, LAYOUT_TMP "/old"));
	assert_true(tmp_exists(t, LAYOUT_TMP "/new"));
}

static void
check_list(struct tmp_store *t, const char *after, size_t n,
    const char *want, bool want_more)
{
	char text[1024] = "", **names;
	size_t i, nnames;
	bool more;

	assert_int_equal(store_list(t->store, "d", after, n, &names, &nnames,
	    &more), STORE_OK);
	for (i = 0; i < nnames; i++) {
		strcat(text, names[i]);
		strcat(text, " ");
	}
	store_names_free(names, nnames);
	assert_string_equal(text, want);
	assert_int_equal(more, want_more);
}

static void
test_store_lists_by_page(void **state)
{
	static const char *const names[] = {
		"b", "a", "B", "a-", "a.b", "a/x", "c.tmp", "dir.tmp/x",
		".hidden", "_x", "z"
	};
	struct tmp_store *t = *state;
	char path[64], **out;
	size_t i, n;
	bool more;

	assert_int_equal(store_list(t->store, "d", NULL, 9, &out, &n, &more),
	    STORE_NOTFOUND);
	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (strcmp(names[i], "a") == 0)
			continue;
		snprintf(path, sizeof(path), "d/%s", names[i]);
		tmp_write(t, path, "");
	}
	/* A file on its way in is left out, a directory is not. */
	check_list(t, NULL, 100, "B _x a a- a.b b dir.tmp z ", false);
	check_list(t, NULL, 3, "B _x a ", true);
	check_list(t, "a", 3, "a- a.b b ", true);
	check_list(t, "b", 2, "dir.tmp z ", false);
	check_list(t, "b", 1, "dir.tmp ", true);
	check_list(t, "zz", 5, "", false);
	check_list(t, NULL, 0, "", true);
	check_list(t, "z", 0, "", false);
	assert_int_equal(store_list(t->store, "d/b", NULL, 9, &out, &n,
	    &more), STORE_NOTFOUND);
}

static void
test_store_lists_many(void **state)
{
	struct tmp_store *t = *state;
	char path[64], **names, last[16] = "";
	size_t i, n, seen = 0;
	bool more = true;

	for (i = 0; i < 3000; i++) {
		snprintf(path, sizeof(path), "d/%05zu", i * 7919 % 3000);
		tmp_write(t, path, "");
	}
	while (more) {
		assert_int_equal(store_list(t->store, "d",
		    last[0] != '\0' ? last : NULL, 97, &names, &n, &more),
		    STORE_OK);
		for (i = 0; i < n; i++) {
			snprintf(path, sizeof(path), "%05zu", seen++);
			assert_string_equal(names[i], path);
		}
		if (n > 0)
			snprintf(last, sizeof(last), "%s", names[n - 1]);
		store_names_free(names, n);
	}
	assert_int_equal(seen, 3000);
}

/* Directories come and go while others write into them. */
static void
test_store_put_races_with_prune(void **state)
{
	struct tmp_store *t = *state;
	int i, status;
	pid_t pid;

	assert_int_not_equal(pid = fork(), -1);
	if (pid == 0) {
		struct store *s = tmp_reopen(t->dir, true, STORE_NONE);

		for (i = 0; i < 20000; i++)
			store_prune(s, "race/x/y", "race");
		_exit(0);
	}
	store_free(t->store);
	t->store = tmp_reopen(t->dir, true, STORE_NONE);
	for (i = 0; i < 2000; i++) {
		enum store_result r = store_put(t->store, "race/x/y/z", "", 0,
		    STORE_REPLACE);

		/* Lost that many times in a row is allowed, not wrong. */
		assert_true(r == STORE_OK || r == STORE_BUSY);
		assert_true(store_unlink(t->store, "race/x/y/z") == STORE_OK ||
		    r == STORE_BUSY);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}

struct prune {
	struct tmp_store *t;
	int		 left;
};

/* What was made is gone before it is opened. */
static int
on_open_prune(const struct sysfs_call *call, void *arg)
{
	struct prune *p = arg;

	if (call->kind != SYSFS_MKDIR || p->left == 0)
		return 0;
	p->left--;
	(void)rmdir(tmp_path(p->t, "race/x/y"));
	(void)rmdir(tmp_path(p->t, "race/x"));
	(void)rmdir(tmp_path(p->t, "race"));
	return 0;
}

static void
test_store_directories_that_vanish_are_made_again(void **state)
{
	struct tmp_store *t = *state;
	struct prune p = { .t = t, .left = 8 };
	int fd;

	sysfs_set_hook(on_open_prune, &p);
	assert_int_equal(store_create(t->store, "race/x/y/z", &fd), STORE_OK);
	sysfs_set_hook(NULL, NULL);
	assert_int_equal(p.left, 0);
	store_close(t->store, fd);
	assert_true(tmp_exists(t, "race/x/y/z"));
	assert_int_equal(store_unlink(t->store, "race/x/y/z"), STORE_OK);
	p.left = 8;
	sysfs_set_hook(on_open_prune, &p);
	store_prune(t->store, "race/x/y", "");
	assert_int_equal(store_put(t->store, "race/x/y/z", "z", 1, 0),
	    STORE_OK);
	sysfs_set_hook(NULL, NULL);
	assert_int_equal(p.left, 0);
}

static void
test_store_results_have_texts(void **state)
{
	int r;

	(void)state;
	for (r = 0; r <= STORE_LOCKED; r++)
		assert_non_null(store_result_text((enum store_result)r));
	assert_int_equal(store_result_errno(ENOSPC), STORE_NOSPACE);
	assert_int_equal(store_result_errno(EDQUOT), STORE_NOSPACE);
	assert_int_equal(store_result_errno(EROFS), STORE_READONLY);
	assert_int_equal(store_result_errno(EMFILE), STORE_LIMIT);
	assert_int_equal(store_result_errno(ENOMEM), STORE_NOMEM);
	assert_int_equal(store_result_errno(EIO), STORE_IO);
	assert_int_equal(store_result_errno(EACCES), STORE_DENIED);
	assert_int_equal(store_result_errno(EPERM), STORE_DENIED);
}

/* A file that was last read long ago: is this read seen? */
static bool
read_is_seen(struct tmp_store *t, const char *path)
{
	static const struct timespec old[2] = {
		{ .tv_sec = 1000000 }, { .tv_sec = 1000000 }
	};
	char full[LAYOUT_PATH_SIZE];
	struct stat st;
	size_t len;
	char *data;

	snprintf(full, sizeof(full), "%s/%s", t->dir, path);
	assert_int_equal(utimensat(AT_FDCWD, full, old, 0), 0);
	assert_int_equal(store_read(t->store, path, 16, &data, &len),
	    STORE_OK);
	free(data);
	assert_int_equal(stat(full, &st), 0);
	return st.st_atim.tv_sec != old[0].tv_sec;
}

static void
own_by(struct tmp_store *t, const char *path, uid_t uid)
{
	char full[LAYOUT_PATH_SIZE];

	snprintf(full, sizeof(full), "%s/%s", t->dir, path);
	assert_int_equal(chown(full, uid, (gid_t)-1), 0);
	assert_int_equal(chmod(full, 0644), 0);
}

/* These two are the last: what they ask for holds for the process. */
static void
test_store_keeps_times_of_access(void **state)
{
	struct tmp_store *t = *state;

	assert_int_equal(store_put(t->store, "a", "x", 1, 0), STORE_OK);
	if (COMPAT_O_NOATIME == 0 || !read_is_seen(t, "a"))
		skip();		/* mounted noatime */
	sysfs_keep_atimes();
	assert_false(read_is_seen(t, "a"));
}

static void
test_store_reads_what_others_own(void **state)
{
	struct tmp_store *t = *state;
	size_t len;
	char *data;

	if (geteuid() != 0)
		skip();
	assert_int_equal(store_put(t->store, "a", "x", 1, 0), STORE_OK);
	sysfs_keep_atimes();
	own_by(t, "a", 1);
	assert_int_equal(chmod(t->dir, 0755), 0);
	assert_int_equal(seteuid(2), 0);
	assert_int_equal(store_read(t->store, "a", 16, &data, &len),
	    STORE_OK);
	free(data);
	assert_int_equal(seteuid(0), 0);
	/* It has ended nothing. */
	assert_false(read_is_seen(t, "a"));
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, tmp_setup, tmp_teardown)

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(test_store_put_and_read),
		TEST(test_store_refuses_paths),
		TEST(test_store_never_follows_links),
		TEST(test_store_without_new_calls),
		TEST(test_store_read_only),
		TEST(test_store_append_is_exclusive),
		TEST(test_store_append_looks_again_after_locking),
		TEST(test_store_put_checks_close),
		TEST(test_store_move_keeps_or_replaces),
		TEST(test_store_removes_trees),
		TEST(test_store_sweeps),
		TEST(test_store_lists_by_page),
		TEST(test_store_lists_many),
		TEST(test_store_put_races_with_prune),
		TEST(test_store_directories_that_vanish_are_made_again),
		cmocka_unit_test(test_store_results_have_texts),
		TEST(test_store_keeps_times_of_access),
		TEST(test_store_reads_what_others_own)
	};

	return cmocka_run_group_tests_name("store_fs", tests, NULL, NULL);
}
