/* SPDX-License-Identifier: ISC */
/*
 * From bytes to a struct http_request: the head with the checks that need
 * its meaning (Host, Content-Length, Transfer-Encoding, target), and the body
 * whichever way it is framed.  Private to the HTTP layer.
 */
#ifndef HTTP_PARSE_H
#define HTTP_PARSE_H

#include <stddef.h>
#include <stdint.h>

#include "http.h"
#include "http_wire.h"

struct http_parser {
	struct http_wire	*wire;
	bool			 chunked;
	uint64_t		 left;		/* of a body with a length */
};

int	 http_parser_init(struct http_parser *,
	    const struct http_strict_limits *);	/* -1: ENOMEM; borrowed */
void	 http_parser_done(struct http_parser *);
/* Between two requests; gives memory back. */
void	 http_parser_reset(struct http_parser *);
/*
 * Bytes of a head.  0: more is needed.  200: complete, *req is filled (for
 * http_request_done()) and the body begins at *used.  Else the status to
 * refuse with, and why.
 */
int	 http_parser_head(struct http_parser *, const char *, size_t,
	    size_t *used, struct http_request *req, bool *keep_alive,
	    const char **reason);
/* The method, as far as it is known, is HEAD: a refusal has no body. */
bool	 http_parser_is_head(const struct http_parser *);
/*
 * Bytes of the body: *skip of framing, then *data of it.  -1: malformed.
 */
int	 http_parser_body(struct http_parser *, const char *, size_t,
	    size_t *skip, size_t *data);
/* The last byte of the body has been handed out. */
bool	 http_parser_ended(const struct http_parser *);
/* Bytes of the body still to come, UINT64_MAX when not known. */
uint64_t http_parser_left(const struct http_parser *);

void	 http_request_done(struct http_request *);

#endif
