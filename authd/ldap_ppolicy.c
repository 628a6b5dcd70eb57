/* SPDX-License-Identifier: ISC */
/*
 * Asks for and reads the state of a password: a server tells that it must be
 * changed only who has asked, and lets him in otherwise.  Runs in the
 * verifiers for LDAP.
 */
#include "ldap_ppolicy.h"

#include <stddef.h>

#include "log.h"

LDAPControl *
ldap_ppolicy_request(LDAP *ld)
{
	LDAPControl	*control = NULL;

	if (ldap_create_passwordpolicy_control(ld, &control) != LDAP_SUCCESS)
		return NULL;
	return control;
}

enum ldap_policy
ldap_ppolicy_read(LDAP *ld, LDAPControl **controls)
{
	LDAPPasswordPolicyError	 error = PP_noError;
	LDAPControl		*control;
	ber_int_t		 expire = -1, grace = -1;

	/* The older form, of Netscape's descendants. */
	if (ldap_control_find(LDAP_CONTROL_X_PASSWORD_EXPIRED, controls,
	    NULL) != NULL)
		return LDAP_POLICY_RESET;
	control = ldap_control_find(LDAP_CONTROL_PASSWORDPOLICYRESPONSE,
	    controls, NULL);
	if (control == NULL || ldap_parse_passwordpolicy_control(ld, control,
	    &expire, &grace, &error) != LDAP_SUCCESS)
		return LDAP_POLICY_NONE;
	if (grace >= 0)
		log_debug("a password has expired, %d logins are left",
		    (int)grace);
	switch (error) {
	case PP_passwordExpired:
		return LDAP_POLICY_EXPIRED;
	case PP_accountLocked:
		return LDAP_POLICY_LOCKED;
	case PP_changeAfterReset:
		return LDAP_POLICY_RESET;
	default:
		return LDAP_POLICY_NONE;
	}
}
