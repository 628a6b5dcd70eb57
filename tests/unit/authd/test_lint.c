/* SPDX-License-Identifier: ISC */
/*
 * Patterns that cover others, and rules that can never decide.
 */
#include "acl_lint.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "clock.h"

static void
test_acl_pattern_covers(void **state)
{
	static const struct {
		const char	*wide, *narrow, *user;
		bool		 want;
	} cases[] = {
		{ "a", "a", NULL, true },
		{ "a", "ab", NULL, false },
		{ "ab", "a", NULL, false },
		{ "**", "a/*/b", NULL, true },
		{ "**", "${user}/x", NULL, true },
		{ "*", "a", NULL, true },
		{ "*", "a/b", NULL, false },
		{ "*", "**", NULL, false },
		{ "**", "*", NULL, true },
		{ "a/**", "a/b*", NULL, true },
		{ "a/**", "a/*/c", NULL, true },
		{ "a/*", "a/**", NULL, false },
		{ "a/*", "a", NULL, false },
		{ "a/b*", "a/*", NULL, false },
		{ "*b*", "ab", NULL, true },
		{ "*b*", "a*b", NULL, true },
		{ "*a*b*", "*b*a*", NULL, false },
		{ "**a**", "*x*a", NULL, true },
		{ "*/**", "a/**", NULL, true },
		{ "*/**", "**/a", NULL, true },
		{ "*/*", "**/a", NULL, false },
		{ "***", "**", NULL, true },
		/* what ${user} is can only be told when it is known */
		{ "${user}/**", "${user}/*", NULL, true },
		{ "${user}/**", "alice/x", NULL, false },
		{ "${user}/**", "alice/x", "alice", true },
		{ "${user}/**", "alice/x", "bob", false },
		{ "alice/**", "${user}/x", "alice", true },
		{ "*/x", "${user}/x", NULL, false },
		{ "*/x", "${user}/x", "alice", true },
		{ "*/x", "${service}/x", NULL, false },
		{ "**/x", "${service}/x", NULL, true },
	};
	size_t	 i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		if (acl_pattern_covers(cases[i].wide, cases[i].narrow,
		    cases[i].user) != cases[i].want)
			fail_msg("%s and %s", cases[i].wide, cases[i].narrow);
}

/* Short patterns of few letters: against all short texts. */
static void
test_acl_pattern_covers_what_matches(void **state)
{
	static const char	 letters[] = "ab/*";
	static const struct acl_names nobody = { "", "" };
	char			 wide[5], narrow[4], text[6];
	unsigned		 w, n, t, i, k;
	bool			 covers;

	(void)state;
	for (w = 0; w < 256; w++) {
		for (i = 0, k = w; i < 4; i++, k /= 4)
			wide[i] = letters[k % 4];
		wide[4] = '\0';
		for (n = 0; n < 64; n++) {
			for (i = 0, k = n; i < 3; i++, k /= 4)
				narrow[i] = letters[k % 4];
			narrow[3] = '\0';
			covers = acl_pattern_covers(wide, narrow, NULL);
			for (t = 0; covers && t < 1024; t++) {
				for (i = 0, k = t; i < 5; i++, k /= 4)
					text[i] = "ab/c"[k % 4];
				text[t % 6] = '\0';
				text[5] = '\0';
				if (acl_match(narrow, &nobody, text) &&
				    !acl_match(wide, &nobody, text))
					fail_msg("%s, %s: %s", wide, narrow,
					    text);
			}
		}
	}
}

static void
test_acl_pattern_covers_soon(void **state)
{
	char		 wide[257], narrow[257];
	uint64_t	 start = clock_monotonic_ms();
	size_t		 i;

	(void)state;
	for (i = 0; i < 256; i++) {
		wide[i] = "*a*b"[i % 4];
		narrow[i] = "**ab"[i % 4];
	}
	wide[256] = narrow[256] = '\0';
	(void)acl_pattern_covers(wide, narrow, NULL);
	assert_true(clock_monotonic_ms() - start < 5000);
}

#define HEAD	"services: [one, two]\n" \
		"token: {key: k, certificate: c}\n" \
		"htpasswd: h\n" \
		"groups: {dev: [alice], ops: [bob]}\n" \
		"access:\n"

