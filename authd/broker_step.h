/* SPDX-License-Identifier: ISC */
/*
 * The parts of a token request's life to each other: broker_issue.c begins
 * and ends it, broker_password.c and broker_secret.c find out who asks.
 * Nobody else includes this.
 */
#ifndef BROKER_STEP_H
#define BROKER_STEP_H

#include <stdbool.h>

#include "cred_answer.h"
#include "listener.h"

#include "broker_issue.h"
#include "credential.h"
#include "token_request.h"
#include "vault_db.h"

#define ISSUE_RETRY_AFTER	2	/* seconds, with 503 */
#define ISSUE_DOWN_TIME	5000	/* ms without asking for who is kept */

struct issue {
	struct issue_env	*env;
	unsigned		 instance;	/* the worker's */
	uint64_t		 serial;
	uint64_t		 id;		/* the worker's, echoed */
	char			 peer[PEER_SIZE];
	struct token_request	 req;
	const char		*service;	/* of the configuration */
	struct cred_answer	 who;		/* user "": anonymous */
	unsigned		 role;		/* of the verifier, 0: none */
	char			 reason[CRED_REASON_SIZE]; /* or "" */
	struct scope_set	 granted;
	int			 rules[SCOPE_MAX];	/* -1: none matched */
	size_t			 nrules;
	uint64_t		 start;		/* monotonic, ms */
	uint32_t		 retry_after;	/* seconds */
	struct loop_timer	*timer;		/* NULL: waits for none */
	bool			 counted;	/* by the throttle: in work */
	bool			 checking;	/* and so is its check */
	bool			 proven;	/* by his password, just now */

	/* with a token of ours */
	unsigned char		 hash[CREDENTIAL_HASH_SIZE];
	struct vault_credential	*credential;	/* NULL: a password */
	uint64_t		 forgotten;	/* by the vault's client, when
						   it was found */
	bool			 asked_again;

	/* a refresh token made for this answer */
	char			 refresh[CREDENTIAL_SIZE];	/* or "" */
	char			 refresh_id[CREDENTIAL_ID_SIZE];
};

/* ---- broker_issue.c; each of these ends the request, now or later ---- */
void	 issue_refuse(struct issue *, enum token_result);
void	 issue_refuse_throttled(struct issue *, uint64_t wait_ms);
/* Bad credentials, at a time that does not tell how they were found bad. */
void	 issue_refuse_late(struct issue *);
/* Go on with fn after a while. */
void	 issue_wait(struct issue *, uint64_t ms, loop_timer_fn *);
/* The user is known: decide, sign and answer. */
void	 issue_grant(struct issue *);
/* Whatever comes next holds up no other check of this source. */
void	 issue_end_check(struct issue *);
void	 issue_set_reason(struct issue *, const char *);

/* ---- broker_password.c ---- */
void	 issue_check_password(struct issue *);
/* Is this the name of a robot, which no directory may have? */
bool	 issue_is_reserved(const struct issue *, const char *user);

/* ---- broker_secret.c ---- */
/* Is the password one of our tokens, or what looks like it? */
bool	 issue_is_secret(const struct issue *);
void	 issue_check_secret(struct issue *);
/* Make a refresh token, if one is wanted, and go on with fn. */
void	 issue_make_refresh(struct issue *, void (*fn)(struct issue *));

#endif
