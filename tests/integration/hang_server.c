/* SPDX-License-Identifier: ISC */
/*
 * A server that fails in one of the ways that servers do, for the tests of
 * who has to wait for it.  Listens on a free port of loopback and prints it.
 *
 *   blackhole  connections are never established
 *   silent     they are, but nobody accepts them
 *   mute       accepted, read, never answered
 *   reset      accepted and reset
 *   slow       answered byte by byte with what could become an answer
 */
#include <sys/socket.h>

#include <arpa/inet.h>
#include <err.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define MAX_CLIENTS	64
#define BACKLOG_FILL	8

static int
listen_any(struct sockaddr_in *address, int backlog)
{
	socklen_t	 len = sizeof(*address);
	int		 fd;

	memset(address, 0, sizeof(*address));
	address->sin_family = AF_INET;
	address->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if ((fd = socket(AF_INET, SOCK_STREAM, 0)) == -1 ||
	    bind(fd, (struct sockaddr *)address, len) == -1 ||
	    listen(fd, backlog) == -1 ||
	    getsockname(fd, (struct sockaddr *)address, &len) == -1)
		err(1, "listen");
	return fd;
}

/* When the backlog is full, the kernel drops what else comes. */
static void
fill_backlog(const struct sockaddr_in *address)
{
	int	 fd, i;

	for (i = 0; i < BACKLOG_FILL; i++) {
		fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
		if (fd == -1)
			err(1, "socket");
		(void)connect(fd, (const struct sockaddr *)address,
		    sizeof(*address));
	}
}

static void
reset(int fd)
{
	struct linger	 linger = { .l_onoff = 1 };

	setsockopt(fd, SOL_SOCKET, SO_LINGER, &linger, sizeof(linger));
	close(fd);
}

/* The head of a BER sequence of 100 bytes, then more of it. */
static void
drip(const struct pollfd *clients, nfds_t n)
{
	nfds_t	 i;

	for (i = 1; i < n; i++)
		if (write(clients[i].fd, "0", 1) == -1)
			continue;
}

static void
serve(int listener, const char *mode)
{
	struct pollfd	 fds[MAX_CLIENTS + 1] = { { .fd = listener,
			    .events = POLLIN } };
	nfds_t		 n = 1;
	int		 fd;

	for (;;) {
		if (poll(fds, 1, 100) == 1 && n <= MAX_CLIENTS &&
		    (fd = accept(listener, NULL, NULL)) != -1) {
			if (strcmp(mode, "reset") == 0)
				reset(fd);
			else
				fds[n++].fd = fd;
		}
		if (strcmp(mode, "slow") == 0)
			drip(fds, n);
	}
}

int
main(int argc, char *argv[])
{
	struct sockaddr_in	 address;
	const char		*mode = argc == 2 ? argv[1] : "";
	bool			 hole = strcmp(mode, "blackhole") == 0;
	int			 listener;

	signal(SIGPIPE, SIG_IGN);
	listener = listen_any(&address, hole ? 0 : 128);
	if (hole)
		fill_backlog(&address);
	printf("%u\n", (unsigned)ntohs(address.sin_port));
	fflush(stdout);
	if (hole || strcmp(mode, "silent") == 0)
		for (;;)
			pause();
	if (strcmp(mode, "mute") != 0 && strcmp(mode, "reset") != 0 &&
	    strcmp(mode, "slow") != 0)
		errx(2, "usage: hang_server blackhole|silent|mute|reset|slow");
	serve(listener, mode);
}
