/* SPDX-License-Identifier: ISC */
/*
 * What was typed stays one literal value.
 */
#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ldap_escape.h"

static const struct {
	const char	*value, *filter, *dn;	/* NULL: refused */
} values[] = {
	{ "alice", "alice", "alice" },
	{ "*", "\\2A", "*" },
	{ "*)(uid=*", "\\2A\\29\\28uid=\\2A", "*)(uid\\3D*" },
	{ "a\\b", "a\\5Cb", "a\\5Cb" },
	{ "\\2a", "\\5C2a", "\\5C2a" },
	{ "x,ou=admins", "x,ou=admins", "x\\2Cou\\3Dadmins" },
	{ "a+cn=b", "a+cn=b", "a\\2Bcn\\3Db" },
	{ " a ", " a ", "\\20a\\20" },
	{ "#61", "#61", "\\2361" },
	{ "a\"<>;b", "a\"<>;b", "a\\22\\3C\\3E\\3Bb" },
	{ "{user}", "{user}", "{user}" },
	{ "j\xc3\xbcrgen", "j\\C3\\BCrgen", "j\\C3\\BCrgen" },
	{ "\xff", "\\FF", NULL },
};

static void
check(const char *template, enum ldap_syntax syntax, const char *value,
    const char *before, const char *want, const char *after)
{
	struct ldap_name	 name = { "user", value };
	char			*got, whole[256];

	got = ldap_escape_expand(template, syntax, &name, 1);
	if (want == NULL) {
		assert_null(got);
		assert_int_equal(errno, EINVAL);
		return;
	}
	snprintf(whole, sizeof(whole), "%s%s%s", before, want, after);
	assert_non_null(got);
	assert_string_equal(got, whole);
	free(got);
}

static void
test_ldap_escape_values(void **state)
{
	size_t	 i;

	(void)state;
	for (i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
		check("(uid={user})", LDAP_SYNTAX_FILTER, values[i].value,
		    "(uid=", values[i].filter, ")");
		check("uid={user},dc=test", LDAP_SYNTAX_DN, values[i].value,
		    "uid=", values[i].dn, ",dc=test");
	}
}

static void
test_ldap_escape_plain(void **state)
{
	static const char *const refused[] = { "", "a b", "a@b", "a*",
	    "\xc3\xbc", "a\\b", "DOM\\a", "a,b" };
	size_t			 i;

	(void)state;
	check("{user}@test", LDAP_SYNTAX_PLAIN, "A.b_c-9", "", "A.b_c-9",
	    "@test");
	for (i = 0; i < sizeof(refused) / sizeof(refused[0]); i++)
		check("{user}@test", LDAP_SYNTAX_PLAIN, refused[i], "", NULL,
		    "");
}

/* A DN within a filter is escaped as any value is, on top of its own. */
static void
test_ldap_escape_names(void **state)
{
	struct ldap_name	 names[] = {
		{ "dn", "cn=a\\2Cb (x),dc=test" }, { "user", "u*" } };
	char			*got;

	(void)state;
	got = ldap_escape_expand("(|(member={dn})(memberUid={user})({x}))",
	    LDAP_SYNTAX_FILTER, names, 2);
	assert_non_null(got);
	assert_string_equal(got, "(|(member=cn=a\\5C2Cb \\28x\\29,dc=test)"
	    "(memberUid=u\\2A)({x}))");
	free(got);
	got = ldap_escape_expand("{user}{user}{", LDAP_SYNTAX_FILTER, names,
	    2);
	assert_string_equal(got, "u\\2Au\\2A{");
	free(got);
}

static void
test_ldap_escape_too_long(void **state)
{
	struct ldap_name	 name;
	char			*value = malloc(LDAP_ESCAPE_MAX + 1);

	(void)state;
	memset(value, '*', LDAP_ESCAPE_MAX);
	value[LDAP_ESCAPE_MAX] = '\0';
	name = (struct ldap_name){ "user", value };
	assert_null(ldap_escape_expand("({user})", LDAP_SYNTAX_FILTER, &name,
	    1));
	assert_int_equal(errno, EMSGSIZE);
	free(value);
}

int
main(void)
{
	const struct CMUnitTest	 tests[] = {
		cmocka_unit_test(test_ldap_escape_values),
		cmocka_unit_test(test_ldap_escape_plain),
		cmocka_unit_test(test_ldap_escape_names),
		cmocka_unit_test(test_ldap_escape_too_long),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
