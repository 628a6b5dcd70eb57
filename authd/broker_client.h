/* SPDX-License-Identifier: ISC */
/*
 * The worker's way to the broker: questions go out with an id and come back
 * as one answer each, also when the broker is slow, restarted or gone.
 */
#ifndef BROKER_CLIENT_H
#define BROKER_CLIENT_H

#include "credential.h"
#include "loop.h"
#include "messages.h"
#include "msg.h"
#include "scope.h"
#include "token_request.h"

struct broker_client;

struct token_answer {
	enum token_result result;
	const char	*jwt;		/* the rest with TOKEN_GRANTED */
	uint32_t	 expires_in;
	uint64_t	 issued_at;
	char		 refresh[CREDENTIAL_SIZE];	/* token, or "" */
	struct scope_set granted;
	uint32_t	 retry_after;	/* seconds; 429 and 503 */
	char		 user[MAX_USER + 1];	/* "" unless authenticated */
};

typedef void broker_answer_fn(const struct token_answer *, void *arg);

struct broker_client *broker_client_new(struct loop *, uint64_t timeout_ms);
void		 broker_client_free(struct broker_client *);
/*
 * The channel (borrowed) to ask through from now on, NULL when it is lost:
 * every open question is then answered with TOKEN_UNAVAILABLE.
 */
void		 broker_client_set_channel(struct broker_client *,
		    struct msg_chan *);
/*
 * Ask.  The callback comes once, never before this returns; 0 when it could
 * not be asked (no callback), else an id for broker_client_cancel().
 */
uint64_t	 broker_client_ask(struct broker_client *,
		    const struct token_request *, const char *peer,
		    broker_answer_fn *, void *arg);
/* No callback any more. */
void		 broker_client_cancel(struct broker_client *, uint64_t id);
/* Handle MSG_TOKEN_REPLY. */
int		 broker_client_on_reply(struct broker_client *, struct msg *);

#endif
