/* SPDX-License-Identifier: ISC */
/*
 * Making keys that sign tokens, and certificates for them.
 */
#ifndef AUTHCTL_CERT_H
#define AUTHCTL_CERT_H

#include <openssl/evp.h>
#include <openssl/x509.h>
#include <stdbool.h>

/* "rs256", "es256" or "eddsa".  NULL: OpenSSL's queue says why. */
EVP_PKEY	*authctl_make_key(const char *algorithm);
/* The name of a key's algorithm as above; NULL: none of them. */
const char	*authctl_algorithm_of(const EVP_PKEY *);

struct cert_spec {
	const char	*cn;
	int		 days;
	bool		 is_ca;
	EVP_PKEY	*ca_key;	/* both, or NULL: signed by itself */
	X509		*ca_cert;
};
X509		*authctl_make_certificate(EVP_PKEY *,
		    const struct cert_spec *);

#endif
