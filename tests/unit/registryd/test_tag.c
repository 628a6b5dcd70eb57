/* SPDX-License-Identifier: ISC */
/*
 * tag: targets, history as distribution keeps it, lists by page, and
 * deletion that does not hit a tag which has moved on.
 */
#include "store_tmp.h"

#include "tag.h"

#define TAGS	"docker/registry/v2/repositories/a/_manifests/tags/"

static void
test_tag_put_get_delete(void **state)
{
	struct tmp_store *t = *state;
	struct digest one = tmp_digest("1"), two = tmp_digest("2"), d;
	char path[LAYOUT_PATH_SIZE], text[DIGEST_STR_SIZE];

	assert_int_equal(tag_get(t->store, "a", "t", &d), STORE_NOTFOUND);
	assert_int_equal(tag_put(t->store, "a", "t", &one), STORE_OK);
	assert_int_equal(tag_put(t->store, "a", "t", &two), STORE_OK);
	assert_int_equal(tag_get(t->store, "a", "t", &d), STORE_OK);
	assert_true(digest_equal(&d, &two));
	assert_string_equal(tmp_read(t, layout_tag_current(path, "a", "t")),
	    digest_format(text, &two));
	assert_string_equal(tmp_read(t, layout_tag_index(path, "a", "t",
	    &one)), digest_format(text, &one));
	assert_string_equal(tmp_read(t, layout_tag_index(path, "a", "t",
	    &two)), digest_format(text, &two));

	assert_int_equal(tag_delete(t->store, "a", "t"), STORE_OK);
	assert_false(tmp_exists(t, TAGS "t"));
	assert_int_equal(tag_delete(t->store, "a", "t"), STORE_NOTFOUND);
	assert_int_equal(tag_put(t->store, "a", "t", &one), STORE_OK);
}

static void
test_tag_delete_if_spares_a_moved_tag(void **state)
{
	struct tmp_store *t = *state;
	struct digest one = tmp_digest("1"), two = tmp_digest("2"), d;

	assert_int_equal(tag_delete_if(t->store, "a", "t", &one),
	    STORE_NOTFOUND);
	assert_int_equal(tag_put(t->store, "a", "t", &one), STORE_OK);
	assert_int_equal(tag_put(t->store, "a", "t", &two), STORE_OK);
	assert_int_equal(tag_delete_if(t->store, "a", "t", &one),
	    STORE_MISMATCH);
	assert_int_equal(tag_get(t->store, "a", "t", &d), STORE_OK);
	assert_int_equal(tag_delete_if(t->store, "a", "t", &two), STORE_OK);
	assert_int_equal(tag_get(t->store, "a", "t", &d), STORE_NOTFOUND);
}

static void
test_tag_broken_link_can_be_deleted(void **state)
{
	struct tmp_store *t = *state;
	struct digest d;

	/* A crash of distribution before 3.1 leaves an empty link. */
	tmp_write(t, TAGS "t/current/link", "");
	assert_int_equal(tag_get(t->store, "a", "t", &d), STORE_INVALID);
	assert_int_equal(tag_delete(t->store, "a", "t"), STORE_OK);
	tmp_write(t, TAGS "u/current/link", "");
	d = tmp_digest("1");
	assert_int_equal(tag_put(t->store, "a", "u", &d), STORE_OK);
	assert_int_equal(tag_get(t->store, "a", "u", &d), STORE_OK);
}

static void
check_list(struct tmp_store *t, const char *last, size_t n, const char *want,
    bool want_more)
{
	char text[1024] = "", **names;
	size_t i, nnames;
	bool more;

	assert_int_equal(tag_list(t->store, "a", last, n, &names, &nnames,
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
test_tag_list_by_page(void **state)
{
	static const char *const good[] = { "b", "B", "1.0", "_x", "v1.tmp" };
	struct tmp_store *t = *state;
	struct digest d = tmp_digest("1");
	char **names;
	size_t i, n;
	bool more;

	assert_int_equal(tag_list(t->store, "a", NULL, 9, &names, &n, &more),
	    STORE_NOTFOUND);
	for (i = 0; i < sizeof(good) / sizeof(good[0]); i++)
		assert_int_equal(tag_put(t->store, "a", good[i], &d),
		    STORE_OK);
	/* Half-made, broken, no tag at all: not listed. */
	tmp_write(t, TAGS "half/index/x", "");
	tmp_write(t, TAGS "broken/current/link", "nonsense");
	tmp_write(t, TAGS "no tag/current/link", "nonsense");
	tmp_write(t, TAGS "file", "");

	check_list(t, NULL, 9, "1.0 B _x b v1.tmp ", false);
	check_list(t, NULL, 5, "1.0 B _x b v1.tmp ", false);
	check_list(t, NULL, 2, "1.0 B ", true);
	check_list(t, "B", 2, "_x b ", true);
	check_list(t, "b", 2, "v1.tmp ", false);
	check_list(t, "b", 0, "", true);
	check_list(t, "v1.tmp", 9, "", false);
	check_list(t, "no/tag either", 9, "v1.tmp ", false);
}

static void
test_tag_list_skips_many_broken(void **state)
{
	struct tmp_store *t = *state;
	struct digest d = tmp_digest("1");
	char path[256];
	int i;

	for (i = 0; i < 700; i++) {
		snprintf(path, sizeof(path), TAGS "m%03d/index/x", i);
		tmp_write(t, path, "");
	}
	assert_int_equal(tag_put(t->store, "a", "z", &d), STORE_OK);
	check_list(t, NULL, 1, "z ", false);
	check_list(t, NULL, 0, "", true);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, tmp_setup, tmp_teardown)

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(test_tag_put_get_delete),
		TEST(test_tag_delete_if_spares_a_moved_tag),
		TEST(test_tag_broken_link_can_be_deleted),
		TEST(test_tag_list_by_page),
		TEST(test_tag_list_skips_many_broken)
	};

	return cmocka_run_group_tests_name("tag", tests, NULL, NULL);
}
