/* SPDX-License-Identifier: ISC */
/*
 * One call to a keeper; private to keeper_client.c, which knows the keepers,
 * and keeper_call.c, which knows what is sent.
 */
#ifndef KEEPER_CALL_H
#define KEEPER_CALL_H

#include <sys/queue.h>

#include "keeper_client.h"

#define KEEPER_MAX_CALLS	1024	/* outstanding at one keeper */
#define KEEPER_PIPE_SIZE	(1024 * 1024)

#define KEEPER_MAX_PENDING	2048	/* messages for one that is away */

struct keeper_pending {
	struct msg_out	 out;
	STAILQ_ENTRY(keeper_pending) entry;
};

struct keeper_peer {
	struct keepers	*keepers;
	struct msg_chan	*chan;		/* NULL: away */
	LIST_HEAD(, keeper_call) calls;
	size_t		 ncalls;
	/*
	 * A keeper that died is back in a moment: what is asked meanwhile
	 * waits for it, until the timer says that it is really away.
	 */
	bool		 waiting;
	struct loop_timer *timer;
	STAILQ_HEAD(, keeper_pending) pending;
	size_t		 npending;
};

struct keepers {
	struct loop	*loop;
	unsigned	 count;
	uint64_t	 timeout_ms;
	uint64_t	 lease_timeout_ms;
	struct keeper_peer *peers;
	uint64_t	 last_id;
};

struct keeper_call {
	struct keeper_peer *peer;
	uint64_t	 id;
	keeper_room_fn	*room;
	keeper_done_fn	*done;
	void		*arg;
	/*
	 * Runs while it is the keeper's turn: to answer, or to take bytes.
	 * While the client's bytes are awaited nothing runs here.
	 */
	struct loop_timer *timer;
	bool		 lease;		/* has one bound for all of it */
	int		 fd;		/* write end of the pipe, or -1 */
	struct loop_io	*io;
	uint64_t	 written;
	bool		 ended;
	char		*body;		/* of a manifest, sent from here */
	size_t		 bodylen;
	LIST_ENTRY(keeper_call) entry;
};

struct keeper_peer *keepers_choose(struct keepers *, const char *key);
/* As msg_send(), and for a keeper that is about to come back. */
int	 keeper_peer_send(struct keeper_peer *, struct msg_out *);
/* Tell the owner, and free. */
void	 keeper_call_done(struct keeper_call *, const struct keeper_reply *);
/* The keeper lives: its time starts again. */
void	 keeper_call_extend(struct keeper_call *);
void	 keeper_call_free(struct keeper_call *);

#endif
