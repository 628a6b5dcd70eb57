/* SPDX-License-Identifier: ISC */
/*
 * Which children there are, whom they talk to, and the users that they become
 * when authd is started as root.
 */
#ifndef AUTHD_ROLE_H
#define AUTHD_ROLE_H

#include <stdio.h>

#include "supervise.h"

#include "conf.h"

#define AUTHD_MAX_ROLES	(4 + CONF_MAX_BACKENDS)
#define AUTHD_MAX_LINKS	(3 + CONF_MAX_BACKENDS)

struct authd_roles {
	struct supervise_role	 roles[AUTHD_MAX_ROLES];
	size_t			 nroles;
	struct supervise_link	 links[AUTHD_MAX_LINKS];
	size_t			 nlinks;
};

/* All that a configuration needs.  -1 after messages. */
int		 authd_roles_make(struct authd_roles *,
		    const struct authd_conf *, FILE *messages);
/* NULL: there is none of this role. */
const struct supervise_role *authd_roles_find(const struct authd_roles *,
		    unsigned role);

/* key: of the user in the configuration.  -1 after a message. */
int		 authd_role_user(struct supervise_role *, const char *key,
		    const char *user, FILE *messages);
/* Same for one whose groups matter; root is fine as well. */
int		 authd_role_system_user(struct supervise_role *,
		    const char *key, const char *user, FILE *messages);

#endif
