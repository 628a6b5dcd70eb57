/* SPDX-License-Identifier: ISC */
/* Unit tests of common/buf.c: growth, the maximum, and failure that stays. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "buf.h"

static void
test_buf_builds(void **state)
{
	struct buf buf;
	char *s;
	size_t len;

	(void)state;
	buf_init(&buf, 1000);
	assert_string_equal(buf_str(&buf), "");
	assert_int_equal(buf_addstr(&buf, "a"), 0);
	assert_int_equal(buf_addc(&buf, 'b'), 0);
	assert_int_equal(buf_addf(&buf, "-%d-%s", 42, "x"), 0);
	assert_int_equal(buf_add(&buf, "\0z", 2), 0);
	assert_int_equal(buf.len, 9);
	assert_memory_equal(buf.data, "ab-42-x\0z", 10);
	buf_consume(&buf, 3);
	assert_memory_equal(buf.data, "42-x\0z", 7);
	s = buf_steal(&buf, &len);
	assert_int_equal(len, 6);
	assert_memory_equal(s, "42-x\0z", 7);
	free(s);
	assert_int_equal(buf.len, 0);
	assert_null(buf.data);
	buf_done(&buf);
}

static void
test_buf_keeps_its_maximum(void **state)
{
	struct buf buf;

	(void)state;
	buf_init(&buf, 5);
	assert_int_equal(buf_addstr(&buf, "12345"), 0);
	assert_false(buf_failed(&buf));
	assert_true(buf.cap <= 6);
	errno = 0;
	assert_int_equal(buf_addc(&buf, '6'), -1);
	assert_int_equal(errno, EMSGSIZE);
	assert_true(buf_failed(&buf));
	/* what was there stays, and nothing is added any more */
	assert_string_equal(buf_str(&buf), "12345");
	assert_int_equal(buf_addstr(&buf, ""), -1);
	assert_int_equal(buf_addf(&buf, "%s", ""), -1);
	assert_null(buf_reserve(&buf, 0));
	assert_null(buf_steal(&buf, NULL));
	assert_false(buf_failed(&buf));
	buf_done(&buf);
}

static void
test_buf_reserve_and_commit(void **state)
{
	struct buf buf;
	char *p;

	(void)state;
	buf_init(&buf, 1 << 20);
	p = buf_reserve(&buf, 70000);
	assert_non_null(p);
	assert_int_equal(buf.len, 0);
	memset(p, 'x', 70000);
	buf_commit(&buf, 69999);
	assert_int_equal(strlen(buf_str(&buf)), 69999);
	assert_null(buf_reserve(&buf, SIZE_MAX));
	buf_reset(&buf);
	assert_false(buf_failed(&buf));
	assert_string_equal(buf_str(&buf), "");
	buf_commit(&buf, 0);
	buf_consume(&buf, 10);
	buf_wipe(&buf);
	assert_null(buf.data);
	assert_int_equal(buf.max, 1 << 20);
}

static void
test_buf_steal_of_nothing_is_a_string(void **state)
{
	struct buf buf;
	size_t len = 1;
	char *s;

	(void)state;
	buf_init(&buf, 0);
	s = buf_steal(&buf, &len);
	assert_string_equal(s, "");
	assert_int_equal(len, 0);
	free(s);
	assert_int_equal(buf_addc(&buf, 'x'), -1);
	buf_done(&buf);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_buf_builds),
		cmocka_unit_test(test_buf_keeps_its_maximum),
		cmocka_unit_test(test_buf_reserve_and_commit),
		cmocka_unit_test(test_buf_steal_of_nothing_is_a_string),
	};

	return cmocka_run_group_tests_name("buf", tests, NULL, NULL);
}
