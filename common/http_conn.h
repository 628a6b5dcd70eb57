/* SPDX-License-Identifier: ISC */
/*
 * The parts of the HTTP layer that one connection is made of.  Private to
 * http_server.c (all connections), http_conn.c (one connection and its
 * states), http_input.c, http_body.c and http_send.c (bytes in and out),
 * http_wait.c (events and deadlines) and http_exchange.c (what the callee
 * sees of a request).
 *
 * Callbacks run only inside http_conn_run() and at a deadline; what a callee
 * calls sets fields and asks for a run.  So no callback is entered from
 * inside another, and nothing is freed beneath its user.
 */
#ifndef HTTP_CONN_H
#define HTTP_CONN_H

#include <sys/queue.h>
#include <sys/uio.h>

#include "http.h"
#include "http_parse.h"

/* Reads of a body go through one buffer of the server, of this size. */
#define HTTP_SCRATCH_SIZE	(256 * 1024)
#define HTTP_READ_MIN		(16 * 1024)
/* Bytes that TLS encrypts at a time; a plain send goes from where it is. */
#define HTTP_TLS_SIZE		(64 * 1024)
/* What one connection may send or do before others have their turn. */
#define HTTP_SEND_TURN		(4 * 1024 * 1024)
#define HTTP_STEPS_TURN		256
/* How long a closed connection is read on, so that the answer arrives. */
#define HTTP_LINGER_MS		5000
/* What of a body must come within its timeout, if there is so much. */
#define HTTP_BODY_PROGRESS	1024
#define HTTP_STREAM_MAX		(256 * 1024)

enum http_conn_state {
	HTTP_CONN_HANDSHAKE,
	HTTP_CONN_IDLE,			/* between requests */
	HTTP_CONN_HEAD,			/* part of a head is here */
	HTTP_CONN_EXCHANGE,
	HTTP_CONN_DISCARD,		/* answered; the rest of its body */
	HTTP_CONN_LINGER,		/* our side is shut down */
	HTTP_CONN_CLOSED		/* freed at the end of the turn */
};

enum http_wait {
	HTTP_WAIT_NONE,
	HTTP_WAIT_HANDSHAKE,
	HTTP_WAIT_IDLE,
	HTTP_WAIT_HEAD,
	HTTP_WAIT_BODY,
	HTTP_WAIT_SEND,
	HTTP_WAIT_LINGER
};

enum http_body_state {
	HTTP_BODY_UNREAD,
	HTTP_BODY_READ,
	HTTP_BODY_DISCARD,
	HTTP_BODY_DONE,			/* all of it was taken, or none came */
	HTTP_BODY_FAILED
};

/* Input that is not yet consumed: in the scratch buffer, or our own. */
struct http_input {
	char		*data;
	size_t		 off;
	size_t		 len;
	bool		 own;
};

struct http_segment {
	const char	*data;
	size_t		 len;
	bool		 payload;
};

struct http_exchange {
	struct http_conn	*conn;
	struct http_request	 req;
	void			*data;
	uint64_t		 started_us;
	uint64_t		 elapsed_us;
	http_body_fn		*body_fn;
	void			*body_arg;
	bool			 body_paused;
	bool			 body_resumed;	/* while in the callback */
	uint64_t		 body_received;

	bool			 answered;	/* by the callee or by us */
	bool			 refused;	/* by us; a late answer is
						   dropped */
	bool			 internal;	/* the callee knows nothing */
	bool			 completed;
	struct http_response	 resp;
	struct buf		 head;
	uint64_t		 file_left;
	int			 file_error;	/* errno of reading it */
	http_produce_fn		*produce;
	void			*produce_arg;
	bool			 chunked;
	bool			 produced_all;
	struct buf		 stream;
	char			 chunk_head[20];
	struct http_segment	 seg[4];
	size_t			 nseg;
	uint64_t		 sent;
};

struct http_conn {
	struct http_server	*server;
	int			 fd;
	struct loop_io		*io;
	struct loop_timer	*timer;
	struct tls_conn		*tls;
	struct peer		 peer;
	enum http_conn_state	 state;
	bool			 running;
	bool			 queued;
	bool			 abort;

	bool			 can_read;	/* not known to be empty */
	bool			 can_write;	/* not known to be full */
	bool			 read_wants_write;	/* TLS */
	bool			 write_wants_read;
	bool			 eof;

	/* Deadlines: at most one runs; the timer is rarely moved. */
	enum http_wait		 wait;
	size_t			 got;	/* bytes, since the deadline moved */
	bool			 sent_some;
	uint64_t		 deadline;	/* ms */
	uint64_t		 timer_at;	/* 0 when it does not run */

