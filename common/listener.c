/* SPDX-License-Identifier: ISC */
/*
 * Accepting connections in the workers, which share the listening sockets:
 * each has its own event loop on them, and takes one connection at a time so
 * that the others get theirs.
 */
#include "listener.h"

#include <sys/socket.h>

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "str.h"

#define REST_MS			100	/* when descriptors have run out */

struct listener {
	struct loop_io		*io;
	struct loop_timer	*timer;
	int			 fd;
	listener_accept_fn	*accept;
	void			*arg;
	bool			 paused;	/* by its owner */
	bool			 resting;	/* until the timer */
};

static void
update(struct listener *l)
{
	loop_io_want(l->io, l->paused || l->resting ? 0 : LOOP_READ);
}

static void
on_timer(void *arg)
{
	struct listener *l = arg;

	l->resting = false;
	update(l);
}

static void
rest(struct listener *l)
{
	l->resting = true;
	loop_timer_start(l->timer, REST_MS);
	update(l);
}

char *
peer_format(const struct peer *peer, char dst[PEER_TEXT_SIZE])
{
	if (peer->port == 0)
		snprintf(dst, PEER_TEXT_SIZE, "%s", peer->addr);
	else
		snprintf(dst, PEER_TEXT_SIZE, strchr(peer->addr, ':') != NULL ?
		    "[%s]:%u" : "%s:%u", peer->addr, peer->port);
	return dst;
}

static void
set_peer(struct peer *peer, const struct sockaddr_storage *ss)
{
	const struct sockaddr_in6 *sin6 = (const void *)ss;
	const struct sockaddr_in *sin = (const void *)ss;

	peer->port = 0;
	switch (ss->ss_family) {
	case AF_INET:
		inet_ntop(AF_INET, &sin->sin_addr, peer->addr,
		    sizeof(peer->addr));
		peer->port = ntohs(sin->sin_port);
		break;
	case AF_INET6:
		inet_ntop(AF_INET6, &sin6->sin6_addr, peer->addr,
		    sizeof(peer->addr));
		peer->port = ntohs(sin6->sin6_port);
		break;
	default:
		str_copy(peer->addr, sizeof(peer->addr), "unix");
		break;
	}
}

static void
on_io(int listening, unsigned events, void *arg)
{
	struct listener *l = arg;
	struct sockaddr_storage ss;
	socklen_t len = sizeof(ss);
	struct peer peer;
	int fd, on = 1;

	(void)events;
	memset(&ss, 0, sizeof(ss));
	fd = accept4(listening, (struct sockaddr *)&ss, &len,
	    SOCK_NONBLOCK | SOCK_CLOEXEC);
	if (fd == -1) {
		/* Anything else: another worker has it, or it has gone. */
		if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS ||
		    errno == ENOMEM)
			rest(l);
		return;
	}
	set_peer(&peer, &ss);
	if (ss.ss_family == AF_INET || ss.ss_family == AF_INET6)
		setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	/* The listener may be freed in there. */
	l->accept(fd, &peer, l->arg);
}

struct listener *
listener_new(struct loop *loop, int fd, listener_accept_fn *fn, void *arg)
{
	struct listener *l;
	int flags, saved;

	if ((l = calloc(1, sizeof(*l))) == NULL) {
		close(fd);
		return NULL;
	}
	l->fd = fd;
	l->accept = fn;
	l->arg = arg;
	if ((flags = fcntl(fd, F_GETFL)) == -1 ||
	    fcntl(fd, F_SETFL, flags | O_NONBLOCK) == -1 ||
	    (l->io = loop_io_new(loop, fd, on_io, l)) == NULL ||
	    (l->timer = loop_timer_new(loop, on_timer, l)) == NULL ||
	    loop_io_want(l->io, LOOP_READ) == -1) {
		saved = errno;
		listener_free(l);
		errno = saved;
		return NULL;
	}
	return l;
}

void
listener_pause(struct listener *l, bool pause)
{
	l->paused = pause;
	update(l);
}

void
listener_free(struct listener *l)
{
	if (l == NULL)
		return;
	loop_io_free(l->io);
	loop_timer_free(l->timer);
	close(l->fd);
	free(l);
}
