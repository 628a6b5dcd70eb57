/* SPDX-License-Identifier: ISC */
/*
 * What values of an entry mean for a user who does not bind.
 */
#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "ldap_state.h"

#define NOW	1700000000		/* 2023-11-14 */

static void
test_locks(void **state)
{
	static const struct {
		const char	*attr, *value, *locked;
	} cases[] = {
		{ "pwdAccountLockedTime", "000001010000Z", "locked" },
		{ "pwdaccountlockedtime", "20231114000000Z", "locked" },
		{ "pwdReset", "TRUE", "must change password" },
		{ "pwdReset", "FALSE", NULL },
		{ "nsAccountLock", "true", "disabled" },
		{ "nsAccountLock", "false", NULL },
		{ "userAccountControl", "512", NULL },
		{ "userAccountControl", "514", "disabled" },
		{ "userAccountControl", "66050", "disabled" },
		{ "userAccountControl", "-2", NULL },
		{ "userAccountControl", "", NULL },
		{ "msDS-User-Account-Control-Computed", "16", "locked" },
		{ "msDS-User-Account-Control-Computed", "8388608", NULL },
		{ "accountExpires", "0", NULL },
		{ "accountExpires", "9223372036854775807", NULL },
		/* a day before, the very second, a day later */
		{ "accountExpires", "133443872000000000", "account expired" },
		{ "accountExpires", "133444736000000000", "account expired" },
		{ "accountExpires", "133445600000000000", NULL },
		{ "accountExpires", "soon", NULL },
		{ "pwdChangedTime", "20231114000000Z", NULL },
		{ "cn", "TRUE", NULL }
	};
	struct ldap_state	 got;
	size_t			 i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		memset(&got, 0, sizeof(got));
		ldap_state_take(&got, cases[i].attr, cases[i].value,
		    strlen(cases[i].value), NOW);
		if (cases[i].locked == NULL)
			assert_null(got.locked);
		else
			assert_string_equal(got.locked, cases[i].locked);
	}
}

static void
test_since(void **state)
{
	struct ldap_state	 got;
	char			 text[LDAP_STATE_SINCE_SIZE];

	(void)state;
	memset(&got, 0, sizeof(got));
	ldap_state_take(&got, "pwdChangedTime", "20231114000000Zjunk", 15,
	    NOW);
	assert_string_equal(got.since, "20231114000000Z");
	ldap_state_take(&got, "pwdLastSet", "133444736000000000", 18, NOW);
	assert_string_equal(got.since, "133444736000000000");
	/* What is too long for a time is none. */
	memset(text, '1', sizeof(text));
	ldap_state_take(&got, "pwdLastSet", text, sizeof(text), NOW);
	assert_string_equal(got.since, "133444736000000000");
	/* A lock is not undone by what another attribute says. */
	ldap_state_take(&got, "pwdReset", "TRUE", 4, NOW);
	ldap_state_take(&got, "userAccountControl", "512", 3, NOW);
	assert_string_equal(got.locked, "must change password");
}

int
main(void)
{
	const struct CMUnitTest	 tests[] = {
		cmocka_unit_test(test_locks),
		cmocka_unit_test(test_since)
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
