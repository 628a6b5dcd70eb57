/* SPDX-License-Identifier: ISC */
/*
 * Users of the children.  Runs in the parent.
 */
#include "authd_role.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "privdrop.h"

/* Who starts without being root stays who he is. */
int
authd_role_user(struct supervise_role *role, const char *key, const char *user,
    FILE *messages)
{
	if (geteuid() != 0)
		return 0;
	if (privdrop_lookup(user, &role->uid, &role->gids[0]) == 0) {
		role->ngids = 1;
		role->drop = true;
		return 0;
	}
	if (errno == ENOENT)
		fprintf(messages, "error: %s: there is no user %s; create it "
		    "with: useradd --system --no-create-home --shell "
		    "/usr/sbin/nologin %s\n", key, user, user);
	else
		fprintf(messages, "error: %s: %s: %s\n", key, user,
		    strerror(errno));
	return -1;
}

/* One whose groups matter, such as "shadow"; root is fine as well. */
int
authd_role_system_user(struct supervise_role *role, const char *key,
    const char *user, FILE *messages)
{
	if (geteuid() != 0 || strcmp(user, "root") == 0)
		return 0;
	if (authd_role_user(role, key, user, messages) == -1)
		return -1;
	if (privdrop_groups(user, role->gids, &role->ngids) == 0)
		return 0;
	fprintf(messages, "error: %s: %s: %s\n", key, user,
	    errno == ENOSPC ? "is in too many groups" : strerror(errno));
	return -1;
}
