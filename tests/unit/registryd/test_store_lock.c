/* SPDX-License-Identifier: ISC */
/*
 * Locks of the store: who holds one, what stands in a lock file's place, and
 * files that a copy of the store made of hard links shares with it.
 */
#include "store_tmp.h"

#include <sys/file.h>
#include <sys/wait.h>

#include <signal.h>
#include <time.h>

#include "clock.h"
#include "gc.h"
#include "sysfs.h"

#define NAMES	".registryd/locks"

static bool
is_held(const struct tmp_store *t, const char *path)
{
	int fd = open(tmp_path(t, path), O_RDWR);
	bool held;

	assert_int_not_equal(fd, -1);
	held = flock(fd, LOCK_EX | LOCK_NB) == -1;
	close(fd);
	return held;
}

static nlink_t
names_of(const struct tmp_store *t, const char *path)
{
	struct stat st;

	assert_int_equal(stat(tmp_path(t, path), &st), 0);
	return st.st_nlink;
}

/* The only file in the directory of locks. */
static char *
only_lock(const struct tmp_store *t)
{
	static char path[LAYOUT_PATH_SIZE];
	char **names;
	size_t n;
	bool more;

	assert_int_equal(store_list(t->store, NAMES, NULL, 10, &names, &n,
	    &more), STORE_OK);
	assert_int_equal(n, 1);
	snprintf(path, sizeof(path), NAMES "/%s", names[0]);
	store_names_free(names, n);
	return path;
}

/* What "cp -al" makes of one file. */
static void
copy_by_link(const struct tmp_store *from, struct tmp_store *to,
    const char *path)
{
	char old[2048];

	tmp_open(to);
	tmp_write(to, path, "");
	assert_int_equal(unlink(tmp_path(to, path)), 0);
	snprintf(old, sizeof(old), "%s", tmp_path(from, path));
	assert_int_equal(link(old, tmp_path(to, path)), 0);
}

static void
test_lock_has_one_holder(void **state)
{
	struct tmp_store *t = *state;
	struct store_lock one, two;

	assert_int_equal(store_lock_file(t->store, LAYOUT_COLLECT_LOCK,
	    &one), STORE_OK);
	assert_true(is_held(t, LAYOUT_COLLECT_LOCK));
	assert_int_equal(store_lock_file(t->store, LAYOUT_COLLECT_LOCK,
	    &two), STORE_BUSY);
	store_unlock(t->store, &one);
	assert_int_equal(store_lock_file(t->store, LAYOUT_COLLECT_LOCK,
	    &two), STORE_OK);
	store_unlock(t->store, &two);
	assert_false(is_held(t, LAYOUT_COLLECT_LOCK));
}

static void
test_lock_of_a_copy_is_another(void **state)
{
	struct tmp_store *t = *state, copy;
	struct store_lock one, two;

	tmp_write(t, LAYOUT_COLLECT_LOCK, "");
	copy_by_link(t, &copy, LAYOUT_COLLECT_LOCK);
	/* As long as the other has it, it cannot be told. */
	assert_int_equal(store_lock_file(t->store, LAYOUT_COLLECT_LOCK,
	    &one), STORE_OK);
	assert_int_equal(names_of(t, LAYOUT_COLLECT_LOCK), 1);
	assert_true(is_held(t, LAYOUT_COLLECT_LOCK));
	assert_false(is_held(&copy, LAYOUT_COLLECT_LOCK));
	assert_int_equal(store_lock_file(copy.store, LAYOUT_COLLECT_LOCK,
	    &two), STORE_OK);
	store_unlock(copy.store, &two);
	/* And still one holder here. */
	assert_int_equal(store_lock_file(t->store, LAYOUT_COLLECT_LOCK,
	    &two), STORE_BUSY);
	store_unlock(t->store, &one);
	tmp_close(&copy);
}

