/* SPDX-License-Identifier: ISC */
/*
 * How often processes had to be started again, and why if it was the store:
 * counted by the parent, told to the collector.
 */
#ifndef RESTARTS_H
#define RESTARTS_H

#include <stdbool.h>
#include <stdint.h>
#include <time.h>

#include "messages.h"
#include "msg.h"

/* Exit status of a process that could not sync the store. */
#define RESTARTS_EXIT_SYNC	74

/* So many within that time are too many, of one role. */
#define RESTARTS_OFTEN		3
#define RESTARTS_OFTEN_MS	((uint64_t)10 * 60 * 1000)

struct restarts {			/* since the parent started */
	struct {
		uint64_t	 total;
		/* clock_monotonic_ms(), the newest first; 0: none yet */
		uint64_t	 last_ms[RESTARTS_OFTEN];
	}		 roles[ROLE_MAX + 1];
	uint64_t	 sync_failures;
	time_t		 sync_last;	/* by the wall clock */
};

/* A process has ended by itself, with a status of waitpid(). */
void	 restarts_note(struct restarts *, unsigned role, int status,
	    uint64_t now_ms, time_t now);
bool	 restarts_often(const struct restarts *, unsigned role,
	    uint64_t now_ms);
/* MSG_RESTARTS; get: 0, or -1 when it is malformed. */
#define RESTARTS_WIRE_SIZE	((ROLE_MAX * (1 + RESTARTS_OFTEN) + 2) * 8)
void	 restarts_put(struct msg_out *, const struct restarts *);
int	 restarts_get(struct msg *, struct restarts *);

#endif
