/* SPDX-License-Identifier: ISC */
/*
 * privdrop: each case in a process of its own, which cannot go back.
 */
#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <sys/resource.h>
#include <sys/wait.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "log.h"
#include "privdrop.h"

#define CHECK(expr)	do { if (!(expr)) { \
	dprintf(STDERR_FILENO, "line %d: %s\n", __LINE__, #expr); \
	_exit(9); } } while (0)

static int
run_forked(void (*fn)(void))
{
	int status;
	pid_t pid;

	assert_int_not_equal(pid = fork(), -1);
	if (pid == 0) {
		fn();
		_exit(0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

static void
drop_to_user(void)
{
	struct proc_args args = { .drop = true, .uid = 23456,
	    .gids = { 23457, 23458 }, .ngids = 2 };
	gid_t extra[] = { 0, 4, 20 }, have[8];
	struct rlimit core;
	int n;

	CHECK(setgroups(3, extra) == 0);
	privdrop(&args);
	CHECK(getuid() == 23456 && geteuid() == 23456);
	CHECK(getgid() == 23457 && getegid() == 23457);
	CHECK((n = getgroups(8, have)) == 2);
	CHECK((have[0] == 23457 && have[1] == 23458) ||
	    (have[0] == 23458 && have[1] == 23457));
	CHECK(setuid(0) == -1 && errno == EPERM);
	CHECK(seteuid(0) == -1);
	CHECK(setgid(0) == -1);
	CHECK(setgroups(3, extra) == -1);
	/* The root directory is empty, nameless and not ours. */
	CHECK(open("/etc/passwd", O_RDONLY) == -1);
	CHECK(opendir("/") == NULL);
	CHECK(open("/file", O_CREAT | O_WRONLY, 0600) == -1);
	CHECK(chdir("..") == -1 || open("etc/passwd", O_RDONLY) == -1);
	CHECK(chroot("/") == -1);
	CHECK(getrlimit(RLIMIT_CORE, &core) == 0 && core.rlim_max == 0);
}

static void
drop_to_root(void)
{
	struct proc_args args = { .drop = true, .uid = 0, .gids = { 1 },
	    .ngids = 1 };

	privdrop(&args);
}

static void
drop_without_group(void)
{
	struct proc_args args = { .drop = true, .uid = 23456 };

	privdrop(&args);
}

static void
no_drop(void)
{
	struct proc_args args = { .drop = false };
	struct rlimit core;
	uid_t uid = getuid();

	privdrop(&args);
	CHECK(getuid() == uid);
	CHECK(access("/etc/passwd", R_OK) == 0);
	CHECK(getrlimit(RLIMIT_CORE, &core) == 0 && core.rlim_max == 0);
}

static void
test_drop(void **state)
{
	(void)state;
	if (getuid() != 0)
		skip();
	assert_int_equal(run_forked(drop_to_user), 0);
}

static void
test_refuses_root(void **state)
{
	(void)state;
	assert_int_equal(run_forked(drop_to_root), 1);
	assert_int_equal(run_forked(drop_without_group), 1);
}

static void
test_without_drop(void **state)
{
	(void)state;
	assert_int_equal(run_forked(no_drop), 0);
}

static void
test_lookup(void **state)
{
	static const struct {
		const char	*user;
		int		 error;		/* 0: found */
		uid_t		 uid;
		gid_t		 gid;
	} cases[] = {
		{ "54321", 0, 54321, 54321 },
		{ "54321:54322", 0, 54321, 54322 },
		{ "0", EINVAL, 0, 0 },
		{ "0:5", EINVAL, 0, 0 },
		{ "5:0", EINVAL, 0, 0 },
		{ "54321:", EINVAL, 0, 0 },
		{ "54321:x", EINVAL, 0, 0 },
		{ "root", EINVAL, 0, 0 },
		{ "no-such-user-here", ENOENT, 0, 0 },
		{ "", ENOENT, 0, 0 },
		{ "99999999999", ENOENT, 0, 0 },
	};
	uid_t uid;
	gid_t gid;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		errno = 0;
		if (privdrop_lookup(cases[i].user, &uid, &gid) == -1) {
			assert_int_equal(errno, cases[i].error);
			continue;
		}
		assert_int_equal(cases[i].error, 0);
		assert_int_equal(uid, cases[i].uid);
		assert_int_equal(gid, cases[i].gid);
	}
}

static void
test_getopt(void **state)
{
	struct proc_args args = { 0 };

	(void)state;
	assert_int_equal(proc_getopt(&args, 'P', "worker"), 0);
	assert_int_equal(proc_getopt(&args, 'I', "3"), 0);
	assert_int_equal(proc_getopt(&args, 'U', "10"), 0);
	assert_int_equal(proc_getopt(&args, 'G', "11,12,13"), 0);
	assert_string_equal(args.role, "worker");
	assert_int_equal(args.instance, 3);
	assert_true(args.drop);
	assert_int_equal(args.uid, 10);
	assert_int_equal(args.ngids, 3);
	assert_int_equal(args.gids[2], 13);
	assert_int_equal(proc_getopt(&args, 'U', "0"), -1);
	assert_int_equal(proc_getopt(&args, 'U', "-1"), -1);
	assert_int_equal(proc_getopt(&args, 'U', "4294967295"), -1);
	assert_int_equal(proc_getopt(&args, 'G', ""), -1);
	assert_int_equal(proc_getopt(&args, 'G', "1,"), -1);
	assert_int_equal(proc_getopt(&args, 'G', "1,2,3,4,5,6,7,8,9"), -1);
	assert_int_equal(proc_getopt(&args, 'P', ""), -1);
	assert_int_equal(proc_getopt(&args, 'x', "1"), -1);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_drop),
		cmocka_unit_test(test_refuses_root),
		cmocka_unit_test(test_without_drop),
		cmocka_unit_test(test_lookup),
		cmocka_unit_test(test_getopt),
	};

	log_init("test_privdrop");
	return cmocka_run_group_tests_name("privdrop", tests, NULL, NULL);
}
