/* SPDX-License-Identifier: ISC */
/*
 * HTTP/1 messages in pieces, as llhttp takes them apart.  The one place that
 * includes llhttp.h, whose names (HTTP_GET, ...) collide with http.h's.
 */
#ifndef HTTP_WIRE_H
#define HTTP_WIRE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "buf.h"
#include "http_strict.h"

struct http_wire_field {
	size_t	 name;			/* offsets into text */
	size_t	 value;
};

/* The parts of a head, each NUL-terminated inside text; target is first. */
struct http_wire_head {
	struct buf		 text;
	struct http_wire_field	*fields;
	size_t			 nfields;
	size_t			 capacity;
	const char		*method;	/* static */
	unsigned		 major;
	unsigned		 minor;
	bool			 keep_alive;	/* the client's wish */
};

struct http_wire;

struct http_wire *http_wire_new(const struct http_strict_limits *);
void	 http_wire_free(struct http_wire *);		/* NULL is fine */
/* Forget everything; the next byte begins a message. */
void	 http_wire_reset(struct http_wire *);
/*
 * Take bytes of a head.  0: all taken, more is needed.  200: the head is
 * complete.  Else the status to refuse with.  *used counts head bytes.
 */
int	 http_wire_head(struct http_wire *, const char *, size_t, size_t *used);
/* The parts, once complete; the caller may take text and fields away. */
struct http_wire_head *http_wire_parts(struct http_wire *);

bool	 http_wire_is_head(const struct http_wire *);

/* Begin a chunked body, after a complete head that has one. */
void	 http_wire_chunked(struct http_wire *);
/*
 * Take bytes of a chunked body: *skip framing bytes, then *data bytes of
 * body, both of them at the front.  -1: malformed.  After the last
 * trailer line http_wire_ended() is true.
 */
int	 http_wire_body(struct http_wire *, const char *, size_t,
	    size_t *skip, size_t *data);
bool	 http_wire_ended(const struct http_wire *);

#endif
