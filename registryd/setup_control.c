/* SPDX-License-Identifier: ISC */
/*
 * Opening the control socket in the parent, as the user who owns the store,
 * since that is whose directory it is in.  Without it everything but
 * registryctl works.
 */
#include "setup_control.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "control.h"
#include "log.h"

int
setup_control_open(const struct registry_conf *conf,
    const struct supervise_role *keeper, const struct registry_conf *oldconf,
    int old)
{
	char error[512], *path, *oldpath;
	int fd = -1;

	/* What is read-only may be so for us too. */
	if (conf->control == NULL && conf->readonly)
		return -1;
	if ((path = conf_control_path(conf)) == NULL)
		return -1;
	oldpath = old != -1 ? conf_control_path(oldconf) : NULL;
	if (oldpath != NULL && strcmp(path, oldpath) == 0)
		fd = fcntl(old, F_DUPFD_CLOEXEC, 0);
	else
		fd = control_listen(path, keeper->drop ? keeper->uid :
		    (uid_t)-1, keeper->drop ? keeper->gids[0] : (gid_t)-1,
		    error, sizeof(error));
	if (fd == -1 && oldpath == NULL)
		log_warnx("registryd.control: %s: registryctl will not find "
		    "this registryd", error);
	free(path);
	free(oldpath);
	return fd;
}
