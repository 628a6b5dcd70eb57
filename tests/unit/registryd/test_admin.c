/* SPDX-License-Identifier: ISC */
/*
 * What administrators ask for.  Lists: pages that end when their time is
 * over, and together hold everything once.  Removing a repository beside a
 * push that is killed.
 */
#include "store_operations.h"

#include <sys/wait.h>

#include <jansson.h>
#include <time.h>

#include "admin.h"
#include "clock.h"
#include "fsck.h"
#include "json.h"
#include "sysfs.h"

#define NREPOS	50
#define ANSWER_MS	1000		/* on a machine that is busy */
#define MANY		2000		/* repositories in one directory */
#define LOOKS		100		/* at that, more than a page takes */

/* A disk that takes its time. */
static int
on_slow_call(const struct sysfs_call *call, void *arg)
{
	struct timespec pause = { .tv_nsec = 2000 * 1000 };

	(void)arg;
	if (call->kind == SYSFS_STAT || call->kind == SYSFS_READ)
		nanosleep(&pause, NULL);
	return 0;
}

static void
make_repos(const struct tmp_store *t)
{
	char path[LAYOUT_PATH_SIZE], name[32], digest[DIGEST_STR_SIZE];
	struct digest d = tmp_digest("x");
	int i;

	for (i = 0; i < NREPOS; i++) {
		snprintf(name, sizeof(name), "r%d/s", i);
		tmp_write(t, layout_layer(path, name, &d), "");
		tmp_write(t, layout_upload_data(path, name, "1234"), "");
		snprintf(name, sizeof(name), "t%d", i);
		tmp_write(t, layout_tag_current(path, "r0/s", name),
		    digest_format(digest, &d));
	}
}

/* How many items, over how many pages. */
static size_t
ask_all(struct tmp_store *t, json_t *request, const char *key,
    void (*after)(json_t *, const json_t *), unsigned *pages)
{
	char error[ADMIN_ERROR_SIZE];
	json_t *result, *items;
	bool more = true;
	size_t n = 0;
	uint64_t began;

	for (*pages = 0; more; (*pages)++) {
		began = clock_monotonic_ms();
		result = admin_run(t->store, json_string_at(request,
		    "command"), request, error, sizeof(error));
		assert_non_null(result);
		assert_true(clock_monotonic_ms() - began < ANSWER_MS);
		items = json_object_get(result, key);
		n += json_array_size(items);
		more = json_is_true(json_object_get(result, "more"));
		assert_true(!more || json_array_size(items) > 0);
		if (more)
			after(request, json_array_get(items,
			    json_array_size(items) - 1));
		json_decref(result);
		assert_true(*pages < NREPOS + 2);
	}
	json_decref(request);
	return n;
}

static void
after_name(json_t *request, const json_t *last)
{
	json_object_set_new(request, "after",
	    json_string(json_string_value(last)));
}

static void
after_tag(json_t *request, const json_t *last)
{
	json_object_set_new(request, "after",
	    json_string(json_string_at(last, "tag")));
}

static void
after_upload(json_t *request, const json_t *last)
{
	json_object_set_new(request, "after_repository",
	    json_string(json_string_at(last, "repository")));
	json_object_set_new(request, "after",
	    json_string(json_string_at(last, "upload")));
}

static void
test_admin_pages_end_in_time(void **state)
{
	struct tmp_store *t = *state;
	unsigned pages;

	make_repos(t);
	sysfs_set_hook(on_slow_call, NULL);
	assert_int_equal(ask_all(t, json_pack("{ss}", "command",
	    "repositories"), "repositories", after_name, &pages), NREPOS);
	assert_true(pages > 1);
	assert_int_equal(ask_all(t, json_pack("{ss ss}", "command", "tags",
	    "repository", "r0/s"), "tags", after_tag, &pages), NREPOS);
	assert_true(pages > 1);
	assert_int_equal(ask_all(t, json_pack("{ss}", "command", "uploads"),
	    "uploads", after_upload, &pages), NREPOS);
	assert_true(pages > 1);
	sysfs_set_hook(NULL, NULL);
	/* A page may also be full before that. */
	assert_int_equal(ask_all(t, json_pack("{ss si}", "command",
	    "repositories", "limit", 7), "repositories", after_name, &pages),
	    NREPOS);
	assert_true(pages >= (NREPOS + 6) / 7);
}

