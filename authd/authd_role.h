/* SPDX-License-Identifier: ISC */
/*
 * The users that children become when authd is started as root.
 */
#ifndef AUTHD_ROLE_H
#define AUTHD_ROLE_H

#include <stdio.h>

#include "supervise.h"

/* key: of the user in the configuration.  -1 after a message. */
int		 authd_role_user(struct supervise_role *, const char *key,
		    const char *user, FILE *messages);
/* Same for one whose groups matter; root is fine as well. */
int		 authd_role_system_user(struct supervise_role *,
		    const char *key, const char *user, FILE *messages);

#endif
