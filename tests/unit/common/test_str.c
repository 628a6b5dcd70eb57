/* SPDX-License-Identifier: ISC */
/* Unit tests of common/str.c. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <string.h>

#include "str.h"

#define LEN(a)	(sizeof(a) / sizeof((a)[0]))
#define HOUR	UINT64_C(3600000)

static void
test_vis(void **state)
{
	static const struct {
		size_t size;
		const char *in;
		size_t len;
		const char *want;
	} cases[] = {
		{ 16, "plain", 5, "plain" },
		{ 16, "a\nb", 3, "a\\x0ab" },
		{ 16, "\\", 1, "\\x5c" },
		{ 16, "\x1b[0m", 4, "\\x1b[0m" },
		{ 16, "\xff\x7f", 2, "\\xff\\x7f" },
		{ 16, "a\0b", 3, "a\\x00b" },
		{ 8, "abcdefg", 7, "abcdefg" },
		{ 8, "abcdefgh", 8, "abcd..." },
		{ 8, "abcd\nx", 6, "abcd..." },
		{ 8, "abc\n", 4, "abc\\x0a" },
		{ 8, "\n\n", 2, "\\x0a..." },
		{ 3, "abcd", 4, "ab" },
		{ 1, "a", 1, "" },
		{ 16, "", 0, "" },
	};
	char out[16];
	size_t i;

	(void)state;
	for (i = 0; i < LEN(cases); i++) {
		memset(out, 'X', sizeof(out));
		assert_ptr_equal(str_vis(out, cases[i].size, cases[i].in,
		    cases[i].len), out);
		assert_string_equal(out, cases[i].want);
	}
}

static void
test_copy(void **state)
{
	char out[4];

	(void)state;
	assert_int_equal(str_copy(out, sizeof(out), "abc"), 0);
	assert_string_equal(out, "abc");
	assert_int_equal(str_copy(out, sizeof(out), "abcd"), -1);
	assert_int_equal(errno, ENAMETOOLONG);
	assert_string_equal(out, "");
}

static void
test_parse_u64(void **state)
{
	static const struct {
		const char *in;
		uint64_t max;
		int error;
		uint64_t want;
	} cases[] = {
		{ "0", 10, 0, 0 },
		{ "0010", 10, 0, 10 },
		{ "18446744073709551615", UINT64_MAX, 0, UINT64_MAX },
		{ "18446744073709551616", UINT64_MAX, ERANGE, 0 },
		{ "99999999999999999999999", UINT64_MAX, ERANGE, 0 },
		{ "11", 10, ERANGE, 0 },
		{ "", 10, EINVAL, 0 },
		{ "-1", 10, EINVAL, 0 },
		{ "+1", 10, EINVAL, 0 },
		{ " 1", 10, EINVAL, 0 },
		{ "1 ", 10, EINVAL, 0 },
		{ "0x1", 10, EINVAL, 0 },
		{ "99999999999999999999999x", 10, EINVAL, 0 },
	};
	uint64_t v;
	size_t i;

	(void)state;
	for (i = 0; i < LEN(cases); i++) {
		v = 12345;
		errno = 0;
		assert_int_equal(str_parse_u64(cases[i].in,
		    strlen(cases[i].in), cases[i].max, &v),
		    cases[i].error == 0 ? 0 : -1);
		assert_int_equal(errno, cases[i].error);
		assert_int_equal(v, cases[i].error == 0 ? cases[i].want :
		    12345);
	}
	assert_int_equal(str_parse_u64("12x", 2, 99, &v), 0);
	assert_int_equal(v, 12);
}

static void
test_compare(void **state)
{
	char s[] = "AbZ[\xc3\x84";

	(void)state;
	assert_true(str_starts("abc", "ab"));
	assert_true(str_starts("abc", ""));
	assert_false(str_starts("ab", "abc"));
	assert_true(str_ends("abc", "bc"));
	assert_false(str_ends("bc", "abc"));
	assert_true(str_equal_nocase("Content-TYPE", "content-type"));
	assert_false(str_equal_nocase("a", "ab"));
	assert_false(str_equal_nocase("ab", "a"));
	assert_false(str_equal_nocase("[", "{"));
	str_lower(s);
	assert_string_equal(s, "abz[\xc3\x84");
}

static void
test_bytes(void **state)
{
	static const struct {
		uint64_t n;
		const char *want;
	} cases[] = {
		{ 0, "0 B" },
		{ 1023, "1023 B" },
		{ 1024, "1 KiB" },
		{ 1536, "1.5 KiB" },
		{ 1024 * 1024 - 1, "1 MiB" },
		{ UINT64_C(5) << 30, "5 GiB" },
		{ UINT64_MAX, "16 EiB" },
	};
	char out[16];
	size_t i;

	(void)state;
	for (i = 0; i < LEN(cases); i++)
		assert_string_equal(str_bytes(out, sizeof(out), cases[i].n),
		    cases[i].want);
}

static void
test_parse_duration(void **state)
{
	static const struct {
		const char *in;
		int error;
		uint64_t ms;
	} cases[] = {
		{ "0", 0, 0 },
		{ "0s", 0, 0 },
		{ "1h30m", 0, 90 * 60000 },
		{ "250ms", 0, 250 },
		{ "1.5h", 0, 90 * 60000 },
		{ ".5s", 0, 500 },
		{ "1.s", 0, 1000 },
		{ "+1m", 0, 60000 },
		{ "168h", 0, 168 * HOUR },
		{ "1us", 0, 1 },
		{ "1\xc2\xb5s", 0, 1 },
		{ "1500us", 0, 2 },
		{ "1000000", 0, 1 },
		{ "86400000000000", 0, 24 * HOUR },
		{ "9223372036854775807", 0, UINT64_C(9223372036855) },
		{ "9223372036854775808", ERANGE, 0 },
		{ "2562048h", ERANGE, 0 },
		{ "2562047h60m", ERANGE, 0 },
		{ "", EINVAL, 0 },
		{ "+", EINVAL, 0 },
		{ "-1s", EINVAL, 0 },
		{ "1", 0, 1 },
		{ "1.5", EINVAL, 0 },
		{ "1h30", EINVAL, 0 },
		{ ".s", EINVAL, 0 },
		{ "h", EINVAL, 0 },
		{ "1d", EINVAL, 0 },
		{ "1 h", EINVAL, 0 },
		{ "1S", EINVAL, 0 },
	};
	uint64_t v;
	size_t i;

	(void)state;
	for (i = 0; i < LEN(cases); i++) {
		v = 12345;
		errno = 0;
		assert_int_equal(str_parse_duration(cases[i].in, &v),
		    cases[i].error == 0 ? 0 : -1);
		assert_int_equal(errno, cases[i].error);
		assert_int_equal(v, cases[i].error == 0 ? cases[i].ms : 12345);
	}
}

static void
test_duration_round_trip(void **state)
{
	static const struct {
		uint64_t ms;
		const char *want;
	} cases[] = {
		{ 0, "0s" },
		{ 250, "250ms" },
		{ 1000, "1s" },
		{ 1500, "1.5s" },
		{ 1050, "1.05s" },
		{ 61001, "1m1.001s" },
		{ 90 * 60000, "1h30m0s" },
		{ 168 * HOUR, "168h0m0s" },
	};
	uint64_t v;
	char out[32];
	size_t i;

	(void)state;
	for (i = 0; i < LEN(cases); i++) {
		str_duration(out, sizeof(out), cases[i].ms);
		assert_string_equal(out, cases[i].want);
		assert_int_equal(str_parse_duration(out, &v), 0);
		assert_int_equal(v, cases[i].ms);
	}
	for (i = 1; i < 10000; i += 7) {
		str_duration(out, sizeof(out), i * i);
		assert_int_equal(str_parse_duration(out, &v), 0);
		assert_int_equal(v, i * i);
	}
}

static void
test_parse_size(void **state)
{
	static const struct {
		const char *in;
		int error;
		uint64_t want;
	} cases[] = {
		{ "0", 0, 0 },
		{ "1000", 0, 1000 },
		{ "4MiB", 0, 4 << 20 },
		{ "4 mib", 0, 4 << 20 },
		{ "1k", 0, 1024 },
		{ "2G", 0, UINT64_C(2) << 30 },
		{ "1TiB", 0, UINT64_C(1) << 40 },
		{ "16777215TiB", 0, UINT64_C(16777215) << 40 },
		{ "16777216TiB", ERANGE, 0 },
		{ "", EINVAL, 0 },
		{ "MiB", EINVAL, 0 },
		{ "4MB", EINVAL, 0 },
		{ "4 ", EINVAL, 0 },
		{ "4  k", EINVAL, 0 },
		{ "-1", EINVAL, 0 },
		{ "1.5MiB", EINVAL, 0 },
		{ "1KiBx", EINVAL, 0 },
		{ "1B", EINVAL, 0 },
	};
	uint64_t v;
	size_t i;

	(void)state;
	for (i = 0; i < LEN(cases); i++) {
		v = 12345;
		errno = 0;
		assert_int_equal(str_parse_size(cases[i].in, &v),
		    cases[i].error == 0 ? 0 : -1);
		assert_int_equal(errno, cases[i].error);
		assert_int_equal(v, cases[i].error == 0 ? cases[i].want :
		    12345);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_vis),
		cmocka_unit_test(test_copy),
		cmocka_unit_test(test_parse_u64),
		cmocka_unit_test(test_compare),
		cmocka_unit_test(test_bytes),
		cmocka_unit_test(test_parse_duration),
		cmocka_unit_test(test_duration_round_trip),
		cmocka_unit_test(test_parse_size),
	};

	return cmocka_run_group_tests_name("str", tests, NULL, NULL);
}
