/* SPDX-License-Identifier: ISC */
/*
 * A table of questions without an answer yet.  As all of them live equally
 * long, the order in which they came is the order in which they expire, and
 * one timer serves them all.  Runs in worker and broker.
 */
#include "pending.h"

#include <sys/queue.h>

#include <stdlib.h>

#include "clock.h"

struct entry {
	uint64_t		 id;
	uint64_t		 deadline;
	void			*item;
	TAILQ_ENTRY(entry)	 link;
};

struct pending {
	TAILQ_HEAD(, entry)	 entries;	/* oldest first */
	size_t			 n, max;
	uint64_t		 timeout_ms, last_id;
	struct loop_timer	*timer;
	pending_expire_fn	*expire;
	void			*arg;
};

static void	 on_timer(void *);

struct pending *
pending_new(struct loop *loop, size_t max, uint64_t timeout_ms,
    pending_expire_fn *expire, void *arg)
{
	struct pending	*p;

	if ((p = calloc(1, sizeof(*p))) == NULL)
		return NULL;
	TAILQ_INIT(&p->entries);
	p->max = max;
	p->timeout_ms = timeout_ms;
	p->expire = expire;
	p->arg = arg;
	if ((p->timer = loop_timer_new(loop, on_timer, p)) == NULL) {
		free(p);
		return NULL;
	}
	return p;
}

void
pending_free(struct pending *p)
{
	struct entry	*e;

	if (p == NULL)
		return;
	while ((e = TAILQ_FIRST(&p->entries)) != NULL) {
		TAILQ_REMOVE(&p->entries, e, link);
		free(e);
	}
	loop_timer_free(p->timer);
	free(p);
}

static void
start_timer(struct pending *p)
{
	struct entry	*first = TAILQ_FIRST(&p->entries);
	uint64_t	 now = clock_monotonic_ms();

	if (first == NULL)
		loop_timer_stop(p->timer);
	else
		loop_timer_start(p->timer,
		    first->deadline > now ? first->deadline - now : 0);
}

static void *
take(struct pending *p, struct entry *e)
{
	void	*item = e->item;

	TAILQ_REMOVE(&p->entries, e, link);
	p->n--;
	free(e);
	return item;
}

static void
on_timer(void *arg)
{
	struct pending	*p = arg;
	struct entry	*e;
	uint64_t	 now = clock_monotonic_ms();

	while ((e = TAILQ_FIRST(&p->entries)) != NULL && e->deadline <= now)
		p->expire(take(p, e), p->arg);
	start_timer(p);
}

uint64_t
pending_add(struct pending *p, void *item)
{
	struct entry	*e;

	if (p->n == p->max || (e = malloc(sizeof(*e))) == NULL)
		return 0;
	e->id = ++p->last_id;
	e->deadline = clock_monotonic_ms() + p->timeout_ms;
	e->item = item;
	TAILQ_INSERT_TAIL(&p->entries, e, link);
	if (p->n++ == 0)
		start_timer(p);
	return e->id;
}

void *
pending_take(struct pending *p, uint64_t id)
{
	struct entry	*e;

	TAILQ_FOREACH(e, &p->entries, link)
		if (e->id == id)
			return take(p, e);
	return NULL;
}

size_t
pending_count(const struct pending *p)
{
	return p->n;
}

void
pending_fail(struct pending *p)
{
	struct entry	*e;
	uint64_t	 last = p->last_id;

	/* The callback may ask anew; what it adds is not touched. */
	while ((e = TAILQ_FIRST(&p->entries)) != NULL && e->id <= last)
		p->expire(take(p, e), p->arg);
	start_timer(p);
}
