/* SPDX-License-Identifier: ISC */
/*
 * Access rules: patterns that take what users choose literally, networks,
 * the first rule that matches, and what is granted of what was asked for.
 */
#include "acl.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include <cmocka.h>

#include "clock.h"
#include "messages.h"

#define P	ACTION_PULL
#define W	ACTION_PUSH
#define D	ACTION_DELETE
#define A	ACTION_ALL

#define LONG_ADDRESS	"1111:2222:3333:4444:5555:6666:7777:8888:9999:" \
			"aaaa:bbbb:cccc:dddd:eeee"

static void
test_acl_match(void **state)
{
	static const struct {
		const char	*pattern, *user, *text;
		bool		 want;
	} cases[] = {
		{ "a", "", "a", true },
		{ "a", "", "ab", false },
		{ "ab", "", "a", false },
		{ "*", "", "", true },
		{ "*", "", "abc", true },
		{ "*", "", "a/b", false },
		{ "**", "", "", true },
		{ "**", "", "a/b/c", true },
		{ "a/*", "", "a/b", true },
		{ "a/*", "", "a/", true },
		{ "a/*", "", "a/b/c", false },
		{ "a/**", "", "a/b/c", true },
		{ "a/**", "", "a", false },
		{ "*/a", "", "x/a", true },
		{ "*/a", "", "x/y/a", false },
		{ "**/a", "", "x/y/a", true },
		{ "**/a", "", "a", false },
		{ "a*c", "", "abbc", true },
		{ "a*c", "", "a/c", false },
		{ "a*c", "", "abbcd", false },
		{ "a**c", "", "a/b/c", true },
		{ "a*b*c", "", "aXbXbXc", true },
		{ "a*b*c", "", "aXbXbX", false },
		{ "${service}/${user}/*", "a", "reg.test/a/x", true },
		{ "${service}/*", "a", "regxtest/x", false },
		{ "${service}", "reg.test", "${service}", false },
		{ "*/**/*", "", "a/b", false },
		{ "*/**/*", "", "a/b/c", true },
		{ "***", "", "a/b", true },
		{ "*a", "", "aaa", true },
		{ "**x/*y", "", "axbx/zy", true },
		{ "**x/*y", "", "axbx/z/y", false },
		/* letters that mean something elsewhere do not here */
		{ ".*", "", "ab", false },
		{ "[a-z]", "", "b", false },
		{ "a?c", "", "abc", false },
		{ "(a|b)", "", "a", false },
		{ "\\*", "", "a", false },
		{ "$", "", "$", true },
		{ "a$b", "", "a$b", true },
		/* the user is what it is, whatever it is */
		{ "${user}/**", "bob", "bob/x/y", true },
		{ "${user}/**", "bob", "bobby/x", false },
		{ "${user}/**", "bob", "alice/x", false },
		{ "${user}/*", "bob", "bob/x", true },
		{ "home/${user}", "bob", "home/bob", true },
		{ "${user}-${user}", "b", "b-b", true },
		{ "${user}/**", "a*", "ab/x", false },
		{ "${user}/**", "a*", "a*/x", true },
		{ "${user}/**", "**", "a/x", false },
		{ "${user}/**", "a/b", "a/b/x", true },
		{ "${user}/**", "a/b", "a/x", false },
		{ "${user}/**", "..", "a/x", false },
		{ "${user}/**", ".*", "a/x", false },
		{ "${user}/**", "/.*/", "a/x", false },
		{ "${user}/**", "${user}", "${user}/x", true },
		{ "${user}/**", "(?i)a", "a/x", false },
		/* nobody has no name, and so no such repositories */
		{ "${user}/**", "", "/x", false },
		{ "${user}**", "", "a", false },
		{ "**${user}", "", "a", false },
	};
	size_t	 i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		if (acl_match(cases[i].pattern, &(struct acl_names){
		    cases[i].user, "reg.test" },
		    cases[i].text) != cases[i].want)
			fail_msg("%s (user %s) and %s", cases[i].pattern,
			    cases[i].user, cases[i].text);
	}
}

