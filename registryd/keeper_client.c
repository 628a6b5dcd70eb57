/* SPDX-License-Identifier: ISC */
/*
 * The worker's side of the keepers: which keeper, what is outstanding, and
 * what happens when it answers, does not answer, or goes away.  Must not
 * wait for a keeper anywhere.
 */
#include "keeper_client.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "keeper_call.h"
#include "log.h"
#include "messages.h"

#define AWAY_MS	1500	/* a restart takes less, unless it fails again */

static void	 on_away(void *);
static int	 on_reply(struct msg_chan *, struct msg *, void *);
static int	 on_progress(struct msg_chan *, struct msg *, void *);

static const struct msg_rule keeper_rules[] = {
	{ KEEPER_REPLY, ROLE_KEEPER, 16,
	    16 + KEEPER_MAX_MISSING * (4 + DIGEST_STR_SIZE), 0, on_reply,
	    "KEEPER_REPLY" },
	{ KEEPER_PROGRESS, ROLE_KEEPER, 0, 0, 0, on_progress,
	    "KEEPER_PROGRESS" }
};

static void
peer_wait(struct keeper_peer *peer)
{
	peer->waiting = loop_timer_start(peer->timer, AWAY_MS) == 0;
}

struct keepers *
keepers_new(struct loop *loop, unsigned count, uint64_t timeout_ms,
    uint64_t lease_timeout_ms)
{
	struct keepers *ks;
	unsigned i;

	if ((ks = calloc(1, sizeof(*ks))) == NULL)
		return NULL;
	ks->loop = loop;
	ks->count = count;
	ks->timeout_ms = timeout_ms;
	ks->lease_timeout_ms = lease_timeout_ms;
	if ((ks->peers = calloc(count, sizeof(*ks->peers))) == NULL) {
		free(ks);
		return NULL;
	}
	for (i = 0; i < count; i++) {
		ks->peers[i].keepers = ks;
		LIST_INIT(&ks->peers[i].calls);
		STAILQ_INIT(&ks->peers[i].pending);
		ks->peers[i].timer = loop_timer_new(loop, on_away,
		    &ks->peers[i]);
		if (ks->peers[i].timer == NULL) {
			keepers_free(ks);
			return NULL;
		}
		peer_wait(&ks->peers[i]);
	}
	return ks;
}

/* ---- a keeper that is away ---- */

static void
drop_pending(struct keeper_peer *peer)
{
	struct keeper_pending *p;

	while ((p = STAILQ_FIRST(&peer->pending)) != NULL) {
		STAILQ_REMOVE_HEAD(&peer->pending, entry);
		msg_drop(&p->out);
		free(p);
	}
	peer->npending = 0;
}

static void
send_pending(struct keeper_peer *peer)
{
	struct keeper_pending *p;

	while ((p = STAILQ_FIRST(&peer->pending)) != NULL) {
		STAILQ_REMOVE_HEAD(&peer->pending, entry);
		/* When it cannot be sent, the deadline ends the call. */
		(void)msg_send(peer->chan, &p->out);
		free(p);
	}
	peer->npending = 0;
}

int
keeper_peer_send(struct keeper_peer *peer, struct msg_out *m)
{
	struct keeper_pending *p;
	int error;

	if (peer->chan != NULL)
		return msg_send(peer->chan, m);
	if (m->failed)
		error = m->error;
	else if (!peer->waiting)
		error = EPIPE;
	else if (peer->npending == KEEPER_MAX_PENDING)
		error = ENOBUFS;
	else if ((p = malloc(sizeof(*p))) == NULL)
		error = ENOMEM;
	else {
		p->out = *m;
		STAILQ_INSERT_TAIL(&peer->pending, p, entry);
		peer->npending++;
		return 0;
	}
	msg_drop(m);
	errno = error;
	return -1;
}

/* Every call of a keeper that is no more fails now. */
static void
peer_fail_calls(struct keeper_peer *peer)
{
	static const struct keeper_reply gone = { .result = STORE_GONE };
	LIST_HEAD(, keeper_call) calls = LIST_HEAD_INITIALIZER(calls);
	struct keeper_call *call;

	/* What the callbacks start anew belongs to the next channel. */
	while ((call = LIST_FIRST(&peer->calls)) != NULL) {
		LIST_REMOVE(call, entry);
		LIST_INSERT_HEAD(&calls, call, entry);
	}
	while ((call = LIST_FIRST(&calls)) != NULL)
		keeper_call_done(call, &gone);
}

