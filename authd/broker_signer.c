/* SPDX-License-Identifier: ISC */
/*
 * Asks the signer for tokens.  Runs in the broker, the only process that
 * can reach the signer.
 */
#include "broker_signer.h"

#include <stdlib.h>
#include <string.h>

#include "claims.h"
#include "messages.h"
#include "pending.h"
#include "secret.h"
#include "token_request.h"

#define MAX_OPEN	1024
#define TIMEOUT_MS	4000
#define MAX_JWT		49152

struct question {
	broker_signed_fn	*done;
	void			*arg;
};

struct broker_signer {
	struct msg_chan	*chan;		/* NULL: there is none now */
	struct pending	*open;
};

static void
on_expired(void *item, void *arg)
{
	struct question	*q = item;

	(void)arg;
	q->done(NULL, q->arg);
	free(q);
}

struct broker_signer *
broker_signer_new(struct loop *loop)
{
	struct broker_signer	*s;

	if ((s = calloc(1, sizeof(*s))) == NULL)
		return NULL;
	s->open = pending_new(loop, MAX_OPEN, TIMEOUT_MS, on_expired, NULL);
	if (s->open == NULL) {
		free(s);
		return NULL;
	}
	return s;
}

void
broker_signer_free(struct broker_signer *s)
{
	if (s == NULL)
		return;
	pending_fail(s->open);
	pending_free(s->open);
	free(s);
}

void
broker_signer_set(struct broker_signer *s, struct msg_chan *chan)
{
	if (s->chan != NULL)
		pending_fail(s->open);
	s->chan = chan;
}

int
broker_signer_sign(struct broker_signer *s, const char *service,
    const char *subject, const struct scope_set *access,
    broker_signed_fn *done, void *arg)
{
	struct question	*q;
	struct msg_out	 out;
	uint64_t	 id;

	if (s->chan == NULL || (q = malloc(sizeof(*q))) == NULL)
		return -1;
	q->done = done;
	q->arg = arg;
	if ((id = pending_add(s->open, q)) == 0) {
		free(q);
		return -1;
	}
	msg_begin(&out, MSG_SIGN, id);
	msg_put_str(&out, service);
	msg_put_str(&out, subject);
	token_scopes_put(&out, access);
	if (msg_send(s->chan, &out) == -1) {
		free(pending_take(s->open, id));
		return -1;
	}
	return 0;
}

int
broker_signer_on_signed(struct broker_signer *s, struct msg *msg)
{
	struct signed_token	 token;
	struct question		*q;
	char			*jwt, jti[CLAIMS_JTI_SIZE];
	bool			 ok;

	ok = msg_get_bool(msg);
	jwt = msg_get_strdup(msg, MAX_JWT);
	msg_get_str(msg, jti, sizeof(jti));
	token.jwt = jwt;
	token.jti = jti;
	token.expires_in = msg_get_u32(msg);
	token.issued_at = msg_get_u64(msg);
	if (msg_end(msg) == -1 || jwt == NULL) {
		free(jwt);
		return -1;
	}
	if ((q = pending_take(s->open, msg->id)) != NULL) {
		q->done(ok ? &token : NULL, q->arg);
		free(q);
	}
	secret_wipe(jwt, strlen(jwt));
	free(jwt);
	return 0;
}