/* What makes backtracking matchers take for ever. */
static void
test_acl_match_is_linear(void **state)
{
	char		 pattern[ACL_MAX_PATTERN + 1], text[256], user[256];
	uint64_t	 start;
	int		 i;

	(void)state;
	memset(text, 'a', 255);
	text[255] = '\0';
	for (i = 0; i + 3 < ACL_MAX_PATTERN; i += 3)
		memcpy(pattern + i, "**a", 4);
	memcpy(pattern + i - 3, "b", 2);
	start = clock_monotonic_ms();
	for (i = 0; i < 100; i++)
		assert_false(acl_match(pattern,
		    &(struct acl_names){ "", "" }, text));
	/* 100 of them: milliseconds, where others take the universe's age. */
	assert_true(clock_monotonic_ms() - start < 5000);
	/* A name that is put in many times is bounded, too. */
	memset(user, 'u', 255);
	user[255] = '\0';
	pattern[0] = '\0';
	for (i = 0; i < 50; i++)
		strcat(pattern, "${user}*");
	assert_false(acl_match(pattern,
	    &(struct acl_names){ user, "" }, text));
	assert_true(acl_match(pattern,
	    &(struct acl_names){ "a", "" }, text));
}

static void
test_acl_patterns(void **state)
{
	char	 longest[ACL_MAX_PATTERN + 2];

	(void)state;
	assert_null(acl_pattern_wrong("a/**"));
	assert_null(acl_pattern_wrong("${user}/${user}"));
	assert_null(acl_pattern_wrong("$user"));
	assert_non_null(acl_pattern_wrong(""));
	assert_non_null(acl_pattern_wrong("${name}/**"));
	assert_non_null(acl_pattern_wrong("${user"));
	assert_non_null(acl_pattern_wrong("${user}${"));
	memset(longest, 'a', sizeof(longest));
	longest[ACL_MAX_PATTERN + 1] = '\0';
	assert_non_null(acl_pattern_wrong(longest));
	longest[ACL_MAX_PATTERN] = '\0';
	assert_null(acl_pattern_wrong(longest));
}

static void
test_acl_networks(void **state)
{
	static const struct {
		const char	*network, *address;
		bool		 want;
	} cases[] = {
		{ "10.0.0.0/8", "10.1.2.3", true },
		{ "10.0.0.0/8", "11.0.0.0", false },
		{ "10.0.0.0/8", "::ffff:10.1.2.3", true },
		{ "10.0.0.0/8", "::ffff:11.1.2.3", false },
		{ "10.0.0.0/8", "::10.1.2.3", false },
		{ "10.0.0.0/8", "a01:203::", false },
		{ "::ffff:10.0.0.0/104", "10.1.2.3", true },
		{ "::ffff:10.0.0.0/104", "::ffff:10.1.2.3", true },
		{ "::ffff:10.0.0.0/104", "11.1.2.3", false },
		{ "192.168.1.128/25", "192.168.1.128", true },
		{ "192.168.1.128/25", "192.168.1.127", false },
		{ "192.168.1.1", "192.168.1.1", true },
		{ "192.168.1.1", "192.168.1.2", false },
		{ "0.0.0.0/0", "1.2.3.4", true },
		{ "0.0.0.0/0", "::ffff:1.2.3.4", true },
		{ "0.0.0.0/0", "::1", false },
		{ "::/0", "::1", true },
		{ "::/0", "1.2.3.4", false },
		{ "2001:db8::/32", "2001:db8:1::1", true },
		{ "2001:db8::/32", "2001:db9::1", false },
		{ "fe80::/10", "fe80::1%eth0", true },
		{ "::1", "::1", true },
		/* clients on a local socket, and nonsense */
		{ "0.0.0.0/0", "", false },
		{ "0.0.0.0/0", "@", false },
		{ "0.0.0.0/0", "localhost", false },
		{ "0.0.0.0/0", "1.2.3.4, 10.0.0.1", false },
		{ "10.0.0.0/8", "10.1.2.3:5000", false },
	};
	static const char *const bad[] = {
		"", "/", "/8", "10/8", "10.0.0.0/", "10.0.0.0/33",
		"10.0.0.0/-1", "10.0.0.0/8 ", "10.0.0.0/ 8", "10.0.0.1/8",
		"10.0.0.0/8/8", "10.0.0.256", "::/129", "::1/127x",
		"2001:db8::1/32", "fe80::1%eth0", "example.com", "010.0.0.0.1",
		LONG_ADDRESS,
	};
	struct acl_network	 network;
	size_t			 i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		assert_null(acl_network_parse(&network, cases[i].network));
		if (acl_network_has(&network, cases[i].address) !=
		    cases[i].want)
			fail_msg("%s and %s", cases[i].network,
			    cases[i].address);
	}
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		if (acl_network_parse(&network, bad[i]) == NULL)
			fail_msg("\"%s\" is no network", bad[i]);
	}
}

