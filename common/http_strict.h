/* SPDX-License-Identifier: ISC */
/*
 * The grammar of everything in a request that is not body data, byte by byte:
 * RFC 9112 without any of its leniencies.  It stands before (head) or beside
 * (chunks) llhttp, so that both must agree before a request counts.
 */
#ifndef HTTP_STRICT_H
#define HTTP_STRICT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define HTTP_STRICT_MAX_EXTENSION	256	/* of one chunk-size line */
#define HTTP_STRICT_MAX_TRAILER		8192	/* all trailer lines */
#define HTTP_STRICT_MAX_METHOD		32

struct http_strict_limits {
	size_t	 head;
	size_t	 headers;
	size_t	 target;
};

struct http_strict {
	const struct http_strict_limits *limits;	/* borrowed */
	int		 state;
	int		 status;	/* of the refusal, 0 while good */
	bool		 skipped;	/* the one empty line was seen */
	bool		 trailer;
	size_t		 count;		/* within the current element */
	size_t		 total;		/* of this head, or of the trailer */
	size_t		 headers;
	uint64_t	 chunk;		/* data bytes still to come */
};

void	 http_strict_init(struct http_strict *,
	    const struct http_strict_limits *);
/*
 * Bytes of the head.  Returns how many are good: all, up to the end of the
 * head (http_strict_ended), or up to the byte that is refused (status).
 */
size_t	 http_strict_head(struct http_strict *, const char *, size_t);
bool	 http_strict_ended(const struct http_strict *);
/* What follows a head is a chunked body. */
void	 http_strict_chunked(struct http_strict *);
/*
 * Bytes between chunk data: 0, or -1 when one is refused.  All of them must
 * be framing; http_strict_data() tells of the data bytes after them.
 */
int	 http_strict_framing(struct http_strict *, const char *, size_t);
int	 http_strict_data(struct http_strict *, size_t);

#endif
