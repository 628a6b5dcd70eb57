/* SPDX-License-Identifier: ISC */
/*
 * The broker's verifiers: for each backend some, one check at a time for each
 * of them, the rest in short queues with one deadline for all backends.
 */
#ifndef BROKER_VERIFIERS_H
#define BROKER_VERIFIERS_H

#include <stddef.h>
#include <stdint.h>

#include "cred.h"
#include "loop.h"
#include "msg.h"
#include "secret.h"

#define BROKER_MAX_VERIFIERS	64

struct broker_verifiers;

/*
 * CRED_UNKNOWN: no backend knows the user.  The answer is NULL when none was
 * given, so with CRED_UNAVAILABLE only.
 */
typedef void broker_verdict_fn(enum cred_verdict, const struct cred_answer *,
	    void *arg);

/* roles: of the backends' verifiers, at least one, in the order of asking. */
struct broker_verifiers *broker_verifiers_new(struct loop *,
		    const unsigned *roles, size_t nroles,
		    uint64_t timeout_ms, size_t queue);
void		 broker_verifiers_free(struct broker_verifiers *);
/*
 * The channel (borrowed) to a verifier, NULL when it is lost: a check that
 * runs there is then CRED_UNAVAILABLE.
 */
void		 broker_verifiers_set(struct broker_verifiers *,
		    unsigned role, unsigned instance, struct msg_chan *);
/*
 * Check a credential.  The callback comes once, never before this returns,
 * at the latest at the deadline.  -1: the queue is full; no callback.
 */
int		 broker_verifiers_check(struct broker_verifiers *,
		    const char *user, const struct secret *password,
		    const char *peer, broker_verdict_fn *, void *arg);
/* Handle MSG_VERDICT. */
int		 broker_verifiers_on_verdict(struct broker_verifiers *,
		    struct msg_chan *, struct msg *);

#endif
