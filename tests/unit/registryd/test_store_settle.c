/* SPDX-License-Identifier: ISC */
/*
 * Files that say of themselves that they are durable: only those that are,
 * and what is done about the others.
 */
#include "store_operations.h"

#include <sys/xattr.h>

#include <time.h>

#include "sysfs.h"

#define DURABLE	"user.registryd.durable"
#define FOREIGN	REPOS "a/b/_layers/sha256/x/link"

/* The linker sends the store to this clock, which is an hour fast. */
time_t	 __wrap_clock_wall(void);

time_t
__wrap_clock_wall(void)
{
	return time(NULL) + 3600;
}

static bool
is_told(const struct tmp_store *t, const char *path)
{
	char text[32];

	return getxattr(tmp_path(t, path), DURABLE, text, sizeof(text)) == 16;
}

/* ---- whose it is ---- */

struct swap {
	struct tmp_store *t;
	const char	*path;
	unsigned	 done;
};

/*
 * Another process deletes the file and puts its own there, which is on no
 * disk yet, when the directory is about to be synced, and every time again.
 */
static int
on_sync_swap(const struct sysfs_call *call, void *arg)
{
	struct swap *w = arg;
	char full[2048], other[2048], text[4096];
	struct stat st;
	FILE *f;

	if (call->kind != SYSFS_SYNC || fstat(call->fd, &st) == -1 ||
	    !S_ISDIR(st.st_mode) || !tmp_exists(w->t, w->path))
		return 0;
	snprintf(full, sizeof(full), "%s", tmp_path(w->t, w->path));
	snprintf(other, sizeof(other), "%s/other", w->t->dir);
	snprintf(text, sizeof(text), "%s", tmp_read(w->t, w->path));
	assert_non_null(f = fopen(other, "w"));
	assert_true(fputs(text, f) >= 0);
	assert_int_equal(fclose(f), 0);
	assert_int_equal(rename(other, full), 0);
	w->done++;
	return 0;
}

static void
check_swapped(const struct operation *op, const char *path)
{
	struct tmp_store t;
	struct swap w = { .t = &t, .path = path };

	tmp_open(&t);
	op->prepare(&t);
	sysfs_set_hook(on_sync_swap, &w);
	assert_int_equal(op->run(&t), STORE_OK);
	sysfs_set_hook(NULL, NULL);
	assert_true(w.done > 0);
	if (is_told(&t, path))
		fail_msg("%s: %s of another is said to be durable", op->name,
		    path);
	tmp_close(&t);
}

static void
test_settle_only_ones_own_is_told(void **state)
{
	static const struct operation push = { .name = "push blob",
	    .prepare = prepare_nothing, .run = push_blob };
	static const struct operation put = { .name = "put manifest",
	    .prepare = prepare_blob, .run = run_manifest };
	static const struct operation mount = { .name = "mount blob",
	    .prepare = prepare_blob, .run = run_mount };
	struct digest blob = tmp_digest(BLOB), d = tmp_digest(MANIFEST);
	char path[LAYOUT_PATH_SIZE];

	(void)state;
	check_swapped(&push, layout_blob(path, &blob));
	check_swapped(&push, layout_layer(path, "a/b", &blob));
	check_swapped(&put, layout_blob(path, &d));
	check_swapped(&put, layout_revision(path, "a/b", &d));
	check_swapped(&mount, layout_layer(path, "c", &blob));
}

/* ---- that it is told ---- */

static void
check_told(enum store_durability durability, bool told)
{
	struct digest blob = tmp_digest(BLOB), d = tmp_digest(MANIFEST);
	char path[LAYOUT_PATH_SIZE];
	struct tmp_store t;

	tmp_open(&t);
	store_free(t.store);
	t.store = tmp_reopen(t.dir, true, durability);
	prepare_manifest(&t);
	assert_int_equal(run_mount(&t), STORE_OK);
	assert_int_equal(store_barrier(t.store), STORE_OK);
	assert_int_equal(is_told(&t, layout_blob(path, &blob)), told);
	assert_int_equal(is_told(&t, layout_layer(path, "a/b", &blob)), told);
	assert_int_equal(is_told(&t, layout_layer(path, "c", &blob)), told);
	assert_int_equal(is_told(&t, layout_blob(path, &d)), told);
	assert_int_equal(is_told(&t, layout_revision(path, "a/b", &d)), told);
	tmp_close(&t);
}

static void
test_settle_full_tells(void **state)
{
	(void)state;
	check_told(STORE_FULL, true);
}