static void
test_lock_by_name_of_a_copy(void **state)
{
	struct tmp_store *t = *state, copy;
	struct store_lock one, two;
	char path[LAYOUT_PATH_SIZE];

	assert_int_equal(store_lock(t->store, "a:b", &one), STORE_OK);
	store_unlock(t->store, &one);
	snprintf(path, sizeof(path), "%s", only_lock(t));
	copy_by_link(t, &copy, path);
	assert_int_equal(store_lock(t->store, "a:b", &one), STORE_OK);
	assert_int_equal(store_lock(copy.store, "a:b", &two), STORE_OK);
	assert_true(is_held(t, path));
	store_unlock(t->store, &one);
	store_unlock(copy.store, &two);
	tmp_close(&copy);
}

static void
test_lock_lets_a_copied_store_collect(void **state)
{
	struct gc_options options = { .grace_ms = 0 };
	struct tmp_store *t = *state, copy;
	enum store_result r = STORE_OK;
	bool done = false;
	struct gc *gc;

	tmp_write(t, LAYOUT_COLLECT_LOCK, "");
	copy_by_link(t, &copy, LAYOUT_COLLECT_LOCK);
	assert_non_null(gc = gc_new(t->store, &options));
	while (r == STORE_OK && !done)
		r = gc_step(gc, 1000000, &done);
	assert_int_equal(r, STORE_OK);
	gc_free(gc);
	tmp_close(&copy);
}

/* ---- another file takes the name meanwhile ---- */

struct swap {
	struct tmp_store *t;
	enum sysfs_kind	 at;
	unsigned	 times;
};

static int
on_swap(const struct sysfs_call *call, void *arg)
{
	struct swap *swap = arg;
	char from[2048];

	if (call->kind != swap->at || swap->times == 0)
		return 0;
	swap->times--;
	tmp_write(swap->t, "fresh", "");
	snprintf(from, sizeof(from), "%s", tmp_path(swap->t, "fresh"));
	assert_int_equal(rename(from, tmp_path(swap->t,
	    LAYOUT_COLLECT_LOCK)), 0);
	return 0;
}

static void
test_lock_is_that_of_the_name(void **state)
{
	struct tmp_store *t = *state;
	struct swap swap = { t, SYSFS_LOCK, 2 };
	struct store_lock one, two;

	sysfs_set_hook(on_swap, &swap);
	assert_int_equal(store_lock_file(t->store, LAYOUT_COLLECT_LOCK,
	    &one), STORE_OK);
	sysfs_set_hook(NULL, NULL);
	assert_int_equal(swap.times, 0);
	assert_true(is_held(t, LAYOUT_COLLECT_LOCK));
	assert_int_equal(store_lock_file(t->store, LAYOUT_COLLECT_LOCK,
	    &two), STORE_BUSY);
	store_unlock(t->store, &one);
	/* One that changes for ever is nobody's. */
	swap.times = 1000;
	sysfs_set_hook(on_swap, &swap);
	assert_int_equal(store_lock_file(t->store, LAYOUT_COLLECT_LOCK,
	    &one), STORE_BUSY);
	sysfs_set_hook(NULL, NULL);
}

/* A copy is parted from while somebody waits for the old file. */
static void
test_lock_waits_for_the_right_file(void **state)
{
	struct tmp_store *t = *state, copy;
	struct store_lock one, two;
	char path[LAYOUT_PATH_SIZE];
	int waiting;

	assert_int_equal(store_lock(t->store, "a:b", &one), STORE_OK);
	store_unlock(t->store, &one);
	snprintf(path, sizeof(path), "%s", only_lock(t));
	waiting = open(tmp_path(t, path), O_RDWR);
	assert_int_not_equal(waiting, -1);
	copy_by_link(t, &copy, path);
	assert_int_equal(store_lock(t->store, "a:b", &one), STORE_OK);
	/* The one who has waited gets a lock, but of the copy's file. */
	assert_int_equal(flock(waiting, LOCK_EX | LOCK_NB), 0);
	assert_int_equal(store_lock_file(t->store, path, &two), STORE_BUSY);
	store_unlock(t->store, &one);
	close(waiting);
	tmp_close(&copy);
}

