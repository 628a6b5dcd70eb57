/* SPDX-License-Identifier: ISC */
/*
 * Counts failed checks of passwords by source and by user, and says who has
 * to wait.  A source that fails too often is refused for a while; a user for
 * whom too many fail is checked later, never refused.  Sources are IPv4
 * addresses and /64 networks of IPv6.  Times are monotonic, in ms.
 */
#ifndef THROTTLE_H
#define THROTTLE_H

#include <stddef.h>
#include <stdint.h>

#include "secret.h"

/* Requests with a password of one source that are in work. */
#define THROTTLE_MAX_OPEN	1024

struct throttle_conf {
	uint64_t	 failures_per_source, failures_per_user; /* 0: any */
	uint64_t	 checks_per_source;	/* in work, 0: any number */
	uint64_t	 window_ms, penalty_ms;
	uint64_t	 delay_ms;		/* of checks of one user */
	uint64_t	 floor_ms;		/* a refusal takes as long; for
						   who answers */
};

struct throttle;

/* entries: sources, and users, that it remembers.  NULL: out of memory. */
struct throttle	*throttle_new(const struct throttle_conf *, size_t entries);
void		 throttle_free(struct throttle *);	/* NULL is fine */

/* ms until a source that is refused may try again; 0: it is not refused. */
uint64_t	 throttle_penalty(struct throttle *, const char *source,
		    uint64_t now);
/* ms that a check of this user is put off. */
uint64_t	 throttle_delay(struct throttle *, const char *user,
		    uint64_t now);
/*
 * A request with a password begins; throttle_close() comes behind it.  -1:
 * its source has THROTTLE_MAX_OPEN in work, so that it cannot take every
 * place from the others, not even with a single password.
 */
int		 throttle_open(struct throttle *, const char *source,
		    uint64_t now);
void		 throttle_close(struct throttle *, const char *source);
/*
 * A check for the source begins; throttle_end() comes behind it.  -1: it has
 * enough of them in work.
 */
int		 throttle_begin(struct throttle *, const char *source,
		    uint64_t now);
void		 throttle_end(struct throttle *, const char *source);
/*
 * A password was wrong.  The same one again, for the same user from the same
 * source within the window, counts nothing.
 */
void		 throttle_failed(struct throttle *, const char *source,
		    const char *user, const struct secret *password,
		    uint64_t now);

#endif
