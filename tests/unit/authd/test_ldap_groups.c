/* SPDX-License-Identifier: ISC */
/*
 * Which groups count, and under which name: by DN, not by text.
 */
#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "ldap_dn.h"
#include "ldap_groups.h"

static void
test_ldap_dn_is_beneath(void **state)
{
	static const struct {
		const char	*dn, *base;
		bool		 is;
	} cases[] = {
		{ "cn=a,ou=g,dc=test", "ou=g,dc=test", true },
		{ "cn=a,ou=x,ou=g,dc=test", "ou=g,dc=test", true },
		{ "CN=a, OU=G ,DC=Test", "ou=g,dc=test", true },
		{ "cn=a,ou=two  words,dc=test", "ou=Two Words,dc=test", true },
		{ "cn=a,ou=g\\2Ch,dc=test", "ou=g\\,h,dc=test", true },
		{ "cn=a,l=b+ou=g,dc=test", "ou=g+l=b,dc=test", true },
		{ "ou=g,dc=test", "ou=g,dc=test", false },
		{ "dc=test", "ou=g,dc=test", false },
		{ "cn=a,ou=h,dc=test", "ou=g,dc=test", false },
		{ "cn=a,ou=gg,dc=test", "ou=g,dc=test", false },
		{ "cn=a,xou=g,dc=test", "ou=g,dc=test", false },
		{ "cn=a\\,ou=g,dc=test", "ou=g,dc=test", false },
		{ "cn=a,ou=g+l=b,dc=test", "ou=g,dc=test", false },
		{ "cn=a,ou=g,dc=test,dc=evil", "ou=g,dc=test", false },
		{ "cn=a,ou=two words,dc=test", "ou=twowords,dc=test", false },
		{ "cn=a,ou=g,dc=test", "", false },
		{ "", "ou=g,dc=test", false },
		{ "no dn", "ou=g,dc=test", false },
		{ "cn=a,ou=g,dc=test", "no dn", false },
	};
	size_t	 i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		if (ldap_dn_is_beneath(cases[i].dn, cases[i].base) !=
		    cases[i].is)
			fail_msg("\"%s\" and \"%s\"", cases[i].dn,
			    cases[i].base);
}

static void
test_ldap_dn_own_value(void **state)
{
	static const struct {
		const char	*dn, *attr, *want;	/* NULL: none */
	} cases[] = {
		{ "cn=dev,ou=g,dc=test", "cn", "dev" },
		{ "CN=Dev,ou=g,dc=test", "cn", "Dev" },
		{ "cn=a\\2Cb \\28x),dc=test", "CN", "a,b (x)" },
		{ "l=b+cn=dev,dc=test", "cn", "dev" },
		{ "ou=dev,cn=x,dc=test", "cn", NULL },
		{ "cn=,dc=test", "cn", NULL },
		{ "cn=a\\0Ab,dc=test", "cn", NULL },
		{ "cn=a\\00b,dc=test", "cn", NULL },
		{ "cn=#040361,dc=test", "cn", NULL },
		{ "cn=0123456789abcdef,dc=test", "cn", NULL },
		{ "", "cn", NULL },
		{ "no dn", "cn", NULL },
	};
	char	 got[16];
	size_t	 i;
	int	 error;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		error = ldap_dn_own_value(cases[i].dn, cases[i].attr, got,
		    sizeof(got));
		if ((error == 0) != (cases[i].want != NULL))
			fail_msg("\"%s\"", cases[i].dn);
		if (error == 0)
			assert_string_equal(got, cases[i].want);
	}
}

static void
test_ldap_groups_add(void **state)
{
	char			 base[] = "ou=g,dc=test", attr[] = "cn";
	char			 dn[64];
	struct conf_ldap	 conf = { .groups_base = base,
				    .groups_name_attr = attr };
	struct cred_answer	 answer;
	size_t			 i;

	(void)state;
	memset(&answer, 0, sizeof(answer));
	assert_int_equal(ldap_groups_add(&conf, "cn=dev,ou=g,dc=test",
	    &answer), LDAP_STATUS_OK);
	assert_int_equal(ldap_groups_add(&conf, "cn=dev,ou=x,ou=g,dc=test",
	    &answer), LDAP_STATUS_OK);
	assert_int_equal(ldap_groups_add(&conf, "cn=ops,ou=h,dc=test",
	    &answer), LDAP_STATUS_OK);
	assert_int_equal(answer.ngroups, 1);
	assert_string_equal(answer.groups[0], "dev");
	for (i = 1; i < LDAP_MAX_GROUPS; i++) {
		snprintf(dn, sizeof(dn), "cn=g%zu,ou=g,dc=test", i);
		assert_int_equal(ldap_groups_add(&conf, dn, &answer),
		    LDAP_STATUS_OK);
	}
	assert_int_equal(ldap_groups_add(&conf, "cn=last,ou=g,dc=test",
	    &answer), LDAP_STATUS_REFUSED);
	assert_int_equal(answer.ngroups, LDAP_MAX_GROUPS);
	cred_answer_done(&answer);
}

int
main(void)
{
	const struct CMUnitTest	 tests[] = {
		cmocka_unit_test(test_ldap_dn_is_beneath),
		cmocka_unit_test(test_ldap_dn_own_value),
		cmocka_unit_test(test_ldap_groups_add),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
