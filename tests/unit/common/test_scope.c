/* SPDX-License-Identifier: ISC */
/*
 * Scopes as clients write them, senseless ones included, and the access
 * claims of tokens from anybody whose key is trusted.
 */
#include "scope.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define P	ACTION_PULL
#define W	ACTION_PUSH
#define D	ACTION_DELETE
#define A	ACTION_ALL

#define N255	"a23456789/123456789/123456789/123456789/123456789/" \
		"123456789/123456789/123456789/123456789/123456789/" \
		"123456789/123456789/123456789/123456789/123456789/" \
		"123456789/123456789/123456789/123456789/123456789/" \
		"123456789/123456789/123456789/123456789/123456789/12345"

static void
test_scope_parse(void **state)
{
	static const struct {
		const char	*text;
		const char	*type, *name;	/* NULL: malformed */
		unsigned	 actions;
	} cases[] = {
		{ "repository:a:pull", "repository", "a", P },
		{ "repository:a/b:pull,push", "repository", "a/b", P | W },
		{ "repository:a:push,pull,pull", "repository", "a", P | W },
		{ "repository:a:*", "repository", "a", A },
		{ "repository:a:delete,*,pull", "repository", "a", P | D | A },
		{ "registry:catalog:*", "registry", "catalog", A },
		{ "repository(plugin):a:pull", "repository", "a", P },
		/* the name may hold a colon: a host and its port */
		{ "repository:host:5000/a:pull", "repository", "host:5000/a",
		    P },
		{ "repository:h:1:2:pull", "repository", "h:1:2", P },
		{ "repository:A:pull", "repository", "A", P },
		{ "repository:a/../b:pull", "repository", "a/../b", P },
		{ "repository:a%2fb:pull", "repository", "a%2fb", P },
		{ "repository:" N255 ":pull", "repository", N255, P },
		/* actions that nobody has heard of */
		{ "repository:a:read", "repository", "a", 0 },
		{ "repository:a:pull,read,,push", "repository", "a", P | W },
		{ "repository:a:PULL", "repository", "a", 0 },
		{ "repository:a:pull push", "repository", "a", 0 },
		{ "repository:a:,", "repository", "a", 0 },
		{ "repository:a:pulllllllllllllllllllllllllllllllllllll",
		    "repository", "a", 0 },
		{ "", NULL, NULL, 0 },
		{ "foo", NULL, NULL, 0 },
		{ ":", NULL, NULL, 0 },
		{ "::", NULL, NULL, 0 },
		{ ":::", NULL, NULL, 0 },
		{ "repository:a", NULL, NULL, 0 },
		{ "repository:a:", NULL, NULL, 0 },
		{ "repository::pull", NULL, NULL, 0 },
		{ ":a:pull", NULL, NULL, 0 },
		{ "REPOSITORY:a:pull", NULL, NULL, 0 },
		{ "repo-sitory:a:pull", NULL, NULL, 0 },
		{ "repository():a:pull", NULL, NULL, 0 },
		{ "repository(p:a:pull", NULL, NULL, 0 },
		{ "repository(p)x:a:pull", NULL, NULL, 0 },
		{ "repository((p)):a:pull", NULL, NULL, 0 },
		{ "(p):a:pull", NULL, NULL, 0 },
		{ "repository:a b:pull", NULL, NULL, 0 },
		{ "repository:a\n:pull", NULL, NULL, 0 },
		{ "repository:\xc3\xa4:pull", NULL, NULL, 0 },
		{ "repository:" N255 "6:pull", NULL, NULL, 0 },
		{ "aaaaaaaaaabbbbbbbbbbccccccccccdd:a:pull", NULL, NULL, 0 },
	};
	struct scope	 scope;
	size_t		 i;
	int		 ret;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		ret = scope_parse(&scope, cases[i].text,
		    strlen(cases[i].text));
		if ((ret == 0) != (cases[i].type != NULL))
			fail_msg("%s: %d", cases[i].text, ret);
		if (ret == -1)
			continue;
		assert_string_equal(scope.type, cases[i].type);
		assert_string_equal(scope.name, cases[i].name);
		if (scope.actions != cases[i].actions)
			fail_msg("%s: %#x", cases[i].text, scope.actions);
	}
	/* A NUL does not end it. */
	assert_int_equal(scope_parse(&scope, "repository:a\0b:pull", 19), -1);
}

