/* SPDX-License-Identifier: ISC */
/*
 * The database of credentials: what it keeps, its limits and its order.
 */
#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdint.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "vault_place.h"

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
		TEST(test_alike)
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
