/* SPDX-License-Identifier: ISC */
/*
 * reference: the grammar of the distribution spec, and that nothing passes
 * which would be more than one path component.
 */
#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "reference.h"

#define D64 "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
#define N255 D64 D64 D64 "0123456789abcdef0123456789abcdef0123456789abcdef" \
	"0123456789abcde"

static void
test_reference_repo_names(void **state)
{
	static const struct {
		const char	*name;
		bool		 want;
	} cases[] = {
		{ "a", true }, { "0", true }, { "library/alpine", true },
		{ "a/b/c/d/e", true }, { "a.b_c__d-e---f", true },
		{ N255, true }, { N255 "f", false },
		{ "", false }, { "/", false }, { "/a", false }, { "a/", false },
		{ "a//b", false }, { "A", false }, { "a/B", false },
		{ ".", false }, { "..", false }, { "a/..", false },
		{ "../a", false }, { "a/./b", false }, { ".a", false },
		{ "a.", false }, { "a..b", false }, { "_a", false },
		{ "a_", false }, { "a___b", false }, { "-a", false },
		{ "a-", false }, { "a._b", false }, { "a/_uploads", false },
		{ "_uploads", false }, { "a b", false }, { "a\\b", false },
		{ "a%2fb", false }, { "a\n", false }, { "\xc3\xa4", false },
		{ "a:b", false }, { "a@b", false }
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		if (repo_name_ok(cases[i].name) != cases[i].want)
			fail_msg("%s", cases[i].name);
}

static void
test_reference_tags(void **state)
{
	static const struct {
		const char	*tag;
		bool		 want;
	} cases[] = {
		{ "latest", true }, { "_", true }, { "1.0-rc.1_x", true },
		{ "A", true }, { D64 D64, true }, { D64 D64 "a", false },
		{ "", false }, { ".", false }, { "..", false }, { ".a", false },
		{ "-a", false }, { "a/b", false }, { "a:b", false },
		{ "a b", false }, { "a+b", false }, { "\xc3\xa4", false },
		{ "a\n", false }
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		if (tag_ok(cases[i].tag) != cases[i].want)
			fail_msg("%s", cases[i].tag);
}

static void
test_reference_upload_ids(void **state)
{
	static const struct {
		const char	*id;
		bool		 want;
	} cases[] = {
		{ "f81d4fae-7dec-11d0-a765-00a0c91e6bf6", true },
		{ "A_=-", true }, { D64, true }, { D64 "a", false },
		{ "", false }, { "-a", false }, { "_a", false },
		{ "..", false }, { "a.b", false }, { "a/b", false },
		{ "a b", false }
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		if (upload_id_ok(cases[i].id) != cases[i].want)
			fail_msg("%s", cases[i].id);
}

static void
test_reference_parses(void **state)
{
	struct reference ref;

	(void)state;
	assert_int_equal(reference_parse(&ref, "latest"), 0);
	assert_false(ref.is_digest);
	assert_string_equal(ref.tag, "latest");
	assert_int_equal(reference_parse(&ref, "sha256:" D64), 0);
	assert_true(ref.is_digest);
	assert_int_equal(ref.digest.alg, DIGEST_SHA256);
	assert_int_equal(reference_parse(&ref, D64 D64), 0);
	assert_false(ref.is_digest);
	assert_int_equal(reference_parse(&ref, "md5:" D64), -1);
	assert_int_equal(reference_parse(&ref, "sha256:latest"), -1);
	assert_int_equal(reference_parse(&ref, ""), -1);
	assert_int_equal(reference_parse(&ref, "a/b"), -1);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_reference_repo_names),
		cmocka_unit_test(test_reference_tags),
		cmocka_unit_test(test_reference_upload_ids),
		cmocka_unit_test(test_reference_parses)
	};

	return cmocka_run_group_tests_name("reference", tests, NULL, NULL);
}
