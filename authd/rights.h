/* SPDX-License-Identifier: ISC */
/*
 * What a token or a robot is good for: "PATTERN:ACTIONS" for repositories,
 * the pattern as in access rules (acl.h), or "registry:catalog:*".  A list of
 * them is one text with a space between two.  Each adds to what the others
 * give; nothing is denied here.
 */
#ifndef RIGHTS_H
#define RIGHTS_H

#include <stdbool.h>

#include "acl.h"
#include "scope.h"

#define RIGHTS_MAX	64		/* of one list */

/* NULL when this is one right, else what is wrong with it. */
const char	*rights_wrong(const char *right);
/*
 * What of "wanted" a list gives; "*" asked for gives all that it has there.
 * What registries do not know is nothing.  An item that is wrong gives
 * nothing.
 */
unsigned	 rights_grant(const char *rights, const struct acl_names *,
		    const struct scope *wanted);
/* Is the address in one of the networks of such a list? */
bool		 rights_has_network(const char *networks,
		    const char *address);

#endif
