/* SPDX-License-Identifier: ISC */
/*
 * Configurations of docker_auth: patterns that mean the same here, or are
 * left out; and that nobody gets a right that he did not have.
 */
#include "import.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define HASH	"$2y$05$WuwBasGDAgr.QCbGIjKJaep4dhxeai9gNZdmBnQXqpKly57oNutya"

struct imported {
	char		*text, *users, *report;
	int		 left;
};

static void
import(struct imported *to, const char *yaml)
{
	static const struct conf_list	 none = { NULL, 0 };
	struct import_args		 args = { .name = "d.yml",
					    .text = yaml, .services = &none,
					    .htpasswd = "h" };
	size_t				 len[3];

	memset(to, 0, sizeof(*to));
	args.len = strlen(yaml);
	args.out = open_memstream(&to->text, &len[0]);
	args.users = open_memstream(&to->users, &len[1]);
	args.report = open_memstream(&to->report, &len[2]);
	to->left = import_docker_auth(&args);
	fclose(args.out);
	fclose(args.users);
	fclose(args.report);
}

static void
imported_done(struct imported *imported)
{
	free(imported->text);
	free(imported->users);
	free(imported->report);
}

static void
test_import_pattern(void **state)
{
	static const struct {
		const char		*from;
		enum import_kind	 kind;
		const char		*want;	/* NULL: there is none */
	} cases[] = {
		{ "a/b", IMPORT_NAME, "a/b" },
		{ "a/*", IMPORT_NAME, "a/*" },
		/* two stars are no more than one there */
		{ "a/**", IMPORT_NAME, "a/*" },
		{ "a/***/b", IMPORT_NAME, "a/*/b" },
		{ "a\\.b", IMPORT_NAME, "a.b" },
		{ "a\\*b", IMPORT_NAME, NULL },
		{ "a?", IMPORT_NAME, NULL },
		{ "[ab]", IMPORT_NAME, NULL },
		{ "${account}/*", IMPORT_NAME, "${user}/*" },
		{ "${service}/*", IMPORT_NAME, "${service}/*" },
		{ "${account}", IMPORT_USER, NULL },
		{ "${labels:x}/*", IMPORT_NAME, NULL },
		{ "${account:1}/*", IMPORT_NAME, NULL },
		{ "\\${user}", IMPORT_NAME, NULL },
		{ "$\\{user}", IMPORT_NAME, NULL },
		{ "${user}", IMPORT_NAME, NULL },
		{ "", IMPORT_NAME, NULL },
		/* too short for a regular expression */
		{ "//", IMPORT_NAME, "//" },
		{ "/a/", IMPORT_NAME, "**a**" },
		{ "/^a/", IMPORT_NAME, "a**" },
		{ "/a$/", IMPORT_NAME, "**a" },
		{ "/^a$/", IMPORT_NAME, "a" },
		{ "/^a.*/", IMPORT_NAME, "a**" },
		{ "/^a\\.b\\/c$/", IMPORT_NAME, "a.b/c" },
		{ "/^a.b$/", IMPORT_NAME, NULL },
		{ "/^a\\d$/", IMPORT_NAME, NULL },
		{ "/^(a|b)$/", IMPORT_NAME, NULL },
		{ "/(?i)a/", IMPORT_NAME, NULL },
		{ "/^ab*$/", IMPORT_NAME, NULL },
		{ "/^ab+$/", IMPORT_NAME, NULL },
		{ "/^a{2}$/", IMPORT_NAME, NULL },
		{ "/^a$b/", IMPORT_NAME, NULL },
		{ "/^a^b/", IMPORT_NAME, NULL },
		{ "/^a/[^/]*$/", IMPORT_NAME, "a/*" },
		{ "/^a/[^/]+$/", IMPORT_NAME, "a/*" },
		{ "/^[^/]+/b$/", IMPORT_NAME, "*/b" },
		{ "/^a/.+$/", IMPORT_NAME, "a/**" },
		/* one or more, and nothing is possible as well */
		{ "/^a.+$/", IMPORT_NAME, NULL },
		{ "/^a[^/]+$/", IMPORT_NAME, NULL },
		{ "/^a/.+b$/", IMPORT_NAME, NULL },
		{ "/.+/", IMPORT_NAME, NULL },
		{ "/.+/", IMPORT_USER, "*" },
		{ "/^.+$/", IMPORT_USER, "*" },
		{ "/^a-.+$/", IMPORT_USER, NULL },
		{ "/^${account}/.*$/", IMPORT_NAME, "${user}/**" },
		{ "/.*/", IMPORT_USER, "**" },
	};
	char		 to[ACL_MAX_PATTERN + 1];
	const char	*why;
	size_t		 i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		why = import_pattern(cases[i].from, cases[i].kind, to);
		if ((why == NULL) != (cases[i].want != NULL) ||
		    (why == NULL && strcmp(to, cases[i].want) != 0))
			fail_msg("%s became %s", cases[i].from, why == NULL ?
			    to : why);
	}
}

#define NOBODY	"users: {a: {password: \"" HASH "\"}}\nacl:\n"
#define ANYBODY	"users: {\"\": {}}\nacl:\n"

