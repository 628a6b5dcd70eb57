/* SPDX-License-Identifier: ISC */
/*
 * Commands about tokens and robots: which arguments are taken, what comes
 * back, what tells the broker to forget, and lists in parts.
 */
#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdint.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "vault_command.h"

#define NOW	INT64_C(1700000000)
#define HASH(c)	c c c c c c c c c c c c c c c c c c c c c c c c c c c c c c c c
#define A	HASH("aa")
#define B	HASH("bb")

struct fixture {
	char			 dir[64], path[96];
	struct vault_db		*db;
	struct vault_limits	 limits;
	struct vault_outcome	 out;
};

static int
setup(void **state)
{
	struct fixture	*f = calloc(1, sizeof(*f));
	char		 error[256];

	snprintf(f->dir, sizeof(f->dir), "/tmp/vault-command.XXXXXX");
	if (mkdtemp(f->dir) == NULL)
		return -1;
	snprintf(f->path, sizeof(f->path), "%s/c.db", f->dir);
	f->db = vault_db_open(f->path, true, 0, error, sizeof(error));
	f->limits.lifetime = 1000;
	f->limits.max_lifetime = 5000;
	*state = f;
	return f->db == NULL ? -1 : 0;
}

static int
teardown(void **state)
{
	struct fixture	*f = *state;
	char		 path[128];

	json_decref(f->out.result);
	vault_db_close(f->db);
	unlink(f->path);
	snprintf(path, sizeof(path), "%s.lock", f->path);
	unlink(path);
	if (rmdir(f->dir) == -1)
		return -1;
	free(f);
	return 0;
}

/* Do it; the result is f->out.result. */
static bool
run(struct fixture *f, const char *command, const char *arguments)
{
	json_t	*request = json_loads(arguments, 0, NULL);

	assert_non_null(request);
	json_object_set_new(request, "command", json_string(command));
	json_decref(f->out.result);
	vault_command(f->db, &f->limits, command, request, NOW, &f->out);
	json_decref(request);
	/* One of the two, and never both. */
	assert_true((f->out.result == NULL) == (f->out.error[0] != '\0'));
	return f->out.result != NULL;
}

static const char *
text(const struct fixture *f, const char *key)
{
	return json_string_value(json_object_get(f->out.result, key));
}

static json_int_t
number(const struct fixture *f, const char *key)
{
	return json_integer_value(json_object_get(f->out.result, key));
}

