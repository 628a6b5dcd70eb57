/* SPDX-License-Identifier: ISC */
/*
 * What the vault finds when it starts.
 */
#ifndef AUTHD_VAULT_H
#define AUTHD_VAULT_H

#include <stdio.h>

#include "supervise.h"

#include "conf.h"

/*
 * The vault's control socket, made as its user; before it, when it is not
 * there, the directory of the database, which then belongs to him.  A
 * descriptor, or -1 after a message.
 */
int		 authd_vault_open(const struct authd_conf *,
		    const struct supervise_role *, FILE *messages);

#endif
