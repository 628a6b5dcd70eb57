/* SPDX-License-Identifier: ISC */
/* Unit tests of common/xmem.c; what exits does so in a child. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "xmem.h"

static void
test_xmem_strings(void **state)
{
	char *s = xstrdup("abc");

	(void)state;
	assert_string_equal(s, "abc");
	free(s);
	s = xstrndup("abcdef", 3);
	assert_string_equal(s, "abc");
	free(s);
	s = xstrndup("a", 10);
	assert_string_equal(s, "a");
	free(s);
	s = xasprintf("%s-%0*d", "x", 5, 42);
	assert_string_equal(s, "x-00042");
	free(s);
}

static void
test_xmem_empty_is_not_null(void **state)
{
	char *p = xmalloc(0);
	int *a = xcalloc(0, 8);

	(void)state;
	assert_non_null(p);
	assert_non_null(a);
	a = xreallocarray(a, 4, sizeof(*a));
	a[3] = 7;
	a = xreallocarray(a, 0, sizeof(*a));
	assert_non_null(a);
	free(a);
	free(p);
}

static void
test_xmem_overflow_exits(void **state)
{
	volatile size_t huge = SIZE_MAX / 2;
	int status, null;
	pid_t pid = fork();

	(void)state;
	assert_int_not_equal(pid, -1);
	if (pid == 0) {
		null = open("/dev/null", O_WRONLY);
		dup2(null, STDERR_FILENO);
		(void)xreallocarray(NULL, huge, 3);
		_exit(0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_xmem_strings),
		cmocka_unit_test(test_xmem_empty_is_not_null),
		cmocka_unit_test(test_xmem_overflow_exits),
	};

	return cmocka_run_group_tests_name("xmem", tests, NULL, NULL);
}
