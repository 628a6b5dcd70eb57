/* SPDX-License-Identifier: ISC */
/*
 * Sends many token requests at the same time, each on a connection of its
 * own, and tells how each went, for the tests of throttling and storms.
 *
 *   token_client PORT PARALLEL <REQUESTS
 *
 * A line of REQUESTS is "TAG CREDENTIALS CLIENT": user:password in base64,
 * or "-"; the value of X-Forwarded-For, or "-".  For each the output has
 * "TAG STATUS SECONDS RETRY-AFTER", 000 for a connection that was lost and
 * "-" where there is no such header.
 */
#include <sys/socket.h>

#include <arpa/inet.h>
#include <err.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>
#include <unistd.h>

#define MAX_PARALLEL	1000
#define TIME_LIMIT	30.0		/* seconds, of one request */

struct client {
	char	 tag[64];
	char	 text[4096];		/* the request, then the answer */
	size_t	 len;
	double	 start;
	int	 sent;
};

static struct client	 clients[MAX_PARALLEL];
static struct pollfd	 polls[MAX_PARALLEL];	/* fd -1: free */
static struct sockaddr_in server;
static size_t		 busy;

static double
now(void)
{
	struct timespec	 ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

/* -1: there are no more. */
static int
start(size_t i)
{
	struct client	*c = &clients[i];
	char		 line[1024], credentials[512], from[128];
	int		 fd;

	if (fgets(line, sizeof(line), stdin) == NULL)
		return -1;
	if (sscanf(line, "%63s %511s %127s", c->tag, credentials, from) != 3)
		errx(1, "not a request: %s", line);
	c->len = (size_t)snprintf(c->text, sizeof(c->text),
	    "GET /token?scope=repository:public/a:pull HTTP/1.1\r\n"
	    "Host: localhost\r\nConnection: close\r\n%s%s%s%s%s%s\r\n",
	    *credentials == '-' ? "" : "Authorization: Basic ",
	    *credentials == '-' ? "" : credentials,
	    *credentials == '-' ? "" : "\r\n",
	    *from == '-' ? "" : "X-Forwarded-For: ",
	    *from == '-' ? "" : from, *from == '-' ? "" : "\r\n");
	fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
	if (fd == -1)
		err(1, "socket");
	c->start = now();
	c->sent = 0;
	if (connect(fd, (struct sockaddr *)&server, sizeof(server)) == -1 &&
	    errno != EINPROGRESS)
		err(1, "connect");
	polls[i].fd = fd;
	polls[i].events = POLLOUT;
	busy++;
	return 0;
}

static void
finish(size_t i)
{
	struct client	*c = &clients[i];
	double		 seconds = now() - c->start;
	char		*retry;
	int		 status = 0;

	close(polls[i].fd);
	polls[i].fd = -1;
	busy--;
	c->text[c->sent ? c->len : 0] = '\0';
	sscanf(c->text, "HTTP/1.1 %d", &status);
	retry = strcasestr(c->text, "\r\nRetry-After: ");
	printf("%s %03d %.6f %.*s\n", c->tag, status, seconds,
	    retry == NULL ? 1 : (int)strcspn(retry + 15, "\r"),
	    retry == NULL ? "-" : retry + 15);
}

static void
go_on(size_t i)
{
	struct client	*c = &clients[i];
	ssize_t		 n;

	if (!c->sent) {
		n = send(polls[i].fd, c->text, c->len, MSG_NOSIGNAL);
		if (n != (ssize_t)c->len) {
			finish(i);
			return;
		}
		c->sent = 1;
		c->len = 0;
		polls[i].events = POLLIN;
		return;
	}
	n = recv(polls[i].fd, c->text + c->len, sizeof(c->text) - 1 - c->len,
	    0);
	if (n > 0)
		c->len += (size_t)n;
	/* The head is what counts; of a long body not all is taken. */
	if (n > 0 ? c->len == sizeof(c->text) - 1 : n == 0 || errno != EAGAIN)
		finish(i);
}

int
main(int argc, char *argv[])
{
	size_t	 i, parallel;
	int	 more = 1;

	if (argc != 3)
		errx(2, "usage: token_client PORT PARALLEL");
	server.sin_family = AF_INET;
	server.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	server.sin_port = htons((uint16_t)strtoul(argv[1], NULL, 10));
	parallel = strtoul(argv[2], NULL, 10);
	if (parallel < 1 || parallel > MAX_PARALLEL)
		errx(2, "parallel: 1 to %d", MAX_PARALLEL);
	for (i = 0; i < parallel; i++)
		polls[i].fd = -1;
	do {
		for (i = 0; i < parallel && more; i++)
			if (polls[i].fd == -1 && start(i) == -1)
				more = 0;
		if (poll(polls, (nfds_t)parallel, 1000) == -1)
			err(1, "poll");
		for (i = 0; i < parallel; i++) {
			if (polls[i].fd == -1)
				continue;
			if (polls[i].revents != 0)
				go_on(i);
			else if (now() - clients[i].start > TIME_LIMIT)
				finish(i);
		}
	} while (busy > 0 || more);
	return 0;
}
