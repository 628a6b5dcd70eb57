/* SPDX-License-Identifier: ISC */
/*
 * Building and signing the claims of a token, by libjwt.  Runs in the signer
 * (and in tests): issuer, audience, times and jti are set here, never by
 * the asker.
 */
#ifndef CLAIMS_H
#define CLAIMS_H

#include <stddef.h>
#include <stdint.h>
#include <time.h>

#include "buf.h"
#include "scope.h"

struct claims_key;		/* private key, certificate chain, ids */

/*
 * Key PEM (RSA >= 2048, not encrypted) and certificate chain PEM, leaf
 * first, which must match it.  NULL with a reason.
 */
struct claims_key *claims_key_new(const char *key, size_t keylen,
		    const char *chain, size_t chainlen, char *error,
		    size_t errsize);
void		 claims_key_free(struct claims_key *);
/* The public keys as a JWKS: each under its RFC 7638 and libtrust id. */
int		 claims_key_jwks(const struct claims_key *, struct buf *);

struct claims {
	const char	*issuer, *audience, *subject;
	const struct scope_set *access;
	time_t		 now;
	uint32_t	 lifetime, backdate;	/* seconds */
};
/* The token as compact text into out.  -1: it could not be signed. */
int		 claims_sign(const struct claims_key *, const struct claims *,
		    struct buf *out);

#endif
