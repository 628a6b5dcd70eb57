/* SPDX-License-Identifier: ISC */
/*
 * Credentials that were found good a moment ago, so that a hundred hosts
 * that pull with one password do not cost a hundred slow hashes.
 */
#ifndef BROKER_CACHE_H
#define BROKER_CACHE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cred.h"
#include "secret.h"

struct broker_cache;

/* size 0 or ttl 0: keeps nothing.  NULL: out of memory. */
struct broker_cache *broker_cache_new(size_t size, uint64_t ttl_ms);
void		 broker_cache_free(struct broker_cache *);
/* Borrowed until the next call; NULL when not known or no longer fresh. */
const struct cred_answer *broker_cache_find(struct broker_cache *,
		    const char *user, const struct secret *password);
/* The answer is copied.  Forgets the oldest when full. */
void		 broker_cache_put(struct broker_cache *, const char *user,
		    const struct secret *password,
		    const struct cred_answer *);
/* Forget everything: users changed. */
void		 broker_cache_flush(struct broker_cache *);
size_t		 broker_cache_count(const struct broker_cache *);

#endif
