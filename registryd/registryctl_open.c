/* SPDX-License-Identifier: ISC */
/*
 * What the commands of registryctl begin and end with: the configuration, the
 * store, exit status.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "log.h"
#include "reference.h"
#include "registryctl.h"

extern char **environ;

static struct registry_conf *
ctl_conf(struct ctl *ctl)
{
	if (ctl->conf == NULL &&
	    (ctl->conf = conf_load(ctl->file, environ, stderr)) == NULL)
		exit(CTL_FAILED);
	return ctl->conf;
}

struct store *
ctl_store(struct ctl *ctl)
{
	const struct registry_conf *conf = ctl_conf(ctl);
	int fd;

	if (ctl->store != NULL)
		return ctl->store;
	fd = open(conf->root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd == -1 || (ctl->store = store_fs_new(fd, conf->root, false,
	    STORE_FULL)) == NULL) {
		log_error("%s: %s%s", conf->root, strerror(errno),
		    errno == EACCES ? ": run it as root or as the user of "
		    "registryd" : "");
		exit(CTL_FAILED);
	}
	return ctl->store;
}

void
ctl_repository(const char *name)
{
	if (repo_name_ok(name))
		return;
	log_error("%s: not the name of a repository", name);
	exit(CTL_USAGE);
}

enum ctl_status
ctl_fail(const char *what, enum store_result r)
{
	log_error("%s: %s", what, store_result_text(r));
	return CTL_FAILED;
}

enum ctl_status
ctl_finish(enum ctl_status status)
{
	if (fflush(stdout) == 0 && !ferror(stdout))
		return status;
	log_error("standard output: %s", strerror(errno));
	return CTL_FAILED;
}