/* What a crash or another program left may fill more than a page. */
static void
test_admin_uploads_behind_leftovers(void **state)
{
	struct tmp_store *t = *state;
	char path[LAYOUT_PATH_SIZE], id[32];
	unsigned pages;
	int i;

	for (i = 0; i < 20; i++) {
		snprintf(id, sizeof(id), "0-%02d", i);
		tmp_write(t, layout_upload_startedat(path, "a", id), "");
	}
	tmp_write(t, layout_upload_data(path, "a", "1"), "");
	tmp_write(t, layout_upload_data(path, "b", "1"), "");
	assert_int_equal(ask_all(t, json_pack("{ss si}", "command",
	    "uploads", "limit", 3), "uploads", after_upload, &pages), 2);
}

/* A directory is not read anew for every few of its names. */
static void
test_admin_lists_of_a_large_directory(void **state)
{
	char path[LAYOUT_PATH_SIZE], name[32];
	struct digest d = tmp_digest("x");
	struct tmp_store *t = *state;
	uint64_t lists;
	unsigned pages;
	int i;

	for (i = 0; i < MANY; i++) {
		snprintf(name, sizeof(name), "r%d", i);
		tmp_write(t, layout_layer(path, name, &d), "");
	}
	/* One look into each repository, too. */
	lists = sysfs_count(SYSFS_LIST);
	assert_int_equal(ask_all(t, json_pack("{ss}", "command",
	    "repositories"), "repositories", after_name, &pages), MANY);
	assert_in_range(sysfs_count(SYSFS_LIST) - lists, MANY, MANY + LOOKS);
	lists = sysfs_count(SYSFS_LIST);
	assert_int_equal(ask_all(t, json_pack("{ss}", "command", "uploads"),
	    "uploads", after_upload, &pages), 0);
	assert_in_range(sysfs_count(SYSFS_LIST) - lists, MANY, MANY + LOOKS /
	    10);
	for (i = 0; i < MANY; i++) {
		snprintf(name, sizeof(name), "r%d", i);
		tmp_write(t, layout_upload_data(path, name, "1234"), "");
	}
	/* And one into its uploads. */
	lists = sysfs_count(SYSFS_LIST);
	assert_int_equal(ask_all(t, json_pack("{ss}", "command", "uploads"),
	    "uploads", after_upload, &pages), MANY);
	assert_true(sysfs_count(SYSFS_LIST) - lists < 4 * MANY);
}

/* ---- a push beside the removal of its repository ---- */

#define TAG_LINK	REPOS "a/b/_manifests/tags/t/current/link"
#define DIED		9		/* status of a push that was killed */
#define PUSH_S		20		/* it may not wait for longer */

/* Only of the push: it stops where it is about to set its tag. */
struct push {
	struct tmp_store *t;
	bool		 dies;		/* behind the name of its tag */
	unsigned	 touched;	/* links: of its layer, of itself */
	int		 ready, go;
};

static void
say(int fd)
{
	assert_int_equal(write(fd, "", 1), 1);
}

static void
hear(int fd)
{
	char c;

	assert_int_equal(read(fd, &c, 1), 1);
}

static int
on_push(const struct sysfs_call *call, void *arg)
{
	struct push *push = arg;

	if (push->touched < 2) {
		push->touched += call->kind == SYSFS_TOUCH;
		return 0;
	}
	if (push->ready != -1 && call->kind == SYSFS_LOCK) {
		say(push->ready);
		push->ready = -1;
		hear(push->go);
	}
	if (push->dies && tmp_exists(push->t, TAG_LINK))
		_exit(DIED);
	return 0;
}

static pid_t
start_push(struct tmp_store *t, bool dies, int *ready, int *go)
{
	struct push push = { .t = t, .dies = dies };
	int to[2], from[2];
	pid_t pid;

	assert_int_equal(pipe(to), 0);
	assert_int_equal(pipe(from), 0);
	assert_int_not_equal(pid = fork(), -1);
	if (pid == 0) {
		alarm(PUSH_S);
		close(to[1]);
		close(from[0]);
		push.ready = from[1];
		push.go = to[0];
		sysfs_set_hook(on_push, &push);
		_exit(run_manifest(t) == STORE_OK ? 0 : 1);
	}
	close(to[0]);
	close(from[1]);
	*ready = from[0];
	*go = to[1];
	return pid;
}

/* When the removal waits for a lock, the push goes on. */
static int
on_removal(const struct sysfs_call *call, void *arg)
{
	int *go = arg;

	if (call->kind != SYSFS_LOCK || *go == -1)
		return 0;
	say(*go);
	close(*go);
	*go = -1;
	return 0;
}

static bool
remove_it(struct tmp_store *t, char error[ADMIN_ERROR_SIZE])
{
	json_t *request, *result;

	request = json_pack("{ss}", "repository", "a/b");
	result = admin_run(t->store, "repository-remove", request, error,
	    ADMIN_ERROR_SIZE);
	json_decref(request);
	json_decref(result);
	return result != NULL;
}

