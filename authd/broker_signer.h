/* SPDX-License-Identifier: ISC */
/*
 * The broker's way to the signer.
 */
#ifndef BROKER_SIGNER_H
#define BROKER_SIGNER_H

#include <stdint.h>

#include "loop.h"
#include "msg.h"
#include "scope.h"

struct broker_signer;

struct signed_token {
	const char	*jwt, *jti;
	uint32_t	 expires_in;
	uint64_t	 issued_at;
};
/* NULL when nothing could be signed. */
typedef void broker_signed_fn(const struct signed_token *, void *arg);

struct broker_signer *broker_signer_new(struct loop *);
void		 broker_signer_free(struct broker_signer *);
/* The channel (borrowed), NULL when it is lost: what is open has failed. */
void		 broker_signer_set(struct broker_signer *, struct msg_chan *);
/*
 * Sign.  The callback comes once, never before this returns.  -1: there is
 * no signer, or too much to do; no callback.
 */
int		 broker_signer_sign(struct broker_signer *,
		    const char *service, const char *subject,
		    const struct scope_set *, broker_signed_fn *, void *arg);
/* Handle MSG_SIGNED. */
int		 broker_signer_on_signed(struct broker_signer *, struct msg *);

#endif
