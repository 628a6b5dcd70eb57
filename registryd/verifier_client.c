/* SPDX-License-Identifier: ISC */
/*
 * The worker's end of the channels to the verifiers.  What is asked, and how
 * it waits, is in common/verifiers.c.
 */
#include "verifier_client.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "log.h"
#include "messages.h"
#include "msg.h"

struct verifier_client {
	struct loop	*loop;
	struct verifiers *pool;
	struct msg_chan	*chans[VERIFIERS_MAX];
	void		(*on_changed)(void *);
	void		*arg;
};

static int
on_verdict(struct msg_chan *chan, struct msg *m, void *arg)
{
	struct verifier_client *client = arg;

	return verifiers_on_verdict(client->pool, chan, m);
}

static int
on_users_changed(struct msg_chan *chan, struct msg *m, void *arg)
{
	struct verifier_client *client = arg;

	(void)chan;
	if (msg_end(m) == -1)
		return -1;
	client->on_changed(client->arg);
	return 0;
}

static const struct msg_rule rules[] = {
	{ VERIFIER_VERDICT, ROLE_VERIFIER, 13, MSG_MAX_SIZE, 0, on_verdict,
	    "VERIFIER_VERDICT" },
	{ VERIFIER_CHANGED, ROLE_VERIFIER, 0, 0, 0, on_users_changed,
	    "VERIFIER_CHANGED" },
};

/* A check that ran there has failed; the parent starts another verifier. */
static void
on_closed(struct msg_chan *chan, const char *why, void *arg)
{
	struct verifier_client *client = arg;
	unsigned instance = msg_chan_instance(chan);

	/* It is the verifier's word that counts: a new worker may get on. */
	if (why != NULL)
		fatalx("verifier %u: bad message: %s", instance, why);
	if (client->chans[instance] == chan) {
		client->chans[instance] = NULL;
		verifiers_set(client->pool, ROLE_VERIFIER, instance, NULL);
	}
	msg_chan_free(chan);
}

struct verifier_client *
verifier_client_new(struct loop *loop, const struct registry_conf *conf,
    void (*on_changed)(void *), void *arg)
{
	static const unsigned role = ROLE_VERIFIER;
	struct verifier_client *client;

	if ((client = calloc(1, sizeof(*client))) == NULL)
		return NULL;
	client->loop = loop;
	client->on_changed = on_changed;
	client->arg = arg;
	client->pool = verifiers_new(loop, VERIFIER_CHECK, &role, 1,
	    conf->check_timeout_ms, (size_t)conf->check_queue);
	if (client->pool == NULL) {
		free(client);
		return NULL;
	}
	return client;
}

void
verifier_client_free(struct verifier_client *client)
{
	size_t i;

	if (client == NULL)
		return;
	verifiers_free(client->pool);
	for (i = 0; i < VERIFIERS_MAX; i++)
		msg_chan_free(client->chans[i]);
	free(client);
}

int
verifier_client_add(struct verifier_client *client, unsigned instance, int fd)
{
	struct msg_chan *chan, *old;

	if (instance >= VERIFIERS_MAX) {
		close(fd);
		errno = EINVAL;
		return -1;
	}
	chan = msg_chan_new(client->loop, fd, ROLE_VERIFIER, instance, rules,
	    sizeof(rules) / sizeof(rules[0]), on_closed, client);
	if (chan == NULL)
		return -1;
	old = client->chans[instance];
	client->chans[instance] = chan;
	verifiers_set(client->pool, ROLE_VERIFIER, instance, chan);
	msg_chan_free(old);
	/* The one before may have ended before it could tell of a change. */
	client->on_changed(client->arg);
	return 0;
}

struct verifiers *
verifier_client_pool(struct verifier_client *client)
{
	return client->pool;
}
