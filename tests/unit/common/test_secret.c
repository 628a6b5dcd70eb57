/* SPDX-License-Identifier: ISC */
/* Unit tests of common/secret.c. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "secret.h"

static void
test_secret_holds_bytes(void **state)
{
	struct secret *s = secret_new("pa\0ss", 5);

	(void)state;
	assert_int_equal(secret_len(s), 5);
	assert_memory_equal(secret_data(s), "pa\0ss", 6);
	assert_true(secret_equal(s, "pa\0ss", 5));
	assert_false(secret_equal(s, "pa\0sz", 5));
	assert_false(secret_equal(s, "pa\0s", 4));
	secret_free(s);
	s = secret_new(NULL, 0);
	assert_string_equal(secret_data(s), "");
	assert_true(secret_equal(s, "", 0));
	secret_free(s);
	secret_free(NULL);
}

static struct secret *
read_text(const char *text, size_t max)
{
	struct secret *s;
	int fds[2], save;

	assert_int_equal(pipe(fds), 0);
	assert_int_equal(write(fds[1], text, strlen(text)),
	    (ssize_t)strlen(text));
	close(fds[1]);
	s = secret_read(fds[0], max);
	save = errno;
	close(fds[0]);
	errno = save;
	return s;
}

static void
test_secret_read_bounds(void **state)
{
	struct secret *s;

	(void)state;
	s = read_text("12345", 5);
	assert_string_equal(secret_data(s), "12345");
	secret_free(s);
	assert_null(read_text("123456", 5));
	assert_int_equal(errno, EFBIG);
	s = read_text("", 5);
	assert_int_equal(secret_len(s), 0);
	secret_free(s);
	assert_null(secret_read(-1, 5));
	assert_int_equal(errno, EBADF);
}

static void
test_secret_wipe(void **state)
{
	char data[] = "secret";

	(void)state;
	secret_wipe(data, sizeof(data));
	assert_memory_equal(data, "\0\0\0\0\0\0", sizeof(data));
	secret_wipe(NULL, 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_secret_holds_bytes),
		cmocka_unit_test(test_secret_read_bounds),
		cmocka_unit_test(test_secret_wipe),
	};

	return cmocka_run_group_tests_name("secret", tests, NULL, NULL);
}
