/* SPDX-License-Identifier: ISC */
/*
 * The database of credentials: what it keeps, its limits and its order, and
 * what it does with files that are damaged, foreign, newer, locked, or that
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
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "vault_db.h"

#define NOW	INT64_C(1700000000)
#define DAY	INT64_C(86400)
#define NOBODY	65534

struct place {
	char	 dir[64], path[96];
};

static int
setup(void **state)
{
	struct place	*place = calloc(1, sizeof(*place));

	snprintf(place->dir, sizeof(place->dir), "/tmp/vault-db.XXXXXX");
	if (mkdtemp(place->dir) == NULL)
		return -1;
	snprintf(place->path, sizeof(place->path), "%s/c.db", place->dir);
	*state = place;
	return 0;
}

static int
teardown(void **state)
{
	static const char *const	 suffixes[] = { "", "-wal", "-shm",
	    ".lock" };
	struct place			*place = *state;
	char				 path[128];
	size_t				 i;

	chmod(place->dir, 0700);
	for (i = 0; i < 4; i++) {
		snprintf(path, sizeof(path), "%s%s", place->path, suffixes[i]);
		unlink(path);
	}
	i = (size_t)rmdir(place->dir);
	free(place);
	return i == 0 ? 0 : -1;
}

static struct vault_db *
open_alone(const struct place *place)
{
	struct vault_db	*db;
	char		 error[256] = "";

	db = vault_db_open(place->path, true, 0, error, sizeof(error));
	if (db == NULL)
		fail_msg("%s", error);
	return db;
}

/* It is refused, and the reason has this text. */
static void
assert_refused(const struct place *place, const char *text)
{
	char	 error[256] = "";

	assert_null(vault_db_open(place->path, true, 0, error,
	    sizeof(error)));
	if (strstr(error, text) == NULL)
		fail_msg("want \"%s\" in: %s", text, error);
}

static void
make_hash(unsigned n, unsigned char hash[CREDENTIAL_HASH_SIZE])
{
	memset(hash, 0, CREDENTIAL_HASH_SIZE);
	memcpy(hash, &n, sizeof(n));
}

static struct vault_credential
credential(unsigned n, enum credential_kind kind, const char *owner)
{
	struct vault_credential	 c;

	memset(&c, 0, sizeof(c));
	snprintf(c.id, sizeof(c.id), "%012u", n);
	c.kind = kind;
	snprintf(c.owner, sizeof(c.owner), "%s", owner);
	c.created = NOW + n;
	c.expires = NOW + 90 * DAY;
	if (kind == CREDENTIAL_REFRESH)
		snprintf(c.service, sizeof(c.service), "registry");
	return c;
}

static enum vault_result
add(struct vault_db *db, unsigned n, enum credential_kind kind,
    const char *owner)
{
	struct vault_credential	 c = credential(n, kind, owner);
	unsigned char		 hash[CREDENTIAL_HASH_SIZE];

	make_hash(n, hash);
	return vault_db_add(db, &c, hash);
}

static enum vault_result
find(struct vault_db *db, unsigned n, struct vault_credential *c)
{
	unsigned char	 hash[CREDENTIAL_HASH_SIZE];

	make_hash(n, hash);
	return vault_db_find(db, hash, c);
}

static enum vault_result
add_robot(struct vault_db *db, unsigned n, const char *name)
{
	struct vault_robot	 robot;
	struct vault_credential	 c = credential(n, CREDENTIAL_ROBOT, name);
	unsigned char		 hash[CREDENTIAL_HASH_SIZE];

	memset(&robot, 0, sizeof(robot));
	snprintf(robot.name, sizeof(robot.name), "%s", name);
	snprintf(robot.networks, sizeof(robot.networks), "10.0.0.0/8");
	snprintf(robot.rights, sizeof(robot.rights), "ci/**:pull,push");
	robot.created = NOW;
	make_hash(n, hash);
	return vault_db_robot_add(db, &robot, &c, hash);
}

