/* SPDX-License-Identifier: ISC */
/*
 * The two halves of the supervisor to each other: supervise.c knows
 * generations, supervise_child.c one child.  Nobody else includes this.
 */
#ifndef SUPERVISE_CHILD_H
#define SUPERVISE_CHILD_H

#include <sys/queue.h>

#include "supervise.h"

#define START_TRIES	5	/* then a configuration has failed */

enum child_state {
	CHILD_DOWN,		/* timer: when to start it again */
	CHILD_STARTING,		/* timer: when it must be ready */
	CHILD_READY,
	CHILD_DRAINING,		/* timer: when it must be gone */
	CHILD_KILLED
};

struct generation;

struct child {
	struct generation *gen;
	const struct supervise_role *role;
	unsigned	 instance;
	enum child_state state;
	pid_t		 pid;		/* 0 when down */
	struct msg_chan	*chan;		/* NULL when closed */
	struct loop_timer *timer;
	uint64_t	 started_ms;
	unsigned	 failures;	/* in a row */
};

enum gen_state { GEN_STARTING, GEN_LIVE, GEN_DRAINING, GEN_ENDING };

struct generation {
	struct supervise *sup;
	struct supervise_conf conf;
	unsigned	 number;
	enum gen_state	 state;
	int		 drain_order;	/* -1: none is drained yet */
	struct child	*children;
	size_t		 nchildren;
	struct msg_rule	*rules;
	size_t		 nrules;
	TAILQ_ENTRY(generation) entry;
};

struct supervise {
	struct loop	*loop;
	struct loop_signal *sigchld;
	const struct msg_rule *rules;
	size_t		 nrules;
	void		(*on_ready)(void *);
	void		(*on_empty)(void *);
	void		*arg;
	int		 program_fd;
	unsigned	 last_number;
	bool		 was_ready;	/* some generation, once */
	bool		 draining;
	uint64_t	 drain_began_ms;
	TAILQ_HEAD(, generation) generations;	/* oldest first */
};

void	 child_init(struct child *, struct generation *,
	    const struct supervise_role *, unsigned instance);
void	 child_done(struct child *);
/* Fork, exec, and send what it needs up to its peers; -1 with errno. */
int	 child_launch(struct child *);
/* Link two running children if the configuration says so. */
void	 child_connect(struct child *, struct child *);
void	 child_configured(struct child *);
/* Ask it to finish; one that is down stays so. */
void	 child_drain(struct child *);
void	 child_kill(struct child *);
/* waitpid() has returned its status. */
void	 child_exited(struct child *, int status);
int	 child_on_ready(struct msg_chan *, struct msg *, void *);
int	 child_on_peer_bad(struct msg_chan *, struct msg *, void *);
int	 child_on_other(struct msg_chan *, struct msg *, void *);

void	 gen_check_ready(struct generation *);
/* "child" has failed too often; may free the generation. */
void	 gen_fail(struct generation *, const struct child *);
/* Whether a child of this role is to be started again. */
bool	 gen_wants(const struct generation *, const struct supervise_role *);

#endif
