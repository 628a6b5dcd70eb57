/* SPDX-License-Identifier: ISC */
/* A blocking HTTP/1.1 client with one kept connection, for one thread. */
#ifndef POWERCUT_HTTP_H
#define POWERCUT_HTTP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct http {
	uint16_t	 port;
	int		 fd;		/* -1: none */
	char		*in;
	size_t		 in_len, in_max;
	unsigned	 requests;	/* on this connection */
	char		 trouble[80];	/* why there was no whole answer */
};

struct http_reply {
	int		 status;
	char		 location[1024], digest[160], range[64];
	uint8_t		*body;		/* of the connection, until the next */
	size_t		 len;
};

void	 http_init(struct http *, uint16_t port);
void	 http_done(struct http *);
/*
 * Connect, and see that it is answered.  One after the other: qemu listens
 * with room for one, and the host resets what comes at the same time.
 */
bool	 http_open(struct http *);
/*
 * headers: whole lines, or NULL.  True when a whole answer has come; false
 * when the connection broke, which may be before or after the request was
 * carried out.
 */
bool	 http_request(struct http *, const char *method, const char *path,
	    const char *headers, const void *body, size_t len,
	    struct http_reply *);

#endif
