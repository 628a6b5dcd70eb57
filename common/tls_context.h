/* SPDX-License-Identifier: ISC */
/*
 * What tls.c needs of a context.  Private to the two.
 */
#ifndef TLS_CONTEXT_H
#define TLS_CONTEXT_H

#include <openssl/ssl.h>

#include "tls.h"

SSL_CTX	*tls_context_ssl(struct tls_context *);

#endif
