/* SPDX-License-Identifier: ISC */
/*
 * Bearer tokens: verified once, then known by their SHA-256.
 */
#ifndef ACCESS_BEARER_H
#define ACCESS_BEARER_H

#include <stddef.h>
#include <stdint.h>

#include "jwks.h"
#include "scope.h"

struct bearer;				/* the rules and the verdicts kept */

struct bearer_rules {			/* strings are borrowed */
	const struct jwks *jwks;
	const char	*issuer, *audience;
	const char	*const *algorithms;	/* allowed */
	size_t		 nalgorithms;	/* 0: all that jws.h knows */
	int64_t		 leeway, max_lifetime;
	size_t		 cache;		/* verdicts kept; 0: none */
};

struct bearer_verdict {
	struct scope_set access;
	char		*user, *jti;	/* never NULL */
};

struct bearer	*bearer_new(const struct bearer_rules *);
void		 bearer_free(struct bearer *);
/* Other keys (borrowed): every verdict is forgotten. */
void		 bearer_set_keys(struct bearer *, const struct jwks *);
/*
 * The verdict on a token, valid until the next call; or NULL with the reason
 * ("token has expired") or, when memory is out, with NULL.
 */
const struct bearer_verdict *bearer_verify(struct bearer *, const char *token,
		    int64_t now, const char **reason);
/* Verdicts kept now. */
size_t		 bearer_cached(const struct bearer *);

#endif