static void
test_keeps(void **state)
{
	struct vault_db		*db = open_alone(*state);
	struct vault_credential	 c, made;
	unsigned char		 hash[CREDENTIAL_HASH_SIZE];

	made = credential(1, CREDENTIAL_PERSONAL, "j\xc3\xbcrgen");
	snprintf(made.comment, sizeof(made.comment), "laptop; 'DROP --");
	snprintf(made.networks, sizeof(made.networks), "10.0.0.0/8 ::1/128");
	snprintf(made.rights, sizeof(made.rights), "team/**:pull");
	make_hash(1, hash);
	assert_int_equal(vault_db_add(db, &made, hash), VAULT_OK);
	assert_int_equal(vault_db_add(db, &made, hash), VAULT_EXISTS);
	made = credential(2, CREDENTIAL_REFRESH, "bob");
	snprintf(made.client, sizeof(made.client), "docker");
	snprintf(made.stamp, sizeof(made.stamp), "5f");
	make_hash(2, hash);
	assert_int_equal(vault_db_add(db, &made, hash), VAULT_OK);
	vault_db_close(db);

	db = open_alone(*state);
	assert_int_equal(find(db, 3, &c), VAULT_NOTFOUND);
	assert_int_equal(find(db, 1, &c), VAULT_OK);
	assert_string_equal(c.owner, "j\xc3\xbcrgen");
	assert_string_equal(c.comment, "laptop; 'DROP --");
	assert_string_equal(c.networks, "10.0.0.0/8 ::1/128");
	assert_string_equal(c.rights, "team/**:pull");
	assert_string_equal(c.service, "");
	assert_int_equal(c.kind, CREDENTIAL_PERSONAL);
	assert_true(c.created == NOW + 1 && c.expires == NOW + 90 * DAY);
	assert_true(c.used == 0 && !c.disabled);
	assert_int_equal(vault_db_get(db, "000000000002", &c), VAULT_OK);
	assert_string_equal(c.client, "docker");
	assert_string_equal(c.service, "registry");
	assert_string_equal(c.stamp, "5f");
	assert_int_equal(vault_db_revoke(db, c.id), VAULT_OK);
	assert_int_equal(vault_db_revoke(db, c.id), VAULT_NOTFOUND);
	assert_int_equal(find(db, 2, &c), VAULT_NOTFOUND);
	vault_db_close(db);
}

static void
test_refuses_rows_without_sense(void **state)
{
	struct vault_db		*db = open_alone(*state);
	struct vault_credential	 c;
	unsigned char		 hash[CREDENTIAL_HASH_SIZE];

	make_hash(1, hash);
	/* No owner, an id of another length, an end before the begin. */
	assert_int_equal(add(db, 1, CREDENTIAL_PERSONAL, ""), VAULT_FAILED);
	c = credential(1, CREDENTIAL_PERSONAL, "alice");
	c.id[5] = '\0';
	assert_int_equal(vault_db_add(db, &c, hash), VAULT_FAILED);
	c = credential(1, CREDENTIAL_PERSONAL, "alice");
	c.expires = c.created - 1;
	assert_int_equal(vault_db_add(db, &c, hash), VAULT_FAILED);
	/* Refresh tokens have a service and an end, others no service. */
	c = credential(1, CREDENTIAL_REFRESH, "alice");
	c.expires = 0;
	assert_int_equal(vault_db_add(db, &c, hash), VAULT_FAILED);
	c = credential(1, CREDENTIAL_REFRESH, "alice");
	c.service[0] = '\0';
	assert_int_equal(vault_db_add(db, &c, hash), VAULT_FAILED);
	c = credential(1, CREDENTIAL_PERSONAL, "alice");
	snprintf(c.service, sizeof(c.service), "registry");
	assert_int_equal(vault_db_add(db, &c, hash), VAULT_FAILED);
	/* A robot that is none, and a user with the name of one. */
	assert_int_equal(add(db, 1, CREDENTIAL_ROBOT, "robot$x"),
	    VAULT_FAILED);
	assert_int_equal(add(db, 1, CREDENTIAL_PERSONAL, "robot$x"),
	    VAULT_FAILED);
	assert_int_equal(add_robot(db, 1, "alice"), VAULT_FAILED);
	assert_int_equal(find(db, 1, &c), VAULT_NOTFOUND);
	vault_db_close(db);
}

