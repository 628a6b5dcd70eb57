/* SPDX-License-Identifier: ISC */
/*
 * Verifier processes as those who ask see them: for each backend some, one
 * check at a time for each of them, the rest in short queues with one
 * deadline for all backends.  verify.h is the other end.
 */
#ifndef VERIFIERS_H
#define VERIFIERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cred_answer.h"
#include "loop.h"
#include "msg.h"
#include "secret.h"

#define VERIFIERS_MAX	64

struct verifiers;

/*
 * CRED_UNKNOWN: no backend knows the user.  The answer is NULL when none was
 * given, so with CRED_UNAVAILABLE only.
 */
typedef void verifiers_done_fn(enum cred_verdict, const struct cred_answer *,
	    void *arg);

/*
 * type: of the message that asks; user str, password bytes, peer str.
 * roles: of the backends' verifiers, at least one, in the order of asking.
 */
struct verifiers *verifiers_new(struct loop *,
		    uint32_t type, const unsigned *roles, size_t nroles,
		    uint64_t timeout_ms, size_t queue);
void		 verifiers_free(struct verifiers *);
/* Lookups are possible, by this type: user str, peer str. */
void		 verifiers_allow_lookup(struct verifiers *, uint32_t type);
/* From now on a check is for one client's address alone. */
void		 verifiers_by_peer(struct verifiers *);
/*
 * The channel (borrowed) to a verifier, NULL when it is lost: a check that
 * runs there is then CRED_UNAVAILABLE.
 */
void		 verifiers_set(struct verifiers *,
		    unsigned role, unsigned instance, struct msg_chan *);
/*
 * Check a credential.  The callback comes once, never before this returns,
 * at the latest at the deadline.  -1: the queue is full; no callback.
 */
int		 verifiers_check(struct verifiers *,
		    const char *user, const struct secret *password,
		    const char *peer, verifiers_done_fn *, void *arg);
/*
 * The same without a password, for what a user was given earlier: who is he
 * now?  CRED_BAD: he may not come in.
 */
int		 verifiers_look_up(struct verifiers *,
		    const char *user, const char *peer, verifiers_done_fn *,
		    void *arg);
/*
 * Is this check (password NULL: lookup) under way already?  Asking for it too
 * takes no place.
 */
bool		 verifiers_asked(struct verifiers *, const char *user,
		    const struct secret *password, const char *peer);
/* The callback with this argument will not come. */
void		 verifiers_cancel(struct verifiers *, const void *arg);
/* Handle the answer; -1 when it cannot be right. */
int		 verifiers_on_verdict(struct verifiers *,
		    struct msg_chan *, struct msg *);

#endif
