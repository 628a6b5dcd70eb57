/* SPDX-License-Identifier: ISC */
/*
 * Opening the control socket in the parent, as the user who owns the store,
 * since that is whose directory it is in.  Without it everything but
 * registryctl works; while another registryd of this host has it, the parent
 * tries again, since children have no way to that place.
 */
#include "setup_control.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "control.h"
#include "log.h"

/* NULL: there is to be none. */
static char *
wanted_path(const struct registry_conf *conf)
{
	/* What is read-only may be so for us too. */
	if (conf->control == NULL && conf->readonly)
		return NULL;
	return conf_control_path(conf);
}

static int
listen_as(const char *path, const struct supervise_role *keeper, char *error,
    size_t errsize)
{
	return control_listen(path, keeper->drop ? keeper->uid : (uid_t)-1,
	    keeper->drop ? keeper->gids[0] : (gid_t)-1, error, errsize);
}

int
setup_control_open(const struct registry_conf *conf,
    const struct supervise_role *keeper, const struct registry_conf *oldconf,
    int old)
{
	char error[512], *path, *oldpath;
	int fd = -1;

	if ((path = wanted_path(conf)) == NULL)
		return -1;
	oldpath = old != -1 ? conf_control_path(oldconf) : NULL;
	if (oldpath != NULL && strcmp(path, oldpath) == 0) {
		if ((fd = fcntl(old, F_DUPFD_CLOEXEC, 0)) == -1)
			log_warn("registryd.control: %s", path);
	} else if ((fd = listen_as(path, keeper, error, sizeof(error))) == -1)
		log_warnx("registryd.control: %s: registryctl will not find "
		    "this registryd as long as that is so", error);
	free(path);
	free(oldpath);
	return fd;
}

int
setup_control_retry(const struct registry_conf *conf,
    const struct supervise_role *keeper)
{
	char error[512], *path;
	int fd;

	if ((path = wanted_path(conf)) == NULL)
		return -1;
	if ((fd = listen_as(path, keeper, error, sizeof(error))) != -1)
		log_info("registryd.control: %s is free: registryctl finds "
		    "this registryd from now on", path);
	free(path);
	return fd;
}
