/* SPDX-License-Identifier: ISC */
/*
 * A process's own counters on their way to the monitor: sent as they change,
 * nothing comes back.
 */
#ifndef METRICS_FEED_H
#define METRICS_FEED_H

#include <stddef.h>
#include <stdint.h>

#include "loop.h"

#define METRICS_FEED_MS		1000	/* at most so often */

struct metrics_feed;
/* Write the n values as they are now. */
typedef void metrics_fill_fn(uint64_t *v, void *arg);

/* type: the message that carries n values.  NULL: ENOMEM. */
struct metrics_feed *metrics_feed_new(struct loop *, uint32_t type, size_t n,
		    metrics_fill_fn *, void *arg);
/* The (new) channel to the monitor; takes ownership of fd.  0 or -1. */
int		 metrics_feed_peer(struct metrics_feed *, int fd);
/* NULL is fine. */
void		 metrics_feed_free(struct metrics_feed *);

#endif
