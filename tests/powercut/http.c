/* SPDX-License-Identifier: ISC */
/* What a registry's client needs of HTTP, and no more. */
#include "http.h"

#include <sys/socket.h>
#include <sys/time.h>

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "xmem.h"

#define ANSWER_TIME	30		/* seconds without any byte */
#define ANSWER_MAX	((size_t)64 << 20)
#define OPEN_TRIES	5
#define HEAD_MAX	4096

void
http_init(struct http *h, uint16_t port)
{
	memset(h, 0, sizeof(*h));
	h->port = port;
	h->fd = -1;
}

static void
http_close(struct http *h)
{
	if (h->fd != -1)
		close(h->fd);
	h->fd = -1;
	h->in_len = 0;
}

void
http_done(struct http *h)
{
	http_close(h);
	free(h->in);
	h->in = NULL;
	h->in_max = 0;
}

static bool
http_connect(struct http *h)
{
	struct sockaddr_in	 sin = { .sin_family = AF_INET };
	struct timeval		 tv = { .tv_sec = ANSWER_TIME };
	int			 on = 1;

	if (h->fd != -1)
		return true;
	sin.sin_port = htons(h->port);
	sin.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if ((h->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) == -1)
		return false;
	setsockopt(h->fd, SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof(tv));
	setsockopt(h->fd, SOL_SOCKET, SO_SNDTIMEO, &tv, sizeof(tv));
	setsockopt(h->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	h->in_len = 0;
	h->requests = 0;
	if (connect(h->fd, (struct sockaddr *)&sin, sizeof(sin)) == -1) {
		snprintf(h->trouble, sizeof(h->trouble), "connect: %s",
		    strerror(errno));
		http_close(h);
		return false;
	}
	return true;
}

static bool
send_all(int fd, const void *data, size_t len)
{
	const char	*p = data;
	ssize_t		 n;

	while (len > 0) {
		if ((n = send(fd, p, len, MSG_NOSIGNAL)) <= 0)
			return false;
		p += n;
		len -= (size_t)n;
	}
	return true;
}

/* More of the answer; there is always a NUL behind what is there. */
static bool
read_more(struct http *h)
{
	ssize_t	 n;

	if (h->in_max - h->in_len < 4096) {
		if (h->in_max >= ANSWER_MAX)
			return false;
		h->in_max = h->in_max == 0 ? 16384 : h->in_max * 2;
		h->in = xreallocarray(h->in, h->in_max, 1);
	}
	n = recv(h->fd, h->in + h->in_len, h->in_max - h->in_len - 1, 0);
	if (n <= 0) {
		snprintf(h->trouble, sizeof(h->trouble),
		    "request %u: %s after %zu bytes", h->requests,
		    n == 0 ? "closed" : strerror(errno), h->in_len);
		return false;
	}
	h->in_len += (size_t)n;
	h->in[h->in_len] = '\0';
	return true;
}

/* The length of the head with its empty line; 0: the connection broke. */
static size_t
head_read(struct http *h)
{
	char	*end;

	for (;;) {
		if (h->in_len > 0 &&
		    (end = strstr(h->in, "\r\n\r\n")) != NULL)
			return (size_t)(end - h->in) + 4;
		if (h->in_len > HEAD_MAX * 4 || !read_more(h))
			return 0;
	}
}

static bool
head_get(const char *head, size_t len, const char *name, char *value,
    size_t size)
{
	const char	*line, *end, *stop = head + len;
	size_t		 n = strlen(name);

	value[0] = '\0';
	for (line = head; line < stop; line = end + 2) {
		if ((end = strstr(line, "\r\n")) == NULL || end >= stop)
			break;
		if (strncasecmp(line, name, n) != 0 || line[n] != ':')
			continue;
		for (line += n + 1; *line == ' '; line++)
			;
		snprintf(value, size, "%.*s", (int)(end - line), line);
		return true;
	}
	return false;
}

/* Put the chunks at h->in + at together.  False: the connection broke. */
static bool
chunks_read(struct http *h, size_t at, size_t *len)
{
	size_t	 from = at, size;
	char	*end;

	*len = 0;
	for (;;) {
		while ((end = strstr(h->in + from, "\r\n")) == NULL)
			if (!read_more(h))
				return false;
		size = strtoul(h->in + from, NULL, 16);
		from = (size_t)(end - h->in) + 2;
		while (h->in_len < from + size + 2)
			if (size > ANSWER_MAX || !read_more(h))
				return false;
		memmove(h->in + at + *len, h->in + from, size);
		*len += size;
		from += size + 2;
		if (size == 0)
			return true;
	}
}

static bool
body_read(struct http *h, size_t head, bool is_head, struct http_reply *r)
{
	char	 value[64];

	if (is_head || r->status == 204 || r->status == 304)
		return true;
	if (head_get(h->in, head, "Transfer-Encoding", value, sizeof(value))) {
		if (!chunks_read(h, head, &r->len))
			return false;
	} else if (head_get(h->in, head, "Content-Length", value,
	    sizeof(value))) {
		r->len = strtoul(value, NULL, 10);
		while (h->in_len < head + r->len)
			if (!read_more(h))
				return false;
	}
	r->body = (uint8_t *)h->in + head;
	return true;
}

static bool
answer_read(struct http *h, bool is_head, struct http_reply *r)
{
	char	 value[64];
	size_t	 head;
	bool	 got;

	do {
		h->in_len = 0;
		if ((head = head_read(h)) == 0)
			return false;
		if (strncmp(h->in, "HTTP/1.1 ", 9) != 0)
			return false;
		r->status = (int)strtol(h->in + 9, NULL, 10);
	} while (r->status == 100);
	head_get(h->in, head, "Location", r->location, sizeof(r->location));
	head_get(h->in, head, "Range", r->range, sizeof(r->range));
	head_get(h->in, head, "Docker-Content-Digest", r->digest,
	    sizeof(r->digest));
	head_get(h->in, head, "Connection", value, sizeof(value));
	got = body_read(h, head, is_head, r);
	if (strcasecmp(value, "close") == 0) {
		close(h->fd);
		h->fd = -1;
	}
	return got;
}

bool
http_request(struct http *h, const char *method, const char *path,
    const char *headers, const void *body, size_t len, struct http_reply *r)
{
	char	 head[HEAD_MAX];
	int	 n;

	memset(r, 0, sizeof(*r));
	snprintf(h->trouble, sizeof(h->trouble), "not sent");
	if (!http_connect(h))
		return false;
	h->requests++;
	n = snprintf(head, sizeof(head), "%s %s HTTP/1.1\r\n"
	    "Host: registry\r\nContent-Length: %zu\r\n%s\r\n", method, path,
	    len, headers == NULL ? "" : headers);
	if (n < 0 || (size_t)n >= sizeof(head) ||
	    !send_all(h->fd, head, (size_t)n) ||
	    (len > 0 && !send_all(h->fd, body, len)) ||
	    !answer_read(h, strcmp(method, "HEAD") == 0, r)) {
		http_close(h);
		return false;
	}
	return true;
}

bool
http_open(struct http *h)
{
	struct http_reply	 r;
	int			 i;

	for (i = 0; i < OPEN_TRIES; i++)
		if (http_request(h, "GET", "/v2/", NULL, NULL, 0, &r))
			return true;
	return false;
}
