/* SPDX-License-Identifier: ISC */
/*
 * The file of groups that the configuration names, and what is known of
 * groups in all.  Runs in the parent and in authctl.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "conf.h"
#include "htgroup.h"

int
conf_htgroup_load(struct authd_conf *conf, bool check, struct stat *from,
    FILE *messages)
{
	struct stat	 st;
	bool		 absent;
	int		 fd;

	if (conf->htgroup == NULL)
		return 0;
	fd = open(conf->htgroup, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	if (fd == -1 || fstat(fd, from == NULL ? &st : from) == -1) {
		absent = errno == ENOENT || errno == EACCES;
		fprintf(messages, "%s: htgroup: %s: %s\n", check && absent ?
		    "note" : "error", conf->htgroup, strerror(errno));
		if (fd != -1)
			close(fd);
		return check && absent ? 0 : -1;
	}
	htgroup_free(conf->file_groups);
	conf->file_groups = htgroup_read(fd, conf->htgroup, messages);
	close(fd);
	return conf->file_groups == NULL ? -1 : 0;
}

bool
conf_groups_are_open(const struct authd_conf *conf)
{
	return conf->pam.groups || (conf->ldap.uris.n > 0 &&
	    strcmp(conf->ldap.groups_mode, "none") != 0);
}

bool
conf_group_is_known(const struct authd_conf *conf, const char *name)
{
	const struct htgroup	*file = conf->file_groups;
	size_t			 i;

	for (i = 0; i < conf->ngroups; i++)
		if (strcmp(conf->groups[i].name, name) == 0)
			return true;
	for (i = 0; file != NULL && i < file->n; i++)
		if (strcmp(file->groups[i].name, name) == 0)
			return true;
	return false;
}
