/* SPDX-License-Identifier: ISC */
/*
 * The monitor: tells whoever asks at http.debug.addr what the others count.
 * It has no store, no file and no key, only the numbers that workers and the
 * collector send it, and sends nothing to anyone but its own clients.
 */
#include "monitor.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "conf_recv.h"
#include "http.h"
#include "listener.h"
#include "log.h"
#include "messages.h"
#include "metrics.h"
#include "privdrop.h"
#include "sandbox.h"

#define MAX_WORKERS	64
#define MAX_CONNECTIONS	16
#define MAX_TARGET	4096
#define WAIT_MS		10000		/* of everything */
#define MAX_REQUESTS	1000		/* of one connection */

struct source {				/* one process that counts */
	struct msg_chan	*chan;
	uint64_t	 v[METRIC_N];
};

struct monitor {
	struct loop	*loop;
	struct msg_chan	*parent;
	struct registry_conf *conf;
	int		 listener_fds[LISTENER_MAX];
	struct listener	*listeners[LISTENER_MAX];
	size_t		 nlisteners;
	struct http_server *server;	/* NULL until configured */
	struct source	 workers[MAX_WORKERS];
	struct source	 collector;
	uint64_t	 gone[METRIC_N];	/* of those that have ended */
};

static msg_handler_fn	 on_conf_value, on_conf_listener, on_conf_end,
			 on_peer, on_drain, on_worker, on_collector;

