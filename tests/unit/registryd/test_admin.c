/* SPDX-License-Identifier: ISC */
/*
 * Lists for administrators: pages that end when their time is over, and
 * together hold everything once.
 */
#include "store_tmp.h"

#include <jansson.h>
#include <time.h>

#include "admin.h"
#include "clock.h"
#include "json.h"
#include "sysfs.h"

#define REPOS	50
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

	for (i = 0; i < REPOS; i++) {
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
		assert_true(*pages < REPOS + 2);
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
	    "repositories"), "repositories", after_name, &pages), REPOS);
	assert_true(pages > 1);
	assert_int_equal(ask_all(t, json_pack("{ss ss}", "command", "tags",
	    "repository", "r0/s"), "tags", after_tag, &pages), REPOS);
	assert_true(pages > 1);
	assert_int_equal(ask_all(t, json_pack("{ss}", "command", "uploads"),
	    "uploads", after_upload, &pages), REPOS);
	assert_true(pages > 1);
	sysfs_set_hook(NULL, NULL);
	/* A page may also be full before that. */
	assert_int_equal(ask_all(t, json_pack("{ss si}", "command",
	    "repositories", "limit", 7), "repositories", after_name, &pages),
	    REPOS);
	assert_true(pages >= (REPOS + 6) / 7);
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

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_admin_pages_end_in_time,
		    tmp_setup, tmp_teardown),
		cmocka_unit_test_setup_teardown(
		    test_admin_lists_of_a_large_directory, tmp_setup,
		    tmp_teardown)
	};

	return cmocka_run_group_tests_name("admin", tests, NULL, NULL);
}
