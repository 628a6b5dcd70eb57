/* SPDX-License-Identifier: ISC */
/*
 * Results of LDAP and what becomes of a login.
 */
#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <ldap.h>

#include "ldap_result.h"

#define AD(code)	"80090308: LdapErr: DSID-0C09044E, comment: " \
			    "AcceptSecurityContext error, data " code ", v2580"

static void
test_ldap_result_of_bind(void **state)
{
	static const struct {
		int		 code;
		enum ldap_policy policy;
		const char	*diagnostic;
		enum ldap_status want;
		const char	*reason;
	} cases[] = {
		{ LDAP_SUCCESS, LDAP_POLICY_NONE, NULL,
		    LDAP_STATUS_OK, "" },
		{ LDAP_SUCCESS, LDAP_POLICY_RESET, NULL,
		    LDAP_STATUS_NO, "must change password" },
		{ LDAP_INVALID_CREDENTIALS, LDAP_POLICY_NONE, NULL,
		    LDAP_STATUS_NO, "wrong password" },
		{ LDAP_INVALID_CREDENTIALS, LDAP_POLICY_LOCKED, NULL,
		    LDAP_STATUS_NO, "locked" },
		{ LDAP_INVALID_CREDENTIALS, LDAP_POLICY_EXPIRED, NULL,
		    LDAP_STATUS_NO, "password expired" },
		{ LDAP_INVALID_CREDENTIALS, LDAP_POLICY_NONE, AD("52e"),
		    LDAP_STATUS_NO, "wrong password" },
		{ LDAP_INVALID_CREDENTIALS, LDAP_POLICY_NONE, AD("525"),
		    LDAP_STATUS_NO, "no such user" },
		{ LDAP_INVALID_CREDENTIALS, LDAP_POLICY_NONE, AD("533"),
		    LDAP_STATUS_NO, "disabled" },
		{ LDAP_INVALID_CREDENTIALS, LDAP_POLICY_NONE, AD("773"),
		    LDAP_STATUS_NO, "must change password" },
		{ LDAP_INVALID_CREDENTIALS, LDAP_POLICY_NONE, AD("775"),
		    LDAP_STATUS_NO, "locked" },
		{ LDAP_INVALID_CREDENTIALS, LDAP_POLICY_NONE, "data ",
		    LDAP_STATUS_NO, "wrong password" },
		{ LDAP_NO_SUCH_OBJECT, LDAP_POLICY_NONE, NULL,
		    LDAP_STATUS_NO, "wrong password" },
		{ LDAP_INAPPROPRIATE_AUTH, LDAP_POLICY_NONE, NULL,
		    LDAP_STATUS_NO, "wrong password" },
		{ LDAP_CONSTRAINT_VIOLATION, LDAP_POLICY_NONE, NULL,
		    LDAP_STATUS_NO, "locked" },
		{ LDAP_UNWILLING_TO_PERFORM, LDAP_POLICY_NONE,
		    "Account inactivated. Contact system administrator.",
		    LDAP_STATUS_NO, "disabled" },
		{ LDAP_UNWILLING_TO_PERFORM, LDAP_POLICY_NONE, NULL,
		    LDAP_STATUS_REFUSED, "" },
		{ LDAP_CONFIDENTIALITY_REQUIRED, LDAP_POLICY_NONE, NULL,
		    LDAP_STATUS_REFUSED, "" },
		{ LDAP_STRONG_AUTH_REQUIRED, LDAP_POLICY_NONE, NULL,
		    LDAP_STATUS_REFUSED, "" },
		{ LDAP_INSUFFICIENT_ACCESS, LDAP_POLICY_NONE, NULL,
		    LDAP_STATUS_REFUSED, "" },
		{ LDAP_REFERRAL, LDAP_POLICY_NONE, NULL,
		    LDAP_STATUS_REFUSED, "" },
		{ LDAP_BUSY, LDAP_POLICY_NONE, NULL,
		    LDAP_STATUS_BROKEN, "" },
		{ LDAP_UNAVAILABLE, LDAP_POLICY_NONE, NULL,
		    LDAP_STATUS_BROKEN, "" },
		{ LDAP_SERVER_DOWN, LDAP_POLICY_NONE, NULL,
		    LDAP_STATUS_BROKEN, "" },
		{ LDAP_CONNECT_ERROR, LDAP_POLICY_NONE, NULL,
		    LDAP_STATUS_BROKEN, "" },
	};
	const char	*reason;
	size_t		 i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		assert_int_equal(ldap_result_of_bind(cases[i].code,
		    cases[i].policy, cases[i].diagnostic, &reason),
		    cases[i].want);
		assert_string_equal(reason, cases[i].reason);
	}
}

static void
test_ldap_result_of_search(void **state)
{
	static const struct {
		int			 code;
		enum ldap_status	 want;
	} cases[] = {
		{ LDAP_SUCCESS, LDAP_STATUS_OK },
		{ LDAP_NO_SUCH_OBJECT, LDAP_STATUS_REFUSED },
		{ LDAP_REFERRAL, LDAP_STATUS_REFUSED },
		{ LDAP_INSUFFICIENT_ACCESS, LDAP_STATUS_REFUSED },
		{ LDAP_INVALID_CREDENTIALS, LDAP_STATUS_REFUSED },
		{ LDAP_FILTER_ERROR, LDAP_STATUS_REFUSED },
		{ LDAP_TIMELIMIT_EXCEEDED, LDAP_STATUS_BROKEN },
		{ LDAP_TIMEOUT, LDAP_STATUS_BROKEN },
		{ LDAP_SERVER_DOWN, LDAP_STATUS_BROKEN },
		{ LDAP_BUSY, LDAP_STATUS_BROKEN },
	};
	size_t	 i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		assert_int_equal(ldap_result_of_search(cases[i].code),
		    cases[i].want);
}

int
main(void)
{
	const struct CMUnitTest	 tests[] = {
		cmocka_unit_test(test_ldap_result_of_bind),
		cmocka_unit_test(test_ldap_result_of_search),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
