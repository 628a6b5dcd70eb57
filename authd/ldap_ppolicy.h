/* SPDX-License-Identifier: ISC */
/*
 * The password policy control.
 */
#ifndef LDAP_PPOLICY_H
#define LDAP_PPOLICY_H

#include <ldap.h>

#include "ldap_result.h"

/* The request control; ldap_control_free() it.  NULL: out of memory. */
LDAPControl	*ldap_ppolicy_request(LDAP *);
/* What the controls (NULL is fine) of the bind's response say. */
enum ldap_policy ldap_ppolicy_read(LDAP *, LDAPControl **);

#endif
