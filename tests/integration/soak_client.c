/* SPDX-License-Identifier: ISC */
/*
 * Sends very many requests over a few connections that stay, and counts the
 * answers by status: for tests of what grows in the long run.
 *
 *   soak_client PORT CONNECTIONS COUNT <REQUEST
 *
 * REQUEST is the head as it goes over the wire, but for its line ends, which
 * become CRLF.  In it "@N" is the number of the request, and "@A" an IPv4
 * address made of that.  Connections that the server ends are made again.
 */
#include <sys/socket.h>

#include <arpa/inet.h>
#include <err.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#define MAX_CONNECTIONS	256
#define MAX_REQUEST	8192
#define MAX_ANSWER	65536
#define TIME_LIMIT	20000		/* ms without any answer */

static struct conn {
	char	 text[MAX_ANSWER];	/* the answer so far */
	size_t	 len;
} conns[MAX_CONNECTIONS];
static struct pollfd	 polls[MAX_CONNECTIONS];
static struct sockaddr_in server;
static char		 request[MAX_REQUEST];
static unsigned long	 asked, answered, wanted, by_status[1000];

static void
read_request(void)
{
	size_t	 n = 0;
	int	 c;

	while ((c = getchar()) != EOF) {
		if (n + 5 > sizeof(request))
			errx(2, "the request is too long");
		if (c == '\n')
			request[n++] = '\r';
		request[n++] = (char)c;
	}
	memcpy(request + n, "\r\n", 3);
}

/* The next request of this connection. */
static void
ask(size_t i)
{
	char		 text[2 * MAX_REQUEST];
	const char	*p;
	size_t		 n = 0;

	for (p = request; *p != '\0'; p++) {
		if (n + 32 > sizeof(text))
			errx(2, "the request is too long");
		if (p[0] != '@' || (p[1] != 'N' && p[1] != 'A')) {
			text[n++] = *p;
			continue;
		}
		n += (size_t)(*++p == 'N' ?
		    snprintf(text + n, 32, "%lu", asked) :
		    snprintf(text + n, 32, "%lu.%lu.%lu.%lu",
		    1 + (asked >> 24 & 63), asked >> 16 & 255,
		    asked >> 8 & 255, asked & 255));
	}
	asked++;
	conns[i].len = 0;
	if (send(polls[i].fd, text, n, MSG_NOSIGNAL) != (ssize_t)n)
		err(1, "send");
}

static void
open_connection(size_t i)
{
	int	 on = 1;

	polls[i].fd = socket(AF_INET, SOCK_STREAM, 0);
	polls[i].events = POLLIN;
	if (polls[i].fd == -1 || connect(polls[i].fd,
	    (struct sockaddr *)&server, sizeof(server)) == -1)
		err(1, "connect");
	setsockopt(polls[i].fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	ask(i);
}

/* Has the whole answer come? */
static int
is_whole(struct conn *c)
{
	char	*end, *length;

	c->text[c->len] = '\0';
	if ((end = strstr(c->text, "\r\n\r\n")) == NULL)
		return 0;
	if ((length = strcasestr(c->text, "\r\ncontent-length: ")) == NULL ||
	    length > end)
		errx(1, "an answer without a length: %.80s", c->text);
	return c->len >= (size_t)(end + 4 - c->text) +
	    strtoul(length + 18, NULL, 10);
}

static void
count(const struct conn *c)
{
	unsigned	 status;

	if (sscanf(c->text, "HTTP/1.1 %u", &status) != 1 || status > 999)
		errx(1, "not an answer: %.80s", c->text);
	by_status[status]++;
	answered++;
}

static void
go_on(size_t i)
{
	struct conn	*c = &conns[i];
	ssize_t		 n;
	int		 ends;

	n = recv(polls[i].fd, c->text + c->len, sizeof(c->text) - 1 - c->len,
	    0);
	if (n == -1)
		err(1, "recv");
	c->len += (size_t)n;
	ends = n == 0;
	if (!ends && !is_whole(c))
		return;
	if (!ends) {
		count(c);
		ends = strcasestr(c->text, "\r\nconnection: close") != NULL;
	} else if (c->len > 0)
		errx(1, "half an answer: %.80s", c->text);
	else
		asked--;	/* it came too late for the server */
	if (ends)
		close(polls[i].fd);
	polls[i].fd = ends ? -1 : polls[i].fd;
	if (asked >= wanted)
		return;
	if (ends)
		open_connection(i);
	else
		ask(i);
}

int
main(int argc, char *argv[])
{
	size_t	 i, connections;
	int	 n;

	if (argc != 4)
		errx(2, "usage: soak_client PORT CONNECTIONS COUNT");
	server.sin_family = AF_INET;
	server.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	server.sin_port = htons((uint16_t)strtoul(argv[1], NULL, 10));
	connections = strtoul(argv[2], NULL, 10);
	wanted = strtoul(argv[3], NULL, 10);
	if (connections < 1 || connections > MAX_CONNECTIONS ||
	    wanted < connections)
		errx(2, "connections: 1 to %d, and a request for each",
		    MAX_CONNECTIONS);
	read_request();
	for (i = 0; i < connections; i++)
		open_connection(i);
	while (answered < wanted) {
		n = poll(polls, (nfds_t)connections, TIME_LIMIT);
		if (n == -1)
			err(1, "poll");
		if (n == 0)
			errx(1, "no answer: %lu of %lu", answered, wanted);
		for (i = 0; i < connections; i++)
			if (polls[i].fd != -1 && polls[i].revents != 0)
				go_on(i);
	}
	for (i = 0; i < 1000; i++)
		if (by_status[i] > 0)
			printf("%03zu %lu\n", i, by_status[i]);
	return 0;
}
