/* SPDX-License-Identifier: ISC */
/*
 * Finding a user's entry.
 */
#ifndef LDAP_SEARCH_H
#define LDAP_SEARCH_H

#include <stddef.h>
#include <stdint.h>

#include "conf.h"
#include "ldap_conn.h"
#include "ldap_state.h"
#include "messages.h"

struct ldap_user {
	char	*dn;
	char	 name[MAX_USER + 1];	/* ldap.user_attr as it is there */
	char	**groups;		/* DNs of memberOf */
	size_t	 ngroups;
	struct ldap_state state;	/* without a bind */
	size_t	 nfound;		/* 0, 1, or more: then not known */
};

/*
 * Where the entry of a user is to be looked for; filter is complete.
 * LDAP_STATUS_NO unless exactly one is there.
 */
enum ldap_status ldap_search_user(struct ldap_conn *,
		    const struct conf_ldap *, const char *base, int scope,
		    const char *filter, uint64_t deadline,
		    struct ldap_user *);
void		 ldap_user_done(struct ldap_user *);

#endif
