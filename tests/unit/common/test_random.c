/* SPDX-License-Identifier: ISC */
/* Unit tests of common/random.c: forms, and that bytes differ. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "random.h"

static void
test_random_bytes_fills_all(void **state)
{
	unsigned char a[1000], b[1000];
	size_t i, same = 0;

	(void)state;
	memset(a, 0, sizeof(a));
	memset(b, 0, sizeof(b));
	random_bytes(a, sizeof(a));
	random_bytes(b, sizeof(b) - 1);
	assert_int_equal(b[sizeof(b) - 1], 0);
	for (i = 0; i < sizeof(a) - 1; i++)
		same += a[i] == b[i];
	/* 4 are expected; 100 happen less than once in 10^100 runs */
	assert_true(same < 100);
}

static void
test_random_hex(void **state)
{
	char out[2 * 70 + 2];

	(void)state;
	memset(out, 'X', sizeof(out));
	random_hex(out, 70);
	assert_int_equal(strlen(out), 140);
	assert_int_equal(strspn(out, "0123456789abcdef"), 140);
	assert_int_equal(out[141], 'X');
	random_hex(out, 0);
	assert_string_equal(out, "");
}

static void
test_random_uuid(void **state)
{
	char a[UUID_SIZE], b[UUID_SIZE];
	int i;

	(void)state;
	random_uuid(a);
	random_uuid(b);
	assert_string_not_equal(a, b);
	assert_int_equal(strlen(a), 36);
	for (i = 0; i < 36; i++) {
		if (i == 8 || i == 13 || i == 18 || i == 23)
			assert_int_equal(a[i], '-');
		else
			assert_non_null(strchr("0123456789abcdef", a[i]));
	}
	assert_int_equal(a[14], '4');
	assert_non_null(strchr("89ab", a[19]));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_random_bytes_fills_all),
		cmocka_unit_test(test_random_hex),
		cmocka_unit_test(test_random_uuid),
	};

	return cmocka_run_group_tests_name("random", tests, NULL, NULL);
}
