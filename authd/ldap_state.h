/* SPDX-License-Identifier: ISC */
/*
 * What an entry itself tells about a user who does not bind: whether he is
 * locked, and since when he has his password.
 */
#ifndef LDAP_STATE_H
#define LDAP_STATE_H

#include <ldap.h>
#include <stddef.h>
#include <time.h>

#define LDAP_STATE_ATTRS	8	/* names that are asked for */
#define LDAP_STATE_SINCE_SIZE	65

struct ldap_state {
	const char	*locked;	/* why, for the log; NULL: he is not */
	char		 since[LDAP_STATE_SINCE_SIZE];	/* changes with the
						   password; "": not told */
};

/* Put the names of the attributes there. */
void		 ldap_state_attrs(char **attrs);
/* From one value of one attribute. */
void		 ldap_state_take(struct ldap_state *, const char *attr,
		    const char *value, size_t len, time_t now);
/* From all of an entry. */
void		 ldap_state_read(struct ldap_state *, LDAP *, LDAPMessage *);

#endif
