/* SPDX-License-Identifier: ISC */
/*
 * The one decision whether a request may go on.  It falls before the body is
 * read, and before 100 Continue.
 */
#ifndef ACCESS_H
#define ACCESS_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "buf.h"
#include "conf.h"
#include "cred_answer.h"
#include "jwks.h"
#include "route.h"
#include "secret.h"

#define ACCESS_USER_SIZE	256
#define ACCESS_JTI_SIZE		128

struct access;				/* one for each worker */

/* Both are borrowed; jwks may be NULL when auth.token is not configured. */
struct access	*access_new(const struct registry_conf *,
		    const struct jwks *);	/* NULL: out of memory */
void		 access_free(struct access *);
/* The users of auth.htpasswd are others now. */
void		 access_forget_users(struct access *);
/* Other keys (borrowed), and no verdict of the old ones. */
void		 access_set_keys(struct access *, const struct jwks *);

struct access_query {
	const struct route *route;
	const char	*name;		/* repository, "" when none */
	const char	*from;		/* source of a mount, NULL when none */
	const char	*authorization;	/* the header, NULL when absent */
	size_t		 nauthorization; /* how many of them there were */
	int64_t		 now;		/* seconds, wall clock */
	bool		 marked;	/* read-only by registryctl */
	const enum cred_verdict *verdict; /* on the password, NULL: not yet */
	const char	*why;		/* with a verdict: reason or "" */
};

enum access_result {
	ACCESS_ALLOWED,
	ACCESS_UNAUTHORIZED,		/* 401: challenge and detail are set */
	ACCESS_ASK,			/* have claimed and password checked,
					   then ask again */
	ACCESS_UNCHECKED,		/* 503: that did not work */
	ACCESS_MALFORMED,		/* 400: several Authorization headers */
	ACCESS_READONLY,		/* 405: the registry is read-only */
	ACCESS_NODELETE,		/* 405: deleting is disabled */
	ACCESS_NOMEM			/* 503 */
};

struct access_answer {
	char		 user[ACCESS_USER_SIZE];	/* sub, "" if none */
	char		 jti[ACCESS_JTI_SIZE];
	bool		 from_allowed;	/* may pull the source of the mount */
	char		*claimed;	/* ACCESS_ASK: the user, */
	struct secret	*password;	/* and what he gave */
	const char	*reason;	/* for the log, NULL */
	struct buf	 challenge;	/* value of WWW-Authenticate */
	json_t		*detail;	/* of the error's body, NULL */
};

enum access_result access_check(struct access *, const struct access_query *,
		    struct access_answer *);
void		 access_answer_done(struct access_answer *);

#endif
