/* SPDX-License-Identifier: ISC */
/*
 * Rights of tokens: which lists are taken, what they give, how they narrow
 * what access rules grant, and networks.
 */
#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "rights.h"

#define L	ACTION_PULL
#define P	ACTION_PUSH
#define D	ACTION_DELETE
#define A	ACTION_ALL

static const struct acl_names	names = { "alice", "registry.test" };

static void
test_checks(void **state)
{
	static const struct {
		const char	*right;
		int		 good;
	} cases[] = {
		{ "team/app:pull", 1 },
		{ "team/**:pull,push", 1 },
		{ "repository:team/*:delete", 1 },
		{ "**:*", 1 },
		{ "${user}/**:pull", 1 },
		{ "${service}/x:pull", 1 },
		{ "registry:catalog:*", 1 },
		{ "registry:catalog:pull", 0 },
		{ "registry:catalog:*,pull", 0 },
		{ "registry:other:*", 0 },
		{ "plugin:x:pull", 0 },
		{ "", 0 }, { ":", 0 }, { ":pull", 0 }, { "a:", 0 },
		{ "a", 0 }, { "a:pull,", 0 }, { "a:,pull", 0 },
		{ "a:read", 0 }, { "a:PULL", 0 }, { "a:pull push", 0 },
		{ "a b:pull", 0 }, { "a\tb:pull", 0 }, { "\xc3\xbc:pull", 0 },
		{ "${group}/x:pull", 0 }, { "repository::pull", 0 }
	};
	char			 text[ACL_MAX_PATTERN + 80];
	size_t			 i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		if ((rights_wrong(cases[i].right) == NULL) != cases[i].good)
			fail_msg("%s", cases[i].right);
	memset(text, 'a', sizeof(text));
	memcpy(text + ACL_MAX_PATTERN, ":pull", 6);
	assert_null(rights_wrong(text));
	text[ACL_MAX_PATTERN] = 'a';
	memcpy(text + ACL_MAX_PATTERN + 1, ":pull", 6);
	assert_non_null(rights_wrong(text));
	memset(text, 'a', sizeof(text));
	memcpy(text + sizeof(text) - 6, ":pull", 6);
	assert_non_null(rights_wrong(text));
}

static void
test_grants(void **state)
{
	static const struct {
		const char	*rights, *scope;
		unsigned	 granted;
	} cases[] = {
		{ "", "repository:a:pull", 0 },
		{ "a:pull", "repository:a:pull", L },
		{ "a:pull", "repository:a:pull,push", L },
		{ "a:pull", "repository:b:pull", 0 },
		{ "a:pull", "repository:a:*", L },
		{ "a:pull,push", "repository:a:push,delete", P },
		{ "a:*", "repository:a:pull,delete", L | D },
		{ "a:*", "repository:a:*", L | P | D | A },
		/* Each adds to the others. */
		{ "a/*:pull a/b:push", "repository:a/b:pull,push", L | P },
		{ "a/*:pull a/b:push", "repository:a/c:pull,push", L },
		{ "repository:a/**:pull", "repository:a/b/c:pull", L },
		{ "a/*:pull", "repository:a/b/c:pull", 0 },
		{ "${user}/**:push", "repository:alice/x:push", P },
		{ "${user}/**:push", "repository:bob/x:push", 0 },
		{ "${service}/x:pull", "repository:registry.test/x:pull", L },
		{ "**:*", "registry:catalog:*", 0 },
		{ "registry:catalog:*", "registry:catalog:*", A },
		{ "registry:catalog:*", "repository:catalog:pull", 0 },
		{ "registry:catalog:*", "registry:other:*", 0 },
		{ "**:*", "plugin:a:pull", 0 },
		{ "**:*", "repository:A:pull", 0 },
		{ "**:*", "repository:a/../b:pull", 0 },
		/* What is wrong is no right, and takes none away. */
		{ "a:read a:pull", "repository:a:pull", L },
		{ "  a:pull   b:pull ", "repository:b:pull", L }
	};
	struct scope		 scope;
	size_t			 i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		assert_int_equal(scope_parse(&scope, cases[i].scope,
		    strlen(cases[i].scope)), 0);
		if (rights_grant(cases[i].rights, &names, &scope) !=
		    cases[i].granted)
			fail_msg("%s: %s", cases[i].rights, cases[i].scope);
	}
}

/* Effective is what both give, whatever either says. */
static void
test_intersection(void **state)
{
	static const struct {
		unsigned	 rule;
		const char	*rights, *scope;
		unsigned	 granted;
	} cases[] = {
		{ L, "**:*", "repository:a:pull,push", L },
		{ L | P, "a:pull", "repository:a:pull,push", L },
		{ L | P | D | A, "a:pull,push", "repository:a:*", L | P },
		{ L | P, "a:*", "repository:a:*", L | P },
		{ L | P | D | A, "a:*", "repository:a:*", L | P | D | A },
		{ L, "a:push", "repository:a:pull,push", 0 },
		{ 0, "**:*", "repository:a:*", 0 }
	};
	struct acl_subject	 subject = { .user = "alice", .peer = "::1",
	    .service = "registry.test" };
	struct acl_rule		 rule = { .repository = NULL };
	struct scope		 scope;
	struct acl		*acl;
	char			 error[80];
	size_t			 i;
	int			 decided;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		acl = acl_new();
		rule.actions = cases[i].rule;
		assert_int_equal(acl_add_rule(acl, &rule, error,
		    sizeof(error)), 0);
		scope_parse(&scope, cases[i].scope, strlen(cases[i].scope));
		assert_int_equal(acl_decide(acl, &subject, &scope, &decided) &
		    rights_grant(cases[i].rights, &names, &scope),
		    cases[i].granted);
		acl_free(acl);
	}
}

static void
test_networks(void **state)
{
	static const struct {
		const char	*networks, *address;
		int		 has;
	} cases[] = {
		{ "", "10.1.2.3", 0 },
		{ "10.0.0.0/8", "10.1.2.3", 1 },
		{ "10.0.0.0/8", "11.1.2.3", 0 },
		{ "10.0.0.0/8", "::ffff:10.1.2.3", 1 },
		{ "192.0.2.1 2001:db8::/32", "2001:db8::7", 1 },
		{ "192.0.2.1 2001:db8::/32", "192.0.2.1", 1 },
		{ "192.0.2.1 2001:db8::/32", "192.0.2.2", 0 },
		{ "0.0.0.0/0 ::/0", "unix", 0 },
		{ "nonsense 10.0.0.0/8", "10.1.2.3", 1 }
	};
	size_t			 i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		assert_int_equal(rights_has_network(cases[i].networks,
		    cases[i].address), cases[i].has);
}

int
main(void)
{
	const struct CMUnitTest	 tests[] = {
		cmocka_unit_test(test_checks),
		cmocka_unit_test(test_grants),
		cmocka_unit_test(test_intersection),
		cmocka_unit_test(test_networks)
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
