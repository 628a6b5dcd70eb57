/* SPDX-License-Identifier: ISC */
/*
 * The life of one token request in the broker: service, credential, access
 * rules, signature, reply, audit line.
 */
#ifndef BROKER_ISSUE_H
#define BROKER_ISSUE_H

#include <stddef.h>

#include "cred_cache.h"
#include "loop.h"
#include "msg.h"
#include "verifiers.h"

#include "acl.h"
#include "broker_signer.h"
#include "broker_vault.h"
#include "conf.h"
#include "throttle.h"

#define BROKER_MAX_ISSUES	4096	/* in work at the same time */

/* What requests work with.  All borrowed: they outlive the requests. */
struct issue_env {
	const struct conf_list *services;
	const struct acl *acl;
	struct cred_cache *cache;
	struct cred_cache *owners;	/* of tokens, looked up */
	struct broker_vault *vault;	/* NULL: there are no tokens */
	bool		 refresh;	/* there are refresh tokens */
	struct secret	*no_password;	/* for keys of owners; "" */
	struct verifiers *verifiers;
	struct broker_signer *signer;
	struct throttle	*throttle;
	struct loop	*loop;
	uint64_t	 floor_ms;	/* a refused password takes as long */
	uint64_t	 down_until;	/* nobody could check; monotonic ms */
	int		 audit_fd;	/* -1: audit records go to the log */
	bool		 by_peer;	/* a backend looks at addresses */
	size_t		 open;		/* requests in work */
	void		(*idle)(void *arg);	/* none is open any more */
	/* Send to a worker if it is still the same; frees the message. */
	void		(*reply)(unsigned instance, uint64_t serial,
			    struct msg_out *, void *arg);
	void		*arg;
};

/*
 * Take MSG_TOKEN_REQUEST from the worker that instance and serial name.
 * -1 when the message is not well-formed: the worker is cut off.
 */
int		 issue_start(struct issue_env *, unsigned instance,
		    uint64_t serial, struct msg *);

#endif