/* ---- decisions ---- */

struct spec {
	const char	*user;		/* NULL: unset */
	const char	*group, *network, *service, *repository, *registry;
	unsigned	 actions;
};

static char *
plain(const char *text)
{
	return text == NULL ? NULL : strdup(text);
}

static struct acl_rule
rule_of(const struct spec *spec)
{
	struct acl_rule	 rule;

	memset(&rule, 0, sizeof(rule));
	rule.has_user = spec->user != NULL;
	rule.user = plain(spec->user);
	rule.group = plain(spec->group);
	rule.network = plain(spec->network);
	rule.service = plain(spec->service);
	rule.repository = plain(spec->repository);
	rule.registry = plain(spec->registry);
	rule.actions = spec->actions;
	rule.line = 17;
	return rule;
}

static int
add_rule(struct acl *acl, const struct spec *spec, char *error,
    size_t errsize)
{
	struct acl_rule	 rule = rule_of(spec);
	int		 ret;

	ret = acl_add_rule(acl, &rule, error, errsize);
	acl_rule_done(&rule);
	return ret;
}

static const struct spec specs[] = {
	/* 0 */ { .user = "mallory", .actions = 0 },
	/* 1 */ { .user = "admin", .repository = "**", .actions = A },
	/* 2 */ { .user = "admin", .registry = "catalog", .actions = A },
	/* 3 */ { .group = "ops", .service = "prod*", .repository = "ops/*",
		    .actions = P | W },
	/* 4 */ { .network = "10.0.0.0/8", .repository = "internal/**",
		    .actions = P },
	/* 5 */ { .repository = "secret/**", .actions = 0 },
	/* 6 */ { .user = "*", .repository = "${user}/**",
		    .actions = P | W | D },
	/* 7 */ { .user = "", .repository = "public/**", .actions = P },
	/* 8 */ { .user = "ci-*", .repository = "builds/**",
		    .actions = W },
	/* 9 */ { .user = "auditor", .registry = "catalog", .actions = P },
	/* 10 */ { .group = "all", .repository = "shared", .actions = P },
};

static struct acl *
example(void)
{
	static const char *const ops[] = { "zoe", "olga", "bob" };
	char		 error[256];
	struct acl	*acl;
	size_t		 i;

	acl = acl_new();
	assert_non_null(acl);
	for (i = 0; i < sizeof(specs) / sizeof(specs[0]); i++)
		assert_int_equal(add_rule(acl, &specs[i], error,
		    sizeof(error)), 0);
	assert_int_equal(acl_add_group(acl, "zzz", NULL, 0), 0);
	/* In two parts, as from two files. */
	assert_int_equal(acl_add_group(acl, "ops", ops, 2), 0);
	assert_int_equal(acl_add_group(acl, "ops", ops + 2, 1), 0);
	assert_int_equal(acl_add_group(acl, "aaa", ops, 1), 0);
	return acl;
}

