/* SPDX-License-Identifier: ISC */
/* Unit tests of common/http_range.c. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "http_range.h"

#define NONE	HTTP_RANGE_NONE
#define GOOD	HTTP_RANGE_OK
#define OUTSIDE	HTTP_RANGE_UNSATISFIABLE

static void
test_range(void **state)
{
	static const struct {
		const char		*in;
		uint64_t		 size;
		enum http_range_result	 want;
		uint64_t		 first;
		uint64_t		 length;
	} cases[] = {
		{ NULL, 10, NONE, 0, 0 },
		{ "bytes=0-0", 10, GOOD, 0, 1 },
		{ "bytes=0-9", 10, GOOD, 0, 10 },
		{ "bytes=0-10", 10, GOOD, 0, 10 },
		{ "bytes=3-", 10, GOOD, 3, 7 },
		{ "bytes=9-", 10, GOOD, 9, 1 },
		{ "bytes=10-", 10, OUTSIDE, 0, 0 },
		{ "bytes=10-11", 10, OUTSIDE, 0, 0 },
		{ "bytes=-3", 10, GOOD, 7, 3 },
		{ "bytes=-10", 10, GOOD, 0, 10 },
		{ "bytes=-11", 10, GOOD, 0, 10 },
		{ "bytes=-0", 10, OUTSIDE, 0, 0 },
		{ "bytes=-1", 0, OUTSIDE, 0, 0 },
		{ "bytes=0-", 0, OUTSIDE, 0, 0 },
		{ "bytes=0-18446744073709551615", 10, GOOD, 0, 10 },
		{ "bytes=0-99999999999999999999999", 10, GOOD, 0, 10 },
		{ "bytes=99999999999999999999999-", 10, OUTSIDE, 0, 0 },
		{ "bytes=-99999999999999999999999", 10, GOOD, 0, 10 },
		{ "Bytes=1-2", 10, GOOD, 1, 2 },
		{ "bytes= 1-2 ", 10, GOOD, 1, 2 },
		{ "bytes=0-", UINT64_MAX, GOOD, 0, UINT64_MAX },
		{ "bytes=2-1", 10, OUTSIDE, 0, 0 },
		{ "bytes=20-11", 10, OUTSIDE, 0, 0 },
		{ "bytes=0-1,3-4", 10, NONE, 0, 0 },
		{ "bytes=-", 10, NONE, 0, 0 },
		{ "bytes=", 10, NONE, 0, 0 },
		{ "bytes", 10, NONE, 0, 0 },
		{ "", 10, NONE, 0, 0 },
		{ "bytes=a-b", 10, NONE, 0, 0 },
		{ "bytes=1-b", 10, NONE, 0, 0 },
		{ "bytes=+1-2", 10, NONE, 0, 0 },
		{ "bytes=1--2", 10, NONE, 0, 0 },
		{ "bytes=--2", 10, NONE, 0, 0 },
		{ "bytes=1 -2", 10, NONE, 0, 0 },
		{ "bytes 0-1", 10, NONE, 0, 0 },
		{ "lines=0-1", 10, NONE, 0, 0 },
		{ "bytes=0x1-2", 10, NONE, 0, 0 },
	};
	uint64_t first, length;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		first = length = 0;
		assert_int_equal(http_range_parse(cases[i].in, cases[i].size,
		    &first, &length), cases[i].want);
		assert_true(first == cases[i].first);
		assert_true(length == cases[i].length);
	}
}

static void
test_content_range(void **state)
{
	static const struct {
		const char	*in;
		int		 want;
		uint64_t	 first;
		uint64_t	 last;
	} cases[] = {
		{ "0-0", 0, 0, 0 },
		{ "0-1023", 0, 0, 1023 },
		{ "5-9", 0, 5, 9 },
		{ "bytes 0-1023/1024", 0, 0, 1023 },
		{ "bytes 0-1023/*", 0, 0, 1023 },
		{ "bytes=0-1023", 0, 0, 1023 },
		{ "bytes=0-1023/2048", 0, 0, 1023 },
		{ "Bytes 1-2", 0, 1, 2 },
		{ "9223372036854775805-9223372036854775806", 0,
		    9223372036854775805ULL, 9223372036854775806ULL },
		{ "0-9223372036854775807", -1, 0, 0 },
		{ "0-99999999999999999999", -1, 0, 0 },
		{ "1-0", -1, 0, 0 },
		{ "0-1023/1023", -1, 0, 0 },
		{ "0-1023/", -1, 0, 0 },
		{ "0-1023/x", -1, 0, 0 },
		{ "0-1023/*x", -1, 0, 0 },
		{ "0-1023 ", -1, 0, 0 },
		{ " 0-1", -1, 0, 0 },
		{ "", -1, 0, 0 },
		{ "-", -1, 0, 0 },
		{ "-5", -1, 0, 0 },
		{ "5-", -1, 0, 0 },
		{ "+0-1", -1, 0, 0 },
		{ "0--1", -1, 0, 0 },
		{ "0-1-2", -1, 0, 0 },
		{ "0-1,2-3", -1, 0, 0 },
		{ "a-b", -1, 0, 0 },
		{ "bytes", -1, 0, 0 },
		{ "bytes0-1", -1, 0, 0 },
		{ "bytes */10", -1, 0, 0 },
	};
	uint64_t first, last;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		first = last = 0;
		assert_int_equal(http_content_range_parse(cases[i].in, &first,
		    &last), cases[i].want);
		assert_true(first == cases[i].first);
		assert_true(last == cases[i].last);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_range),
		cmocka_unit_test(test_content_range),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