/* ---- waiting for all who hold one ---- */

#define HELD_MS		200

/* In another process, for so long; it has it when this returns. */
static pid_t
hold(const struct tmp_store *t, const char *name, unsigned ms)
{
	struct timespec pause = { .tv_sec = ms / 1000,
	    .tv_nsec = ms % 1000 * 1000 * 1000L };
	struct store_lock lock;
	int fds[2];
	pid_t pid;
	char c;

	assert_int_equal(pipe(fds), 0);
	assert_int_not_equal(pid = fork(), -1);
	if (pid == 0) {
		if (store_lock(t->store, name, &lock) == STORE_OK &&
		    write(fds[1], "", 1) == 1)
			nanosleep(&pause, NULL);
		_exit(0);
	}
	close(fds[1]);
	assert_int_equal(read(fds[0], &c, 1), 1);
	close(fds[0]);
	return pid;
}

static void
end_of(pid_t pid)
{
	(void)kill(pid, SIGKILL);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
}

static void
test_lock_pass_waits_for_holders(void **state)
{
	struct tmp_store *t = *state;
	uint64_t began;
	pid_t one, two;

	/* There is none, and then one that nobody has. */
	assert_int_equal(store_lock_pass(t->store), STORE_OK);
	assert_false(tmp_exists(t, NAMES));
	end_of(hold(t, "@a", 0));
	assert_int_equal(store_lock_pass(t->store), STORE_OK);
	assert_false(is_held(t, only_lock(t)));
	began = clock_monotonic_ms();
	one = hold(t, "@a", HELD_MS);
	two = hold(t, "@b", 2 * HELD_MS);
	assert_int_equal(store_lock_pass(t->store), STORE_OK);
	assert_in_range(clock_monotonic_ms() - began, 2 * HELD_MS,
	    STORE_LOCK_MS);
	end_of(one);
	end_of(two);
}

/* Those of other names, and of jobs, are held for as long as they like. */
static void
test_lock_pass_leaves_other_locks(void **state)
{
	struct tmp_store *t = *state;
	struct store_lock name, job;
	uint64_t began = clock_monotonic_ms();

	assert_int_equal(store_lock(t->store, "a:b", &name), STORE_OK);
	assert_int_equal(store_lock_file(t->store, LAYOUT_COLLECT_LOCK,
	    &job), STORE_OK);
	assert_int_equal(store_lock_pass(t->store), STORE_OK);
	assert_true(clock_monotonic_ms() - began < STORE_LOCK_MS);
	store_unlock(t->store, &name);
	store_unlock(t->store, &job);
}

/* The time is that of one lock, however many are held. */
static void
test_lock_pass_ends(void **state)
{
	struct tmp_store *t = *state;
	pid_t one, two;
	uint64_t began;

	began = clock_monotonic_ms();
	one = hold(t, "@a", 3 * STORE_LOCK_MS / 5);
	two = hold(t, "@b", 10 * STORE_LOCK_MS);
	assert_int_equal(store_lock_pass(t->store), STORE_BUSY);
	assert_in_range(clock_monotonic_ms() - began, STORE_LOCK_MS,
	    3 * STORE_LOCK_MS / 2);
	end_of(one);
	end_of(two);
	/* Who is killed has let go. */
	assert_int_equal(store_lock_pass(t->store), STORE_OK);
}

static void
test_lock_pass_is_writing(void **state)
{
	struct tmp_store *t = *state;
	struct store *s = tmp_reopen(t->dir, false, STORE_FULL);

	assert_int_equal(store_lock_pass(s), STORE_READONLY);
	store_free(s);
}

/* ---- what is no file ---- */