#define RULE(type, min, max, fds, handler) \
	{ type, ROLE_PARENT, min, max, fds, handler, #type }

static const struct msg_rule rules[] = {
	RULE(MSG_CONF_BEGIN, 6, MSG_MAX_SIZE, 0, proc_on_conf_begin),
	RULE(MSG_CONF_VALUE, 8, MSG_MAX_SIZE, 0, on_conf_value),
	RULE(MSG_CONF_LISTENER, 4, 256, 1, on_conf_listener),
	RULE(MSG_CONF_END, 0, 0, 0, on_conf_end),
	RULE(MSG_PEER, 8, 8, 1, on_peer),
	RULE(MSG_DRAIN, 0, 0, 0, on_drain),
	{ METRICS_WORKER, ROLE_WORKER, METRIC_WORKER_N * 8,
	    METRIC_WORKER_N * 8, 0, on_worker, "METRICS_WORKER" },
	{ METRICS_COLLECTOR, ROLE_COLLECTOR, METRIC_COLLECTOR_N * 8,
	    METRIC_COLLECTOR_N * 8, 0, on_collector, "METRICS_COLLECTOR" },
};
#define NRULES	(sizeof(rules) / sizeof(rules[0]))

/* ---- what the others count ---- */

static struct source *
source_find(struct monitor *mon, unsigned role, unsigned instance)
{
	if (role == ROLE_COLLECTOR)
		return &mon->collector;
	return role == ROLE_WORKER && instance < MAX_WORKERS ?
	    &mon->workers[instance] : NULL;
}

/* Its process has ended: what it counted stays counted. */
static void
source_end(struct monitor *mon, struct source *s)
{
	size_t i;

	msg_chan_free(s->chan);
	s->chan = NULL;
	for (i = 0; i < METRIC_N; i++)
		if (metric_kind((enum metric)i) == METRIC_COUNTER) {
			mon->gone[i] += s->v[i];
			s->v[i] = 0;
		}
	if (s != &mon->collector)
		memset(s->v, 0, sizeof(s->v));
}

static void
on_source_closed(struct msg_chan *chan, const char *why, void *arg)
{
	struct monitor *mon = arg;
	unsigned role = msg_chan_role(chan);
	unsigned instance = msg_chan_instance(chan);

	if (why != NULL)
		log_warnx("cut off %s %u: %s", role == ROLE_WORKER ?
		    "worker" : "collector", instance, why);
	source_end(mon, source_find(mon, role, instance));
}

static int
read_values(struct msg *m, uint64_t *v, size_t n)
{
	size_t i;

	for (i = 0; i < n; i++)
		v[i] = msg_get_u64(m);
	return msg_end(m);
}

static int
on_worker(struct msg_chan *chan, struct msg *m, void *arg)
{
	struct monitor *mon = arg;

	return read_values(m, mon->workers[msg_chan_instance(chan)].v,
	    METRIC_WORKER_N);
}

static int
on_collector(struct msg_chan *chan, struct msg *m, void *arg)
{
	struct monitor *mon = arg;

	(void)chan;
	return read_values(m, mon->collector.v + METRIC_COLLECTIONS,
	    METRIC_COLLECTOR_N);
}

static int
on_peer(struct msg_chan *chan, struct msg *m, void *arg)
{
	struct monitor *mon = arg;
	uint32_t role = msg_get_u32(m);
	uint32_t instance = msg_get_u32(m);
	struct source *s;
	int fd;

	(void)chan;
	if (msg_end(m) == -1 ||
	    (s = source_find(mon, role, instance)) == NULL ||
	    (fd = msg_get_fd(m)) == -1)
		return -1;
	if (s->chan != NULL)
		source_end(mon, s);
	s->chan = msg_chan_new(mon->loop, fd, role, instance, rules, NRULES,
	    on_source_closed, mon);
	if (s->chan == NULL)
		log_warn("channel");
	return 0;
}

static void
add_up(const struct monitor *mon, uint64_t sum[METRIC_N])
{
	size_t i, w;

	for (i = 0; i < METRIC_N; i++) {
		sum[i] = mon->gone[i] + mon->collector.v[i];
		for (w = 0; w < MAX_WORKERS; w++)
			sum[i] += mon->workers[w].v[i];
	}
}

/* ---- answers ---- */

static void
answer(struct http_exchange *exchange, int status, const char *type,
    const struct buf *body)
{
	struct http_response resp;

	http_response_init(&resp, status);
	http_response_header(&resp, "Content-Type", "%s", type);
	http_response_header(&resp, "Cache-Control", "no-store");
	http_response_header(&resp, "X-Content-Type-Options", "nosniff");
	if (status == 405)
		http_response_header(&resp, "Allow", "GET, HEAD");
	http_response_body(&resp, body->data, body->len);
	http_respond(exchange, &resp);
}

static bool
is_path(const struct monitor *mon, const char *target)
{
	const char *path = mon->conf->metrics_path;
	size_t len = strlen(path);

	return strncmp(target, path, len) == 0 &&
	    (target[len] == '\0' || target[len] == '?');
}

static void
on_request(struct http_exchange *exchange, void *arg)
{
	const struct http_request *head = http_request(exchange);
	struct monitor *mon = arg;
	const char *type = "text/plain; charset=utf-8";
	uint64_t sum[METRIC_N];
	struct buf body;
	int status = 200;

	buf_init(&body, METRICS_TEXT_MAX);
	if (!is_path(mon, head->target))
		status = 404;
	else if (head->method != HTTP_GET && head->method != HTTP_HEAD)
		status = 405;
	else {
		add_up(mon, sum);
		if (metrics_format(&body, sum) == -1)
			status = 503;
		type = METRICS_CONTENT_TYPE;
	}
	if (status != 200) {
		type = "text/plain; charset=utf-8";
		buf_done(&body);
		buf_init(&body, METRICS_TEXT_MAX);
		(void)buf_addf(&body, "%s\n", http_status_text(status));
	}
	answer(exchange, status, type, &body);
	buf_done(&body);
}

static void
on_done(struct http_exchange *exchange, void *arg)
{
	const struct http_request *head = http_request(exchange);

	(void)arg;
	log_debug("%s: status %d", head->peer.addr, http_status(exchange));
}

static void
on_bad_request(const struct peer *peer, int status, const char *reason,
    struct buf *body, const char **content_type, void *arg)
{
	(void)arg;
	log_debug("%s: status %d", peer->addr, status);
	(void)buf_addf(body, "%s\n", reason);
	*content_type = "text/plain; charset=utf-8";
}

static const struct http_server_ops server_ops = {
	.on_request = on_request,
	.on_done = on_done,
	.on_bad_request = on_bad_request,
};

/* ---- serving ---- */

static void
pause_listeners(struct monitor *mon, bool pause)
{
	size_t i;

	for (i = 0; i < mon->nlisteners; i++)
		listener_pause(mon->listeners[i], pause);
}

static void
on_room(void *arg)
{
	pause_listeners(arg, false);
}

static void
on_accept(int fd, const struct peer *peer, void *arg)
{
	struct monitor *mon = arg;

	if (http_server_add(mon->server, fd, peer, NULL) == -1)
		log_debug("connection from %s was not taken", peer->addr);
	if (http_server_connections(mon->server) >= MAX_CONNECTIONS)
		pause_listeners(mon, true);
}

/* ---- configuration ---- */

static int
on_conf_value(struct msg_chan *chan, struct msg *m, void *arg)
{
	struct monitor *mon = arg;

	(void)chan;
	return conf_recv_value(mon->conf, m);
}

static int
on_conf_listener(struct msg_chan *chan, struct msg *m, void *arg)
{
	struct monitor *mon = arg;
	char name[128];

	(void)chan;
	msg_get_str(m, name, sizeof(name));
	if (msg_end(m) == -1 || mon->nlisteners == LISTENER_MAX ||
	    mon->server != NULL)
		return -1;
	mon->listener_fds[mon->nlisteners++] = msg_get_fd(m);
	return 0;
}

static int
on_conf_end(struct msg_chan *chan, struct msg *m, void *arg)
{
	struct monitor *mon = arg;
	struct http_limits limits = http_limits_default;
	size_t i;

	if (mon->server != NULL)
		return -1;
	limits.max_connections = MAX_CONNECTIONS;
	limits.max_target = MAX_TARGET;
	limits.max_discard = 0;
	limits.max_requests = MAX_REQUESTS;
	limits.head_timeout_ms = limits.body_timeout_ms =
	    limits.send_timeout_ms = WAIT_MS;
	mon->server = http_server_new(mon->loop, &limits, &server_ops, mon);
	if (mon->server == NULL)
		fatal("http server");
	http_server_on_room(mon->server, on_room, mon);
	for (i = 0; i < mon->nlisteners; i++) {
		mon->listeners[i] = listener_new(mon->loop,
		    mon->listener_fds[i], on_accept, mon);
		if (mon->listeners[i] == NULL)
			fatal("listener");
	}
	return msg_send_empty(chan, MSG_READY, m->id);
}

/* ---- the process ---- */

/* Who scrapes comes again, to the next one. */
static int
on_drain(struct msg_chan *chan, struct msg *m, void *arg)
{
	struct monitor *mon = arg;

	(void)chan;
	(void)m;
	loop_stop(mon->loop);
	return 0;
}

static void
monitor_done(struct monitor *mon)
{
	size_t i;

	for (i = 0; i < mon->nlisteners; i++)
		listener_free(mon->listeners[i]);
	http_server_free(mon->server);
	for (i = 0; i < MAX_WORKERS; i++)
		msg_chan_free(mon->workers[i].chan);
	msg_chan_free(mon->collector.chan);
	msg_chan_free(mon->parent);
	conf_free(mon->conf);
	loop_free(mon->loop);
}

int
monitor_main(const struct proc_args *args)
{
	static struct monitor mon;

	log_procinit("monitor");
	proc_child_start(args);
	privdrop(args);
	sandbox_enter(SANDBOX_NET_WORKER);
	if ((mon.loop = loop_new()) == NULL ||
	    (mon.conf = conf_new()) == NULL)
		fatal("start");
	mon.parent = proc_parent_chan(mon.loop, rules, NRULES, &mon);
	if (loop_run(mon.loop) == -1)
		fatal("event loop");
	monitor_done(&mon);
	return 0;
}
