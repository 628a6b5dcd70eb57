/* SPDX-License-Identifier: ISC */
/*
 * Children of a privilege-separated daemon: what a child process finds when
 * it starts, and the messages that every parent and child share.
 *
 * A child is the same binary, executed again with -P role -I instance and,
 * when the parent runs as root, -U uid -G gid[,gid...].  Descriptor 3 is its
 * channel to the parent, 0 and 1 are /dev/null, 2 is the log; all else is
 * closed.  It drops privilege and enters its sandbox before it reads the
 * first message.  Then the parent sends MSG_CONF_BEGIN, the daemon's own
 * configuration messages, MSG_PEER for each sibling it may talk to,
 * MSG_CONF_END; the child answers MSG_READY.  MSG_PEER may come again later,
 * when a sibling was restarted: it replaces the channel to that instance.
 */
#ifndef PROC_H
#define PROC_H

#include <stdbool.h>
#include <sys/types.h>

#include "loop.h"
#include "msg.h"

#define ROLE_PARENT	0u		/* daemons number theirs from 1 */
#define PROC_CHANNEL_FD	3
#define PROC_MAX_GROUPS	8
/* Exit status: the configuration cannot work, trying again is of no use. */
#define PROC_EXIT_CONF	78

/* Types shared by all; a daemon's own start at MSG_FIRST. */
enum {
	MSG_CONF_BEGIN = 1,	/* parent -> child: log level u8, format u8,
				   static log fields u32 n, n * (str, str) */
	MSG_CONF_END,		/* parent -> child: - */
	MSG_READY,		/* child -> parent: - */
	MSG_PEER,		/* parent -> child: role u32, instance
				   u32, fd */
	MSG_DRAIN,		/* parent -> child: finish, then exit 0 */
	MSG_PEER_BAD,		/* child -> parent: role u32, instance u32:
				   cut off for its nonsense; replace it */
	MSG_FIRST = 16
};

struct proc_args {
	char		 role[32];	/* "worker"; "" in the parent */
	unsigned	 instance;
	bool		 drop;		/* uid and gids below are set */
	uid_t		 uid;
	gid_t		 gids[PROC_MAX_GROUPS];	/* first: primary */
	size_t		 ngids;
};

/* Parse -P, -I, -U, -G beside the daemon's own options: see proc_getopt. */
#define PROC_GETOPT	"P:I:U:G:"
/* 0 when opt was one of them and taken, -1 when not ours or malformed. */
int	 proc_getopt(struct proc_args *, int opt, const char *optarg);

/*
 * First step of main(): descriptors 0 to 2 exist, so that none that is opened
 * later becomes standard error.
 */
void	 proc_fill_fds(void);
/*
 * First steps of every child: checks descriptor 3, ignores SIGPIPE, SIGHUP
 * and SIGINT (the parent decides), asks to die with the parent.  Exits when
 * it was not started by a parent.
 */
void	 proc_child_start(const struct proc_args *);
/*
 * The channel to the parent.  When it closes, the child exits (the parent is
 * gone); rules include those of the shared types that the child expects.
 */
struct msg_chan	*proc_parent_chan(struct loop *, const struct msg_rule *,
		    size_t nrules, void *arg);
/* Send MSG_PEER_BAD about the peer of this channel. */
void	 proc_report_peer(struct msg_chan *parent, const struct msg_chan *peer);
/* Handle MSG_CONF_BEGIN: set up logging as it says. */
int	 proc_on_conf_begin(struct msg_chan *, struct msg *, void *arg);

#endif
