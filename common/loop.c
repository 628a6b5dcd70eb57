/* SPDX-License-Identifier: ISC */
/*
 * The event loop on libevent's core, used by every process.  Owns the one
 * event_base of the process and the list of work put off to the end of a
 * turn.  It must not know what is being watched.
 */
#include "loop.h"

#include <sys/queue.h>
#include <sys/time.h>

#include <errno.h>
#include <event2/event.h>
#include <event2/event_struct.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>

struct deferred {
	loop_defer_fn		*fn;
	void			*arg;
	STAILQ_ENTRY(deferred)	 entry;
};

struct loop {
	struct event_base	*base;
	STAILQ_HEAD(, deferred)	 deferred;
	bool			 stop;
};

/*
 * Two events, because adding and removing one direction is then one system
 * call, while changing the flags of a single event would be two.
 */
struct loop_io {
	struct loop		*loop;
	struct event		 rd;
	struct event		 wr;
	unsigned		 wanted;
	loop_io_fn		*fn;
	void			*arg;
};

struct loop_timer {
	struct event		 ev;
	loop_timer_fn		*fn;
	void			*arg;
};

struct loop_signal {
	struct event		 ev;
	loop_signal_fn		*fn;
	void			*arg;
};

/* With the time of when a turn began, a timer set late in it is early. */
static struct event_base *
new_base(void)
{
	struct event_config	*config;
	struct event_base	*base = NULL;

	if ((config = event_config_new()) == NULL)
		return NULL;
	if (event_config_set_flag(config, EVENT_BASE_FLAG_NO_CACHE_TIME) == 0)
		base = event_base_new_with_config(config);
	event_config_free(config);
	return base;
}

struct loop *
loop_new(void)
{
	struct loop *loop;

	if ((loop = calloc(1, sizeof(*loop))) == NULL)
		return NULL;
	STAILQ_INIT(&loop->deferred);
	if ((loop->base = new_base()) == NULL) {
		free(loop);
		errno = ENOMEM;
		return NULL;
	}
	return loop;
}

static void
run_deferred(struct loop *loop)
{
	STAILQ_HEAD(, deferred) turn = STAILQ_HEAD_INITIALIZER(turn);
	struct deferred *d;

	/* What these functions put off themselves belongs to the next turn. */
	STAILQ_CONCAT(&turn, &loop->deferred);
	while ((d = STAILQ_FIRST(&turn)) != NULL) {
		STAILQ_REMOVE_HEAD(&turn, entry);
		d->fn(d->arg);
		free(d);
	}
}

void
loop_free(struct loop *loop)
{
	if (loop == NULL)
		return;
	while (!STAILQ_EMPTY(&loop->deferred))
		run_deferred(loop);
	event_base_free(loop->base);
	free(loop);
}

int
loop_run(struct loop *loop)
{
	int flags;

	while (!loop->stop) {
		flags = EVLOOP_NO_EXIT_ON_EMPTY;
		if (STAILQ_EMPTY(&loop->deferred))
			flags |= EVLOOP_ONCE;
		else
			flags |= EVLOOP_NONBLOCK;
		if (event_base_loop(loop->base, flags) == -1)
			return -1;
		run_deferred(loop);
	}
	loop->stop = false;
	return 0;
}

void
loop_stop(struct loop *loop)
{
	loop->stop = true;
}

int
loop_defer(struct loop *loop, loop_defer_fn *fn, void *arg)
{
	struct deferred *d;

	if ((d = malloc(sizeof(*d))) == NULL)
		return -1;
	d->fn = fn;
	d->arg = arg;
	STAILQ_INSERT_TAIL(&loop->deferred, d, entry);
	return 0;
}

static void
on_io(evutil_socket_t fd, short what, void *arg)
{
	struct loop_io *io = arg;
	unsigned events = 0;

	if (what & EV_READ)
		events |= LOOP_READ;
	if (what & EV_WRITE)
		events |= LOOP_WRITE;
	io->fn(fd, events, io->arg);
}

struct loop_io *
loop_io_new(struct loop *loop, int fd, loop_io_fn *fn, void *arg)
{
	struct loop_io *io;

	if ((io = calloc(1, sizeof(*io))) == NULL)
		return NULL;
	io->loop = loop;
	io->fn = fn;
	io->arg = arg;
	if (event_assign(&io->rd, loop->base, fd, EV_READ | EV_PERSIST, on_io,
	    io) == -1 || event_assign(&io->wr, loop->base, fd,
	    EV_WRITE | EV_PERSIST, on_io, io) == -1) {
		free(io);
		errno = EINVAL;
		return NULL;
	}
	return io;
}

static int
set_event(struct event *ev, bool on)
{
	return on ? event_add(ev, NULL) : event_del(ev);
}

int
loop_io_want(struct loop_io *io, unsigned events)
{
	unsigned change = io->wanted ^ events;

	if ((change & LOOP_READ) != 0) {
		if (set_event(&io->rd, (events & LOOP_READ) != 0) == -1)
			return -1;
		io->wanted ^= LOOP_READ;
	}
	if ((change & LOOP_WRITE) != 0) {
		if (set_event(&io->wr, (events & LOOP_WRITE) != 0) == -1)
			return -1;
		io->wanted ^= LOOP_WRITE;
	}
	return 0;
}

void
loop_io_free(struct loop_io *io)
{
	if (io == NULL)
		return;
	event_del(&io->rd);
	event_del(&io->wr);
	free(io);
}

static void
on_timer(evutil_socket_t fd, short what, void *arg)
{
	struct loop_timer *timer = arg;

	(void)fd;
	(void)what;
	timer->fn(timer->arg);
}

struct loop_timer *
loop_timer_new(struct loop *loop, loop_timer_fn *fn, void *arg)
{
	struct loop_timer *timer;

	if ((timer = calloc(1, sizeof(*timer))) == NULL)
		return NULL;
	timer->fn = fn;
	timer->arg = arg;
	if (evtimer_assign(&timer->ev, loop->base, on_timer, timer) == -1) {
		free(timer);
		errno = EINVAL;
		return NULL;
	}
	return timer;
}

int
loop_timer_start(struct loop_timer *timer, uint64_t ms)
{
	struct timeval tv;

	tv.tv_sec = (time_t)(ms / 1000);
	tv.tv_usec = (suseconds_t)(ms % 1000 * 1000);
	return evtimer_add(&timer->ev, &tv);
}

void
loop_timer_stop(struct loop_timer *timer)
{
	evtimer_del(&timer->ev);
}

void
loop_timer_free(struct loop_timer *timer)
{
	if (timer == NULL)
		return;
	evtimer_del(&timer->ev);
	free(timer);
}

static void
on_signal(evutil_socket_t signo, short what, void *arg)
{
	struct loop_signal *sig = arg;

	(void)what;
	sig->fn(signo, sig->arg);
}

struct loop_signal *
loop_signal_new(struct loop *loop, int signo, loop_signal_fn *fn, void *arg)
{
	struct loop_signal *sig;

	if ((sig = calloc(1, sizeof(*sig))) == NULL)
		return NULL;
	sig->fn = fn;
	sig->arg = arg;
	if (evsignal_assign(&sig->ev, loop->base, signo, on_signal,
	    sig) == -1 || evsignal_add(&sig->ev, NULL) == -1) {
		free(sig);
		errno = EINVAL;
		return NULL;
	}
	return sig;
}

void
loop_signal_free(struct loop_signal *sig)
{
	if (sig == NULL)
		return;
	evsignal_del(&sig->ev);
	free(sig);
}
