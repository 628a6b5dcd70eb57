/* SPDX-License-Identifier: ISC */
/* Unit tests of common/clock.c. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "clock.h"

static void
test_rfc3339(void **state)
{
	static const struct {
		time_t t;
		const char *want;
	} cases[] = {
		{ 0, "1970-01-01T00:00:00Z" },
		{ 951782400, "2000-02-29T00:00:00Z" },
		{ 4102444799, "2099-12-31T23:59:59Z" },
	};
	char out[32];
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		assert_string_equal(clock_rfc3339(out, sizeof(out),
		    cases[i].t), cases[i].want);
	/* the documented sizes are enough */
	assert_int_equal(strlen(clock_rfc3339(out, 21, cases[2].t)), 20);
	assert_int_equal(strlen(clock_rfc3339_now(out, 25)), 24);
	assert_int_equal(out[19], '.');
	assert_int_equal(out[23], 'Z');
}

static void
test_rfc3339_of_no_year_is_safe(void **state)
{
	char out[64];

	(void)state;
	clock_rfc3339(out, sizeof(out), (time_t)INT64_MAX);
	assert_string_equal(out, "1970-01-01T00:00:00Z");
}

static void
test_monotonic(void **state)
{
	uint64_t ms = clock_monotonic_ms(), us = clock_monotonic_us();

	(void)state;
	assert_true(us / 1000 >= ms);
	assert_true(us / 1000 - ms < 60000);
	assert_true(clock_monotonic_us() >= us);
	assert_true(clock_wall() > 1500000000);
}

static void
test_pause(void **state)
{
	uint64_t began = clock_monotonic_us();

	(void)state;
	clock_pause_us(2000);
	assert_true(clock_monotonic_us() - began >= 2000);
	clock_pause_us(0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rfc3339),
		cmocka_unit_test(test_rfc3339_of_no_year_is_safe),
		cmocka_unit_test(test_monotonic),
		cmocka_unit_test(test_pause),
	};

	return cmocka_run_group_tests_name("clock", tests, NULL, NULL);
}
