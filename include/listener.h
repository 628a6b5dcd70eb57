/* SPDX-License-Identifier: ISC */
/*
 * Listening sockets: made by the parent, accepted from by the workers.
 */
#ifndef LISTENER_H
#define LISTENER_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/socket.h>

#include "loop.h"

#define LISTENER_MAX	16		/* sockets of one address */

/* A peer's address as text, "192.0.2.1" or "2001:db8::1" or "unix". */
#define PEER_SIZE	64
struct peer {
	char		 addr[PEER_SIZE];
	unsigned	 port;			/* 0: it has none */
};

/* With the port, "192.0.2.1:5000" or "[2001:db8::1]:5000".  Returns dst. */
#define PEER_TEXT_SIZE	(PEER_SIZE + 16)
char	*peer_format(const struct peer *, char dst[PEER_TEXT_SIZE]);

/*
 * Bind and listen on "host:port", "[v6]:port", ":port" (all addresses, both
 * families), "localhost:port" (every loopback address that the name has), or
 * a path when net is "unix".  Port 0 takes a free one, the same for all
 * addresses.  Fills fds (LISTENER_MAX), returns their number, or -1 with a
 * reason fit for the user in "error".
 */
int	 listener_open(const char *net, const char *addr, int *fds,
	    char *error, size_t errsize);
/*
 * Same, for who listens already: a TCP address that one of the old sockets
 * is bound to gets a duplicate of that, so that connections are accepted all
 * the time.  The old ones stay the caller's.
 */
int	 listener_reopen(const char *net, const char *addr, const int *old,
	    size_t nold, int *fds, char *error, size_t errsize);
/* "127.0.0.1:5000" of a listening socket.  Returns dst. */
char	*listener_name(int fd, char *dst, size_t size);

struct listener;
/* A new connection: non-blocking, close-on-exec; fd is the callee's. */
typedef void listener_accept_fn(int fd, const struct peer *, void *arg);

/*
 * Accept from fd (takes ownership, on failure too).  Out of descriptors it
 * pauses for a while instead of spinning.  NULL: errno.
 */
struct listener	*listener_new(struct loop *, int fd, listener_accept_fn *,
		    void *arg);
void	 listener_pause(struct listener *, bool);	/* at a limit */
void	 listener_free(struct listener *);		/* NULL is fine */

#endif