static void
test_lock_is_a_file(void **state)
{
	struct tmp_store *t = *state;
	struct store_lock lock;

	tmp_write(t, NAMES "/x", "");
	assert_int_equal(mkfifo(tmp_path(t, NAMES "/fifo"), 0600), 0);
	assert_int_equal(mkdir(tmp_path(t, NAMES "/dir"), 0700), 0);
	assert_int_equal(symlink("x", tmp_path(t, NAMES "/link")), 0);
	assert_int_equal(mknod(tmp_path(t, NAMES "/sock"), S_IFSOCK | 0600,
	    0), 0);
	alarm(10);
	assert_int_equal(store_lock_file(t->store, NAMES "/fifo", &lock),
	    STORE_INVALID);
	assert_int_equal(store_lock_file(t->store, NAMES "/dir", &lock),
	    STORE_INVALID);
	assert_int_equal(store_lock_file(t->store, NAMES "/link", &lock),
	    STORE_INVALID);
	assert_int_not_equal(store_lock_file(t->store, NAMES "/sock", &lock),
	    STORE_OK);
	alarm(0);
}

/* Each call of taking a lock, and of parting from a copy, fails once. */
struct fault {
	unsigned	 left;
};

static int
on_fault(const struct sysfs_call *call, void *arg)
{
	struct fault *fault = arg;

	(void)call;
	return fault->left > 0 && --fault->left == 0 ? EIO : 0;
}

static void
test_lock_survives_failures(void **state)
{
	struct tmp_store *t = *state, copy;
	struct store_lock one, two;
	struct fault fault;
	enum store_result r;
	unsigned n;

	for (n = 1;; n++) {
		(void)unlink(tmp_path(t, LAYOUT_COLLECT_LOCK));
		tmp_write(t, LAYOUT_COLLECT_LOCK, "");
		copy_by_link(t, &copy, LAYOUT_COLLECT_LOCK);
		fault.left = n;
		sysfs_set_hook(on_fault, &fault);
		r = store_lock_file(t->store, LAYOUT_COLLECT_LOCK, &one);
		sysfs_set_hook(NULL, NULL);
		if (r == STORE_OK) {
			assert_true(is_held(t, LAYOUT_COLLECT_LOCK));
			assert_int_equal(store_lock_file(t->store,
			    LAYOUT_COLLECT_LOCK, &two), STORE_BUSY);
			store_unlock(t->store, &one);
		} else
			assert_int_equal(r, STORE_IO);
		assert_false(is_held(t, LAYOUT_COLLECT_LOCK));
		tmp_close(&copy);
		if (fault.left > 0)
			break;
	}
	assert_in_range(n, 10, 100);
}

static void
test_lock_pass_survives_failures(void **state)
{
	struct tmp_store *t = *state;
	struct fault fault;
	enum store_result r;
	unsigned n;

	end_of(hold(t, "@a", 0));
	for (n = 1;; n++) {
		fault.left = n;
		sysfs_set_hook(on_fault, &fault);
		r = store_lock_pass(t->store);
		sysfs_set_hook(NULL, NULL);
		assert_true(r == STORE_OK || r == STORE_IO);
		assert_false(is_held(t, only_lock(t)));
		if (fault.left > 0)
			break;
	}
	assert_int_equal(r, STORE_OK);
	/* Each of the names was looked for. */
	assert_in_range(n, 256, 300);
}

#define TEST(fn)	cmocka_unit_test_setup_teardown(fn, tmp_setup, \
	tmp_teardown)

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(test_lock_has_one_holder),
		TEST(test_lock_of_a_copy_is_another),
		TEST(test_lock_by_name_of_a_copy),
		TEST(test_lock_lets_a_copied_store_collect),
		TEST(test_lock_is_that_of_the_name),
		TEST(test_lock_waits_for_the_right_file),
		TEST(test_lock_pass_waits_for_holders),
		TEST(test_lock_pass_leaves_other_locks),
		TEST(test_lock_pass_ends),
		TEST(test_lock_pass_is_writing),
		TEST(test_lock_is_a_file),
		TEST(test_lock_survives_failures),
		TEST(test_lock_pass_survives_failures)
	};

	return cmocka_run_group_tests_name("store_lock", tests, NULL, NULL);
}
