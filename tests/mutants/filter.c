/* SPDX-License-Identifier: ISC */
/*
 * Linked into the unit tests of mutants: only the tests whose names fit
 * $TEST_FILTER run, since a mutant needs no more than the one that sees it.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

static void __attribute__((__constructor__))
filter_tests(void)
{
	const char *pattern = getenv("TEST_FILTER");

	if (pattern != NULL && pattern[0] != '\0')
		cmocka_set_test_filter(pattern);
}
