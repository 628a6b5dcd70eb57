/* SPDX-License-Identifier: ISC */
/*
 * The files of auth.token, read into a set of keys: by the parent to see
 * that they are sound, by the workers to use them.
 */
#ifndef TOKEN_KEYS_H
#define TOKEN_KEYS_H

#include <stddef.h>

#include "jwks.h"
#include "messages.h"

#define TOKEN_KEYS_MAX_FILE	(1 << 20)

/*
 * Add what a file has, by its kind (CONF_FILE_TOKEN_ROOTS or _JWKS); fd is
 * not closed, and its offset does not matter.  -1 with a reason, and the set
 * not fit for use.
 */
int	 token_keys_add(struct jwks *, enum conf_file, int fd, char *error,
	    size_t errsize);

#endif
