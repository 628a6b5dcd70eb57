/* SPDX-License-Identifier: ISC */
/*
 * Finds and connects to a server, within a deadline: the library's own way
 * of connecting has none that holds.  Runs in the verifiers for LDAP.
 */
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "clock.h"
#include "ldap_server.h"

#define RESOLVE_MS	60000		/* how long addresses are kept */

/* What was known before is better than nothing. */
static int
resolve(struct ldap_server *server, char *why, size_t size)
{
	struct addrinfo	 hints, *found = NULL;
	uint64_t	 now = clock_monotonic_ms();
	int		 error;

	if (server->addresses != NULL && now - server->resolved_at <
	    RESOLVE_MS)
		return 0;
	memset(&hints, 0, sizeof(hints));
	hints.ai_socktype = SOCK_STREAM;
	error = getaddrinfo(server->uri.host, server->uri.port, &hints,
	    &found);
	if (error == 0) {
		if (server->addresses != NULL)
			freeaddrinfo(server->addresses);
		server->addresses = found;
		server->resolved_at = now;
	}
	if (server->addresses != NULL)
		return 0;
	snprintf(why, size, "%s: %s", server->uri.host, gai_strerror(error));
	return -1;
}

/* 0, or -1 with errno. */
static int
wait_connected(int fd, uint64_t deadline)
{
	struct pollfd	 poller = { .fd = fd, .events = POLLOUT };
	uint64_t	 now;
	socklen_t	 len = sizeof(int);
	int		 error = 0, n;

	do {
		now = clock_monotonic_ms();
		if (now >= deadline)
			break;
		n = poll(&poller, 1, (int)(deadline - now));
		if (n == 1) {
			if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &error,
			    &len) == -1)
				return -1;
			errno = error;
			return error == 0 ? 0 : -1;
		}
	} while (n == 0 || errno == EINTR);
	errno = ETIMEDOUT;
	return -1;
}

static int
connect_address(const struct addrinfo *address, uint64_t deadline)
{
	const int	 on = 1;
	int		 fd, error;

	fd = socket(address->ai_family, address->ai_socktype |
	    SOCK_NONBLOCK | SOCK_CLOEXEC, address->ai_protocol);
	if (fd == -1)
		return -1;
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof(on));
	if (connect(fd, address->ai_addr, address->ai_addrlen) == 0 ||
	    (errno == EINPROGRESS && wait_connected(fd, deadline) == 0))
		return fd;
	error = errno;
	close(fd);
	errno = error;
	return -1;
}

int
ldap_server_connect(struct ldap_server *server, uint64_t deadline, char *why,
    size_t size)
{
	const struct addrinfo	*address;
	uint64_t		 now;
	size_t			 left = 0;
	int			 fd = -1;

	if (resolve(server, why, size) == -1)
		return -1;
	for (address = server->addresses; address != NULL;
	    address = address->ai_next)
		left++;
	/* Each gets its share of the time that is left. */
	for (address = server->addresses; address != NULL && fd == -1;
	    address = address->ai_next, left--) {
		now = clock_monotonic_ms();
		if (now >= deadline) {
			errno = ETIMEDOUT;
			break;
		}
		fd = connect_address(address, now + (deadline - now) / left);
	}
	if (fd == -1)
		snprintf(why, size, "connect: %s", strerror(errno));
	return fd;
}