static void
check_set(const struct scope_set *set, const char *want)
{
	struct buf	 buf;
	size_t		 i;

	buf_init(&buf, 65536);
	for (i = 0; i < set->n; i++) {
		if (i > 0)
			buf_addc(&buf, ' ');
		scope_format(&buf, set->items[i].type, set->items[i].name,
		    set->items[i].actions);
	}
	assert_string_equal(buf_str(&buf), want);
	buf_done(&buf);
}

static void
test_scope_lists(void **state)
{
	static const struct {
		const char	*list, *want;
	} cases[] = {
		{ "", "" },
		{ "   ", "" },
		{ "repository:a:pull", "repository:a:pull" },
		{ "  repository:a:push   repository:a:pull ",
		    "repository:a:pull,push" },
		{ "repository:b:pull repository:a:pull repository:b:delete",
		    "repository:b:pull,delete repository:a:pull" },
		{ "repository:a:pull registry:catalog:*",
		    "repository:a:pull registry:catalog:*" },
		{ "repository(plugin):a:pull repository:a:push",
		    "repository:a:pull,push" },
		{ "foo repository:a:pull ::: repository::pull",
		    "repository:a:pull" },
		{ "repository:a:read", "" },
		{ "registry:a:pull repository:a:pull",
		    "registry:a:pull repository:a:pull" },
	};
	struct scope_set set = { NULL, 0 };
	size_t		 i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		assert_int_equal(scope_set_add_list(&set, cases[i].list), 0);
		check_set(&set, cases[i].want);
		scope_set_done(&set);
	}
}

static void
test_scope_set_is_bounded(void **state)
{
	struct scope_set set = { NULL, 0 };
	char		 text[64];
	int		 i;

	(void)state;
	for (i = 0; i < SCOPE_MAX; i++) {
		snprintf(text, sizeof(text), "repository:r%d:pull", i);
		assert_int_equal(scope_set_add_list(&set, text), 0);
	}
	errno = 0;
	assert_int_equal(scope_set_add_list(&set, "repository:x:pull"), -1);
	assert_int_equal(errno, E2BIG);
	/* What is in it can still grow. */
	assert_int_equal(scope_set_add_list(&set, "repository:r3:push"), 0);
	assert_true(scope_set_allows(&set, "repository", "r3", P | W));
	assert_int_equal(set.n, SCOPE_MAX);
	scope_set_done(&set);
}

static void
test_scope_set_allows(void **state)
{
	static const struct {
		const char	*set, *type, *name;
		unsigned	 actions;
		bool		 want;
	} cases[] = {
		{ "repository:a/b:pull", "repository", "a/b", P, true },
		{ "repository:a/b:pull", "repository", "a/b", W, false },
		{ "repository:a/b:pull", "repository", "a/b", P | W, false },
		{ "repository:a/b:pull,push", "repository", "a/b", P | W,
		    true },
		{ "repository:a/b:*", "repository", "a/b", P | W | D, true },
		{ "repository:a/b:*", "repository", "a/b", A, true },
		{ "repository:a/b:pull,push,delete", "repository", "a/b", A,
		    false },
		/* a name is a name */
		{ "repository:a/b:*", "repository", "a/b/c", P, false },
		{ "repository:a/b:*", "repository", "a", P, false },
		{ "repository:a/b:*", "repository", "A/b", P, false },
		{ "repository:a/b:*", "repository", "a//b", P, false },
		{ "repository:a/b:*", "repository", "./a/b", P, false },
		{ "repository:a/b:*", "repository", "a/b/", P, false },
		{ "repository:a/b:*", "registry", "a/b", P, false },
		{ "repository:*:*", "repository", "a", P, false },
		{ "registry:catalog:*", "registry", "catalog", A, true },
		{ "repository:catalog:*", "registry", "catalog", A, false },
		{ "", "repository", "a", P, false },
		/* to need nothing is no right */
		{ "repository:a:*", "repository", "a", 0, false },
		{ "repository:a:pull", "repository", "a", 0, false },
	};
	struct scope_set set = { NULL, 0 };
	size_t		 i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		assert_int_equal(scope_set_add_list(&set, cases[i].set), 0);
		if (scope_set_allows(&set, cases[i].type, cases[i].name,
		    cases[i].actions) != cases[i].want)
			fail_msg("%s allows %s:%s %#x?", cases[i].set,
			    cases[i].type, cases[i].name, cases[i].actions);
		scope_set_done(&set);
	}
}