static const struct {
	const char	*user, *peer, *service, *scope;
	unsigned	 want;
	int		 rule;
} decisions[] = {
	/* "*": all that a rule has; the literal only where it is */
	{ "admin", "", "prod", "repository:a:*", P | W | D | A, 1 },
	{ "admin", "", "prod", "repository:a:pull,push", P | W, 1 },
	{ "admin", "", "prod", "repository:a:read", 0, 1 },
	{ "admin", "", "prod", "registry:catalog:*", A, 2 },
	{ "bob", "", "prod", "repository:bob/x:*", P | W | D, 6 },
	{ "bob", "", "prod", "repository:bob/x:pull,*", P | W | D, 6 },
	{ "bob", "", "prod", "repository:bob/x:delete", D, 6 },
	{ "bob", "", "prod", "registry:catalog:*", 0, -1 },
	{ "auditor", "", "prod", "registry:catalog:*", 0, 9 },
	{ "auditor", "", "prod", "registry:catalog:pull", 0, 9 },
	/* groups and services */
	{ "bob", "", "production", "repository:ops/a:pull,push,delete",
	    P | W, 3 },
	{ "zoe", "", "prod", "repository:ops/a:pull", P, 3 },
	{ "olga", "", "prod", "repository:ops/a:pull", P, 3 },
	{ "bob", "", "test", "repository:ops/a:pull", 0, -1 },
	{ "alice", "", "prod", "repository:ops/a:pull", 0, -1 },
	{ "bob", "", "prod", "repository:ops/a/b:pull", 0, -1 },
	{ "", "", "prod", "repository:ops/a:pull", 0, -1 },
	/* networks */
	{ "bob", "10.9.8.7", "x", "repository:internal/a:pull", P, 4 },
	{ "", "10.9.8.7", "x", "repository:internal/a:pull", P, 4 },
	{ "", "::ffff:10.9.8.7", "x", "repository:internal/a:pull", P,
	    4 },
	{ "bob", "192.0.2.1", "x", "repository:internal/a:pull", 0,
	    -1 },
	{ "bob", "", "x", "repository:internal/a:pull", 0, -1 },
	/* the first that matches, be it to deny */
	{ "secret", "", "x", "repository:secret/a:pull", 0, 5 },
	{ "mallory", "", "x", "repository:mallory/a:pull", 0, 0 },
	{ "mallory", "", "x", "registry:catalog:*", 0, 0 },
	{ "admin", "", "x", "repository:secret/a:pull", P, 1 },
	/* users: nobody is not everybody */
	{ "", "", "x", "repository:public/a:pull,push", P, 7 },
	{ "bob", "", "x", "repository:public/a:pull", 0, -1 },
	{ "ci-1", "", "x", "repository:builds/a:pull,push", W, 8 },
	{ "ci", "", "x", "repository:builds/a:push", 0, -1 },
	{ "*", "", "x", "repository:a/x:pull", 0, -1 },
	{ "a*", "", "x", "repository:ab/x:pull", 0, -1 },
	{ "a/b", "", "x", "repository:a/b/c:pull", P, 6 },
	{ "bob", "", "x", "repository:bob:pull", 0, -1 },
	{ "Bob", "", "x", "repository:bob/x:pull", 0, -1 },
	{ "Admin", "", "x", "repository:a:pull", 0, -1 },
	/* what no registry has is nobody's, not even the admin's */
	{ "admin", "", "x", "repository:A:pull", 0, -1 },
	{ "admin", "", "x", "repository:a/../b:pull", 0, -1 },
	{ "admin", "", "x", "repository:a//b:pull", 0, -1 },
	{ "admin", "", "x", "repository:a%2fb:pull", 0, -1 },
	{ "admin", "", "x", "repository:host:5000/a:pull", 0, -1 },
	{ "bob", "", "x", "repository:bob/../alice/x:pull", 0, -1 },
	{ "admin", "", "x", "registry:other:*", 0, -1 },
	{ "admin", "", "x", "robot:a:pull", 0, -1 },
	{ "admin", "", "x", "repository(plugin):a:pull", P, 1 },
};

