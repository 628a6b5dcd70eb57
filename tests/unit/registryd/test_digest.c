/* SPDX-License-Identifier: ISC */
/*
 * digest: the text form, and hashes against the vectors of FIPS 180.
 */
#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "digest.h"

#define HEX64 \
	"ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
#define HEX128 \
	"ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a" \
	"2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f"

static void
test_digest_parses_and_formats(void **state)
{
	static const char *const good[] = {
		"sha256:" HEX64, "sha512:" HEX128
	};
	char text[DIGEST_STR_SIZE], hex[DIGEST_HEX_SIZE];
	struct digest d;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		assert_int_equal(digest_parse(&d, good[i]), 0);
		assert_string_equal(digest_format(text, &d), good[i]);
		assert_string_equal(digest_hex(hex, &d), good[i] + 7);
	}
}

static void
test_digest_rejects(void **state)
{
	static const char *const bad[] = {
		"", ":", "sha256", "sha256:", "sha256:ab", HEX64,
		"sha256:" HEX128, "sha512:" HEX64, "sha1:" HEX64,
		"SHA256:" HEX64, "sha256: " HEX64, "sha256:" HEX64 "0",
		"sha256:" HEX64 "\n", "sha384:" HEX64,
		"sha256:BA7816BF8F01CFEA414140DE5DAE2223B00361A396177A9CB410"
		    "FF61F20015AD",
		"sha256:ga7816bf8f01cfea414140de5dae2223b00361a396177a9cb410"
		    "ff61f20015ad",
		"sha256:../816bf8f01cfea414140de5dae2223b00361a396177a9cb410"
		    "ff61f20015ad"
	};
	struct digest d, before;
	size_t i;

	(void)state;
	memset(&d, 7, sizeof(d));
	before = d;
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		if (digest_parse(&d, bad[i]) != -1)
			fail_msg("taken: %s", bad[i]);
	assert_memory_equal(&d, &before, sizeof(d));
}

static void
test_digest_hashes(void **state)
{
	static const struct {
		enum digest_alg	 alg;
		const char	*text;
		const char	*want;
	} cases[] = {
		{ DIGEST_SHA256, "abc", "sha256:" HEX64 },
		{ DIGEST_SHA512, "abc", "sha512:" HEX128 },
		{ DIGEST_SHA256, "", "sha256:e3b0c44298fc1c149afbf4c8996fb9242"
		    "7ae41e4649b934ca495991b7852b855" }
	};
	char text[DIGEST_STR_SIZE];
	struct digest d;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		assert_int_equal(digest_of(&d, cases[i].alg, cases[i].text,
		    strlen(cases[i].text)), 0);
		assert_string_equal(digest_format(text, &d), cases[i].want);
	}
}

static void
test_digest_stream_goes_on_after_result(void **state)
{
	struct digest_ctx *c, *copy;
	struct digest d, want;

	(void)state;
	assert_non_null(c = digest_ctx_new(DIGEST_SHA512));
	assert_int_equal(digest_ctx_alg(c), DIGEST_SHA512);
	assert_int_equal(digest_ctx_update(c, "a", 1), 0);
	assert_int_equal(digest_ctx_result(c, &d), 0);
	assert_int_equal(digest_of(&want, DIGEST_SHA512, "a", 1), 0);
	assert_true(digest_equal(&d, &want));

	assert_non_null(copy = digest_ctx_copy(c));
	assert_int_equal(digest_ctx_update(c, "bc", 2), 0);
	assert_int_equal(digest_ctx_result(c, &d), 0);
	assert_int_equal(digest_of(&want, DIGEST_SHA512, "abc", 3), 0);
	assert_true(digest_equal(&d, &want));
	assert_int_equal(digest_ctx_result(copy, &d), 0);
	assert_false(digest_equal(&d, &want));
	digest_ctx_free(c);
	digest_ctx_free(copy);
	digest_ctx_free(NULL);
}

static void
test_digest_equal_looks_at_the_algorithm(void **state)
{
	struct digest a, b;

	(void)state;
	memset(&a, 0, sizeof(a));
	b = a;
	assert_true(digest_equal(&a, &b));
	b.alg = DIGEST_SHA512;
	assert_false(digest_equal(&a, &b));
	b = a;
	b.bytes[31] = 1;
	assert_false(digest_equal(&a, &b));
	/* Beyond the digest's size nothing counts. */
	b = a;
	b.bytes[32] = 1;
	assert_true(digest_equal(&a, &b));
}

static void
test_digest_names(void **state)
{
	enum digest_alg alg;

	(void)state;
	assert_int_equal(digest_alg_parse(&alg, "sha512"), 0);
	assert_int_equal(alg, DIGEST_SHA512);
	assert_string_equal(digest_alg_name(alg), "sha512");
	assert_int_equal(digest_alg_size(alg), 64);
	assert_int_equal(digest_alg_parse(&alg, "sha256"), 0);
	assert_int_equal(alg, DIGEST_SHA256);
	assert_int_equal(digest_alg_parse(&alg, "SHA256"), -1);
	assert_int_equal(digest_alg_parse(&alg, "sha256:"), -1);
	assert_int_equal(digest_alg_parse(&alg, ""), -1);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_digest_parses_and_formats),
		cmocka_unit_test(test_digest_rejects),
		cmocka_unit_test(test_digest_hashes),
		cmocka_unit_test(test_digest_stream_goes_on_after_result),
		cmocka_unit_test(test_digest_equal_looks_at_the_algorithm),
		cmocka_unit_test(test_digest_names)
	};

	return cmocka_run_group_tests_name("digest", tests, NULL, NULL);
}
