/* SPDX-License-Identifier: ISC */
/*
 * Maps results of LDAP to what a login can do with them.  Only numbers and
 * short texts; nothing of a server's text goes any further.  Runs in the
 * verifiers for LDAP.
 */
#include "ldap_result.h"

#include <ldap.h>
#include <stddef.h>
#include <string.h>

enum ldap_status
ldap_result_of_search(int code)
{
	if (code == LDAP_SUCCESS)
		return LDAP_STATUS_OK;
	/* What the library itself could not encode. */
	if (code == LDAP_FILTER_ERROR || code == LDAP_PARAM_ERROR ||
	    code == LDAP_ENCODING_ERROR)
		return LDAP_STATUS_REFUSED;
	if (code < 0 || code == LDAP_BUSY || code == LDAP_UNAVAILABLE ||
	    code == LDAP_TIMELIMIT_EXCEEDED || code == LDAP_OPERATIONS_ERROR)
		return LDAP_STATUS_BROKEN;
	return LDAP_STATUS_REFUSED;
}

/*
 * "..., comment: AcceptSecurityContext error, data 52e, v2580": the only
 * place where Active Directory tells why.
 */
static const char *
active_directory_reason(const char *diagnostic)
{
	static const struct {
		const char	*code, *reason;
	} codes[] = {
		{ "525", "no such user" },
		{ "52e", "wrong password" },
		{ "530", "not at this time" },
		{ "531", "not from this host" },
		{ "532", "password expired" },
		{ "533", "disabled" },
		{ "701", "account expired" },
		{ "773", "must change password" },
		{ "775", "locked" },
	};
	const char	*data;
	size_t		 i;

	if (diagnostic == NULL ||
	    (data = strstr(diagnostic, "data ")) == NULL)
		return NULL;
	for (i = 0; i < sizeof(codes) / sizeof(codes[0]); i++)
		if (strncmp(data + 5, codes[i].code, 3) == 0)
			return codes[i].reason;
	return NULL;
}

static const char *
refusal(enum ldap_policy policy, const char *diagnostic)
{
	const char	*reason;

	switch (policy) {
	case LDAP_POLICY_EXPIRED:
		return "password expired";
	case LDAP_POLICY_LOCKED:
		return "locked";
	case LDAP_POLICY_RESET:
		return "must change password";
	case LDAP_POLICY_NONE:
		break;
	}
	reason = active_directory_reason(diagnostic);
	return reason != NULL ? reason : "wrong password";
}

enum ldap_status
ldap_result_of_bind(int code, enum ldap_policy policy, const char *diagnostic,
    const char **reason)
{
	*reason = "";
	switch (code) {
	case LDAP_SUCCESS:
		if (policy == LDAP_POLICY_NONE)
			return LDAP_STATUS_OK;
		*reason = refusal(policy, NULL);
		return LDAP_STATUS_NO;
	case LDAP_INVALID_CREDENTIALS:
	case LDAP_NO_SUCH_OBJECT:
	/* No password is set; a DN that a typed name has made. */
	case LDAP_INAPPROPRIATE_AUTH:
	case LDAP_INVALID_DN_SYNTAX:
		*reason = refusal(policy, diagnostic);
		return LDAP_STATUS_NO;
	case LDAP_CONSTRAINT_VIOLATION:
		/* 389 Directory Server: too many wrong passwords. */
		*reason = "locked";
		return LDAP_STATUS_NO;
	case LDAP_UNWILLING_TO_PERFORM:
		/* The same, of an account that is not active. */
		if (diagnostic != NULL &&
		    strstr(diagnostic, "inactivated") != NULL) {
			*reason = "disabled";
			return LDAP_STATUS_NO;
		}
		return LDAP_STATUS_REFUSED;
	default:
		return ldap_result_of_search(code);
	}
}
