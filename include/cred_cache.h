/* SPDX-License-Identifier: ISC */
/*
 * Credentials that were found good a moment ago, so that a hundred hosts
 * that pull with one password do not cost a hundred slow hashes.
 */
#ifndef CRED_CACHE_H
#define CRED_CACHE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cred_answer.h"
#include "secret.h"

struct cred_cache;

/* size 0 or ttl 0: keeps nothing.  NULL: out of memory. */
struct cred_cache *cred_cache_new(size_t size, uint64_t ttl_ms);
void		 cred_cache_free(struct cred_cache *);
/* From now on keep what is no longer fresh, until it is that old. */
void		 cred_cache_keep(struct cred_cache *, uint64_t grace_ms);
/*
 * What was found of a credential.  "where" is the client's address for those
 * who look at it, "" for who does not: what is known there is known nowhere
 * else.
 */
struct cred_key {
	const char		*user, *where;
	const struct secret	*password;
};

/* Borrowed until the next call; NULL when not known or no longer fresh. */
const struct cred_answer *cred_cache_find(struct cred_cache *,
		    const struct cred_key *);
/* The same, fresh or kept: for when nobody can check. */
const struct cred_answer *cred_cache_find_kept(struct cred_cache *,
		    const struct cred_key *);
/* Forget a credential: it was found wrong. */
void		 cred_cache_drop(struct cred_cache *,
		    const struct cred_key *);
/* The answer is copied.  Forgets the oldest when full. */
void		 cred_cache_put(struct cred_cache *, const struct cred_key *,
		    const struct cred_answer *);
/* Forget everything: users changed. */
void		 cred_cache_flush(struct cred_cache *);
size_t		 cred_cache_count(const struct cred_cache *);

#endif