static void
test_limits(void **state)
{
	struct vault_db		*db = open_alone(*state);
	struct vault_credential	 c;
	const char		*ids[] = { "000000001000" };
	unsigned		 n;
	int64_t			 count = 0;

	for (n = 0; n < VAULT_MAX_PERSONAL; n++)
		assert_int_equal(add(db, n, CREDENTIAL_PERSONAL, "alice"),
		    VAULT_OK);
	assert_int_equal(add(db, n, CREDENTIAL_PERSONAL, "alice"),
	    VAULT_LIMIT);
	assert_int_equal(add(db, n, CREDENTIAL_PERSONAL, "bob"), VAULT_OK);
	/* The oldest refresh token goes, but not one that was used late. */
	for (n = 1000; n < 1000 + VAULT_MAX_REFRESH; n++)
		assert_int_equal(add(db, n, CREDENTIAL_REFRESH, "alice"),
		    VAULT_OK);
	assert_int_equal(vault_db_use(db, ids, 1, NOW + DAY), VAULT_OK);
	assert_int_equal(add(db, n, CREDENTIAL_REFRESH, "alice"), VAULT_OK);
	assert_int_equal(find(db, 1000, &c), VAULT_OK);
	assert_int_equal(find(db, 1001, &c), VAULT_NOTFOUND);
	assert_int_equal(find(db, 1002, &c), VAULT_OK);
	assert_int_equal(vault_db_revoke_all(db, "alice", CREDENTIAL_REFRESH,
	    &count), VAULT_OK);
	assert_int_equal(count, VAULT_MAX_REFRESH);
	assert_int_equal(vault_db_revoke_all(db, "alice", 0, &count),
	    VAULT_OK);
	assert_int_equal(count, VAULT_MAX_PERSONAL);
	assert_int_equal(vault_db_revoke_all(db, "alice", 0, &count),
	    VAULT_OK);
	assert_int_equal(count, 0);
	vault_db_close(db);
}

static void
test_last_used_is_coarse(void **state)
{
	struct vault_db		*db = open_alone(*state);
	struct vault_credential	 c;
	const char		*ids[] = { "000000000001", "nobody's" };

	assert_int_equal(add(db, 1, CREDENTIAL_PERSONAL, "alice"), VAULT_OK);
	assert_int_equal(vault_db_use(db, ids, 2, NOW + 100), VAULT_OK);
	assert_int_equal(find(db, 1, &c), VAULT_OK);
	assert_true(c.used == NOW + 100);
	assert_int_equal(vault_db_use(db, ids, 2, NOW + 3699), VAULT_OK);
	assert_int_equal(find(db, 1, &c), VAULT_OK);
	assert_true(c.used == NOW + 100);
	assert_int_equal(vault_db_use(db, ids, 2, NOW + 3700), VAULT_OK);
	assert_int_equal(find(db, 1, &c), VAULT_OK);
	assert_true(c.used == NOW + 3700);
	vault_db_close(db);
}