#define ENTRY(members)	"[{'type':'repository','name':'a'," members "}]"

static void
test_scope_claims(void **state)
{
	static const struct {
		const char	*claim, *want;
	} cases[] = {
		{ "[]", "" },
		{ "{}", "" },
		{ "{'type':'repository','name':'a','actions':['pull']}", "" },
		{ "[null,1,'repository:a:pull',[]]", "" },
		{ ENTRY("'actions':['pull']"), "repository:a:pull" },
		{ ENTRY("'actions':['*']"), "repository:a:*" },
		{ ENTRY("'actions':['pull','fly','push']"),
		    "repository:a:pull,push" },
		{ ENTRY("'class':'plugin','actions':['pull'],'meta':{}"),
		    "repository:a:pull" },
		{ ENTRY("'actions':[]"), "" },
		{ ENTRY("'actions':null"), "" },
		{ ENTRY("'actions':'pull'"), "" },
		{ ENTRY("'actions':{'pull':1}"), "" },
		{ ENTRY("'actions':['pull',1]"), "" },
		{ ENTRY("'x':1"), "" },
		{ "[{'type':'repository(plugin)','name':'a','actions':"
		    "['pull']}]", "repository:a:pull" },
		{ "[{'type':'Repository','name':'a','actions':['pull']}]",
		    "" },
		{ "[{'type':1,'name':'a','actions':['pull']}]", "" },
		{ "[{'type':'repository','name':null,'actions':['pull']}]",
		    "" },
		{ "[{'type':'repository','name':'','actions':['pull']}]", "" },
		{ "[{'name':'a','actions':['pull']}]", "" },
		{ "[{'type':'repository','name':'a','actions':['pull']},"
		    "{'type':'repository','name':'a','actions':['push']}]",
		    "repository:a:pull,push" },
		/* an entry's own end */
		{ ENTRY("'actions':['pull'],'exp':1001"),
		    "repository:a:pull" },
		{ ENTRY("'actions':['pull'],'exp':1000"), "" },
		{ ENTRY("'actions':['pull'],'exp':999"), "" },
		{ ENTRY("'actions':['pull'],'exp':1001.5"),
		    "repository:a:pull" },
		{ ENTRY("'actions':['pull'],'exp':1000.5"), "" },
		{ ENTRY("'actions':['pull'],'exp':null"), "" },
		{ ENTRY("'actions':['pull'],'exp':'2000'"), "" },
	};
	struct scope_set set = { NULL, 0 };
	json_t		*claim;
	char		*text, *p;
	size_t		 i;

	(void)state;
	assert_int_equal(scope_set_from_claim(&set, NULL, 1000), 0);
	assert_int_equal(scope_set_from_claim(&set, json_null(), 1000), 0);
	assert_int_equal(set.n, 0);
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		text = strdup(cases[i].claim);
		for (p = text; *p != '\0'; p++) {
			if (*p == '\'')
				*p = '"';
		}
		claim = json_loads(text, 0, NULL);
		assert_non_null(claim);
		free(text);
		assert_int_equal(scope_set_from_claim(&set, claim, 1000), 0);
		check_set(&set, cases[i].want);
		scope_set_done(&set);
		json_decref(claim);
	}
}

