/* SPDX-License-Identifier: ISC */
/*
 * The table of known types.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "manifest_types.h"

static struct digest
make_digest(enum digest_alg alg, int i)
{
	struct digest d;

	memset(&d, 0, sizeof(d));
	assert_int_equal(digest_of(&d, alg, &i, sizeof(i)), 0);
	return d;
}

static void
test_types(void **state)
{
	struct manifest_types *t = manifest_types_new(8);
	struct digest a = make_digest(DIGEST_SHA256, 1);
	struct digest b = make_digest(DIGEST_SHA512, 1);

	(void)state;
	assert_non_null(t);
	assert_null(manifest_types_get(t, &a));
	manifest_types_put(t, &a, "x/y");
	assert_string_equal(manifest_types_get(t, &a), "x/y");
	assert_null(manifest_types_get(t, &b));
	manifest_types_put(t, &a, "x/z");
	assert_string_equal(manifest_types_get(t, &a), "x/z");
	manifest_types_free(t);
	manifest_types_free(NULL);
}

/* Whatever is found is right, and no more than n are. */
static void
test_replacement(void **state)
{
	struct manifest_types *t = manifest_types_new(16);
	char type[16];
	const char *got;
	int i, found = 0;

	(void)state;
	for (i = 0; i < 1000; i++) {
		struct digest d = make_digest(DIGEST_SHA256, i);

		(void)snprintf(type, sizeof(type), "x/%d", i);
		manifest_types_put(t, &d, type);
		assert_string_equal(manifest_types_get(t, &d), type);
	}
	for (i = 0; i < 1000; i++) {
		struct digest d = make_digest(DIGEST_SHA256, i);

		(void)snprintf(type, sizeof(type), "x/%d", i);
		if ((got = manifest_types_get(t, &d)) != NULL) {
			assert_string_equal(got, type);
			found++;
		}
	}
	assert_in_range(found, 1, 16);
	manifest_types_free(t);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_types),
		cmocka_unit_test(test_replacement),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
