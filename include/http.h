/* SPDX-License-Identifier: ISC */
/*
 * HTTP server side: the exchange, one request and its one response, apart
 * from the version on the wire (http_conn.c speaks HTTP/1.1).
 *
 * The life of an exchange: on_request() when the head is complete and passed
 * the checks of RFC 9112 (strict); the callee decides, may take the body with
 * http_body_read(), and answers once with http_respond(), at once or later.
 * on_done() comes exactly once for each on_request(), when the response has
 * been sent or the connection was lost, and is the place to free one's state
 * and to write the access line.  Until then the exchange is valid.
 *
 * But for http_server_free(), no function here calls back before it returns:
 * callbacks come from the loop, one at a time.
 */
#ifndef HTTP_H
#define HTTP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include <time.h>

#include "buf.h"
#include "listener.h"
#include "loop.h"
#include "tls.h"

enum http_method {
	HTTP_GET, HTTP_HEAD, HTTP_POST, HTTP_PUT, HTTP_PATCH, HTTP_DELETE,
	HTTP_OPTIONS, HTTP_OTHER
};

struct http_header {
	char	*name;			/* as sent */
	char	*value;			/* without outer white space */
};

struct http_request {
	enum http_method method;
	char		*method_name;	/* as sent */
	char		*target;	/* as sent, origin or absolute form cut
					   to path and query */
	unsigned	 minor;		/* HTTP/1.minor */
	struct http_header *headers;
	size_t		 nheaders;
	bool		 has_body;
	bool		 chunked;	/* content_length is unknown */
	uint64_t	 content_length;	/* 0 without body */
	bool		 expect_continue;
	struct peer	 peer;
	bool		 tls;
	char		*text;		/* what the pointers above point into;
					   the HTTP layer's */
	size_t		 text_len;
};

/* Every bound and wait of the HTTP layer; defaults in http_limits_default. */
struct http_limits {
	size_t		 max_connections;	/* of this process */
	size_t		 max_head_size;		/* request line and headers */
	size_t		 max_headers;
	size_t		 max_target;
	size_t		 max_pipelined;		/* bytes read ahead */
	uint64_t	 tls_timeout_ms;
	uint64_t	 head_timeout_ms;	/* first byte to end of head */
	uint64_t	 idle_timeout_ms;	/* between requests */
	uint64_t	 body_timeout_ms;	/* without 1 KiB of body */
	uint64_t	 send_timeout_ms;	/* without progress */
	uint64_t	 max_discard;		/* of an unread body */
	uint64_t	 max_requests;		/* per connection, then close */
};
extern const struct http_limits http_limits_default;

struct http_server;
struct http_exchange;

struct http_server_ops {
	void	(*on_request)(struct http_exchange *, void *arg);
	void	(*on_done)(struct http_exchange *, void *arg);
	/*
	 * A request that never became an exchange: malformed (400), too large
	 * (414, 431), too slow (408), body refused (413, 501).  Fill in the
	 * body of the answer; "status" and "reason" are fixed.
	 */
	void	(*on_bad_request)(const struct peer *, int status,
		    const char *reason, struct buf *body,
		    const char **content_type, void *arg);
};

struct http_server *http_server_new(struct loop *, const struct http_limits *,
		    const struct http_server_ops *, void *arg);
/*
 * Serve a connection.  Takes ownership of fd, also when it fails (-1: at the
 * maximum, draining, or out of memory).  tls may be NULL; borrowed.
 */
int	 http_server_add(struct http_server *, int fd, const struct peer *,
	    struct tls_context *tls);
size_t	 http_server_connections(const struct http_server *);
/* Called when the number of connections falls below the maximum again. */
void	 http_server_on_room(struct http_server *, void (*)(void *), void *);
/* No more requests: idle connections close, others after their response. */
void	 http_server_drain(struct http_server *, void (*on_empty)(void *),
	    void *arg);
