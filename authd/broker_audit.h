/* SPDX-License-Identifier: ISC */
/*
 * The audit log of the broker: one record for each token and each refusal.
 * Names of fields stay as they are; authd(8) lists them.
 */
#ifndef BROKER_AUDIT_H
#define BROKER_AUDIT_H

#include <stddef.h>

#include "acl.h"
#include "messages.h"
#include "scope.h"

struct audit_record {
	enum token_result result;
	const char	*reason;	/* of a refusal, or "" */
	const char	*user;		/* who it is; "" when not proven */
	const char	*claimed;	/* who it is said to be, or "" */
	const char	*backend;	/* that checked, NULL: none did */
	const char	*peer, *service;
	const struct scope_set *asked, *granted;
	const int	*rules;		/* of each scope asked, -1: none */
	size_t		 nrules;
	const char	*jti;		/* NULL: no token */
	const char	*credential;	/* id of the one used; NULL: none */
	const char	*refresh;	/* id of the one made; NULL: none */
};

/*
 * To the file "fd", or with -1 to the log; to the log also when the file
 * cannot be written.
 */
void		 broker_audit(int fd, const struct acl *,
		    const struct audit_record *);

#endif
