/* SPDX-License-Identifier: ISC */
/*
 * The broker's way to the vault, and what it remembers of its answers for
 * some seconds; the vault says at once when that is not good any more.
 */
#ifndef BROKER_VAULT_H
#define BROKER_VAULT_H

#include <stdint.h>

#include "loop.h"
#include "msg.h"

#include "messages.h"
#include "vault_db.h"

#define BROKER_VAULT_CACHE	1024	/* credentials that it remembers */

struct broker_vault;

/* With FIND_FOUND only there is a credential; borrowed for the call. */
typedef void broker_found_fn(enum find_result,
	    const struct vault_credential *, void *arg);
/* id: of the refresh token; NULL: it could not be kept. */
typedef void broker_kept_fn(const char *id, void *arg);

struct broker_vault *broker_vault_new(struct loop *, uint64_t cache_ms);
void		 broker_vault_free(struct broker_vault *);
/* The channel (borrowed), NULL when it is lost: what is open has failed. */
void		 broker_vault_set(struct broker_vault *, struct msg_chan *);

/* What is remembered, borrowed until the next call; NULL: nothing. */
const struct vault_credential *broker_vault_cached(struct broker_vault *,
		    const unsigned char hash[CREDENTIAL_HASH_SIZE]);
/* How often all of that was forgotten: whether an answer may be out of date. */
uint64_t	 broker_vault_forgotten(const struct broker_vault *);
/*
 * Ask.  The callback comes once, never before this returns, in VAULT_TIME_MS
 * at the latest.  -1: there is no vault, or too much to do; no callback.
 */
int		 broker_vault_find(struct broker_vault *,
		    const unsigned char hash[CREDENTIAL_HASH_SIZE],
		    broker_found_fn *, void *arg);
/* It has been used; said once for each time that it was asked for. */
void		 broker_vault_used(struct broker_vault *,
		    const unsigned char hash[CREDENTIAL_HASH_SIZE],
		    const char *id);

struct broker_refresh {
	unsigned char	 hash[CREDENTIAL_HASH_SIZE];
	const char	*user, *service, *client, *stamp;
};
/* The same as for broker_vault_find(). */
int		 broker_vault_keep(struct broker_vault *,
		    const struct broker_refresh *, broker_kept_fn *,
		    void *arg);

/* Handle MSG_FOUND, MSG_KEPT, MSG_FORGET; -1: malformed. */
int		 broker_vault_on_found(struct broker_vault *, struct msg *);
int		 broker_vault_on_kept(struct broker_vault *, struct msg *);
int		 broker_vault_on_forget(struct broker_vault *,
		    struct msg_chan *, struct msg *);

#endif
