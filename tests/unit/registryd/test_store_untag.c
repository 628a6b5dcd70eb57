/* SPDX-License-Identifier: ISC */
/*
 * A manifest that loses its tag: the age after which it is collected begins
 * then, or it does not lose its tag.
 */
#include "store_operations.h"

#include <time.h>

#include "sysfs.h"

#define LONG_AGO	1000000

struct watch {
	ino_t		 link;
	enum sysfs_kind	 kind;		/* fails with "error" */
	int		 error;
	bool		 touched;
	bool		 synced;	/* since it was touched */
	bool		 gone_before;	/* the tag, when it was not */
};

static int
on_call(const struct sysfs_call *call, void *arg)
{
	struct watch *w = arg;
	struct stat st;

	if (call->kind == SYSFS_TOUCH)
		w->touched = true;
	if (call->kind == SYSFS_SYNC && w->touched &&
	    fstat(call->fd, &st) == 0 && st.st_ino == w->link)
		w->synced = true;
	if (call->kind == SYSFS_RENAME && !w->synced &&
	    (strcmp(call->name, "t") == 0 || strcmp(call->to_name, "t") == 0))
		w->gone_before = true;
	return w->error != 0 && call->kind == w->kind ? w->error : 0;
}

static char *
link_path(const struct tmp_store *t)
{
	struct digest d = tmp_digest(MANIFEST);
	char path[LAYOUT_PATH_SIZE];

	return strdup(tmp_path(t, layout_revision(path, "a/b", &d)));
}

static enum store_result
delete_tag(struct tmp_store *t)
{
	return repo_delete_tag(t->store, "a/b", "t");
}

/* An old manifest with a tag, of which "run" then takes it. */
static enum store_result
untag(struct tmp_store *t, enum store_result (*run)(struct tmp_store *),
    struct watch *w, time_t *mtime)
{
	struct timespec times[2] = { { .tv_sec = LONG_AGO },
	    { .tv_sec = LONG_AGO } };
	enum store_result r;
	struct stat st;
	char *link;

	prepare_manifest(t);
	link = link_path(t);
	assert_non_null(link);
	assert_int_equal(utimensat(AT_FDCWD, link, times, 0), 0);
	assert_int_equal(stat(link, &st), 0);
	w->link = st.st_ino;
	sysfs_set_hook(on_call, w);
	r = run(t);
	sysfs_set_hook(NULL, NULL);
	assert_int_equal(stat(link, &st), 0);
	*mtime = st.st_mtime;
	free(link);
	return r;
}

static void
check_untag(enum store_result (*run)(struct tmp_store *),
    bool (*done)(struct tmp_store *))
{
	struct watch w = { .error = 0 };
	struct tmp_store t;
	time_t mtime;

	tmp_open(&t);
	assert_int_equal(untag(&t, run, &w, &mtime), STORE_OK);
	assert_true(done(&t));
	assert_true(mtime > LONG_AGO);
	assert_true(w.synced);
	assert_false(w.gone_before);
	tmp_close(&t);
}

static void
test_untag_begins_an_age(void **state)
{
	(void)state;
	check_untag(delete_tag, done_delete_tag);
	check_untag(run_move_tag, done_move_tag);
}

/* Whatever keeps the age from beginning keeps the tag. */
static void
test_untag_or_not_at_all(void **state)
{
	enum store_result (*const runs[])(struct tmp_store *) = {
		delete_tag, run_move_tag
	};
	struct watch w = { .kind = SYSFS_TOUCH, .error = ENOSPC };
	struct tmp_store t;
	time_t mtime;
	size_t i;

	(void)state;
	for (i = 0; i < 2; i++) {
		tmp_open(&t);
		assert_int_equal(untag(&t, runs[i], &w, &mtime),
		    STORE_NOSPACE);
		assert_int_equal(mtime, LONG_AGO);
		assert_true(tag_is(&t, MANIFEST));
		tmp_close(&t);
	}
}

/* Another user's link cannot be touched: ours takes its place. */
static void
test_untag_of_a_foreign_link(void **state)
{
	struct watch w = { .kind = SYSFS_TOUCH, .error = EPERM };
	struct tmp_store t;
	time_t mtime;

	(void)state;
	tmp_open(&t);
	assert_int_equal(untag(&t, delete_tag, &w, &mtime), STORE_OK);
	assert_true(mtime > LONG_AGO);
	tmp_close(&t);
}

/* Nothing that could have an age. */
static void
test_untag_of_nothing(void **state)
{
	struct digest d = tmp_digest(MANIFEST);
	char path[LAYOUT_PATH_SIZE];
	struct tmp_store t;

	(void)state;
	tmp_open(&t);
	assert_int_equal(delete_tag(&t), STORE_NOTFOUND);
	prepare_manifest(&t);
	assert_int_equal(unlink(tmp_path(&t, layout_revision(path, "a/b",
	    &d))), 0);
	assert_int_equal(delete_tag(&t), STORE_OK);
	prepare_manifest(&t);
	tmp_write(&t, layout_tag_current(path, "a/b", "t"), "nonsense");
	assert_int_equal(delete_tag(&t), STORE_OK);
	tmp_close(&t);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_untag_begins_an_age),
		cmocka_unit_test(test_untag_or_not_at_all),
		cmocka_unit_test(test_untag_of_a_foreign_link),
		cmocka_unit_test(test_untag_of_nothing)
	};

	return cmocka_run_group_tests_name("store_untag", tests, NULL, NULL);
}