static const struct {
	const char	*yaml, *rules;
	int		 left;
} rules[] = {
	/* who could not be anonymous is not, and "*" may be nobody */
	{ NOBODY "- {match: {name: x}, actions: [pull]}\n",
	    "  - {user: \"*\", repository: x, actions: [pull]}\n", 0 },
	{ ANYBODY "- {match: {name: x}, actions: [pull]}\n",
	    "  - {repository: x, actions: [pull]}\n", 0 },
	{ ANYBODY "- {match: {account: \"*\", name: x}, actions: [pull]}\n",
	    "  - {repository: x, actions: [pull]}\n", 0 },
	{ ANYBODY "- {match: {account: \"/.+/\", name: x}, actions: [pull]}\n",
	    "  - {user: \"*\", repository: x, actions: [pull]}\n", 0 },
	{ NOBODY "- {match: {account: \"\", name: x}, actions: [pull]}\n",
	    "  # line 3: account= name=x: it matches nobody or nothing here\n",
	    1 },
	/* a name without a type is also one of the registry */
	{ NOBODY "- {match: {account: a, name: \"c*\"}, actions: [\"*\"]}\n",
	    "  - {user: a, repository: \"c*\", actions: [\"*\"]}\n"
	    "  - {user: a, registry: catalog, actions: [\"*\"]}\n", 0 },
	{ NOBODY "- {match: {account: a, type: repository}, "
	    "actions: [push]}\n",
	    "  - {user: a, repository: \"**\", actions: [push]}\n", 0 },
	{ NOBODY "- {match: {account: a, type: registry}, actions: [\"*\"]}\n",
	    "  - {user: a, registry: catalog, actions: [\"*\"]}\n", 0 },
	{ NOBODY "- {match: {account: a}, actions: []}\n",
	    "  - {user: a, actions: []}\n", 0 },
	/* the anonymous user has the name "" there */
	{ ANYBODY "- {match: {name: \"x${account}\"}, actions: [pull]}\n",
	    "  - {user: \"\", repository: x, actions: [pull]}\n"
	    "  - {repository: \"x${user}\", actions: [pull]}\n", 0 },
	{ ANYBODY "- {match: {name: \"${account}/*\"}, actions: [pull]}\n",
	    "  - {repository: \"${user}/*\", actions: [pull]}\n", 0 },
	/* what cannot be said is denied, if something behind it allows */
	{ NOBODY "- {match: {account: \"/^a|b$/\", name: x}, actions: []}\n"
	    "- {match: {account: \"b\"}, actions: [pull]}\n",
	    "  # line 3: account=/^a|b$/ name=x: a regular expression that is "
	    "no plain pattern\n"
	    "  # in its place, for rules behind it grant more:\n"
	    "  - {repository: x, actions: []}\n"
	    "  - {user: b, actions: [pull]}\n", 1 },
	{ NOBODY "- {match: {name: \"a?\"}, actions: [\"*\"]}\n"
	    "- {match: {account: \"b\"}, actions: [pull]}\n",
	    "  # line 3: name=a?: a glob with ? or [\n"
	    "  - {user: b, actions: [pull]}\n", 1 },
	{ NOBODY "- {match: {labels: {g: x}}, actions: [pull]}\n"
	    "- {match: {account: \"b\"}, actions: [push]}\n",
	    "  # line 3: labels=...: labels, or something unknown\n"
	    "  # in its place, for rules behind it grant more:\n"
	    "  - {user: \"*\", actions: []}\n"
	    "  - {user: b, actions: [push]}\n", 1 },
	/* and addresses that a client may have made up */
	{ "server: {real_ip_header: X}\n" NOBODY
	    "- {match: {account: a, ip: 10.0.0.0/8}, actions: [pull]}\n",
	    "  # line 4: account=a ip=10.0.0.0/8: an address from "
	    "real_ip_header\n", 2 },
};

static void
test_import_rules(void **state)
{
	struct imported		 made;
	struct authd_conf	*conf;
	const char		*at;
	size_t			 i;

	(void)state;
	for (i = 0; i < sizeof(rules) / sizeof(rules[0]); i++) {
		import(&made, rules[i].yaml);
		at = strchr(strstr(made.text, "access:"), '\n');
		if (strcmp(at + 1, rules[i].rules) != 0 ||
		    made.left != rules[i].left)
			fail_msg("%s became, with %d left:\n%s",
			    rules[i].yaml, made.left, made.text);
		conf = conf_parse("made", made.text, strlen(made.text),
		    stderr);
		assert_non_null(conf);
		conf_free(conf);
		imported_done(&made);
	}
}

static void
test_import_users_and_ldap(void **state)
{
	struct imported	 made;

	(void)state;
	import(&made, "users:\n"
	    "  alice: {password: \"" HASH "\"}\n"
	    "  open: {}\n"
	    "  plain: {password: secret}\n"
	    "  \"a:b\": {password: \"" HASH "\"}\n"
	    "ldap_auth:\n"
	    "  addr: l:389\n"
	    "  tls: starttls\n"
	    "  base: dc=x\n"
	    "  filter: (uid=${account})\n"
	    "acl: [{match: {account: \"*\"}, actions: [pull]}]\n");
	assert_string_equal(made.users, "alice:" HASH "\n");
	assert_int_equal(made.left, 3);
	assert_non_null(strstr(made.report, "d.yml:3: users.open: "));
	assert_non_null(strstr(made.report, "d.yml:4: users.plain: "));
	assert_null(strstr(made.report, "secret"));
	assert_non_null(strstr(made.text, "uris: [\"ldap://l:389\"]\n"));
	assert_non_null(strstr(made.text, "filter: \"(uid={user})\"\n"));
	/* "*" were names without a slash */
	assert_non_null(strstr(made.text, "access:\n"
	    "  - {user: \"**/**\", actions: []}\n"
	    "  - {user: \"*\", actions: [pull]}\n"));
	imported_done(&made);

	import(&made, "[1]");
	assert_int_equal(made.left, -1);
	imported_done(&made);
	import(&made, "a: [");
	assert_int_equal(made.left, -1);
	imported_done(&made);
}

int
main(void)
{
	const struct CMUnitTest	 tests[] = {
		cmocka_unit_test(test_import_pattern),
		cmocka_unit_test(test_import_rules),
		cmocka_unit_test(test_import_users_and_ldap),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
