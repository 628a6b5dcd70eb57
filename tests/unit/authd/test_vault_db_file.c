/* SPDX-License-Identifier: ISC */
/*
 * The file of the database of credentials: its lock and its mode, and what is
 * done with one that is damaged, foreign, newer, full or replaced, or that
 * cannot be written.
 */
#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdint.h>

#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <fcntl.h>
#include <signal.h>
#include <sqlite3.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "vault_place.h"

#define NOBODY	65534

static void
test_lock(void **state)
{
	const struct place	*place = *state;
	struct vault_db		*one, *two;
	struct vault_credential	 c;
	char			 error[256];

	one = vault_db_open(place->path, false, 0, error, sizeof(error));
	assert_non_null(one);
	assert_refused(place, "another process works on");
	/* Two vaults, as in a reload; each hears of the other's changes. */
	two = vault_db_open(place->path, false, 0, error, sizeof(error));
	assert_non_null(two);
	assert_false(vault_db_changed(one));
	assert_int_equal(add(one, 1, CREDENTIAL_PERSONAL, "alice"), VAULT_OK);
	assert_false(vault_db_changed(one));
	assert_true(vault_db_changed(two));
	assert_false(vault_db_changed(two));
	assert_int_equal(find(two, 1, &c), VAULT_OK);
	assert_int_equal(vault_db_revoke(one, c.id), VAULT_OK);
	assert_true(vault_db_changed(two));
	assert_int_equal(find(two, 1, &c), VAULT_NOTFOUND);
	vault_db_close(one);
	assert_refused(place, "another process works on");
	vault_db_close(two);
	vault_db_close(open_alone(place));
}