static const struct {
	const char	*rules;
	const char	*why;		/* of the last; NULL: it may decide */
	int		 by;
} lints[] = {
	{ "- {user: a, repository: x, actions: [pull]}\n"
	    "- {user: a, repository: y, actions: [pull]}\n", NULL, -1 },
	{ "- {user: a, repository: x, actions: [pull]}\n"
	    "- {user: a, repository: x, actions: [push]}\n", "hidden by", 0 },
	{ "- {actions: []}\n- {user: \"\", registry: catalog, "
	    "actions: [\"*\"]}\n", "hidden by", 0 },
	{ "- {user: \"*\", actions: []}\n- {actions: [pull]}\n", NULL, -1 },
	{ "- {user: \"*\", actions: []}\n- {group: dev, actions: [pull]}\n",
	    "hidden by", 0 },
	{ "- {user: \"*\", actions: []}\n- {user: a*, actions: [pull]}\n",
	    "hidden by", 0 },
	{ "- {user: a*, actions: []}\n- {user: \"*\", actions: [pull]}\n",
	    NULL, -1 },
	{ "- {user: \"\", actions: []}\n- {user: \"*\", actions: [pull]}\n",
	    NULL, -1 },
	{ "- {group: dev, actions: []}\n- {user: alice, actions: [pull]}\n",
	    "hidden by", 0 },
	{ "- {group: dev, actions: []}\n- {user: bob, actions: [pull]}\n",
	    NULL, -1 },
	{ "- {group: dev, actions: []}\n- {group: ops, actions: [pull]}\n",
	    NULL, -1 },
	{ "- {network: 10.0.0.0/8, actions: []}\n"
	    "- {network: 10.1.0.0/16, actions: [pull]}\n", "hidden by", 0 },
	{ "- {network: 10.0.0.0/9, actions: []}\n"
	    "- {network: 10.128.0.0/9, actions: [pull]}\n", NULL, -1 },
	{ "- {network: 10.1.0.0/16, actions: []}\n"
	    "- {network: 10.0.0.0/8, actions: [pull]}\n", NULL, -1 },
	{ "- {network: 10.0.0.0/8, actions: []}\n"
	    "- {actions: [pull]}\n", NULL, -1 },
	{ "- {service: \"*\", actions: []}\n- {actions: [pull]}\n",
	    "hidden by", 0 },
	{ "- {service: one, actions: []}\n- {actions: [pull]}\n", NULL, -1 },
	{ "- {service: three, actions: [pull]}\n", "no service", -1 },
	{ "- {repository: \"**\", actions: []}\n- {actions: [pull]}\n", NULL,
	    -1 },
	{ "- {repository: \"a/**\", actions: []}\n- {user: x, "
	    "repository: a/b/*, actions: [pull]}\n", "hidden by", 0 },
	{ "- {repository: \"${user}/*\", actions: []}\n- {user: x, "
	    "repository: x/y, actions: [pull]}\n", "hidden by", 0 },
	{ "- {user: \"\", repository: \"${user}/*\", actions: [pull]}\n",
	    "anonymous", -1 },
	{ "- {user: \"\", group: dev, actions: [pull]}\n", "anonymous", -1 },
	{ "- {repository: A, actions: [pull]}\n", "no repository", -1 },
	{ "- {repository: \"a//*\", actions: [pull]}\n", "no repository",
	    -1 },
};

static void
test_acl_lint(void **state)
{
	struct authd_conf	*conf;
	struct acl		*acl;
	struct buf		 why;
	char			 yaml[1024], error[256];
	size_t			 i;
	bool			 found;
	int			 by;

	(void)state;
	for (i = 0; i < sizeof(lints) / sizeof(lints[0]); i++) {
		snprintf(yaml, sizeof(yaml), "%s%s", HEAD, lints[i].rules);
		conf = conf_parse("t", yaml, strlen(yaml), stderr);
		assert_non_null(conf);
		acl = conf_acl(conf, error, sizeof(error));
		assert_non_null(acl);
		buf_init(&why, 4096);
		found = acl_lint(conf, acl, conf->nrules - 1, &why, &by);
		if (found != (lints[i].why != NULL) || by != lints[i].by ||
		    (found && strstr(buf_str(&why), lints[i].why) == NULL))
			fail_msg("%s: %s", lints[i].rules, buf_str(&why));
		buf_done(&why);
		acl_free(acl);
		conf_free(conf);
	}
}

int
main(void)
{
	const struct CMUnitTest	 tests[] = {
		cmocka_unit_test(test_acl_pattern_covers),
		cmocka_unit_test(test_acl_pattern_covers_what_matches),
		cmocka_unit_test(test_acl_pattern_covers_soon),
		cmocka_unit_test(test_acl_lint),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
