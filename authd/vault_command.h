/* SPDX-License-Identifier: ISC */
/*
 * What administrators ask of the database of credentials: each command with
 * its arguments as a JSON object, the same whether it comes through the
 * control socket or authctl has the database itself.
 *
 *   token.new      user, hash [comment, lifetime, networks, rights]
 *   token.list     [user, after]
 *   token.revoke   id; or user [kind]
 *   robot.new      name, hash, rights [comment, lifetime, networks]
 *   robot.list     [after]
 *   robot.rotate   name, hash [comment, lifetime, overlap]
 *   robot.disable, robot.enable, robot.delete    name
 *
 * hash: SHA-256 of the secret in hex; who asks has made it, and nobody else
 * ever sees it.  lifetime, overlap: seconds; a lifetime of 0 has no end.
 * Lists come in parts: "after" is "more" of the part before.
 */
#ifndef VAULT_COMMAND_H
#define VAULT_COMMAND_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "vault_db.h"

#define VAULT_COMMAND_ERROR	384
#define VAULT_MAX_NETWORKS	16	/* of one token or robot */

struct vault_limits {
	int64_t	 lifetime;		/* of what names none */
	int64_t	 max_lifetime;		/* 0: any */
};

struct vault_outcome {
	json_t	*result;		/* a new object; NULL: refused */
	bool	 takes_away;		/* what was good may not be any more */
	char	 error[VAULT_COMMAND_ERROR];	/* when refused */
};

void	 vault_command(struct vault_db *, const struct vault_limits *,
	    const char *command, json_t *request, int64_t now,
	    struct vault_outcome *);

#endif