static void
test_mode(void **state)
{
	const struct place	*place = *state;
	struct stat		 st;
	mode_t			 mask = umask(0);

	vault_db_close(open_alone(place));
	umask(mask);
	assert_int_equal(stat(place->path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
}

static void
sql(const struct place *place, const char *text)
{
	sqlite3	*db = NULL;

	assert_int_equal(sqlite3_open(place->path, &db), SQLITE_OK);
	assert_int_equal(sqlite3_exec(db, text, NULL, NULL, NULL), SQLITE_OK);
	assert_int_equal(sqlite3_close(db), SQLITE_OK);
}

static void
test_newer(void **state)
{
	vault_db_close(open_alone(*state));
	sql(*state, "PRAGMA user_version = 2");
	assert_refused(*state, "a newer authd has made it");
	sql(*state, "PRAGMA user_version = 1");
	vault_db_close(open_alone(*state));
}

static void
test_foreign(void **state)
{
	const struct place	*place = *state;
	int			 fd;

	sql(place, "CREATE TABLE t (x)");
	assert_refused(place, "not a database of authd");
	fd = open(place->path, O_WRONLY | O_TRUNC);
	assert_int_equal(write(fd, "alice:$2y$05$", 13), 13);
	assert_int_equal(ftruncate(fd, 8192), 0);
	close(fd);
	assert_refused(place, "not a database");
}

static void
test_damaged(void **state)
{
	const struct place	*place = *state;
	struct vault_db		*db = open_alone(place);
	struct stat		 st;
	char			 noise[512];
	unsigned		 n;
	off_t			 at;
	int			 fd;

	for (n = 0; n < 200; n++)
		assert_int_equal(add(db, n, CREDENTIAL_PERSONAL, "alice"),
		    VAULT_OK);
	vault_db_close(db);
	memset(noise, 0xa5, sizeof(noise));
	fd = open(place->path, O_RDWR);
	assert_int_equal(fstat(fd, &st), 0);
	assert_true(st.st_size > 40960);
	for (at = 8192; at < st.st_size; at += 4096)
		assert_int_equal(pwrite(fd, noise, sizeof(noise), at),
		    sizeof(noise));
	close(fd);
	assert_refused(place, place->path);
	/* Cut off in the middle. */
	assert_int_equal(truncate(place->path, 6000), 0);
	assert_refused(place, place->path);
}

/* Run in a child that may break itself; its exit status is 0. */
static void
in_child(void (*fn)(const struct place *), const struct place *place)
{
	pid_t	 pid = fork();
	int	 status = -1;

	assert_true(pid != -1);
	if (pid == 0) {
		fn(place);
		_exit(0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
}

#define CHECK(what)	do { if (!(what)) _exit(__LINE__ & 0xff); } while (0)

/* As on a disk that is full: what is there stays, and can be read. */
static void
run_full(const struct place *place)
{
	struct vault_credential	 c;
	struct vault_db		*db;
	struct rlimit		 limit;
	struct stat		 st;
	char			 error[256], wal[128];
	unsigned		 n;

	signal(SIGXFSZ, SIG_IGN);
	db = vault_db_open(place->path, true, 0, error, sizeof(error));
	CHECK(db != NULL);
	CHECK(add(db, 1, CREDENTIAL_PERSONAL, "alice") == VAULT_OK);
	snprintf(wal, sizeof(wal), "%s-wal", place->path);
	CHECK(stat(wal, &st) == 0);
	limit.rlim_cur = limit.rlim_max = (rlim_t)st.st_size + 60000;
	CHECK(setrlimit(RLIMIT_FSIZE, &limit) == 0);
	for (n = 2; n < 100; n++)
		if (add(db, n, CREDENTIAL_PERSONAL, "alice") != VAULT_OK)
			break;
	CHECK(n > 2 && n < 100);
	CHECK(*vault_db_error(db) != '\0');
	CHECK(find(db, n, &c) == VAULT_NOTFOUND);
	CHECK(find(db, n - 1, &c) == VAULT_OK);
	CHECK(find(db, 1, &c) == VAULT_OK);
	vault_db_close(db);
}

static void
test_full(void **state)
{
	struct vault_db		*db;
	struct vault_credential	 c;

	in_child(run_full, *state);
	db = open_alone(*state);
	assert_int_equal(find(db, 1, &c), VAULT_OK);
	assert_int_equal(find(db, 2, &c), VAULT_OK);
	assert_int_equal(add(db, 500, CREDENTIAL_PERSONAL, "alice"),
	    VAULT_OK);
	vault_db_close(db);
}

/* As somebody who may read it and not write. */
static void
run_readonly(const struct place *place)
{
	char	 error[256] = "";

	if (geteuid() == 0)
		CHECK(setgid(NOBODY) == 0 && setuid(NOBODY) == 0);
	CHECK(vault_db_open(place->path, true, 0, error, sizeof(error)) ==
	    NULL);
	CHECK(strstr(error, "Permission denied") != NULL);
}

static void
test_readonly(void **state)
{
	const struct place	*place = *state;
	char			 lock[128];

	vault_db_close(open_alone(place));
	snprintf(lock, sizeof(lock), "%s.lock", place->path);
	assert_int_equal(chmod(place->path, 0444), 0);
	assert_int_equal(chmod(lock, 0666), 0);
	assert_int_equal(chmod(place->dir, 0555), 0);
	in_child(run_readonly, place);
	assert_int_equal(chmod(place->dir, 0755), 0);
}

/* What was committed is there after kill -9, and nothing else. */
static void
run_killed(const struct place *place)
{
	struct vault_db	*db;
	char		 error[256];

	db = vault_db_open(place->path, true, 0, error, sizeof(error));
	CHECK(db != NULL);
	CHECK(add(db, 1, CREDENTIAL_PERSONAL, "alice") == VAULT_OK);
	CHECK(add_robot(db, 2, "robot$ci") == VAULT_OK);
	_exit(0);
}

static void
test_killed(void **state)
{
	struct vault_db		*db;
	struct vault_credential	 c;

	in_child(run_killed, *state);
	db = open_alone(*state);
	assert_int_equal(find(db, 1, &c), VAULT_OK);
	assert_int_equal(find(db, 2, &c), VAULT_OK);
	vault_db_close(db);
}

static void
test_no_directory(void **state)
{
	struct place	 place = *(struct place *)*state;

	snprintf(place.path, sizeof(place.path), "%s/no/c.db", place.dir);
	assert_refused(&place, "the directory: No such file");
}

/* A backup in its place, or nothing at all: what is done would be lost. */
static void
test_replaced(void **state)
{
	const struct place	*place = *state;
	struct vault_db		*db = open_alone(place);
	struct vault_credential	 c;
	char			 other[128];
	unsigned		 i;

	assert_int_equal(add(db, 1, CREDENTIAL_PERSONAL, "alice"), VAULT_OK);
	assert_int_equal(find(db, 1, &c), VAULT_OK);
	snprintf(other, sizeof(other), "%s/other", place->dir);
	for (i = 0; i < 2; i++) {
		assert_int_equal(i == 0 ? rename(place->path, other) :
		    close(open(place->path, O_CREAT | O_WRONLY | O_EXCL,
		    0600)), 0);
		assert_int_equal(find(db, 1, &c), VAULT_FAILED);
		assert_int_equal(add(db, 2, CREDENTIAL_PERSONAL, "bob"),
		    VAULT_FAILED);
		assert_int_equal(vault_db_revoke(db, "000000000001"),
		    VAULT_FAILED);
		assert_non_null(strstr(vault_db_error(db), "replaced"));
		assert_true(vault_db_changed(db));
	}
	assert_int_equal(rename(other, place->path), 0);
	assert_int_equal(find(db, 1, &c), VAULT_OK);
	assert_int_equal(find(db, 2, &c), VAULT_NOTFOUND);
	vault_db_close(db);
}

int
main(void)
{
	const struct CMUnitTest	 tests[] = {
		TEST(test_lock),
		TEST(test_mode),
		TEST(test_newer),
		TEST(test_foreign),
		TEST(test_damaged),
		TEST(test_full),
		TEST(test_readonly),
		TEST(test_killed),
		TEST(test_no_directory),
		TEST(test_replaced)
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
