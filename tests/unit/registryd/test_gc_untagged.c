/* SPDX-License-Identifier: ISC */
/*
 * gc: manifests without a tag, and what keeps them.
 */
#include "gc_tree.h"

static const struct gc_options untagged_options = {
	.grace_ms = GRACE_MS, .untagged_ms = GRACE_MS
};

static void
test_gc_keeps_untagged_unless_told(void **state)
{
	struct tmp_store *t = *state;
	char body[4096];

	snprintf(body, sizeof(body), "%s", tree_image(t, "a", "x", NULL));
	tree_age(t, HOUR);
	tree_collect_times(t, &tree_options, 4);
	assert_true(tree_has_manifest(t, "a", body));
	assert_true(tree_has_blob(t, "x"));
	tree_collect_times(t, &untagged_options, 1);
	assert_false(tree_has_manifest(t, "a", body));
	assert_true(tree_has_blob(t, "x"));
	tree_collect_times(t, &untagged_options, 4);
	assert_false(tree_has_blob(t, "x"));
	assert_int_equal(tree_names(t, body), 0);
	/* All of it is gone. */
	tree_age(t, HOUR);
	tree_collect_times(t, &untagged_options, 1);
	assert_int_equal(tmp_count(t, LAYOUT_REPOSITORIES), 0);
}

static void
test_r11_a_tag_that_moved_keeps_for_a_while(void **state)
{
	struct tmp_store *t = *state;
	char first[4096], second[4096];

	snprintf(first, sizeof(first), "%s", tree_image(t, "a", "1", "v"));
	tree_age(t, HOUR);
	snprintf(second, sizeof(second), "%s", tree_image(t, "a", "2", "v"));
	tree_collect_times(t, &untagged_options, 3);
	assert_true(tree_has_manifest(t, "a", first));
	tree_age(t, HOUR);
	tree_collect_times(t, &untagged_options, 3);
	assert_false(tree_has_manifest(t, "a", first));
	assert_true(tree_has_manifest(t, "a", second));
	assert_int_equal(tmp_count(t, REPOS "a/_manifests/tags/v/index/"
	    "sha256"), 1);
}

/* r12: a child of two indexes, one of which has a tag. */
static void
test_r12_children_of_what_is_live(void **state)
{
	struct tmp_store *t = *state;
	char child[4096], index[1024], outer[1024];
	const char *children[] = { child, NULL };
	const char *indexes[] = { index, NULL };

	snprintf(child, sizeof(child), "%s", tree_image(t, "a", "x", NULL));
	tree_body(index, sizeof(index), NULL, children);
	assert_int_equal(tree_put(t, "a", index, NULL, NULL), STORE_OK);
	tree_body(outer, sizeof(outer), NULL, indexes);
	assert_int_equal(tree_put(t, "a", outer, NULL, "all"), STORE_OK);
	tree_age(t, HOUR);
	tree_collect_times(t, &untagged_options, 4);
	assert_true(tree_has_manifest(t, "a", child));
	assert_true(tree_has_manifest(t, "a", index));
	assert_true(tree_has_blob(t, "x"));
	assert_int_equal(repo_delete_tag(t->store, "a", "all"), STORE_OK);
	tree_age(t, HOUR);
	/* Two runs for each, the one that names another first. */
	tree_collect_times(t, &untagged_options, 10);
	assert_false(tree_has_manifest(t, "a", child));
	assert_false(tree_has_blob(t, "x"));
}

/* The names of a revision: its link, condemned or not. */
static int
revision_names(struct tmp_store *t, const char *body)
{
	char path[LAYOUT_PATH_SIZE];
	struct digest d = tmp_digest(body);
	int n;

	*strrchr(layout_revision(path, "a", &d), '/') = '\0';
	n = tmp_count(t, path);
	return n == -1 ? 0 : n;
}

#define INDEXES		24