/* Ends every exchange (on_done).  Not from inside its own callbacks, except
   on_empty. */
void	 http_server_free(struct http_server *);

/* ---- request ---- */
const struct http_request *http_request(const struct http_exchange *);
/* First header of that name (case ignored), NULL when absent. */
const char	*http_request_header(const struct http_exchange *,
		    const char *name);
size_t		 http_request_header_count(const struct http_exchange *,
		    const char *name);
/* The caller's pointer, NULL at first. */
void		 http_set_data(struct http_exchange *, void *);
void		*http_data(const struct http_exchange *);

/*
 * Take the body (sends 100 Continue when the client waits for it).  The
 * callback gets bytes as they come and returns how many it took; fewer than
 * len pauses until http_body_resume().  It is called with len 0 and "end"
 * once when the body is complete.  -1 from the callback closes the
 * connection.  When the body cannot be completed (connection lost, bad
 * chunk, timeout) the callback is called with data NULL, end false; it may
 * still answer then, else the layer does (400, 408) and drops a later
 * http_respond().  After an answer the callback is not called any more.
 */
typedef ssize_t http_body_fn(struct http_exchange *, const void *data,
	    size_t len, bool end, void *arg);
void		 http_body_read(struct http_exchange *, http_body_fn *,
		    void *arg);
void		 http_body_resume(struct http_exchange *);
uint64_t	 http_body_received(const struct http_exchange *);

/* ---- response ---- */
/* Header lines of an answer, in bytes; one with more fails. */
#define HTTP_MAX_RESPONSE_HEAD	(64 * 1024)

struct http_response {
	int		 status;
	struct buf	 head;		/* header lines, built below */
	struct buf	 body;		/* or: */
	int		 fd;		/* -1; else a file, sent from offset */
	uint64_t	 offset;
	uint64_t	 length;	/* bytes of the file; for HEAD too */
	bool		 secret;	/* wipe the body once it is sent */
};

void	 http_response_init(struct http_response *, int status);
/* Values are checked: CR, LF, NUL and other controls fail the response. */
void	 http_response_header(struct http_response *, const char *name,
	    const char *fmt, ...) __attribute__((__format__(printf, 3, 4)));
/* Send bytes as the body; copied. */
void	 http_response_body(struct http_response *, const void *, size_t);
/* Send a part of a file; takes ownership of fd. */
void	 http_response_file(struct http_response *, int fd, uint64_t offset,
	    uint64_t length);
void	 http_response_done(struct http_response *);	/* not sent after all */
/*
 * Send; takes the response's contents.  Exactly once for each exchange
 * (asserted).  Adds Date, Content-Length, Connection.  For HEAD, 204 and 304
 * no body is sent.  A body that was not read is discarded or the connection
 * closed.  When a header failed or memory is out, 500 is sent instead.
 */
void	 http_respond(struct http_exchange *, struct http_response *);
/*
 * A body whose length is not known: chunked (to HTTP/1.0: until close).
 * next() adds some bytes to the buffer (16 KiB or so) and returns 1, 0 at
 * the end, -1 to break the connection off.  Called as the client takes them;
 * 1 without bytes means to be asked again in the next turn of the loop.
 */
typedef int http_produce_fn(struct http_exchange *, struct buf *, void *arg);
void	 http_respond_stream(struct http_exchange *, struct http_response *,
	    http_produce_fn *, void *arg);
/* Close the connection without (or in the middle of) a response. */
void	 http_abort(struct http_exchange *);
/* Status sent (0 before), bytes of body sent, for the access line. */
int	 http_status(const struct http_exchange *);
uint64_t http_sent(const struct http_exchange *);
/* True when the whole response went out. */
bool	 http_completed(const struct http_exchange *);
/* Why the file of the response could not be sent to its end, or 0. */
int	 http_file_error(const struct http_exchange *);
uint64_t http_elapsed_us(const struct http_exchange *);
const char *http_status_text(int status);

#endif
