/* SPDX-License-Identifier: ISC */
/*
 * gc: trees that have seen years, and damage.
 */
#include "gc_tree.h"

static void
test_gc_years_of_distribution(void **state)
{
	struct tmp_store *t = *state;
	char path[LAYOUT_PATH_SIZE], half[LAYOUT_PATH_SIZE];
	char text[DIGEST_STR_SIZE], junk[64];
	struct digest d, gone = tmp_digest("gone");
	struct digest used = tmp_digest("used");
	struct gc_report report;
	int i;

	(void)tree_image(t, "a", "used", "v1");
	(void)tree_image(t, "a/b", "used", "v1");
	(void)tree_image(t, "aa", "used", "v1");
	(void)tree_image(t, "a-b", "other", "v1");
	(void)tree_image(t, "Not_A-Name", "third", "v1");
	(void)tree_image(t, "a/b/c/d/e/f/g/h/i/j/k/l/m/n/o/p/q", "deep",
	    "v1");
	tree_blob(t, "a", "unused");
	/* Links of nothing: of a layer, of a revision, of a tag. */
	d = tmp_digest("used");
	tmp_write(t, layout_layer(path, "a/b", &d), "");
	d = tmp_digest(tree_image(t, "x", "behind an empty link", NULL));
	tmp_write(t, layout_revision(path, "x", &d), "");
	tmp_write(t, REPOS "a/_manifests/tags/empty/current/link", "");
	/* A tag, and an entry of its history, of a manifest that is gone. */
	digest_format(text, &gone);
	tmp_write(t, layout_tag_current(path, "a", "dangling"), text);
	tmp_write(t, layout_tag_index(path, "a", "dangling", &gone), text);
	tmp_write(t, layout_tag_index(path, "a", "v1", &gone), text);
	/* Directories half made, strange files, temporary ones. */
	tmp_write(t, REPOS "half/_layers/sha256/x", "");
	*strrchr(layout_layer(half, "a", &gone), '/') = '\0';
	assert_int_equal(mkdir(tmp_path(t, half), 0777), 0);
	tmp_write(t, REPOS "file", "");
	tmp_write(t, REPOS "a/_manifests/tags/v1/current/link.1-2.tmp", "");
	*strrchr(layout_layer(path, "a", &used), '/') = '\0';
	strcat(path, "/link.0b-1c.tmp");
	tmp_write(t, path, "");
	tmp_write(t, REPOS "a/_layers/README", "");
	tmp_write(t, "docker/registry/v2/blobs/sha256/xy", "");
	for (i = 0; i < 2000; i++) {
		snprintf(junk, sizeof(junk), REPOS "a/_junk/%d", i);
		tmp_write(t, junk, "");
	}
	tree_age(t, HOUR);
	for (i = 0; i < 4; i++)
		assert_int_equal(tree_collect_with(t, &tree_options,
		    &report), STORE_OK);
	assert_true(tree_has_blob(t, "used"));
	assert_true(tree_has_blob(t, "other"));
	assert_true(tree_has_blob(t, "third"));
	assert_true(tree_has_blob(t, "deep"));
	assert_true(tree_has_blob(t, "behind an empty link"));
	assert_int_equal(tree_names(t, "unused"), 0);
	assert_true(tmp_exists(t, layout_tag_current(path, "a",
	    "dangling")));
	assert_false(tmp_exists(t, layout_tag_index(path, "a", "v1",
	    &gone)));
	assert_false(tmp_exists(t, REPOS "a/_manifests/tags/v1/current/"
	    "link.1-2.tmp"));
	*strrchr(layout_layer(path, "a", &used), '/') = '\0';
	strcat(path, "/link.0b-1c.tmp");
	assert_false(tmp_exists(t, path));
	assert_true(tmp_exists(t, REPOS "file"));
	assert_int_equal(tmp_count(t, REPOS "a/_junk"), 2000);
	assert_false(tmp_exists(t, half));
	assert_true(report.damaged >= 3);
	assert_true(report.path[0] != '\0');
}

/* Bytes that are lost or wrong: what they may have named stays. */
static void
test_gc_damaged_manifest_keeps_its_repository(void **state)
{
	struct tmp_store *t = *state;
	char path[LAYOUT_PATH_SIZE];
	struct gc_report report;
	struct digest d;

	d = tmp_digest(tree_image(t, "a", "needed", "v1"));
	tree_blob(t, "b", "unused");
	tmp_write(t, layout_blob(path, &d), "{\"layers\":[]}");
	tree_age(t, HOUR);
	tree_collect_times(t, &tree_options, 2);
	assert_int_equal(tree_collect_with(t, &tree_options, &report),
	    STORE_OK);
	assert_int_equal(report.damaged, 1);
	assert_string_equal(report.path, path);
	assert_true(tree_has_blob(t, "needed"));
	assert_int_equal(tree_names(t, "unused"), 0);
}

int
main(void)
{
#define T(f)	cmocka_unit_test_setup_teardown(f, tmp_setup, tmp_teardown)
	const struct CMUnitTest tests[] = {
		T(test_gc_years_of_distribution),
		T(test_gc_damaged_manifest_keeps_its_repository)
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