static void
test_expires(void **state)
{
	struct vault_db		*db = open_alone(*state);
	struct vault_credential	 c;
	int64_t			 end = NOW + 90 * DAY;

	assert_int_equal(add(db, 1, CREDENTIAL_PERSONAL, "alice"), VAULT_OK);
	assert_int_equal(add(db, 2, CREDENTIAL_REFRESH, "alice"), VAULT_OK);
	assert_int_equal(vault_db_expire(db, end), VAULT_OK);
	assert_int_equal(find(db, 2, &c), VAULT_OK);
	assert_int_equal(vault_db_expire(db, end + 1), VAULT_OK);
	assert_int_equal(find(db, 2, &c), VAULT_NOTFOUND);
	assert_int_equal(vault_db_expire(db, end + 30 * DAY), VAULT_OK);
	assert_int_equal(find(db, 1, &c), VAULT_OK);
	assert_int_equal(vault_db_expire(db, end + 30 * DAY + 1), VAULT_OK);
	assert_int_equal(find(db, 1, &c), VAULT_NOTFOUND);
	vault_db_close(db);
}

static enum vault_result
rotate(struct vault_db *db, unsigned n, const char *name, int64_t end)
{
	struct vault_credential	 c = credential(n, CREDENTIAL_ROBOT, name);
	unsigned char		 hash[CREDENTIAL_HASH_SIZE];

	make_hash(n, hash);
	return vault_db_robot_rotate(db, &c, hash, end);
}

static void
test_robots(void **state)
{
	struct vault_db		*db = open_alone(*state);
	struct vault_credential	 c;
	struct vault_robot	 robot;
	unsigned		 n;

	assert_int_equal(add_robot(db, 1, "robot$ci"), VAULT_OK);
	assert_int_equal(add_robot(db, 2, "robot$ci"), VAULT_EXISTS);
	assert_int_equal(find(db, 2, &c), VAULT_NOTFOUND);
	/* A robot without its secret is none. */
	assert_int_equal(add_robot(db, 1, "robot$other"), VAULT_EXISTS);
	assert_int_equal(vault_db_robot_get(db, "robot$other", &robot),
	    VAULT_NOTFOUND);
	assert_int_equal(vault_db_robot_get(db, "robot$ci", &robot),
	    VAULT_OK);
	assert_string_equal(robot.rights, "ci/**:pull,push");
	/* Its secrets have what it has. */
	assert_int_equal(find(db, 1, &c), VAULT_OK);
	assert_string_equal(c.rights, "ci/**:pull,push");
	assert_string_equal(c.networks, "10.0.0.0/8");
	assert_false(c.disabled);
	assert_int_equal(vault_db_robot_disable(db, "robot$ci", true),
	    VAULT_OK);
	assert_int_equal(find(db, 1, &c), VAULT_OK);
	assert_true(c.disabled);
	assert_int_equal(vault_db_robot_disable(db, "robot$ci", false),
	    VAULT_OK);
	assert_int_equal(vault_db_robot_disable(db, "robot$cd", false),
	    VAULT_NOTFOUND);
	/* The old secret ends earlier now, and never later again. */
	assert_int_equal(rotate(db, 3, "robot$ci", NOW + DAY), VAULT_OK);
	assert_int_equal(find(db, 1, &c), VAULT_OK);
	assert_true(c.expires == NOW + DAY);
	assert_int_equal(rotate(db, 4, "robot$ci", NOW + 2 * DAY), VAULT_OK);
	assert_int_equal(find(db, 1, &c), VAULT_OK);
	assert_true(c.expires == NOW + DAY);
	assert_int_equal(find(db, 3, &c), VAULT_OK);
	assert_true(c.expires == NOW + 2 * DAY);
	assert_int_equal(rotate(db, 5, "robot$cd", NOW), VAULT_NOTFOUND);
	for (n = 10; n < 10 + VAULT_MAX_SECRETS - 3; n++)
		assert_int_equal(rotate(db, n, "robot$ci", NOW + DAY),
		    VAULT_OK);
	assert_int_equal(rotate(db, n, "robot$ci", NOW + DAY), VAULT_LIMIT);
	/* What has ended makes room. */
	assert_int_equal(rotate(db, n, "robot$ci", NOW), VAULT_OK);
	assert_int_equal(find(db, 12, &c), VAULT_NOTFOUND);
	assert_int_equal(vault_db_robot_delete(db, "robot$ci"), VAULT_OK);
	assert_int_equal(vault_db_robot_delete(db, "robot$ci"),
	    VAULT_NOTFOUND);
	assert_int_equal(find(db, n, &c), VAULT_NOTFOUND);
	vault_db_close(db);
}