/* Nobody knows, when the name is made, that a barrier will be passed. */
static void
test_settle_others_do_not(void **state)
{
	(void)state;
	check_told(STORE_BATCH, false);
	check_told(STORE_NONE, false);
}

static int
on_sync_fail(const struct sysfs_call *call, void *arg)
{
	struct stat st;

	(void)arg;
	return call->kind == SYSFS_SYNC && fstat(call->fd, &st) == 0 &&
	    S_ISDIR(st.st_mode) ? EIO : 0;
}

static void
test_settle_failed_sync_is_not_told(void **state)
{
	struct digest blob = tmp_digest(BLOB);
	char path[LAYOUT_PATH_SIZE];
	struct tmp_store t;

	(void)state;
	tmp_open(&t);
	sysfs_set_hook(on_sync_fail, NULL);
	assert_int_not_equal(push_blob(&t), STORE_OK);
	sysfs_set_hook(NULL, NULL);
	assert_true(tmp_exists(&t, layout_blob(path, &blob)));
	assert_false(is_told(&t, path));
	tmp_close(&t);
}

/* ---- what has not been told ---- */

/* Syncs, of one file and of all, that it takes. */
static uint64_t
cost_of_settling(struct store *s)
{
	uint64_t n = sysfs_count(SYSFS_SYNC) + sysfs_count(SYSFS_SYNCFS);

	assert_int_equal(store_settle(s, FOREIGN), STORE_OK);
	assert_int_equal(store_barrier(s), STORE_OK);
	return sysfs_count(SYSFS_SYNC) + sysfs_count(SYSFS_SYNCFS) - n;
}

/* As another process. */
static void
open_again(struct tmp_store *t, enum store_durability durability)
{
	store_free(t->store);
	t->store = tmp_reopen(t->dir, true, durability);
}

/*
 * It may be a moment old whatever this host's clock says.  Bytes and
 * directories are synced; then it is known to all.
 */
static void
test_settle_no_clock_tells(void **state)
{
	struct tmp_store t;

	(void)state;
	tmp_open(&t);
	tmp_write(&t, FOREIGN, "a");
	assert_true(cost_of_settling(t.store) >= 2);
	assert_true(is_told(&t, FOREIGN));
	open_again(&t, STORE_FULL);
	assert_int_equal(cost_of_settling(t.store), 0);
	open_again(&t, STORE_BATCH);
	assert_int_equal(cost_of_settling(t.store), 0);
	tmp_close(&t);
}

/* A copy takes what is said along, but not that it is so. */
static void
test_settle_copies_are_not_told(void **state)
{
	char from[2048], to[2048], text[32];
	struct tmp_store t;
	ssize_t n;

	(void)state;
	tmp_open(&t);
	tmp_write(&t, FOREIGN, "a");
	assert_true(cost_of_settling(t.store) >= 2);
	snprintf(from, sizeof(from), "%s", tmp_path(&t, FOREIGN));
	snprintf(to, sizeof(to), "%s/other", t.dir);
	n = getxattr(from, DURABLE, text, sizeof(text));
	assert_true(n > 0);
	tmp_write(&t, "other", "a");
	assert_int_equal(setxattr(to, DURABLE, text, (size_t)n, 0), 0);
	assert_int_equal(rename(to, from), 0);
	open_again(&t, STORE_FULL);
	assert_true(cost_of_settling(t.store) >= 2);
	open_again(&t, STORE_FULL);
	assert_int_equal(cost_of_settling(t.store), 0);
	/* In a copy made of links the name is new. */
	assert_int_equal(link(from, to), 0);
	open_again(&t, STORE_FULL);
	assert_true(cost_of_settling(t.store) >= 2);
	tmp_close(&t);
}

static int
on_mark_fail(const struct sysfs_call *call, void *arg)
{
	(void)arg;
	return call->kind == SYSFS_MARK ? ENOTSUP : 0;
}

/* Each process then has to do it, but once, and again for another file. */
static void
test_settle_without_attributes(void **state)
{
	struct tmp_store t;

	(void)state;
	tmp_open(&t);
	tmp_write(&t, FOREIGN, "a");
	sysfs_set_hook(on_mark_fail, NULL);
	assert_true(cost_of_settling(t.store) >= 2);
	assert_int_equal(cost_of_settling(t.store), 0);
	assert_int_equal(unlink(tmp_path(&t, FOREIGN)), 0);
	tmp_write(&t, FOREIGN, "b");
	assert_true(cost_of_settling(t.store) >= 2);
	open_again(&t, STORE_FULL);
	assert_true(cost_of_settling(t.store) >= 2);
	sysfs_set_hook(NULL, NULL);
	assert_false(is_told(&t, FOREIGN));
	tmp_close(&t);
}