/* A lease brings back what a step has left, and then it must be whole. */
static void
test_gc_index_goes_before_its_children(void **state)
{
	static char child[INDEXES][4096], index[INDEXES][1024];
	struct tmp_store *t = *state;
	const char *children[] = { NULL, NULL };
	char layer[8];
	bool done = false;
	struct gc *gc;
	int i, run;

	for (i = 0; i < INDEXES; i++) {
		snprintf(layer, sizeof(layer), "x%d", i);
		snprintf(child[i], sizeof(child[i]), "%s", tree_image(t, "a",
		    layer, NULL));
		children[0] = child[i];
		tree_body(index[i], sizeof(index[i]), NULL, children);
		assert_int_equal(tree_put(t, "a", index[i], NULL, NULL),
		    STORE_OK);
	}
	tree_age(t, HOUR);
	for (run = 0; run < 4; run++) {
		assert_non_null(gc = gc_new(t->store, &untagged_options));
		do {
			assert_int_equal(gc_step(gc, 0, &done), STORE_OK);
			for (i = 0; i < INDEXES; i++)
				assert_true(revision_names(t, index[i]) == 0 ||
				    revision_names(t, child[i]) > 0);
		} while (!done);
		gc_free(gc);
	}
	for (i = 0; i < INDEXES; i++)
		assert_int_equal(revision_names(t, child[i]), 0);
}

/* A chain in which each index names the next one twice. */
static void
test_gc_deep_index(void **state)
{
	struct tmp_store *t = *state;
	char bodies[32][4096];
	const char *children[3] = { NULL };
	int i;

	snprintf(bodies[0], sizeof(bodies[0]), "%s",
	    tree_image(t, "a", "x", NULL));
	for (i = 1; i < 31; i++) {
		children[0] = children[1] = bodies[i - 1];
		tree_body(bodies[i], sizeof(bodies[i]), NULL, children);
		assert_int_equal(tree_put(t, "a", bodies[i], NULL,
		    i == 30 ? "top" : NULL), STORE_OK);
	}
	tree_age(t, HOUR);
	tree_collect_times(t, &untagged_options, 3);
	for (i = 0; i < 31; i++)
		assert_true(tree_has_manifest(t, "a", bodies[i]));
	assert_true(tree_has_blob(t, "x"));
}

static void
put_referrer(struct tmp_store *t, const char *body, const char *subject)
{
	struct manifest_put m = { .repo = "a", .data = body,
	    .len = strlen(body), .artifact_type = "application/x",
	    .mediatype = "application/kept", .has_subject = true };
	struct digest *missing;
	size_t n;

	m.digest = tmp_digest(body);
	m.subject = tmp_digest(subject);
	assert_int_equal(repo_put_manifest(t->store, &m, &missing, &n),
	    STORE_OK);
}

/* r13: the referrer is there before its subject, and after. */
static void
test_r13_referrers_of_what_is_live(void **state)
{
	static const char *const blobs[] = { "x", NULL };
	struct tmp_store *t = *state;
	char subject[1024], body[1024], text[DIGEST_STR_SIZE];
	struct digest d;

	tree_blob(t, "a", "x");
	tree_body(subject, sizeof(subject), blobs, NULL);
	d = tmp_digest(subject);
	snprintf(body, sizeof(body), "{\"subject\":{\"digest\":\"%s\"}}",
	    digest_format(text, &d));
	put_referrer(t, body, subject);
	assert_int_equal(tree_put(t, "a", subject, blobs, "v1"), STORE_OK);
	tree_age(t, HOUR);
	tree_collect_times(t, &untagged_options, 4);
	assert_true(tree_has_manifest(t, "a", body));
	assert_int_equal(tmp_count(t, ".registryd/repositories/a/_subjects/"
	    "sha256"), 1);
	assert_int_equal(repo_delete_manifest(t->store, "a", &d), STORE_OK);
	tree_age(t, HOUR);
	tree_collect_times(t, &untagged_options, 5);
	assert_false(tree_has_manifest(t, "a", body));
	assert_int_equal(tmp_count(t, ".registryd/repositories"), 0);
}

int
main(void)
{
#define T(f)	cmocka_unit_test_setup_teardown(f, tmp_setup, tmp_teardown)
	const struct CMUnitTest tests[] = {
		T(test_gc_keeps_untagged_unless_told),
		T(test_r11_a_tag_that_moved_keeps_for_a_while),
		T(test_r12_children_of_what_is_live),
		T(test_gc_index_goes_before_its_children),
		T(test_gc_deep_index),
		T(test_r13_referrers_of_what_is_live)
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
