/* SPDX-License-Identifier: ISC */
/*
 * The collector: expires uploads that nobody has touched for long, sweeps
 * what a crash left behind, and collects garbage.  Works in slices between
 * which it hears the parent, and registryctl at the control socket.
 */
#include "collector.h"

#include <sys/stat.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "collector_control.h"
#include "collector_health.h"
#include "collector_job.h"
#include "collector_metrics.h"
#include "conf_recv.h"
#include "log.h"
#include "messages.h"
#include "metrics_feed.h"
#include "privdrop.h"
#include "restarts.h"
#include "sandbox.h"
#include "sysfs.h"

#define STORE_UMASK	027
#define NICENESS	10

struct collector {
	struct loop	*loop;
	struct msg_chan	*parent;
	struct registry_conf *conf;
	char		*root;
	int		 rootfd;
	struct store	*store;
	struct collector_jobs *jobs;
	int		 controlfd;
	struct restarts	 restarts;
	struct collector_control *control;
	struct metrics_feed *feed;	/* with a monitor */
};

static int	 on_conf_value(struct msg_chan *, struct msg *, void *);
static int	 on_conf_store(struct msg_chan *, struct msg *, void *);
static int	 on_conf_control(struct msg_chan *, struct msg *, void *);
static int	 on_peer(struct msg_chan *, struct msg *, void *);
static int	 on_restarts(struct msg_chan *, struct msg *, void *);
static int	 on_conf_end(struct msg_chan *, struct msg *, void *);
static int	 on_drain(struct msg_chan *, struct msg *, void *);

#define RULE(type, min, max, fds, handler) \
	{ type, ROLE_PARENT, min, max, fds, handler, #type }

static const struct msg_rule parent_rules[] = {
	RULE(MSG_CONF_BEGIN, 6, MSG_MAX_SIZE, 0, proc_on_conf_begin),
	RULE(MSG_CONF_VALUE, 8, MSG_MAX_SIZE, 0, on_conf_value),
	RULE(MSG_CONF_STORE, 5, MSG_MAX_SIZE, 1, on_conf_store),
	RULE(MSG_CONF_CONTROL, 0, 0, 1, on_conf_control),
	RULE(MSG_RESTARTS, RESTARTS_WIRE_SIZE, RESTARTS_WIRE_SIZE, 0,
	    on_restarts),
	RULE(MSG_PEER, 8, 8, 1, on_peer),
	RULE(MSG_CONF_END, 0, 0, 0, on_conf_end),
	RULE(MSG_DRAIN, 0, 0, 0, on_drain)
};

/* ---- the parent's messages ---- */

static int
on_conf_value(struct msg_chan *chan, struct msg *m, void *arg)
{
	struct collector *c = arg;

	(void)chan;
	return conf_recv_value(c->conf, m);
}

static int
on_conf_store(struct msg_chan *chan, struct msg *m, void *arg)
{
	struct collector *c = arg;

	(void)chan;
	return conf_recv_store(m, &c->root, &c->rootfd);
}

static void
start_control(struct collector *c)
{
	if (c->controlfd == -1)
		return;
	c->control = collector_control_new(c->loop, c->controlfd, c->store,
	    c->conf, c->jobs, &c->restarts);
	if (c->control == NULL)
		log_warn("control socket");
}

static int
on_conf_control(struct msg_chan *chan, struct msg *m, void *arg)
{
	struct collector *c = arg;

	(void)chan;
	if (c->controlfd != -1)
		return -1;
	c->controlfd = msg_get_fd(m);
	if (c->controlfd == -1 || msg_end(m) == -1)
		return -1;
	/* Else with the rest of the configuration. */
	if (c->store != NULL)
		start_control(c);
	return 0;
}

static int
on_restarts(struct msg_chan *chan, struct msg *m, void *arg)
{
	struct collector *c = arg;

	(void)chan;
	return restarts_get(m, &c->restarts);
}

/* The root directory is the store's, and open as long as that is. */
static void
fill_metrics(uint64_t *v, void *arg)
{
	struct trouble_list troubles = { .items = NULL };
	const struct collector *c = arg;
	struct trouble_space space;
	bool known;

	memset(v, 0, METRIC_COLLECTOR_N * sizeof(*v));
	if (c->jobs == NULL)
		return;
	known = sysfs_space(c->rootfd, &space.total, &space.left) == 0;
	space.readonly = sysfs_is_readonly(c->rootfd);
	trouble_look(&troubles, c->store, c->conf->reserve,
	    known ? &space : NULL);
	collector_health(&troubles, c->jobs, &c->restarts);
	collector_metrics_fill(v, collector_sums(c->jobs), c->jobs,
	    &c->restarts, &troubles);
}

static int
on_peer(struct msg_chan *chan, struct msg *m, void *arg)
{
	struct collector *c = arg;
	uint32_t role = msg_get_u32(m);
	int fd;

	(void)chan;
	(void)msg_get_u32(m);
	if (msg_end(m) == -1 || role != ROLE_MONITOR ||
	    (fd = msg_get_fd(m)) == -1)
		return -1;
	if (c->feed == NULL && (c->feed = metrics_feed_new(c->loop,
	    METRICS_COLLECTOR, METRIC_COLLECTOR_N, fill_metrics, c)) == NULL)
		fatal("metrics");
	if (metrics_feed_peer(c->feed, fd) == -1)
		log_warn("channel to the monitor");
	return 0;
}

static int
on_conf_end(struct msg_chan *chan, struct msg *m, void *arg)
{
	struct collector *c = arg;
	const struct registry_conf *conf = c->conf;

	if (c->root == NULL || c->store != NULL)
		return -1;
	/* What it removes may come back after a loss of power. */
	c->store = store_fs_new(c->rootfd, c->root, !conf->readonly,
	    conf->durability == STORE_NONE ? STORE_NONE : STORE_BATCH);
	if (c->store == NULL)
		fatal("store %s", c->root);
	store_reserve(c->store, conf->reserve);
	c->jobs = collector_jobs_new(c->loop, c->store, conf);
	start_control(c);
	return msg_send_empty(chan, MSG_READY, m->id);
}

static int
on_drain(struct msg_chan *chan, struct msg *m, void *arg)
{
	struct collector *c = arg;

	(void)chan;
	(void)m;
	loop_stop(c->loop);
	return 0;
}

int
collector_main(const struct proc_args *args)
{
	struct collector c = { .rootfd = -1, .controlfd = -1 };

	log_procinit("collector");
	proc_child_start(args);
	umask(STORE_UMASK);
	privdrop(args);
	sandbox_enter(SANDBOX_KEEPER);

	c.conf = conf_new();
	if ((c.loop = loop_new()) == NULL)
		fatal("event loop");
	errno = 0;
	/* Whoever serves clients goes first. */
	if (nice(NICENESS) == -1 && errno != 0)
		log_warn("nice");
	sysfs_keep_atimes();
	c.parent = proc_parent_chan(c.loop, parent_rules,
	    sizeof(parent_rules) / sizeof(parent_rules[0]), &c);
	if (loop_run(c.loop) == -1)
		fatal("event loop");

	msg_chan_free(c.parent);
	metrics_feed_free(c.feed);
	collector_control_free(c.control);
	collector_jobs_free(c.jobs);
	loop_free(c.loop);
	store_free(c.store);
	conf_free(c.conf);
	free(c.root);
	return 0;
}
