/* SPDX-License-Identifier: ISC */
/* Unit tests of common/http_date.c. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "http_date.h"

static void
test_date(void **state)
{
	static const struct {
		time_t		 in;
		const char	*want;
	} cases[] = {
		{ 0, "Thu, 01 Jan 1970 00:00:00 GMT" },
		{ 784111777, "Sun, 06 Nov 1994 08:49:37 GMT" },
		{ 951782400, "Tue, 29 Feb 2000 00:00:00 GMT" },
		{ 2147483648, "Tue, 19 Jan 2038 03:14:08 GMT" },
		{ 253402300799, "Fri, 31 Dec 9999 23:59:59 GMT" },
		/* Beyond what the format can hold. */
		{ 253402300800, "Thu, 01 Jan 1970 00:00:00 GMT" },
		{ INT64_MAX, "Thu, 01 Jan 1970 00:00:00 GMT" },
		{ INT64_MIN, "Thu, 01 Jan 1970 00:00:00 GMT" },
	};
	char date[HTTP_DATE_SIZE];
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		assert_ptr_equal(http_date_format(date, cases[i].in), date);
		assert_string_equal(date, cases[i].want);
		assert_int_equal(strlen(date), HTTP_DATE_SIZE - 1);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_date),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
