/* SPDX-License-Identifier: ISC */
/*
 * Reads the files with the keys that sign tokens.  Runs in the parent and in
 * the worker, on descriptors that the parent opened.
 */
#include "token_keys.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "secret.h"

int
token_keys_add(struct jwks *set, enum conf_file kind, int fd, char *error,
    size_t errsize)
{
	struct secret *text;
	int n;

	if ((text = secret_read(fd, TOKEN_KEYS_MAX_FILE)) == NULL) {
		snprintf(error, errsize, "%s", strerror(errno));
		return -1;
	}
	n = kind == CONF_FILE_TOKEN_JWKS ? jwks_add_json(set,
	    secret_data(text), secret_len(text), error, errsize) :
	    jwks_add_pem(set, secret_data(text), secret_len(text), error,
	    errsize);
	secret_free(text);
	return n == -1 ? -1 : 0;
}
