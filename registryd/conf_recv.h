/* SPDX-License-Identifier: ISC */
/*
 * The configuration as a child gets it: the messages from the parent that
 * every child of registryd takes.  0, or -1: malformed.
 */
#ifndef CONF_RECV_H
#define CONF_RECV_H

#include "conf.h"
#include "msg.h"

int	 conf_recv_value(struct registry_conf *, struct msg *);
/* The root of the store, once: path is malloc()ed, fd the caller's. */
int	 conf_recv_store(struct msg *, char **path, int *fd);

#endif