	struct http_parser	 parser;
	struct http_input	 in;
	size_t			 body_span;	/* body bytes at its front */
	size_t			 read_size;
	enum http_body_state	 body;
	uint64_t		 discarded;
	uint64_t		 requests;

	struct http_exchange	*ex;
	bool			 keep_alive;
	size_t			 interim_left;	/* of 100 Continue */
	struct {
		char		*data;		/* while sending */
		size_t		 off;
		size_t		 len;
		size_t		 payload;
	} tls_out;

	TAILQ_ENTRY(http_conn)	 entry;
	TAILQ_ENTRY(http_conn)	 run_entry;
};
TAILQ_HEAD(http_conn_list, http_conn);

struct http_server {
	struct loop			*loop;
	struct http_limits		 limits;
	struct http_strict_limits	 strict;
	const struct http_server_ops	*ops;
	void				*arg;
	char				*scratch;
	struct http_conn_list		 conns;
	struct http_conn_list		 run;
	struct http_conn_list		 dead;
	struct loop_timer		*kick;	/* when loop_defer() fails */
	struct loop_timer		*idle;	/* draining: see there */
	size_t				 nconns;
	bool				 scheduled;
	bool				 deferred;	/* by loop_defer() */
	bool				 dying;	/* freed when that comes */
	bool				 full;
	bool				 draining;
	bool				 closing;	/* idle ones, now */
	void				(*on_room)(void *);
	void				*room_arg;
	void				(*on_empty)(void *);
	void				*empty_arg;
};

/* http_server.c: run at the end of this turn, with its list of the dead. */
void	 http_server_schedule(struct http_server *);
void	 http_server_bury(struct http_conn *);

/* http_conn.c */
struct http_conn *http_conn_new(struct http_server *, int fd,
	    const struct peer *, struct tls_context *);
void	 http_conn_run(struct http_conn *);
void	 http_conn_wake(struct http_conn *);	/* run it soon */
void	 http_conn_close(struct http_conn *);	/* at once */
/* The same for an exchange in the middle: it ends before. */
void	 http_conn_lost(struct http_conn *);
void	 http_conn_free(struct http_conn *);

/* Answer a request that never becomes an exchange for the callee. */
bool	 http_conn_refuse(struct http_conn *, int status, const char *reason);
/* Lingering has read enough; now it only waits. */
bool	 http_conn_has_lingered(const struct http_conn *);

/* http_input.c.  Fill: 1, there is input now; 0, wait; -1, none will come. */
size_t	 http_input_left(const struct http_conn *);
int	 http_input_fill(struct http_conn *, size_t want);
int	 http_input_keep(struct http_conn *);	/* after a run; -1 ENOMEM */
void	 http_input_drop(struct http_conn *);

/* http_body.c */
bool	 http_body_is_active(const struct http_conn *);
/* One step with the body; false when it waits for something. */
bool	 http_body_step(struct http_conn *);
/* No more of it can come: tell the callee; or answer, too. */
void	 http_body_tell_failed(struct http_conn *);
void	 http_body_break(struct http_conn *, int status, const char *reason);

/* http_wait.c: what to wait for after a run; -1 when it cannot be set up. */
int	 http_wait_settle(struct http_conn *);
loop_timer_fn	 http_wait_on_timer;

/* http_conn_io.c: as recv(2) and send(2), for both kinds of connection. */
ssize_t	 http_conn_read(struct http_conn *, void *, size_t);
ssize_t	 http_conn_write(struct http_conn *, const void *, size_t);
/* Tell the peer that nothing more comes. */
void	 http_conn_shutdown(struct http_conn *);

/* http_exchange.c */
struct http_exchange *http_exchange_new(struct http_conn *);
void	 http_exchange_free(struct http_exchange *);
/* Answer in place of the callee: the request never was one, or broke. */
int	 http_exchange_refuse(struct http_exchange *, int status,
	    const char *reason);

/* http_response.c: the head as it goes out, into ex->head; 0 or -1. */
int	 http_response_format(struct http_exchange *);
bool	 http_response_has_content(const struct http_exchange *);

/* http_send.c */
enum http_send_result {
	HTTP_SEND_DONE,			/* nothing left to send */
	HTTP_SEND_WAIT,			/* the socket is full */
	HTTP_SEND_TURN_OVER,		/* go on in the next turn */
	HTTP_SEND_FAILED
};
void	 http_send_begin(struct http_exchange *);
enum http_send_result http_send_run(struct http_conn *);
void	 http_send_continue(struct http_conn *);	/* 100, when it can */
enum http_send_result http_send_interim(struct http_conn *);
void	 http_send_done(struct http_conn *);

#endif