static void
assert_sound(struct tmp_store *t)
{
	struct fsck_options o = { .strict = true };
	struct fsck_report report;

	assert_int_equal(fsck_run(t->store, &o, NULL, NULL, &report),
	    STORE_OK);
	assert_int_equal(report.broken, 0);
}

static void
remove_beside_push(struct tmp_store *t, bool dies)
{
	struct timespec old[2] = { { .tv_sec = 1000 }, { .tv_sec = 1000 } };
	char error[ADMIN_ERROR_SIZE], path[LAYOUT_PATH_SIZE];
	struct digest d = tmp_digest(BLOB);
	int ready, go, status;
	pid_t pid;

	prepare_blob(t);
	/* So that the push renews its lease. */
	assert_int_equal(utimensat(AT_FDCWD, tmp_path(t, layout_layer(path,
	    "a/b", &d)), old, 0), 0);
	pid = start_push(t, dies, &ready, &go);
	hear(ready);
	sysfs_set_hook(on_removal, &go);
	if (!remove_it(t, error))
		fail_msg("%s", error);
	sysfs_set_hook(NULL, NULL);
	/* Too late. */
	if (go != -1)
		on_removal(&(struct sysfs_call){ .kind = SYSFS_LOCK }, &go);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	close(ready);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), dies ? DIED : 1);
	assert_false(tmp_exists(t, TAG_LINK));
	assert_sound(t);
}

static void
test_admin_removal_beside_a_push(void **state)
{
	remove_beside_push(*state, false);
}

static void
test_admin_removal_beside_a_push_that_dies(void **state)
{
	struct tmp_store *t = *state;
	char error[ADMIN_ERROR_SIZE];

	remove_beside_push(t, true);
	assert_int_equal(tmp_count(t, LAYOUT_REPOSITORIES), 0);
	assert_false(remove_it(t, error));
	assert_non_null(strstr(error, "there is no such"));
}

/* What is pushed while the removal waits is not what was to be removed. */
static int
on_wait(const struct sysfs_call *call, void *arg)
{
	struct tmp_store *other = arg;

	if (call->kind != SYSFS_LOCK)
		return 0;
	sysfs_set_hook(NULL, NULL);
	prepare_manifest(other);
	return 0;
}

static void
test_admin_removal_spares_a_later_push(void **state)
{
	struct tmp_store *t = *state, other = *t;
	char error[ADMIN_ERROR_SIZE];

	other.store = tmp_reopen(t->dir, true, STORE_FULL);
	prepare_manifest(t);
	sysfs_set_hook(on_wait, &other);
	assert_true(remove_it(t, error));
	sysfs_set_hook(NULL, NULL);
	assert_true(done_manifest(t));
	assert_sound(t);
	store_free(other.store);
}

/* One that does not let go: what was there has gone, and it is told so. */
static void
test_admin_removal_does_not_wait_for_ever(void **state)
{
	struct digest d = tmp_digest(MANIFEST);
	struct tmp_store *t = *state;
	char error[ADMIN_ERROR_SIZE];
	struct store_lock lock;
	struct store *other;
	uint64_t began;

	other = tmp_reopen(t->dir, true, STORE_FULL);
	prepare_manifest(t);
	assert_int_equal(repo_lock_manifest(other, "a/b", &d, &lock),
	    STORE_OK);
	began = clock_monotonic_ms();
	assert_false(remove_it(t, error));
	assert_in_range(clock_monotonic_ms() - began, STORE_LOCK_MS,
	    2 * STORE_LOCK_MS);
	assert_non_null(strstr(error, "removed, but a push was under way"));
	assert_int_equal(repo_stat(t->store, "a/b"), STORE_NOTFOUND);
	/* It sets its tag, and dies. */
	assert_int_equal(tag_put(other, "a/b", "t", &d), STORE_OK);
	store_unlock(other, &lock);
	assert_true(remove_it(t, error));
	assert_int_equal(repo_stat(t->store, "a/b"), STORE_NOTFOUND);
	assert_sound(t);
	store_free(other);
}

#define TEST(fn)	cmocka_unit_test_setup_teardown(fn, tmp_setup, \
	tmp_teardown)

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(test_admin_pages_end_in_time),
		TEST(test_admin_lists_of_a_large_directory),
		TEST(test_admin_uploads_behind_leftovers),
		TEST(test_admin_removal_beside_a_push),
		TEST(test_admin_removal_beside_a_push_that_dies),
		TEST(test_admin_removal_spares_a_later_push),
		TEST(test_admin_removal_does_not_wait_for_ever)
	};

	return cmocka_run_group_tests_name("admin", tests, NULL, NULL);
}
