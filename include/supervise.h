/* SPDX-License-Identifier: ISC */
/*
 * The parent's work: start children by role, connect them to each other,
 * configure them, restart those that die (at once, then with a delay that
 * doubles from 1 s to 60 s when a child dies before MSG_READY or within
 * 10 s), replace a whole generation on reload, drain at the end.
 *
 * A generation is one set of children with one configuration.  On reload the
 * new generation starts; once all its children are ready the old workers are
 * drained, and when the last of them has gone the old rest is drained too.
 * When the new one does not get ready, it is ended and the old one stays.
 */
#ifndef SUPERVISE_H
#define SUPERVISE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "log.h"
#include "loop.h"
#include "msg.h"
#include "proc.h"

struct supervise;

struct supervise_role {
	unsigned	 role;		/* number, > 0 */
	const char	*name;		/* "-P" value */
	unsigned	 count;
	unsigned	 drain_order;	/* 0 first; then, one by one */
	bool		 drop;		/* else keep the parent's user */
	uid_t		 uid;
	gid_t		 gids[PROC_MAX_GROUPS];
	size_t		 ngids;
};

/* Each "a" gets a channel to each "b". */
struct supervise_link {
	unsigned	 a, b;
	unsigned	 judge;		/* the one whose MSG_PEER_BAD about the
					   other has that replaced; 0: none */
};

struct supervise_conf {
	const char	*program;	/* to execute: supervise_self() */
	const struct supervise_role *roles;
	size_t		 nroles;
	const struct supervise_link *links;
	size_t		 nlinks;
	uint64_t	 ready_timeout_ms;	/* then it is killed */
	uint64_t	 drain_timeout_ms;	/* the same */
	enum log_level	 log_level;
	enum log_format	 log_format;
	const struct log_field *log_fields;
	size_t		 nlog_fields;
	/*
	 * Send the daemon's configuration messages to a child of "role";
	 * -1 is fatal for the start of this child.  conf_arg is the
	 * generation's, so an old child restarts with its own configuration.
	 */
	int		(*configure)(struct msg_chan *, unsigned role,
			    unsigned instance, void *conf_arg);
	/* A child has ended, by its waitpid() status, and will be started
	   again.  NULL is fine. */
	void		(*on_restart)(unsigned role, int status,
			    void *conf_arg);
	void		*conf_arg;
	void		(*conf_free)(void *conf_arg);	/* generation ended */
};

/*
 * rules: the parent's own (MSG_READY is added here).  on_empty is called
 * after supervise_drain() when the last child is gone.
 */
struct supervise *supervise_new(struct loop *, const struct msg_rule *,
		    size_t nrules, void (*on_ready)(void *),
		    void (*on_empty)(void *), void *arg);
/*
 * Start a generation; the conf is copied except for what its pointers name,
 * which must live until conf_free.  Called again: a reload.  -1: could not
 * fork (nothing changed, conf_free is not called); a new generation that
 * fails later is logged and ended by itself.  When the very first one cannot
 * get ready, the reason is logged and the process exits with status 1.
 */
int	 supervise_start(struct supervise *, const struct supervise_conf *);
/*
 * SIGTERM: drain every generation.  Called again, and not in the same
 * moment: kill what is left.
 */
void	 supervise_drain(struct supervise *);
/* Call fn for each running child of a role, in every generation. */
void	 supervise_each(struct supervise *, unsigned role,
	    void (*fn)(struct msg_chan *, void *conf_arg, void *arg),
	    void *arg);
/* Kill everything and free. */
void	 supervise_free(struct supervise *);
/* The path of the running binary, for exec; "" when unknown. */
const char	*supervise_self(const char *argv0);

#endif
