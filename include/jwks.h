/* SPDX-License-Identifier: ISC */
/*
 * Sets of public keys that sign tokens: from PEM bundles of certificates and
 * public keys, and from JWKS documents (RFC 7517).  Keys are parsed once.
 *
 * Each key is found by any of its ids: RFC 7638 thumbprint, the same over
 * EC coordinates without leading zeros (distribution 3), the libtrust
 * fingerprint, and the kid that a JWKS document gives it.
 */
#ifndef JWKS_H
#define JWKS_H

#include <jansson.h>
#include <openssl/evp.h>
#include <openssl/x509.h>
#include <stdbool.h>
#include <stddef.h>

#include "buf.h"

#define JWKS_MAX_KEYS	64
#define JWK_KID_SIZE	128

enum jwk_type { JWK_RSA, JWK_P256, JWK_P384, JWK_P521, JWK_ED25519 };

struct jwk {
	EVP_PKEY	*pkey;
	enum jwk_type	 type;
	char		 alg[8];	/* "RS256" if the key is bound, or "" */
};

/* A signature algorithm (RFC 7518 section 3.1, RFC 8037): never HS*, none. */
struct jwk_alg {
	const char	*name;
	enum jwk_type	 type;			/* of the keys that fit it */
	const EVP_MD	*(*digest)(void);	/* NULL: EdDSA */
	bool		 pss;
};

struct jwks;

struct jwks	*jwks_new(void);		/* NULL: ENOMEM */
void		 jwks_free(struct jwks *);
/*
 * Add every certificate and public key of a PEM text.  A certificate is
 * also a trust anchor for x5c chains.  Number of blocks taken, or -1 with a
 * reason and the set not fit for use: no key found, RSA below 2048 bits, an
 * unknown key type, a private key, too many.
 */
int		 jwks_add_pem(struct jwks *, const char *, size_t,
		    char *error, size_t errsize);
/*
 * Add the keys of a JWKS document.  Symmetric and private keys are refused;
 * keys for another use, of another type or algorithm are passed over.  The
 * certificate of a key (x5c), unless it is a CA's, becomes an anchor, so
 * that tokens that carry it verify.  Number of keys taken, or -1 as above.
 */
int		 jwks_add_json(struct jwks *, const char *, size_t,
		    char *error, size_t errsize);
size_t		 jwks_count(const struct jwks *);
/* NULL when unknown or when the id names two different keys. */
const struct jwk *jwks_find(const struct jwks *, const char *kid);
/* NULL when the set does not have this very key. */
const struct jwk *jwks_find_key(const struct jwks *, const EVP_PKEY *);
/* The only key, NULL when there are none or several. */
const struct jwk *jwks_only(const struct jwks *);
/* Certificates that x5c chains may end in; NULL when there are none. */
X509_STORE	*jwks_anchors(const struct jwks *);
/* Is this very certificate one of them? */
bool		 jwks_has_anchor(const struct jwks *, const X509 *);

/* Type of a key, -1 when it is of none of them or too weak. */
int		 jwk_type_of(const EVP_PKEY *);
/* NULL when it is not one of ours; names are exact. */
const struct jwk_alg *jwk_alg_find(const char *name);
/*
 * A new public key from one JWK, NULL when it is none or malformed (ENOTSUP
 * for a type or curve that we do not have, else EINVAL).
 */
EVP_PKEY	*jwk_parse(const json_t *);
/* RFC 7638; size >= 44.  -1 on failure. */
int		 jwk_thumbprint(EVP_PKEY *, char *dst, size_t size);
/* The same over coordinates without leading zeros, as distribution 3 does. */
int		 jwk_thumbprint_short(EVP_PKEY *, char *dst, size_t size);
/*
 * What distribution 3.0 and docker_auth name every key of this curve: the
 * thumbprint of the curve's generator.  NULL for other types.
 */
const char	*jwk_generator_id(enum jwk_type);
/* libtrust "ABCD:EFGH:..."; size >= 60. */
int		 jwk_libtrust_id(EVP_PKEY *, char *dst, size_t size);
/*
 * Append one JWK as JSON with this kid (no quote or backslash in it); x5c of
 * the certificate when not NULL; alg and "use":"sig" always.
 */
int		 jwk_format(struct buf *, EVP_PKEY *, const char *kid,
		    const char *alg, X509 *certificate);

#endif
