/* SPDX-License-Identifier: ISC */
/*
 * Makes the place where the vault works.  Runs in the parent, which as root
 * does nothing in directories of others: only an empty one is made and given
 * away, and the rest is done as the vault's user.
 */
#include "authd_vault.h"

#include <sys/stat.h>

#include <errno.h>
#include <libgen.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "control.h"
#include "xmem.h"

static int
make_directory(const char *database, const struct supervise_role *role,
    FILE *messages)
{
	char	*copy = xstrdup(database), *dir = dirname(copy);
	int	 error = 0;

	if (mkdir(dir, 0700) == 0) {
		if (role->drop)
			error = lchown(dir, role->uid, role->gids[0]);
		if (error == -1)
			rmdir(dir);
	} else if (errno != EEXIST) {
		error = -1;
	}
	if (error == -1)
		fprintf(messages, "error: credentials.database: %s: %s\n",
		    dir, strerror(errno));
	free(copy);
	return error;
}

int
authd_vault_open(const struct authd_conf *conf,
    const struct supervise_role *role, FILE *messages)
{
	uid_t	 uid = role->drop ? role->uid : (uid_t)-1;
	gid_t	 gid = role->drop ? role->gids[0] : (gid_t)-1;
	char	 error[256];
	int	 fd;

	if (make_directory(conf->credentials.database, role, messages) == -1)
		return -1;
	fd = control_listen(conf->credentials.control, uid, gid, error,
	    sizeof(error));
	if (fd == -1)
		fprintf(messages, "error: credentials.control: %s\n", error);
	return fd;
}
