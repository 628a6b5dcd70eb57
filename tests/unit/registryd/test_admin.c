/* SPDX-License-Identifier: ISC */
/*
 * Removing a repository: what a push that comes in the middle may leave, and
 * what is told of each failure.
 */
#include "store_tmp.h"

#include "admin.h"
#include "repo.h"
#include "sysfs.h"
#include "tag.h"

#define BLOB	"a blob"

struct push {
	struct tmp_store *tmp;
	const char	*part;		/* pushed before this is renamed */
	enum store_result result;
	bool		 done;
};

static enum store_result
put(struct store *s, const char *data, const char *tag)
{
	struct digest blob = tmp_digest(BLOB), *missing;
	struct manifest_put m = { .repo = "a", .data = data,
	    .len = strlen(data), .digest = tmp_digest(data),
	    .artifact_type = "", .tags = &tag, .ntags = 1, .refs = &blob,
	    .nrefs = 1 };
	enum store_result r;
	size_t n;

	r = repo_put_manifest(s, &m, &missing, &n);
	free(missing);
	return r;
}

static void
prepare(struct tmp_store *t)
{
	char path[LAYOUT_PATH_SIZE];
	struct digest blob = tmp_digest(BLOB);

	assert_int_equal(store_put(t->store, layout_blob(path, &blob), BLOB,
	    strlen(BLOB), 0), STORE_OK);
	assert_int_equal(repo_link_blob(t->store, "a", &blob), STORE_OK);
	assert_int_equal(put(t->store, "{\"n\":1}", "one"), STORE_OK);
}

static int
on_rename(const struct sysfs_call *call, void *arg)
{
	struct push *push = arg;

	if (call->kind != SYSFS_RENAME || push->done || call->name == NULL ||
	    strcmp(call->name, push->part) != 0)
		return 0;
	push->done = true;
	push->result = put(push->tmp->store, "{\"n\":2}", "two");
	return 0;
}

static json_t *
remove_a(struct tmp_store *t)
{
	char error[ADMIN_ERROR_SIZE];
	json_t *request = json_pack("{ss}", "repository", "a"), *result;

	result = admin_run(t->store, "repository-remove", request, error,
	    sizeof(error));
	json_decref(request);
	return result;
}

/* Whatever was acknowledged meanwhile is there as a whole, or gone. */
static void
push_before(struct tmp_store *t, const char *part)
{
	struct push push = { t, part, STORE_IO, false };
	struct digest d, blob = tmp_digest(BLOB);
	json_t *result;

	prepare(t);
	sysfs_set_hook(on_rename, &push);
	result = remove_a(t);
	sysfs_set_hook(NULL, NULL);
	assert_non_null(result);
	json_decref(result);
	assert_true(push.done);
	assert_true(push.result == STORE_OK || push.result == STORE_MISSING);
	assert_int_equal(tag_get(t->store, "a", "one", &d), STORE_NOTFOUND);
	assert_int_equal(repo_stat_blob(t->store, "a", &blob, NULL),
	    STORE_NOTFOUND);
	assert_int_equal(tag_get(t->store, "a", "two", &d), STORE_NOTFOUND);
	d = tmp_digest("{\"n\":2}");
	assert_int_equal(repo_stat_manifest(t->store, "a", &d, NULL),
	    STORE_NOTFOUND);
}

static void
test_push_before_manifests(void **state)
{
	push_before(*state, "_manifests");
}

static void
test_push_before_layers(void **state)
{
	push_before(*state, "_layers");
}

static void
test_nothing_there(void **state)
{
	char error[ADMIN_ERROR_SIZE];
	struct tmp_store *t = *state;
	json_t *request = json_pack("{ss}", "repository", "a");

	assert_null(admin_run(t->store, "repository-remove", request, error,
	    sizeof(error)));
	assert_string_equal(error, "a: there is no such repository");
	json_decref(request);
}

static void
test_twice(void **state)
{
	struct tmp_store *t = *state;
	json_t *result;

	prepare(t);
	assert_non_null(result = remove_a(t));
	json_decref(result);
	assert_null(remove_a(t));
}

#define TEST(f)	cmocka_unit_test_setup_teardown(f, tmp_setup, tmp_teardown)

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(test_push_before_manifests),
		TEST(test_push_before_layers),
		TEST(test_nothing_there),
		TEST(test_twice)
	};

	return cmocka_run_group_tests_name("admin", tests, NULL, NULL);
}