struct note {
	ino_t		 ino;
	bool		 synced;
};

static int
on_sync_note(const struct sysfs_call *call, void *arg)
{
	struct note *note = arg;
	struct stat st;

	if (call->kind == SYSFS_SYNC && fstat(call->fd, &st) == 0 &&
	    st.st_ino == note->ino)
		note->synced = true;
	return 0;
}

/* Who promises nothing leaves the bytes, too, to those who do. */
static void
test_settle_after_none(void **state)
{
	struct digest blob = tmp_digest(BLOB);
	char path[LAYOUT_PATH_SIZE];
	struct tmp_store t;
	struct note note;
	struct stat st;

	(void)state;
	tmp_open(&t);
	open_again(&t, STORE_NONE);
	prepare_blob(&t);
	assert_int_equal(stat(tmp_path(&t, layout_blob(path, &blob)), &st), 0);
	note.ino = st.st_ino;
	note.synced = false;
	open_again(&t, STORE_FULL);
	sysfs_set_hook(on_sync_note, &note);
	assert_int_equal(run_manifest(&t), STORE_OK);
	sysfs_set_hook(NULL, NULL);
	assert_true(note.synced);
	assert_true(is_told(&t, path));
	tmp_close(&t);
}

/* So does one who saved a part of an upload that another then finishes. */
static void
test_settle_session_after_none(void **state)
{
	struct digest d = tmp_digest(BLOB);
	char path[LAYOUT_PATH_SIZE];
	struct tmp_store t;
	struct upload *u;
	struct note note = { .synced = false };
	struct stat st;

	(void)state;
	tmp_open(&t);
	open_again(&t, STORE_NONE);
	assert_int_equal(upload_start(t.store, "a/b", ID, DIGEST_SHA256, &u),
	    STORE_OK);
	assert_int_equal(upload_append(u, BLOB, strlen(BLOB)), STORE_OK);
	assert_int_equal(upload_save(u), STORE_OK);
	upload_close(u);
	assert_int_equal(stat(tmp_path(&t, layout_upload_data(path, "a/b",
	    ID)), &st), 0);
	note.ino = st.st_ino;
	open_again(&t, STORE_FULL);
	assert_int_equal(upload_open(t.store, "a/b", ID, &u), STORE_OK);
	assert_int_equal(upload_offset(u), strlen(BLOB));
	sysfs_set_hook(on_sync_note, &note);
	assert_int_equal(upload_finish(u, &d), STORE_OK);
	sysfs_set_hook(NULL, NULL);
	upload_close(u);
	assert_true(note.synced);
	tmp_close(&t);
}

static void
test_settle_batch_leaves_it_to_the_barrier(void **state)
{
	struct tmp_store t;
	uint64_t syncs;

	(void)state;
	tmp_open(&t);
	tmp_write(&t, FOREIGN, "a");
	open_again(&t, STORE_BATCH);
	syncs = sysfs_count(SYSFS_SYNC);
	assert_int_equal(cost_of_settling(t.store), 1);
	assert_int_equal(sysfs_count(SYSFS_SYNC), syncs);
	tmp_close(&t);
}

static void
test_settle_absent(void **state)
{
	static const enum store_durability modes[] = {
		STORE_FULL, STORE_BATCH, STORE_NONE
	};
	struct tmp_store t;
	size_t i;

	(void)state;
	tmp_open(&t);
	for (i = 0; i < sizeof(modes) / sizeof(modes[0]); i++) {
		open_again(&t, modes[i]);
		assert_int_equal(store_settle(t.store, FOREIGN),
		    STORE_NOTFOUND);
		assert_int_equal(store_settle(t.store, "x"), STORE_NOTFOUND);
	}
	tmp_close(&t);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_settle_only_ones_own_is_told),
		cmocka_unit_test(test_settle_full_tells),
		cmocka_unit_test(test_settle_others_do_not),
		cmocka_unit_test(test_settle_failed_sync_is_not_told),
		cmocka_unit_test(test_settle_no_clock_tells),
		cmocka_unit_test(test_settle_copies_are_not_told),
		cmocka_unit_test(test_settle_without_attributes),
		cmocka_unit_test(test_settle_after_none),
		cmocka_unit_test(test_settle_session_after_none),
		cmocka_unit_test(test_settle_batch_leaves_it_to_the_barrier),
		cmocka_unit_test(test_settle_absent)
	};

	return cmocka_run_group_tests_name("store_settle", tests, NULL, NULL);
}
