/* SPDX-License-Identifier: ISC */
/*
 * Distinguished names, compared by their parts and never as text.
 */
#ifndef LDAP_DN_H
#define LDAP_DN_H

#include <stdbool.h>
#include <stddef.h>

/*
 * Is the entry somewhere beneath the base?  Case of ASCII letters and runs
 * of blanks do not matter.  False when either is no DN.
 */
bool	 ldap_dn_is_beneath(const char *dn, const char *base);
/*
 * The value of that attribute in the entry's own (first) part.  -1: it has
 * none, or one with control characters, or it does not fit.
 */
int	 ldap_dn_own_value(const char *dn, const char *attr, char *dst,
	    size_t size);

#endif