static void
test_scope_claim_is_bounded(void **state)
{
	struct scope_set set = { NULL, 0 };
	json_t		*claim;
	char		 name[16];
	int		 i;

	(void)state;
	claim = json_array();
	for (i = 0; i <= SCOPE_MAX; i++) {
		snprintf(name, sizeof(name), "r%d", i);
		json_array_append_new(claim, json_pack("{s:s,s:s,s:[s]}",
		    "type", "repository", "name", name, "actions", "pull"));
	}
	assert_int_equal(scope_set_from_claim(&set, claim, 0), -1);
	scope_set_done(&set);
	json_decref(claim);
}

static void
test_scope_claim_and_back(void **state)
{
	struct scope_set set = { NULL, 0 }, back = { NULL, 0 };
	json_t		*claim;
	char		*text;

	(void)state;
	scope_set_add_list(&set, "repository:a/b:push,pull,delete,* "
	    "registry:catalog:* repository:c:pull");
	claim = scope_set_to_claim(&set);
	text = json_dumps(claim, JSON_COMPACT);
	assert_string_equal(text, "[{\"type\":\"repository\",\"name\":\"a/b\","
	    "\"actions\":[\"pull\",\"push\",\"delete\",\"*\"]},"
	    "{\"type\":\"registry\",\"name\":\"catalog\",\"actions\":[\"*\"]},"
	    "{\"type\":\"repository\",\"name\":\"c\","
	    "\"actions\":[\"pull\"]}]");
	assert_int_equal(scope_set_from_claim(&back, claim, 0), 0);
	check_set(&back, "repository:a/b:pull,push,delete,* "
	    "registry:catalog:* repository:c:pull");
	free(text);
	json_decref(claim);
	scope_set_done(&set);
	scope_set_done(&back);
	claim = scope_set_to_claim(&set);
	assert_true(json_is_array(claim));
	assert_int_equal(json_array_size(claim), 0);
	json_decref(claim);
}

static void
test_scope_format(void **state)
{
	struct buf	 buf;

	(void)state;
	buf_init(&buf, 4096);
	assert_int_equal(scope_format(&buf, "repository", "a", 0), 0);
	assert_string_equal(buf_str(&buf), "repository:a:");
	buf_reset(&buf);
	scope_format(&buf, "repository", "a", A | D | W | P);
	assert_string_equal(buf_str(&buf), "repository:a:pull,push,delete,*");
	buf_done(&buf);
	buf_init(&buf, 10);
	assert_int_equal(scope_format(&buf, "repository", "a", P), -1);
	buf_done(&buf);
}

static void
test_scope_repository_names(void **state)
{
	static const char *const good[] = {
		"a", "0", "a/b", "a/b/c/d/e", "a.b", "a_b", "a__b", "a-b",
		"a--b", "a-----b", "library/busybox", "a0/0b", "a.b_c__d-e/f",
		N255,
	};
	static const char *const bad[] = {
		"", "/", "a/", "/a", "a//b", ".", "..", "a/..", "a/../b",
		"./a", "a.", ".a", "a..b", "a_", "_a", "a___b", "a-", "-a",
		"a-/b", "a._b", "a.-b", "a_-b", "a-_b", "A", "aB", "a b",
		"a:b", "host:5000/a", "a%2fb", "a\nb", "a\\b", "a@b", "a*",
		"**", "a\xc3\xa4", N255 "6",
	};
	size_t	 i;

	(void)state;
	assert_int_equal(strlen(N255), 255);
	for (i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		if (!scope_repository_name_ok(good[i]))
			fail_msg("\"%s\" is good", good[i]);
	}
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		if (scope_repository_name_ok(bad[i]))
			fail_msg("\"%s\" is bad", bad[i]);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_scope_parse),
		cmocka_unit_test(test_scope_lists),
		cmocka_unit_test(test_scope_set_is_bounded),
		cmocka_unit_test(test_scope_set_allows),
		cmocka_unit_test(test_scope_claims),
		cmocka_unit_test(test_scope_claim_is_bounded),
		cmocka_unit_test(test_scope_claim_and_back),
		cmocka_unit_test(test_scope_format),
		cmocka_unit_test(test_scope_repository_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
