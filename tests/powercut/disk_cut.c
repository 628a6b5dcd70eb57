/* SPDX-License-Identifier: ISC */
/*
 * What a cut of power leaves of a disk: all writes that were answered before
 * a flush came that was answered before the cut, in their order; and of the
 * others, in their order as well, those that chance keeps, of large ones
 * perhaps some sectors only.
 */
#include "disk.h"

#include <sys/mman.h>

#include <err.h>
#include <string.h>
#include <unistd.h>

#include "disk_local.h"

/* The writes answered by then are on the medium. */
static uint64_t
durable_until(const struct disk *d, uint64_t time)
{
	const struct event	*e;
	uint64_t		 until = 0;

	for (e = d->events; e < d->events + d->n_events; e++)
		if (e->is_flush && e->done != 0 && e->done <= time &&
		    e->received > until)
			until = e->received;
	return until;
}

static bool
is_durable(const struct event *e, uint64_t until)
{
	return e->done != 0 && e->done <= until;
}

static bool
is_kept(const struct cut *cut, uint64_t *state, size_t n, size_t dropped)
{
	switch (cut->cache) {
	case CUT_KEEPS:
		return true;
	case CUT_LOSES:
		return false;
	case CUT_DROPS_ONE:
		return n != dropped;
	default:
		return disk_chance(state) % 100 < cut->keep;
	}
}

static void
write_out(struct disk *dst, int fd, const struct event *e, size_t from,
    size_t len)
{
	if (fd == -1)
		memcpy(dst->contents + e->offset + from, e->data + from, len);
	else if (pwrite(fd, e->data + from, len,
	    (off_t)(e->offset + from)) != (ssize_t)len)
		err(1, "%s", dst->path);
}

/* Some of the sectors only. */
static void
write_torn(struct disk *dst, int fd, const struct event *e,
    const struct cut *cut, uint64_t *state)
{
	size_t	 at, len;

	for (at = 0; at < e->len; at += len) {
		len = cut->sector - (e->offset + at) % cut->sector;
		if (len > e->len - at)
			len = e->len - at;
		if (disk_chance(state) % 2 == 0)
			write_out(dst, fd, e, at, len);
	}
}

/* To dst's memory, or to fd. */
static void
cut_apply(struct disk *dst, int fd, const struct disk *src,
    const struct cut *cut, struct cut_result *r)
{
	const struct event	*e, *end = src->events + src->n_events;
	uint64_t		 until, state = cut->seed;
	size_t			 n = 0, dropped;

	memset(r, 0, sizeof(*r));
	until = durable_until(src, cut->time);
	for (e = src->events; e < end && e->received <= cut->time; e++)
		if (!e->is_flush && !is_durable(e, until))
			r->unsafe++;
	dropped = r->unsafe == 0 ? 0 : disk_chance(&state) % r->unsafe;
	for (e = src->events; e < end && e->received <= cut->time; e++) {
		if (e->is_flush)
			continue;
		if (is_durable(e, until)) {
			r->durable++;
			write_out(dst, fd, e, 0, e->len);
			continue;
		}
		if (!is_kept(cut, &state, n++, dropped))
			continue;
		if (e->len > cut->sector &&
		    disk_chance(&state) % 100 < cut->tear) {
			r->torn++;
			write_torn(dst, fd, e, cut, &state);
		} else {
			r->kept++;
			write_out(dst, fd, e, 0, e->len);
		}
	}
}

void
disk_cut(struct disk *dst, const struct disk *src, const struct cut *cut,
    struct cut_result *r)
{
	void	*map;

	/* In place: the thread that serves knows this address. */
	map = mmap(dst->contents, dst->size, PROT_READ | PROT_WRITE,
	    MAP_PRIVATE | MAP_NORESERVE | MAP_FIXED, src->image, 0);
	if (map == MAP_FAILED || dst->size != src->size)
		err(1, "mmap %s", src->path);
	disk_log_clear(dst);
	cut_apply(dst, -1, src, cut, r);
}

void
disk_settle(struct disk *d, const struct cut *cut, struct cut_result *r)
{
	cut_apply(d, d->image, d, cut, r);
	disk_reload(d);
}