void
keepers_free(struct keepers *ks)
{
	struct keeper_call *call;
	unsigned i;

	if (ks == NULL)
		return;
	for (i = 0; i < ks->count; i++) {
		while ((call = LIST_FIRST(&ks->peers[i].calls)) != NULL)
			keeper_call_free(call);
		msg_chan_free(ks->peers[i].chan);
		drop_pending(&ks->peers[i]);
		loop_timer_free(ks->peers[i].timer);
	}
	free(ks->peers);
	free(ks);
}

static void
on_away(void *arg)
{
	struct keeper_peer *peer = arg;

	peer->waiting = false;
	drop_pending(peer);
	peer_fail_calls(peer);
}

static void
on_closed(struct msg_chan *chan, const char *why, void *arg)
{
	struct keeper_peer *peer = arg;

	/* It is the keeper's word that counts: only a new worker gets on. */
	if (why != NULL)
		fatalx("keeper %u: bad message: %s", msg_chan_instance(chan),
		    why);
	peer->chan = NULL;
	msg_chan_free(chan);
	peer_wait(peer);
	peer_fail_calls(peer);
}

int
keepers_set_peer(struct keepers *ks, unsigned instance, int fd)
{
	struct keeper_peer *peer;

	if (instance >= ks->count) {
		close(fd);
		errno = EINVAL;
		return -1;
	}
	peer = &ks->peers[instance];
	if (peer->chan != NULL) {
		msg_chan_free(peer->chan);
		peer->chan = NULL;
		peer_wait(peer);
		peer_fail_calls(peer);
	}
	peer->chan = msg_chan_new(ks->loop, fd, ROLE_KEEPER, instance,
	    keeper_rules, sizeof(keeper_rules) / sizeof(keeper_rules[0]),
	    on_closed, peer);
	if (peer->chan == NULL)
		return -1;
	loop_timer_stop(peer->timer);
	peer->waiting = false;
	send_pending(peer);
	return 0;
}

/* FNV-1a: the same keeper for the same key, in every worker. */
struct keeper_peer *
keepers_choose(struct keepers *ks, const char *key)
{
	uint64_t h = 0xcbf29ce484222325u;

	for (; *key != '\0'; key++)
		h = (h ^ (unsigned char)*key) * 0x100000001b3u;
	return &ks->peers[(h ^ h >> 32) % ks->count];
}

/* Answered before, cancelled or timed out: the messages crossed. */
static struct keeper_call *
call_find(struct keeper_peer *peer, uint64_t id)
{
	struct keeper_call *call;

	LIST_FOREACH(call, &peer->calls, entry)
		if (call->id == id)
			return call;
	return NULL;
}

static int
on_progress(struct msg_chan *chan, struct msg *m, void *arg)
{
	struct keeper_call *call;

	(void)chan;
	if ((call = call_find(arg, m->id)) != NULL && !call->lease)
		keeper_call_extend(call);
	return 0;
}

static int
on_reply(struct msg_chan *chan, struct msg *m, void *arg)
{
	struct digest missing[KEEPER_MAX_MISSING];
	char text[DIGEST_STR_SIZE];
	struct keeper_reply reply = { .missing = missing };
	struct keeper_call *call;
	uint32_t result, i, n;

	(void)chan;
	result = msg_get_u32(m);
	reply.offset = msg_get_u64(m);
	n = msg_get_u32(m);
	if (m->bad || result > STORE_RESULT_MAX || n > KEEPER_MAX_MISSING)
		return -1;
	for (i = 0; i < n; i++) {
		msg_get_str(m, text, sizeof(text));
		if (m->bad || digest_parse(&missing[i], text) == -1)
			return -1;
	}
	if (msg_end(m) == -1)
		return -1;
	reply.result = (enum store_result)result;
	reply.nmissing = n;
	if ((call = call_find(arg, m->id)) != NULL)
		keeper_call_done(call, &reply);
	return 0;
}
