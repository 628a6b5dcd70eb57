/* SPDX-License-Identifier: ISC */
/*
 * A process's own counters on their way to the monitor.  Runs in workers and
 * the collector.  The monitor faces the network, so it has no message that
 * would be heard here: one that sends any is not talked to again.
 */
#include "metrics_feed.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "log.h"
#include "messages.h"
#include "msg.h"

struct metrics_feed {
	struct loop	*loop;
	struct loop_timer *timer;
	struct msg_chan	*chan;		/* NULL: no monitor */
	uint32_t	 type;
	size_t		 n;
	bool		 sent;		/* "last", on this channel */
	uint64_t	*last, *now;
	metrics_fill_fn	*fill;
	void		*arg;
};

/* What does not get through is sent again, all of it, the next time. */
static void
feed_send(struct metrics_feed *feed)
{
	struct msg_out out;
	size_t i;

	feed->fill(feed->now, feed->arg);
	if (feed->sent && memcmp(feed->now, feed->last,
	    feed->n * sizeof(*feed->now)) == 0)
		return;
	msg_begin(&out, feed->type, 0);
	for (i = 0; i < feed->n; i++)
		msg_put_u64(&out, feed->now[i]);
	feed->sent = msg_send(feed->chan, &out) == 0;
	memcpy(feed->last, feed->now, feed->n * sizeof(*feed->now));
}

static void
on_timer(void *arg)
{
	struct metrics_feed *feed = arg;

	if (feed->chan == NULL)
		return;
	feed_send(feed);
	(void)loop_timer_start(feed->timer, METRICS_FEED_MS);
}

static void
on_closed(struct msg_chan *chan, const char *why, void *arg)
{
	struct metrics_feed *feed = arg;

	if (why != NULL)
		log_warnx("cut off the monitor: %s", why);
	msg_chan_free(chan);
	feed->chan = NULL;
	loop_timer_stop(feed->timer);
}

struct metrics_feed *
metrics_feed_new(struct loop *loop, uint32_t type, size_t n,
    metrics_fill_fn *fill, void *arg)
{
	struct metrics_feed *feed;

	if ((feed = calloc(1, sizeof(*feed))) == NULL)
		return NULL;
	feed->loop = loop;
	feed->type = type;
	feed->n = n;
	feed->fill = fill;
	feed->arg = arg;
	feed->last = calloc(n, sizeof(*feed->last));
	feed->now = calloc(n, sizeof(*feed->now));
	feed->timer = loop_timer_new(loop, on_timer, feed);
	if (feed->last == NULL || feed->now == NULL || feed->timer == NULL) {
		metrics_feed_free(feed);
		errno = ENOMEM;
		return NULL;
	}
	return feed;
}

int
metrics_feed_peer(struct metrics_feed *feed, int fd)
{
	msg_chan_free(feed->chan);
	feed->sent = false;
	feed->chan = msg_chan_new(feed->loop, fd, ROLE_MONITOR, 0, NULL, 0,
	    on_closed, feed);
	if (feed->chan == NULL)
		return -1;
	return loop_timer_start(feed->timer, 0);
}

void
metrics_feed_free(struct metrics_feed *feed)
{
	if (feed == NULL)
		return;
	msg_chan_free(feed->chan);
	loop_timer_free(feed->timer);
	free(feed->last);
	free(feed->now);
	free(feed);
}
