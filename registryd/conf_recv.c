/* SPDX-License-Identifier: ISC */
/*
 * Receiving the configuration.  Runs in every child; the parent's side is in
 * registryd.c.
 */
#include "conf_recv.h"

#include <stdlib.h>

int
conf_recv_value(struct registry_conf *conf, struct msg *m)
{
	uint32_t i = msg_get_u32(m);
	char *value = msg_get_strdup(m, MSG_MAX_SIZE);
	int r = -1;

	if (value != NULL && msg_end(m) == 0)
		r = conf_set_value(conf, i, value);
	free(value);
	return r;
}

int
conf_recv_store(struct msg *m, char **path, int *fd)
{
	if (*path != NULL || *fd != -1)
		return -1;
	*path = msg_get_strdup(m, MSG_MAX_SIZE);
	*fd = msg_get_fd(m);
	return *path == NULL || *fd == -1 ? -1 : msg_end(m);
}
