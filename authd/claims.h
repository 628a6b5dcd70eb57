/* SPDX-License-Identifier: ISC */
/*
 * The keys of tokens, and building and signing the claims.  Runs in the
 * signer (and in tests): issuer, audience, times and jti are set here, never
 * by the asker.  The parent only looks into keys, and publishes them.
 */
#ifndef CLAIMS_H
#define CLAIMS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

#include "buf.h"
#include "scope.h"

/* ---- claims_key.c ---- */

#define CLAIMS_KID_RFC7638	"rfc7638"
#define CLAIMS_KID_LIBTRUST	"libtrust"

struct claims_key;		/* key, certificate chain, ids */

/*
 * Key PEM (RSA >= 2048, EC on P-256 or Ed25519, not encrypted) and
 * certificate chain PEM, leaf first, which must match it.  Without a key
 * (NULL) it is the leaf's, and signs nothing.  NULL with a reason.
 */
struct claims_key *claims_key_new(const char *key, size_t keylen,
		    const char *chain, size_t chainlen, char *error,
		    size_t errsize);
/* Another reference to the same key. */
struct claims_key *claims_key_ref(struct claims_key *);
void		 claims_key_free(struct claims_key *);
/* "RS256", "ES256" or "EdDSA": what its type makes it sign with. */
const char	*claims_key_algorithm(const struct claims_key *);
/* Until its certificate ends; it has ended: negative. */
int		 claims_key_days_left(const struct claims_key *);
bool		 claims_key_is_same(const struct claims_key *,
		    const struct claims_key *);
/*
 * The header of its tokens, in base64url, malloc()ed.  kid is one of the
 * names above, or an id as it is.  NULL when memory is out.
 */
char		*claims_key_header(const struct claims_key *, const char *kid,
		    bool x5c);
/*
 * Append the public key as one JWK; kid as above, but without quotes and
 * backslashes.  -1: it does not fit.
 */
int		 claims_key_jwk(const struct claims_key *, const char *kid,
		    struct buf *);
/* Append the signature of text in base64url; -1 on failure. */
int		 claims_key_sign(const struct claims_key *, const char *text,
		    size_t len, struct buf *);

/* ---- claims.c ---- */
#define CLAIMS_JTI_SIZE	33

struct claims {
	const char	*header;	/* of claims_key_header() */
	const char	*issuer, *audience, *subject;
	const struct scope_set *access;
	time_t		 now;
	uint32_t	 lifetime, backdate;	/* seconds */
	char		 jti[CLAIMS_JTI_SIZE];	/* filled in */
};
/* The token as compact text into out.  -1: it could not be signed. */
int		 claims_sign(const struct claims_key *, struct claims *,
		    struct buf *out);

#endif
