/* SPDX-License-Identifier: ISC */
/*
 * All connections of a worker: their number and limits, the queue of those
 * that go on at the end of a turn, and draining.  Accepts nothing itself.
 */
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "http_conn.h"

#define DRAIN_IDLE_MS	1000	/* for one more request, when draining */

const struct http_limits http_limits_default = {
	.max_connections = 4096,
	.max_head_size = 32768,
	.max_headers = 100,
	.max_target = 8192,
	.max_pipelined = 16384,
	.tls_timeout_ms = 10000,
	.head_timeout_ms = 10000,
	.idle_timeout_ms = 60000,
	.body_timeout_ms = 30000,
	.send_timeout_ms = 60000,
	.max_discard = 1024 * 1024,
	.max_requests = 100000,
};

static void
run_queue(struct http_server *s)
{
	struct http_conn_list turn = TAILQ_HEAD_INITIALIZER(turn);
	struct http_conn *c;

	/* Those that ask again while running wait for the next turn. */
	TAILQ_CONCAT(&turn, &s->run, run_entry);
	while ((c = TAILQ_FIRST(&turn)) != NULL) {
		TAILQ_REMOVE(&turn, c, run_entry);
		c->queued = false;
		http_conn_run(c);
	}
}

static void
free_dead(struct http_server *s)
{
	struct http_conn *c;

	while ((c = TAILQ_FIRST(&s->dead)) != NULL) {
		TAILQ_REMOVE(&s->dead, c, entry);
		if (c->queued)
			TAILQ_REMOVE(&s->run, c, run_entry);
		http_conn_free(c);
		s->nconns--;
	}
}

static void
destroy(struct http_server *s)
{
	loop_timer_free(s->kick);
	loop_timer_free(s->idle);
	free(s->scratch);
	free(s);
}

static void
end_of_turn(void *arg)
{
	struct http_server *s = arg;

	s->scheduled = s->deferred = false;
	if (s->dying) {
		destroy(s);
		return;
	}
	loop_timer_stop(s->kick);
	run_queue(s);
	free_dead(s);
	if (s->full && s->nconns < s->limits.max_connections) {
		s->full = false;
		if (s->on_room != NULL)
			s->on_room(s->room_arg);
	}
	if (s->draining && s->nconns == 0 && s->on_empty != NULL) {
		void (*on_empty)(void *) = s->on_empty;

		s->on_empty = NULL;
		on_empty(s->empty_arg);
	}
}

void
http_server_schedule(struct http_server *s)
{
	if (s->scheduled)
		return;
	s->deferred = loop_defer(s->loop, end_of_turn, s) == 0;
	s->scheduled = s->deferred || loop_timer_start(s->kick, 1) == 0;
}

void
http_server_bury(struct http_conn *c)
{
	struct http_server *s = c->server;

	TAILQ_REMOVE(&s->conns, c, entry);
	TAILQ_INSERT_TAIL(&s->dead, c, entry);
	http_server_schedule(s);
}

struct http_server *
http_server_new(struct loop *loop, const struct http_limits *limits,
    const struct http_server_ops *ops, void *arg)
{
	struct http_server *s;

	if ((s = calloc(1, sizeof(*s))) == NULL)
		return NULL;
	s->loop = loop;
	s->limits = *limits;
	s->strict.head = limits->max_head_size;
	s->strict.headers = limits->max_headers;
	s->strict.target = limits->max_target;
	s->ops = ops;
	s->arg = arg;
	TAILQ_INIT(&s->conns);
	TAILQ_INIT(&s->run);
	TAILQ_INIT(&s->dead);
	s->scratch = malloc(HTTP_SCRATCH_SIZE);
	s->kick = loop_timer_new(loop, end_of_turn, s);
	if (s->scratch == NULL || s->kick == NULL) {
		free(s->scratch);
		loop_timer_free(s->kick);
		free(s);
		return NULL;
	}
	/* Neither sendfile(2) nor OpenSSL can be told not to raise it. */
	(void)signal(SIGPIPE, SIG_IGN);
	return s;
}

int
http_server_add(struct http_server *s, int fd, const struct peer *peer,
    struct tls_context *tls)
{
	struct http_conn *c;

	if (s->draining || s->nconns >= s->limits.max_connections) {
		close(fd);
		errno = s->draining ? ECANCELED : EMFILE;
		return -1;
	}
	if ((c = http_conn_new(s, fd, peer, tls)) == NULL) {
		close(fd);
		errno = ENOMEM;
		return -1;
	}
	TAILQ_INSERT_TAIL(&s->conns, c, entry);
	s->full = ++s->nconns == s->limits.max_connections;
	http_conn_run(c);
	return 0;
}

size_t
http_server_connections(const struct http_server *s)
{
	return s->nconns;
}

void
http_server_on_room(struct http_server *s, void (*fn)(void *), void *arg)
{
	s->on_room = fn;
	s->room_arg = arg;
}

static void
on_idle_timeout(void *arg)
{
	struct http_server *s = arg;
	struct http_conn *c, *next;

	s->closing = true;
	for (c = TAILQ_FIRST(&s->conns); c != NULL; c = next) {
		next = TAILQ_NEXT(c, entry);
		if (!c->running && (c->state == HTTP_CONN_HANDSHAKE ||
		    c->state == HTTP_CONN_IDLE))
			http_conn_close(c);
	}
	http_server_schedule(s);
}

/*
 * Closing an idle connection at once would lose the request that is on its
 * way: of a client that has just connected, or uses the connection all the
 * time.  So they are given a moment; who asks in it is told that it was the
 * last time.
 */
void
http_server_drain(struct http_server *s, void (*on_empty)(void *), void *arg)
{
	s->draining = true;
	s->on_empty = on_empty;
	s->empty_arg = arg;
	if (s->idle == NULL)
		s->idle = loop_timer_new(s->loop, on_idle_timeout, s);
	if (s->idle == NULL || loop_timer_start(s->idle, DRAIN_IDLE_MS) == -1)
		on_idle_timeout(s);
	http_server_schedule(s);
}

void
http_server_free(struct http_server *s)
{
	struct http_conn *c;

	if (s == NULL)
		return;
	while ((c = TAILQ_FIRST(&s->conns)) != NULL)
		http_conn_lost(c);
	free_dead(s);
	loop_timer_stop(s->kick);
	if (s->idle != NULL)
		loop_timer_stop(s->idle);
	if (s->deferred)
		s->dying = true;
	else
		destroy(s);
}