static void
test_acl_decides(void **state)
{
	struct acl_subject	 subject;
	struct scope		 scope;
	struct acl		*acl = example();
	unsigned		 got;
	size_t			 i;
	int			 rule;

	(void)state;
	for (i = 0; i < sizeof(decisions) / sizeof(decisions[0]); i++) {
		memset(&subject, 0, sizeof(subject));
		subject.user = decisions[i].user;
		subject.peer = decisions[i].peer;
		subject.service = decisions[i].service;
		assert_int_equal(scope_parse(&scope, decisions[i].scope,
		    strlen(decisions[i].scope)), 0);
		got = acl_decide(acl, &subject, &scope, &rule);
		if (got != decisions[i].want || rule != decisions[i].rule)
			fail_msg("%s %s: %#x by rule %d", decisions[i].user,
			    decisions[i].scope, got, rule);
	}
	acl_free(acl);
}

static void
test_acl_groups_of_the_verifier(void **state)
{
	static const char *const groups[] = { "x", "all" };
	struct acl_subject	 subject = { .user = "bob", .groups = groups,
				    .ngroups = 2, .peer = "", .service = "s" };
	struct scope		 scope;
	struct acl		*acl = example();
	int			 rule;

	(void)state;
	scope_parse(&scope, "repository:shared:pull", 22);
	assert_int_equal(acl_decide(acl, &subject, &scope, &rule), P);
	subject.ngroups = 1;
	assert_int_equal(acl_decide(acl, &subject, &scope, &rule), 0);
	subject.ngroups = 2;
	subject.user = "";
	assert_int_equal(acl_decide(acl, &subject, &scope, &rule), 0);
	acl_free(acl);
}

static void
test_acl_has_anonymous(void **state)
{
	static const struct {
		struct spec	 spec;
		bool		 want;
	} cases[] = {
		{ { .user = "", .repository = "a", .actions = P }, true },
		{ { .repository = "a", .actions = P }, true },
		{ { .network = "::/0", .actions = P }, true },
		{ { .repository = "a", .actions = 0 }, false },
		{ { .user = "*", .actions = P }, false },
		{ { .user = "bob", .actions = P }, false },
		{ { .group = "g", .actions = P }, false },
	};
	struct acl	*acl;
	char		 error[256];
	size_t		 i;

	(void)state;
	acl = acl_new();
	assert_false(acl_has_anonymous(acl));
	acl_free(acl);
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		acl = acl_new();
		add_rule(acl, &cases[i].spec, error, sizeof(error));
		assert_int_equal(acl_has_anonymous(acl), cases[i].want);
		acl_free(acl);
	}
}

static void
test_acl_refuses_bad_rules(void **state)
{
	static const struct {
		struct spec	 spec;
		const char	*why;
	} cases[] = {
		{ { .network = "10.0.0.1/8" }, "network: there are bits" },
		{ { .network = "x" }, "network: not an address" },
		{ { .repository = "" }, "repository: the pattern is empty" },
		{ { .repository = "${x}" }, "repository: the only variable" },
		{ { .service = "" }, "service: the pattern is empty" },
		{ { .user = "${x}" }, "user: the only variable" },
		{ { .registry = "x" }, "registry: only \"catalog\"" },
		{ { .registry = "catalog", .repository = "a" },
		    "cannot be in one rule" },
		{ { .group = "" }, "group: it is empty" },
	};
	struct acl	*acl = acl_new();
	char		 error[256];
	size_t		 i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		assert_int_equal(add_rule(acl, &cases[i].spec, error,
		    sizeof(error)), -1);
		if (strstr(error, cases[i].why) == NULL)
			fail_msg("%s: %s", cases[i].why, error);
	}
	assert_int_equal(acl_nrules(acl), 0);
	for (i = 0; i < ACL_MAX_RULES; i++)
		assert_int_equal(add_rule(acl, &specs[0], error,
		    sizeof(error)), 0);
	assert_int_equal(add_rule(acl, &specs[0], error, sizeof(error)), -1);
	assert_non_null(strstr(error, "more than 4096"));
	assert_null(acl_rule_at(acl, ACL_MAX_RULES));
	acl_free(acl);
}

