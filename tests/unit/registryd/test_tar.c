/* SPDX-License-Identifier: ISC */
/*
 * tar: headers there and back, sizes of both kinds, extra members, nonsense.
 */
#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "tar.h"

static void
test_round(void **state)
{
	static const struct {
		const char	*name;
		uint64_t	 size;
		enum tar_type	 type;
		const char	*want;
	} cases[] = {
		{ "index.json", 0, TAR_FILE, "index.json" },
		{ "blobs/", 0, TAR_DIRECTORY, "blobs" },
		{ "./a", 511, TAR_FILE, "a" },
		{ ".//./a/b", 512, TAR_FILE, "a/b" },
		{ "x", 077777777777ull, TAR_FILE, "x" },
		{ "x", 0100000000000ull, TAR_FILE, "x" },
		{ "x", INT64_MAX, TAR_FILE, "x" },
	};
	unsigned char block[TAR_BLOCK];
	struct tar_extra extra;
	struct tar_member m;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		memset(&extra, 0, sizeof(extra));
		assert_int_equal(tar_format(block, cases[i].name,
		    cases[i].size), 0);
		assert_int_equal(tar_parse(&m, block, &extra), 0);
		assert_int_equal(m.type, cases[i].type);
		assert_string_equal(m.name, cases[i].want);
		assert_true(m.size == cases[i].size);
		/* Any other byte, and the sum is wrong. */
		block[200] ^= 1;
		assert_int_equal(tar_parse(&m, block, &extra), -1);
	}
}

static void
test_long_name(void **state)
{
	unsigned char block[TAR_BLOCK];
	char name[102];

	(void)state;
	memset(name, 'a', sizeof(name));
	name[101] = '\0';
	assert_int_equal(tar_format(block, name, 0), -1);
	name[100] = '\0';
	assert_int_equal(tar_format(block, name, 0), 0);
	assert_int_equal(tar_format(block, "", 0), -1);
}

static void
test_extra(void **state)
{
	static const struct {
		enum tar_type	 type;
		const char	*data;
		int		 want;
		const char	*name;	/* of the next member */
		uint64_t	 size;
	} cases[] = {
		{ TAR_PAX, "12 path=a/b\n", 0, "a/b", 7 },
		{ TAR_PAX, "10 size=9\n", 0, "plain", 9 },
		{ TAR_PAX, "12 path=a/b\n10 size=9\n", 0, "a/b", 9 },
		{ TAR_PAX, "11 mtime=1\n", 0, "plain", 7 },
		{ TAR_PAX, "13 path=./b/\n", 0, "b", 7 },
		{ TAR_PAX, "", 0, "plain", 7 },
		{ TAR_PAX, "99 path=a/b\n", -1, NULL, 0 },
		{ TAR_PAX, "3 \n", -1, NULL, 0 },
		{ TAR_PAX, "path=a\n", -1, NULL, 0 },
		{ TAR_PAX, "12 path=a/bX", -1, NULL, 0 },
		{ TAR_PAX, "10 size=x\n", -1, NULL, 0 },
		{ TAR_PAX, "29 size=99999999999999999999\n", -1, NULL, 0 },
		{ TAR_LONG_NAME, "some/name", 0, "some/name", 7 },
		{ TAR_LONG_NAME, "", -1, NULL, 0 },
	};
	unsigned char block[TAR_BLOCK];
	struct tar_extra extra;
	struct tar_member m;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		memset(&extra, 0, sizeof(extra));
		if (tar_take_extra(&extra, cases[i].type, cases[i].data,
		    strlen(cases[i].data)) != cases[i].want)
			fail_msg("%s", cases[i].data);
		if (cases[i].want == -1)
			continue;
		assert_int_equal(tar_format(block, "plain", 7), 0);
		assert_int_equal(tar_parse(&m, block, &extra), 0);
		assert_string_equal(m.name, cases[i].name);
		assert_true(m.size == cases[i].size);
		/* For one member only. */
		assert_int_equal(tar_parse(&m, block, &extra), 0);
		assert_string_equal(m.name, "plain");
		assert_true(m.size == 7);
	}
}

static void
test_nonsense(void **state)
{
	unsigned char block[TAR_BLOCK];
	struct tar_extra extra;
	struct tar_member m;

	(void)state;
	memset(&extra, 0, sizeof(extra));
	memset(block, 0, sizeof(block));
	assert_int_equal(tar_parse(&m, block, &extra), 0);
	assert_int_equal(m.type, TAR_END);
	memset(block, 'x', sizeof(block));
	assert_int_equal(tar_parse(&m, block, &extra), -1);
	memset(block, 0xff, sizeof(block));
	assert_int_equal(tar_parse(&m, block, &extra), -1);
	memset(block, 0, sizeof(block));
	memcpy(block, "\x1f\x8b\x08", 3);	/* gzip */
	assert_int_equal(tar_parse(&m, block, &extra), -1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_round),
		cmocka_unit_test(test_long_name),
		cmocka_unit_test(test_extra),
		cmocka_unit_test(test_nonsense),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
