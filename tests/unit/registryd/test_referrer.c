/* SPDX-License-Identifier: ISC */
/*
 * referrer: entries by subject, in order, by page, filtered, also for a
 * subject that nobody has pushed.
 */
#include "store_tmp.h"

#include "referrer.h"

static size_t
count(struct tmp_store *t, const struct digest *subject, const char *last,
    const char *filter, size_t n, bool want_more)
{
	char text[DIGEST_STR_SIZE], previous[DIGEST_STR_SIZE] = "";
	struct referrer *refs;
	size_t i, nrefs;
	bool more;

	assert_int_equal(referrer_list(t->store, "a", subject, last, filter,
	    n, &refs, &nrefs, &more), STORE_OK);
	for (i = 0; i < nrefs; i++) {
		digest_format(text, &refs[i].digest);
		assert_true(strcmp(previous, text) < 0);
		assert_true(last == NULL || strcmp(last, text) < 0);
		if (filter != NULL)
			assert_string_equal(refs[i].artifact_type, filter);
		strcpy(previous, text);
	}
	referrers_free(refs, nrefs);
	assert_int_equal(more, want_more);
	return nrefs;
}

static void
test_referrer_pages_and_filter(void **state)
{
	struct tmp_store *t = *state;
	struct digest subject = tmp_digest("subject"), d;
	char text[32], last[DIGEST_STR_SIZE];
	struct referrer *refs;
	size_t i, n, seen = 0;
	bool more;

	assert_int_equal(count(t, &subject, NULL, NULL, 9, false), 0);
	for (i = 0; i < 20; i++) {
		snprintf(text, sizeof(text), "referrer %zu", i);
		d = tmp_digest(text);
		assert_int_equal(referrer_put(t->store, "a", &subject, &d,
		    i % 5 == 0 ? "application/sig" : "application/sbom"),
		    STORE_OK);
	}
	assert_int_equal(count(t, &subject, NULL, NULL, 99, false), 20);
	assert_int_equal(count(t, &subject, NULL, NULL, 20, false), 20);
	assert_int_equal(count(t, &subject, NULL, NULL, 19, true), 19);
	assert_int_equal(count(t, &subject, NULL, "application/sig", 9,
	    false), 4);
	assert_int_equal(count(t, &subject, NULL, "application/sig", 3,
	    true), 3);
	assert_int_equal(count(t, &subject, NULL, "none/such", 9, false), 0);

	last[0] = '\0';
	do {
		assert_int_equal(referrer_list(t->store, "a", &subject,
		    last[0] != '\0' ? last : NULL, NULL, 6, &refs, &n, &more),
		    STORE_OK);
		assert_true(n > 0);
		digest_format(last, &refs[n - 1].digest);
		seen += n;
		referrers_free(refs, n);
	} while (more);
	assert_int_equal(seen, 20);

	/* Not those of another subject or repository. */
	d = tmp_digest("other");
	assert_int_equal(count(t, &d, NULL, NULL, 9, false), 0);
	assert_int_equal(referrer_list(t->store, "b", &subject, NULL, NULL, 9,
	    &refs, &n, &more), STORE_OK);
	assert_int_equal(n, 0);
}

static void
test_referrer_delete_and_strays(void **state)
{
	struct tmp_store *t = *state;
	struct digest subject = tmp_digest("subject"), d = tmp_digest("d");
	char path[LAYOUT_PATH_SIZE];

	assert_int_equal(referrer_delete(t->store, "a", &subject, &d),
	    STORE_NOTFOUND);
	assert_int_equal(referrer_put(t->store, "a", &subject, &d, ""),
	    STORE_OK);
	layout_referrers(path, "a", &subject);
	strcat(path, "/no digest");
	tmp_write(t, path, "x");
	assert_int_equal(count(t, &subject, NULL, NULL, 9, false), 1);
	assert_int_equal(unlink(tmp_path(t, path)), 0);
	assert_int_equal(referrer_delete(t->store, "a", &subject, &d),
	    STORE_OK);
	assert_int_equal(count(t, &subject, NULL, NULL, 9, false), 0);
	assert_int_equal(tmp_count(t, LAYOUT_OWN_REPOSITORIES), 0);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, tmp_setup, tmp_teardown)

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(test_referrer_pages_and_filter),
		TEST(test_referrer_delete_and_strays)
	};

	return cmocka_run_group_tests_name("referrer", tests, NULL, NULL);
}
