/* SPDX-License-Identifier: ISC */
/*
 * Asks the broker on behalf of requests.  Runs in the worker; knows only
 * what goes over the channel.
 */
#include "broker_client.h"

#include <stdlib.h>
#include <string.h>

#include "pending.h"

#define MAX_QUESTIONS	4096		/* of one worker */
#define MAX_JWT		49152

struct question {
	broker_answer_fn	*answer;
	void			*arg;
};

struct broker_client {
	struct msg_chan	*chan;		/* NULL while there is no broker */
	struct pending	*open;
};

static void
answer_unavailable(void *item, void *arg)
{
	struct question		*q = item;
	struct token_answer	 answer = { .result = TOKEN_UNAVAILABLE };

	(void)arg;
	answer.retry_after = 1;
	q->answer(&answer, q->arg);
	free(q);
}

struct broker_client *
broker_client_new(struct loop *loop, uint64_t timeout_ms)
{
	struct broker_client	*client;

	if ((client = calloc(1, sizeof(*client))) == NULL)
		return NULL;
	client->open = pending_new(loop, MAX_QUESTIONS, timeout_ms,
	    answer_unavailable, NULL);
	if (client->open == NULL) {
		free(client);
		return NULL;
	}
	return client;
}

void
broker_client_free(struct broker_client *client)
{
	if (client == NULL)
		return;
	pending_fail(client->open);
	pending_free(client->open);
	free(client);
}

void
broker_client_set_channel(struct broker_client *client, struct msg_chan *chan)
{
	if (client->chan != NULL)
		pending_fail(client->open);
	client->chan = chan;
}

uint64_t
broker_client_ask(struct broker_client *client,
    const struct token_request *req, const char *peer,
    broker_answer_fn *answer, void *arg)
{
	struct question	*q;
	struct msg_out	 out;
	uint64_t	 id;

	if (client->chan == NULL || (q = malloc(sizeof(*q))) == NULL)
		return 0;
	q->answer = answer;
	q->arg = arg;
	if ((id = pending_add(client->open, q)) == 0) {
		free(q);
		return 0;
	}
	msg_begin(&out, MSG_TOKEN_REQUEST, id);
	token_request_put(&out, req, peer);
	if (msg_send(client->chan, &out) == -1) {
		broker_client_cancel(client, id);
		return 0;
	}
	return id;
}

void
broker_client_cancel(struct broker_client *client, uint64_t id)
{
	free(pending_take(client->open, id));
}

int
broker_client_on_reply(struct broker_client *client, struct msg *msg)
{
	struct token_answer	 answer = { .result = TOKEN_UNAVAILABLE };
	struct question		*q;
	char			*jwt = NULL;
	uint8_t			 result;
	int			 error = -1;

	result = msg_get_u8(msg);
	if (result > TOKEN_UNAVAILABLE)
		return -1;
	answer.result = (enum token_result)result;
	if (answer.result == TOKEN_GRANTED) {
		if ((jwt = msg_get_strdup(msg, MAX_JWT)) == NULL)
			return -1;
		answer.jwt = jwt;
		answer.expires_in = msg_get_u32(msg);
		answer.issued_at = msg_get_u64(msg);
		msg_get_str(msg, answer.refresh, sizeof(answer.refresh));
		if (token_scopes_get(msg, &answer.granted) == -1)
			goto out;
	}
	answer.retry_after = msg_get_u32(msg);
	msg_get_str(msg, answer.user, sizeof(answer.user));
	if (msg_end(msg) == -1)
		goto out;
	/* Late answers, to what was cancelled or has expired, are dropped. */
	if ((q = pending_take(client->open, msg->id)) != NULL) {
		q->answer(&answer, q->arg);
		free(q);
	}
	error = 0;
out:
	scope_set_done(&answer.granted);
	secret_wipe(answer.refresh, sizeof(answer.refresh));
	if (jwt != NULL)
		secret_wipe(jwt, strlen(jwt));
	free(jwt);
	return error;
}
