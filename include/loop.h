/* SPDX-License-Identifier: ISC */
/*
 * The event loop of every process: descriptors, timers, signals, and work
 * put off to the end of the turn.  On libevent; nobody else includes it.
 *
 * A watch may be freed inside its own callback.  What a callback's object
 * is made of must not: put that off with loop_defer().
 */
#ifndef LOOP_H
#define LOOP_H

#include <stdint.h>

#define LOOP_READ	0x01u
#define LOOP_WRITE	0x02u

struct loop;
struct loop_io;
struct loop_timer;
struct loop_signal;

typedef void loop_io_fn(int fd, unsigned events, void *arg);
typedef void loop_timer_fn(void *arg);
typedef void loop_signal_fn(int signo, void *arg);
typedef void loop_defer_fn(void *arg);

struct loop	*loop_new(void);		/* NULL: errno */
void		 loop_free(struct loop *);
/* Until loop_stop(). -1 with errno when the loop itself fails. */
int		 loop_run(struct loop *);
void		 loop_stop(struct loop *);
/* Run fn(arg) at the end of this turn; order is kept. -1 ENOMEM. */
int		 loop_defer(struct loop *, loop_defer_fn *, void *arg);

/* Watches nothing until loop_io_want().  fd stays the caller's. */
struct loop_io	*loop_io_new(struct loop *, int fd, loop_io_fn *, void *arg);
/* Level-triggered; 0 pauses.  Cheap when nothing changes. */
int		 loop_io_want(struct loop_io *, unsigned events);
void		 loop_io_free(struct loop_io *);	/* NULL is fine */

struct loop_timer *loop_timer_new(struct loop *, loop_timer_fn *, void *arg);
/* Once, after ms; starting again replaces the deadline. */
int		 loop_timer_start(struct loop_timer *, uint64_t ms);
void		 loop_timer_stop(struct loop_timer *);
void		 loop_timer_free(struct loop_timer *);	/* NULL is fine */

struct loop_signal *loop_signal_new(struct loop *, int signo,
		    loop_signal_fn *, void *arg);
void		 loop_signal_free(struct loop_signal *);

#endif
