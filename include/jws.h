/* SPDX-License-Identifier: ISC */
/*
 * Strict verification of signed tokens (RFC 7515, 7519, 8725).
 *
 * Three canonical base64url segments; header and claims are JSON objects
 * without duplicate keys.  The key's type fixes the algorithm; HS* and none
 * do not exist here.  crit, b64 and zip are refused; jwk, jku and x5u are
 * never looked at.  With x5c the chain must end in an anchor of the set and
 * nothing else is tried.  Knows nothing of what claims mean: see scope.h.
 */
#ifndef JWS_H
#define JWS_H

#include <jansson.h>
#include <stddef.h>
#include <stdint.h>

#include "jwks.h"

#define JWS_MAX_SIZE	8192
#define JWS_MAX_X5C	8

enum jws_result {
	JWS_OK,
	JWS_MALFORMED,
	JWS_ALGORITHM,			/* not allowed, or not the key's */
	JWS_UNKNOWN_KEY,
	JWS_CERTIFICATE,		/* x5c chain not trusted */
	JWS_SIGNATURE,
	JWS_NOMEM
};

/* On JWS_OK *claims is a new reference to the claims object. */
enum jws_result	 jws_verify(const struct jwks *, const char *token,
		    size_t len, json_t **claims);
const char	*jws_result_text(enum jws_result);
/*
 * The part of it that checks an x5c header: JWS_OK and a new reference to
 * the leaf's key, or JWS_CERTIFICATE.  Validity is by the system's clock.
 */
enum jws_result	 jws_x5c_verify(const struct jwks *, const json_t *x5c,
		    EVP_PKEY **leaf);

struct jws_expect {
	const char *const *issuers;	/* NULL-terminated */
	const char	*audience;
	int64_t		 leeway;	/* seconds, both ways */
	int64_t		 max_lifetime;	/* exp - iat; 0: not checked */
	int64_t		 now;
};

/*
 * Registered claims: iss in the list, aud equal or an array containing it,
 * exp present and not past, nbf and iat not in the future; integers, or
 * reals rounded to the strict side.  NULL when good, with *expires set to exp
 * (leeway not added), else what is wrong ("token has expired").
 */
const char	*jws_check_claims(const json_t *claims,
		    const struct jws_expect *, int64_t *expires);

#endif
