/* SPDX-License-Identifier: ISC */
/*
 * What all verifier processes do: answer one question at a time, and end
 * when that takes too long.
 */
#ifndef VERIFY_H
#define VERIFY_H

#include <stddef.h>
#include <stdint.h>

#include "cred_answer.h"
#include "msg.h"

/* password: len >= 1 bytes without NUL; peer: the client's address. */
typedef enum cred_verdict verify_fn(void *state, const char *user,
	    const char *password, size_t len, const char *peer,
	    struct cred_answer *);

/*
 * Who is this user now, and may he come in at all?  For what he was given
 * earlier.  CRED_BAD: he is locked, or has expired.
 */
typedef enum cred_verdict verify_lookup_fn(void *state, const char *user,
	    const char *peer, struct cred_answer *);

/* With a struct htpasswd as state. */
verify_fn	 verify_htpasswd;
verify_lookup_fn verify_htpasswd_lookup;

/*
 * Handle a question of verifiers.h: user str, password bytes, peer str.  The
 * answer goes back with the type "reply" and the same id.  The process is
 * ended by SIGALRM when the check takes longer than the deadline: whatever a
 * driver is stuck in, it holds nothing that is worth keeping.
 */
int		 verify_serve(struct msg_chan *, struct msg *, uint32_t reply,
		    uint64_t deadline_ms, verify_fn *, void *state);
/* The same for a question without a password: user str, peer str. */
int		 verify_serve_lookup(struct msg_chan *, struct msg *,
		    uint32_t reply, uint64_t deadline_ms, verify_lookup_fn *,
		    void *state);

#endif
