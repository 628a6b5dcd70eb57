/* SPDX-License-Identifier: ISC */
/*
 * Typed messages between processes over SOCK_SEQPACKET pairs.
 *
 * A frame is type (u32), id (u64), then fields written one by one in network
 * byte order; never a struct image.  Strings are length-prefixed and hold no
 * NUL.  Each process has one rule table; type, sender's role, size and number
 * of descriptors are checked against it before any handler runs.  A message
 * that breaks a rule, or whose handler returns -1, cuts off its sender.
 */
#ifndef MSG_H
#define MSG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "loop.h"

#define MSG_MAX_SIZE	65536		/* of the fields of one message */
#define MSG_MAX_FDS	8
#define MSG_HEADER_SIZE	12		/* type, id */
#define MSG_MAX_QUEUE	1024		/* messages waiting in a channel */
#define MSG_MAX_QUEUE_BYTES	(4 << 20)

struct msg_chan;

/* A received message; descriptors not taken by msg_get_fd() are closed. */
struct msg {
	uint32_t	 type;
	uint64_t	 id;
	const uint8_t	*data;
	size_t		 len;
	size_t		 pos;
	bool		 bad;		/* a getter failed; sticky */
	int		 fds[MSG_MAX_FDS];
	size_t		 nfds, fdpos;
};

/* A message being written; on the stack, freed by msg_send() or msg_drop(). */
struct msg_out {
	uint32_t	 type;
	uint64_t	 id;
	uint8_t		*data;		/* the frame: header, then fields */
	size_t		 len, cap;
	bool		 borrowed;	/* "data" is the caller's */
	bool		 failed;	/* sticky; "error" is the errno */
	int		 error;
	int		 fds[MSG_MAX_FDS];
	size_t		 nfds;
};

typedef int msg_handler_fn(struct msg_chan *, struct msg *, void *arg);
/*
 * The peer went away (why NULL) or was cut off.  The channel is closed, and
 * waits for its msg_chan_free().
 */
typedef void msg_closed_fn(struct msg_chan *, const char *why, void *arg);

struct msg_rule {
	uint32_t	 type;
	unsigned	 from;		/* role of the sender, see proc.h */
	size_t		 min, max;	/* bytes of fields */
	unsigned	 nfds;		/* exact */
	msg_handler_fn	*handler;
	const char	*name;		/* for logs */
};

/*
 * The rule that allows this message from this role, or NULL and why not.
 * What a channel does before it calls a handler; exported for the fuzzer.
 */
const struct msg_rule *msg_check(const struct msg_rule *, size_t nrules,
		    unsigned from, const struct msg *, const char **why);
/* Take a frame apart, which must stay while the message is used; -1: short. */
int		 msg_parse(struct msg *, const void *frame, size_t len);

/* Takes ownership of fd, on failure too.  rules must outlive the channel. */
struct msg_chan	*msg_chan_new(struct loop *, int fd, unsigned peer_role,
		    unsigned peer_instance, const struct msg_rule *,
		    size_t nrules, msg_closed_fn *, void *arg);
/*
 * Closes; no callback comes any more, and no message that is still unread.
 * Safe inside a handler and the closed callback.  NULL is fine.
 */
void		 msg_chan_free(struct msg_chan *);
unsigned	 msg_chan_role(const struct msg_chan *);
unsigned	 msg_chan_instance(const struct msg_chan *);
size_t		 msg_chan_queued(const struct msg_chan *);
/*
 * Handle what has arrived already, without waiting; the channel may be gone
 * afterwards.  For what a dead peer left; not from its own handlers.
 */
void		 msg_chan_drain(struct msg_chan *);
/*
 * Wait (blocking, at most 5 s) until what is queued has been written; at
 * exit.  -1: not all of it.
 */
int		 msg_chan_flush(struct msg_chan *);

void	 msg_begin(struct msg_out *, uint32_t type, uint64_t id);
/*
 * In a buffer of the caller's, which must stay until the message is sent or
 * dropped: one that fits needs no memory, unless it has to be queued.
 */
void	 msg_begin_on(struct msg_out *, uint32_t type, uint64_t id, void *buf,
	    size_t size);
void	 msg_put_u8(struct msg_out *, uint8_t);
void	 msg_put_u32(struct msg_out *, uint32_t);
void	 msg_put_u64(struct msg_out *, uint64_t);
void	 msg_put_bool(struct msg_out *, bool);
/* NULL is sent as "". */
void	 msg_put_str(struct msg_out *, const char *);
void	 msg_put_bytes(struct msg_out *, const void *, size_t);
/* The descriptor is duplicated; the caller keeps its own. */
void	 msg_put_fd(struct msg_out *, int fd);
/*
 * Send or queue.  Frees the message in any case.  -1 with errno: EMSGSIZE,
 * ENOMEM, ENOBUFS (queue full), EPIPE (channel closed).
 */
int	 msg_send(struct msg_chan *, struct msg_out *);
void	 msg_drop(struct msg_out *);
/* A message without fields. */
int	 msg_send_empty(struct msg_chan *, uint32_t type, uint64_t id);

/* On a short or malformed message 0/""/NULL and msg->bad. */
uint8_t		 msg_get_u8(struct msg *);
uint32_t	 msg_get_u32(struct msg *);
uint64_t	 msg_get_u64(struct msg *);
bool		 msg_get_bool(struct msg *);
/* Into dst, at most size - 1 bytes; longer, or with a NUL inside, is bad. */
void		 msg_get_str(struct msg *, char *dst, size_t size);
/* malloc()ed string of at most max bytes, NULL when bad or out of memory. */
char		*msg_get_strdup(struct msg *, size_t max);
/* Points into the message. */
const void	*msg_get_bytes(struct msg *, size_t max, size_t *len);
int		 msg_get_fd(struct msg *);	/* -1 when none is left */
/* 0 when every field was good and nothing is left over, else -1. */
int		 msg_end(struct msg *);

#endif