static void
test_refuses(void **state)
{
	static const struct {
		const char	*command, *arguments, *error;
	} cases[] = {
		{ "token.make", "{}", "unknown command" },
		{ "", "{}", "unknown command" },
		{ "token.new", "{}", "user: missing" },
		{ "token.new", "{\"user\":1,\"hash\":\"" A "\"}",
		    "user: missing" },
		{ "token.new", "{\"user\":\"alice\"}", "hash: missing" },
		{ "token.new", "{\"user\":\"alice\",\"hash\":\"aa\"}",
		    "hash: accepted" },
		{ "token.new", "{\"user\":\"alice\",\"hash\":\"AA" A "\"}",
		    "hash: accepted" },
		{ "token.new", "{\"user\":\"a:b\",\"hash\":\"" A "\"}",
		    "user: a name has no ':'" },
		{ "token.new", "{\"user\":\"ROBOT$x\",\"hash\":\"" A "\"}",
		    "user: names that begin" },
		{ "token.new", "{\"user\":\"a\\u001bb\",\"hash\":\"" A "\"}",
		    "control character" },
		{ "token.new", "{\"user\":\"a\",\"hash\":\"" A "\","
		    "\"colour\":1}", "unknown argument" },
		{ "token.new", "{\"user\":\"a\",\"hash\":\"" A "\","
		    "\"er\":1}", "unknown argument" },
		{ "token.new", "{\"user\":\"a\",\"hash\":\"" A "\","
		    "\"user hash\":1}", "unknown argument" },
		{ "token.new", "{\"user\":\"a\",\"hash\":\"" A "\","
		    "\"lifetime\":0}", "lifetime: accepted: at most" },
		{ "token.new", "{\"user\":\"a\",\"hash\":\"" A "\","
		    "\"lifetime\":5001}", "lifetime: accepted: at most" },
		{ "token.new", "{\"user\":\"a\",\"hash\":\"" A "\","
		    "\"lifetime\":-1}", "lifetime: accepted: 0 to" },
		{ "token.new", "{\"user\":\"a\",\"hash\":\"" A "\","
		    "\"lifetime\":1.5}", "lifetime: accepted: 0 to" },
		{ "token.new", "{\"user\":\"a\",\"hash\":\"" A "\","
		    "\"rights\":[]}", "rights: at least one" },
		{ "token.new", "{\"user\":\"a\",\"hash\":\"" A "\","
		    "\"rights\":\"**:*\"}", "rights: accepted: a list" },
		{ "token.new", "{\"user\":\"a\",\"hash\":\"" A "\","
		    "\"rights\":[\"a:pull\",\"b\"]}", "rights: b: accepted" },
		{ "token.new", "{\"user\":\"a\",\"hash\":\"" A "\","
		    "\"rights\":[\"a:pull b:push\"]}", "rights: a:pull" },
		{ "token.new", "{\"user\":\"a\",\"hash\":\"" A "\","
		    "\"networks\":[7]}", "networks: : not a text" },
		{ "token.new", "{\"user\":\"a\",\"hash\":\"" A "\","
		    "\"networks\":[\"10.0.0.1/8\"]}", "networks: 10.0.0.1/8" },
		{ "token.revoke", "{}", "either an id or a user" },
		{ "token.revoke", "{\"id\":\"a\",\"user\":\"b\"}",
		    "either an id or a user" },
		{ "token.revoke", "{\"id\":\"aaaaaaaaaaaa\"}",
		    "aaaaaaaaaaaa is not there" },
		{ "token.revoke", "{\"user\":\"a\",\"kind\":\"odd\"}",
		    "kind: accepted" },
		{ "token.list", "{\"after\":3}", "after: accepted" },
		{ "robot.new", "{\"name\":\"robot$x\",\"hash\":\"" A "\"}",
		    "rights: at least one" },
		{ "robot.new", "{\"name\":\"x\",\"hash\":\"" A "\","
		    "\"rights\":[\"a:pull\"]}", "name: the name does not" },
		{ "robot.rotate", "{\"name\":\"robot$x\",\"hash\":\"" A "\"}",
		    "robot$x is not there" },
		{ "robot.disable", "{\"name\":\"robot$x\"}", "is not there" },
		{ "robot.enable", "{\"name\":\"robot$x\"}", "is not there" },
		{ "robot.delete", "{\"name\":\"robot$x\"}", "is not there" },
		{ "robot.delete", "{}", "name: missing" }
	};
	struct fixture	*f = *state;
	size_t		 i;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		assert_false(run(f, cases[i].command, cases[i].arguments));
		if (strstr(f->out.error, cases[i].error) == NULL)
			fail_msg("%s %s: %s", cases[i].command,
			    cases[i].arguments, f->out.error);
	}
	assert_true(run(f, "token.list", "{}"));
	assert_int_equal(json_array_size(json_object_get(f->out.result,
	    "credentials")), 0);
}

