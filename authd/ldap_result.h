/* SPDX-License-Identifier: ISC */
/*
 * What an answer of a directory means for a login.
 */
#ifndef LDAP_RESULT_H
#define LDAP_RESULT_H

enum ldap_status {
	LDAP_STATUS_OK,
	LDAP_STATUS_NO,			/* a definite refusal of this user */
	LDAP_STATUS_BROKEN,		/* the server or its connection */
	LDAP_STATUS_REFUSED		/* of what we ask: no server will do */
};

/* The password policy of a response (draft-behera-ldap-password-policy). */
enum ldap_policy {
	LDAP_POLICY_NONE,
	LDAP_POLICY_EXPIRED,
	LDAP_POLICY_LOCKED,
	LDAP_POLICY_RESET		/* must be changed before any use */
};

/* Of a search or another operation of the service. */
enum ldap_status ldap_result_of_search(int code);
/*
 * Of a bind as the user.  The reason is for the log; "" with LDAP_STATUS_OK.
 * diagnostic may be NULL: Active Directory explains itself there.
 */
enum ldap_status ldap_result_of_bind(int code, enum ldap_policy,
		    const char *diagnostic, const char **reason);

#endif