/* ---- rules as messages and as text ---- */

static void
check_text(const struct acl_rule *rule, const char *want)
{
	struct buf	 buf;

	buf_init(&buf, 4096);
	acl_rule_format(&buf, rule, 2);
	assert_string_equal(buf_str(&buf), want);
	buf_done(&buf);
}

static void
test_acl_rule_format(void **state)
{
	static const struct spec all = { "alice", "dev", "10.0.0.0/8", "s*",
	    "a/**", NULL, P | W };
	static const struct spec anonymous = { .user = "",
	    .registry = "catalog", .actions = A };
	static const struct spec none = { .actions = 0 };
	struct acl_rule	 rule;

	(void)state;
	rule = rule_of(&all);
	check_text(&rule, "rule 3 (line 17): user=alice group=dev "
	    "network=10.0.0.0/8 service=s* repository=a/** "
	    "actions=pull,push");
	acl_rule_done(&rule);
	rule = rule_of(&anonymous);
	check_text(&rule, "rule 3 (line 17): user=\"\" registry=catalog "
	    "actions=*");
	acl_rule_done(&rule);
	rule = rule_of(&none);
	check_text(&rule, "rule 3 (line 17): actions=none");
	acl_rule_done(&rule);
}

static void
test_acl_rule_messages(void **state)
{
	struct acl_rule	 rule, back;
	struct msg_out	 out;
	struct msg	 msg;
	struct buf	 text;
	size_t		 i, cut;

	(void)state;
	for (i = 0; i < sizeof(specs) / sizeof(specs[0]); i++) {
		rule = rule_of(&specs[i]);
		msg_begin(&out, MSG_CONF_RULE, 0);
		acl_rule_put(&out, &rule);
		assert_false(out.failed);
		memset(&msg, 0, sizeof(msg));
		msg.data = out.data + MSG_HEADER_SIZE;
		msg.len = out.len - MSG_HEADER_SIZE;
		assert_int_equal(acl_rule_get(&msg, &back), 0);
		assert_int_equal(msg_end(&msg), 0);
		assert_int_equal(back.has_user, rule.has_user);
		assert_int_equal(back.line, 17);
		buf_init(&text, 4096);
		acl_rule_format(&text, &rule, 2);
		check_text(&back, buf_str(&text));
		buf_done(&text);
		acl_rule_done(&back);
		/* Cut off anywhere it is refused, and leaks nothing. */
		for (cut = 0; cut < out.len - MSG_HEADER_SIZE; cut++) {
			memset(&msg, 0, sizeof(msg));
			msg.data = out.data + MSG_HEADER_SIZE;
			msg.len = cut;
			assert_int_equal(acl_rule_get(&msg, &back), -1);
			acl_rule_done(&back);
		}
		msg_drop(&out);
		acl_rule_done(&rule);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_acl_match),
		cmocka_unit_test(test_acl_match_is_linear),
		cmocka_unit_test(test_acl_patterns),
		cmocka_unit_test(test_acl_networks),
		cmocka_unit_test(test_acl_decides),
		cmocka_unit_test(test_acl_groups_of_the_verifier),
		cmocka_unit_test(test_acl_has_anonymous),
		cmocka_unit_test(test_acl_refuses_bad_rules),
		cmocka_unit_test(test_acl_rule_format),
		cmocka_unit_test(test_acl_rule_messages),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