static void
on_credential(const struct vault_credential *c, void *arg)
{
	strcat(arg, c->owner);
	strcat(arg, c->id + 10);
	strcat(arg, " ");
}

static void
on_robot(const struct vault_robot *robot, void *arg)
{
	strcat(arg, robot->name);
	strcat(arg, " ");
}

static void
test_lists(void **state)
{
	struct vault_db		*db = open_alone(*state);
	struct vault_cursor	 last;
	char			 text[512] = "", name[MAX_USER + 1] = "";

	add(db, 3, CREDENTIAL_PERSONAL, "bob");
	add(db, 2, CREDENTIAL_PERSONAL, "bob");
	add(db, 9, CREDENTIAL_REFRESH, "alice");
	add(db, 4, CREDENTIAL_PERSONAL, "carol");
	add_robot(db, 11, "robot$b");
	add_robot(db, 10, "robot$a");
	memset(&last, 0, sizeof(last));
	assert_int_equal(vault_db_list(db, NULL, &last, 2, on_credential,
	    text), VAULT_OK);
	assert_string_equal(text, "alice09 bob02 ");
	assert_int_equal(vault_db_list(db, NULL, &last, 99, on_credential,
	    text), VAULT_NOTFOUND);
	assert_string_equal(text, "alice09 bob02 bob03 carol04 robot$a10 "
	    "robot$b11 ");
	memset(&last, 0, sizeof(last));
	text[0] = '\0';
	assert_int_equal(vault_db_list(db, "bob", &last, 99, on_credential,
	    text), VAULT_NOTFOUND);
	assert_string_equal(text, "bob02 bob03 ");
	text[0] = '\0';
	assert_int_equal(vault_db_robot_list(db, name, 1, on_robot, text),
	    VAULT_OK);
	assert_int_equal(vault_db_robot_list(db, name, 99, on_robot, text),
	    VAULT_NOTFOUND);
	assert_string_equal(text, "robot$a robot$b ");
	vault_db_close(db);
}

/* ---- files ---- */

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

static void
test_alike(void **state)
{
	struct vault_db	*db = open_alone(*state);
	int64_t		 n = 0;

	assert_int_equal(add(db, 1, CREDENTIAL_PERSONAL, "alice"), VAULT_OK);
	assert_int_equal(add(db, 2, CREDENTIAL_PERSONAL, "Alice"), VAULT_OK);
	assert_int_equal(add(db, 3, CREDENTIAL_PERSONAL, "alic_"), VAULT_OK);
	assert_int_equal(vault_db_alike(db, "alice", 0, &n), VAULT_OK);
	assert_true(n == 1);
	assert_int_equal(vault_db_alike(db, "ALICE", CREDENTIAL_PERSONAL,
	    &n), VAULT_OK);
	assert_true(n == 2);
	assert_int_equal(vault_db_alike(db, "alice", CREDENTIAL_REFRESH, &n),
	    VAULT_OK);
	assert_true(n == 0);
	vault_db_close(db);
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

#define TEST(fn)	cmocka_unit_test_setup_teardown(fn, setup, teardown)

int
main(void)
{
	const struct CMUnitTest	 tests[] = {
		TEST(test_keeps),
		TEST(test_refuses_rows_without_sense),
		TEST(test_limits),
		TEST(test_last_used_is_coarse),
		TEST(test_expires),
		TEST(test_robots),
		TEST(test_lists),
		TEST(test_lock),
		TEST(test_mode),
		TEST(test_newer),
		TEST(test_foreign),
		TEST(test_damaged),
		TEST(test_full),
		TEST(test_readonly),
		TEST(test_killed),
		TEST(test_no_directory),
		TEST(test_alike),
		TEST(test_replaced)
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
