/* SPDX-License-Identifier: ISC */
/*
 * The groups of a user.
 */
#ifndef LDAP_GROUPS_H
#define LDAP_GROUPS_H

#include <stdint.h>

#include "conf.h"
#include "cred.h"
#include "ldap_conn.h"
#include "ldap_search.h"

#define LDAP_MAX_GROUPS		1024	/* of one user */
#define LDAP_MAX_NESTED		64	/* groups whose groups are asked for */

/*
 * Put the names of the user's groups into the answer, as ldap.groups says.
 * Only groups beneath its base count, each named by its own DN.  A user with
 * too many is LDAP_STATUS_REFUSED: to drop some could grant what a rule
 * for one of them denies.
 */
enum ldap_status ldap_groups_find(struct ldap_conn *,
		    const struct conf_ldap *, const struct ldap_user *,
		    uint64_t deadline, struct cred_answer *);
/* One group by its DN; one that does not count is left out. */
enum ldap_status ldap_groups_add(const struct conf_ldap *, const char *dn,
		    struct cred_answer *);

#endif
