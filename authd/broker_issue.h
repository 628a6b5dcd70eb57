/* SPDX-License-Identifier: ISC */
/*
 * The life of one token request in the broker: service, credential, access
 * rules, signature, reply, audit line.
 */
#ifndef BROKER_ISSUE_H
#define BROKER_ISSUE_H

#include <stddef.h>

#include "acl.h"
#include "broker_cache.h"
#include "broker_signer.h"
#include "broker_verifiers.h"
#include "conf.h"
#include "msg.h"

#define BROKER_MAX_ISSUES	4096	/* in work at the same time */

/* What requests work with.  All borrowed: they outlive the requests. */
struct issue_env {
	const struct conf_list *services;
	const struct acl *acl;
	struct broker_cache *cache;
	struct broker_verifiers *verifiers;
	struct broker_signer *signer;
	size_t		 open;		/* requests in work */
	/* Send to a worker if it is still the same; frees the message. */
	void		(*reply)(unsigned instance, uint64_t serial,
			    struct msg_out *, void *arg);
	/* The last request in work has ended. */
	void		(*idle)(void *arg);
	void		*arg;
};

/*
 * Take MSG_TOKEN_REQUEST from the worker that instance and serial name.
 * -1 when the message is not well-formed: the worker is cut off.
 */
int		 issue_start(struct issue_env *, unsigned instance,
		    uint64_t serial, struct msg *);

#endif
