/* SPDX-License-Identifier: ISC */
/*
 * Where the control socket is: the parent listens there, registryctl asks
 * there, by the same configuration.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "conf.h"

#define HOST_SIZE	65

char *
conf_control_path(const struct registry_conf *conf)
{
	char host[HOST_SIZE] = "", *p, *path;
	size_t size;

	if (conf->control != NULL)
		return strcmp(conf->control, "none") == 0 ? NULL :
		    strdup(conf->control);
	/* Several hosts may serve the directory. */
	if (gethostname(host, sizeof(host)) == -1 || host[0] == '\0')
		snprintf(host, sizeof(host), "localhost");
	host[HOST_SIZE - 1] = '\0';
	for (p = host; *p != '\0'; p++)
		if (*p == '/')
			*p = '_';
	size = strlen(conf->root) + sizeof(host) + 32;
	if ((path = malloc(size)) != NULL)
		snprintf(path, size, "%s/.registryd/control/%s.sock",
		    conf->root, host);
	return path;
}
