/* SPDX-License-Identifier: ISC */
/*
 * Cipher suites by the names that Go (and so the configuration) gives them.
 * Private to tls.c.
 */
#ifndef TLS_CIPHER_H
#define TLS_CIPHER_H

#include <stdbool.h>

#include "buf.h"

/*
 * Colon-joined lists for OpenSSL: TLS 1.2 and below, and TLS 1.3.  -1 with
 * *unknown at the first name that is not in the table, or NULL when memory
 * is out.
 */
int	 tls_cipher_lists(const char *const *names, struct buf *tls12,
	    struct buf *tls13, const char **unknown);

#endif