static void
test_token(void **state)
{
	struct fixture	*f = *state;
	char		 revoke[64];
	json_t		*c;

	assert_true(run(f, "token.new", "{\"user\":\"alice\",\"hash\":\"" A
	    "\",\"comment\":\"x\",\"rights\":[\"a:pull\",\"b/**:*\"],"
	    "\"networks\":[\"10.0.0.0/8\",\"::1\"],\"lifetime\":5000}"));
	assert_false(f->out.takes_away);
	assert_string_equal(text(f, "user"), "alice");
	assert_true(number(f, "expires") == NOW + 5000);
	snprintf(revoke, sizeof(revoke), "{\"id\":\"%s\"}", text(f, "id"));
	/* The same secret again is a mistake of the one who made it. */
	assert_false(run(f, "token.new", "{\"user\":\"bob\",\"hash\":\"" A
	    "\"}"));
	assert_true(run(f, "token.new", "{\"user\":\"bob\",\"hash\":\"" B
	    "\"}"));
	assert_true(number(f, "expires") == NOW + 1000);
	assert_true(run(f, "token.list", "{\"user\":\"alice\"}"));
	c = json_array_get(json_object_get(f->out.result, "credentials"), 0);
	assert_string_equal(json_string_value(json_array_get(json_object_get(
	    c, "rights"), 1)), "b/**:*");
	assert_int_equal(json_array_size(json_object_get(c, "networks")), 2);
	assert_null(json_object_get(c, "hash"));
	assert_true(run(f, "token.revoke", revoke));
	assert_true(f->out.takes_away);
	assert_true(number(f, "revoked") == 1);
	assert_true(run(f, "token.revoke", "{\"user\":\"bob\","
	    "\"kind\":\"refresh\"}"));
	assert_true(number(f, "revoked") == 0);
	assert_true(run(f, "token.revoke", "{\"user\":\"bob\"}"));
	assert_true(number(f, "revoked") == 1);
	/* Without a maximum, one without an end. */
	f->limits.max_lifetime = 0;
	assert_true(run(f, "token.new", "{\"user\":\"bob\",\"hash\":\"" B
	    "\",\"lifetime\":0}"));
	assert_true(json_is_null(json_object_get(f->out.result, "expires")));
}

static void
test_robot(void **state)
{
	struct fixture	*f = *state;
	json_t		*robot;

	assert_true(run(f, "robot.new", "{\"name\":\"robot$ci\",\"hash\":\"" A
	    "\",\"rights\":[\"ci/**:pull\"],\"comment\":\"builds\"}"));
	assert_string_equal(text(f, "comment"), "builds");
	assert_false(f->out.takes_away);
	assert_true(run(f, "robot.rotate", "{\"name\":\"robot$ci\",\"hash\":\""
	    B "\",\"overlap\":10}"));
	assert_true(f->out.takes_away);
	assert_true(number(f, "old_end") == NOW + 10);
	assert_true(run(f, "robot.disable", "{\"name\":\"robot$ci\"}"));
	assert_true(f->out.takes_away);
	assert_true(run(f, "robot.list", "{}"));
	robot = json_array_get(json_object_get(f->out.result, "robots"), 0);
	assert_true(json_is_true(json_object_get(robot, "disabled")));
	assert_int_equal(json_array_size(json_object_get(robot, "secrets")),
	    2);
	/* What is remembered says that it is off. */
	assert_true(run(f, "robot.enable", "{\"name\":\"robot$ci\"}"));
	assert_true(f->out.takes_away);
	assert_true(run(f, "robot.delete", "{\"name\":\"robot$ci\"}"));
	assert_true(f->out.takes_away);
	assert_true(run(f, "token.list", "{}"));
	assert_int_equal(json_array_size(json_object_get(f->out.result,
	    "credentials")), 0);
}

static void
test_list_in_parts(void **state)
{
	struct fixture	*f = *state;
	char		 arguments[256], *more;
	size_t		 n, seen;

	for (n = 0; n < 250; n++) {
		snprintf(arguments, sizeof(arguments),
		    "{\"user\":\"user%zu\",\"hash\":\"%064zx\"}", n % 3, n);
		assert_true(run(f, "token.new", arguments));
	}
	assert_true(run(f, "token.list", "{}"));
	seen = json_array_size(json_object_get(f->out.result, "credentials"));
	assert_int_equal(seen, 100);
	while (json_object_get(f->out.result, "more") != NULL) {
		more = json_dumps(json_object_get(f->out.result, "more"), 0);
		snprintf(arguments, sizeof(arguments), "{\"after\":%s}", more);
		free(more);
		assert_true(run(f, "token.list", arguments));
		seen += json_array_size(json_object_get(f->out.result,
		    "credentials"));
	}
	assert_int_equal(seen, 250);
}

#define TEST(fn)	cmocka_unit_test_setup_teardown(fn, setup, teardown)

int
main(void)
{
	const struct CMUnitTest	 tests[] = {
		TEST(test_refuses),
		TEST(test_token),
		TEST(test_robot),
		TEST(test_list_in_parts)
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
