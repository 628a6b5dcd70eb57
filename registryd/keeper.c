/* SPDX-License-Identifier: ISC */
/*
 * The keeper: one of the only processes that write to the store.  It takes
 * requests and bytes from workers, and may block on the disk; it has no
 * socket but its channels, and parses neither HTTP nor JSON.
 */
#include "keeper.h"

#include <sys/stat.h>

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "conf_recv.h"
#include "keeper_worker.h"
#include "log.h"
#include "messages.h"
#include "privdrop.h"
#include "repo.h"
#include "restarts.h"
#include "sandbox.h"

#define STORE_UMASK	027

#define MAX_EARLY	256	/* workers that come before the configuration */

struct process {
	struct keeper	 keeper;
	struct {
		unsigned	 instance;
		int		 fd;
	}		 early[MAX_EARLY];
	size_t		 nearly;
	unsigned	 instance;
	struct registry_conf *conf;
	struct msg_chan	*parent;
	char		*root;
	int		 rootfd;
	bool		 draining;
};

static int	 on_conf_value(struct msg_chan *, struct msg *, void *);
static int	 on_conf_store(struct msg_chan *, struct msg *, void *);
static int	 on_conf_end(struct msg_chan *, struct msg *, void *);
static int	 on_peer(struct msg_chan *, struct msg *, void *);
static int	 on_drain(struct msg_chan *, struct msg *, void *);

#define RULE(type, min, max, fds, handler) \
	{ type, ROLE_PARENT, min, max, fds, handler, #type }

static const struct msg_rule parent_rules[] = {
	RULE(MSG_CONF_BEGIN, 6, MSG_MAX_SIZE, 0, proc_on_conf_begin),
	RULE(MSG_CONF_VALUE, 8, MSG_MAX_SIZE, 0, on_conf_value),
	RULE(MSG_CONF_STORE, 5, MSG_MAX_SIZE, 1, on_conf_store),
	RULE(MSG_CONF_END, 0, 0, 0, on_conf_end),
	RULE(MSG_PEER, 8, 8, 1, on_peer),
	RULE(MSG_DRAIN, 0, 0, 0, on_drain)
};

static int
on_conf_value(struct msg_chan *chan, struct msg *m, void *arg)
{
	struct process *p = arg;

	(void)chan;
	return conf_recv_value(p->conf, m);
}

static int
on_conf_store(struct msg_chan *chan, struct msg *m, void *arg)
{
	struct process *p = arg;

	(void)chan;
	return conf_recv_store(m, &p->root, &p->rootfd);
}

static void
add_worker(struct keeper *k, unsigned instance, int fd)
{
	if (keeper_worker_add(k, instance, fd) == -1)
		log_warn("channel to worker %u", instance);
}

/* Without them hosts that share the directory would lose what they write. */
static void
check_locks(struct store *s)
{
	struct store_lock lock;
	enum store_result r;

	if ((r = store_lock(s, "", &lock)) == STORE_OK)
		store_unlock(s, &lock);
	else if (store_result_is_io(r))
		log_warn("store %s: locks do not work, so no other process may "
		    "write there", store_path(s));
}

/* The same for all keepers; so one of them tells. */
static void
check_names(struct store *s)
{
	switch (store_name_sync(s)) {
	case STORE_NAME_ALONE:
		break;
	case STORE_NAME_WITH_ALL:
		log_warnx("store %s: this file system cannot sync a "
		    "directory; it is synced as a whole instead, which is "
		    "slow", store_path(s));
		break;
	case STORE_NAME_NOT:
		log_warnx("store %s: this file system cannot sync a "
		    "directory: a loss of power may take what was "
		    "acknowledged", store_path(s));
		break;
	}
}

static int
on_conf_end(struct msg_chan *chan, struct msg *m, void *arg)
{
	struct process *p = arg;
	struct keeper *k = &p->keeper;
	size_t i;

	if (p->root == NULL || k->store != NULL)
		return -1;
	k->store = store_fs_new(p->rootfd, p->root, !p->conf->readonly,
	    p->conf->durability);
	if (k->store == NULL)
		fatal("store %s", p->root);
	k->max_manifest = p->conf->max_manifest;
	k->max_blob = p->conf->max_blob;
	k->renew_ms = p->conf->collect_grace_ms / REPO_RENEW_PART;
	k->max_uploads = p->conf->max_uploads;
	k->max_uploads_total = p->conf->max_uploads_total;
	store_reserve(k->store, p->conf->reserve);
	check_locks(k->store);
	if (p->instance == 0)
		check_names(k->store);
	for (i = 0; i < p->nearly; i++)
		add_worker(k, p->early[i].instance, p->early[i].fd);
	p->nearly = 0;
	return msg_send_empty(chan, MSG_READY, m->id);
}

static int
on_peer(struct msg_chan *chan, struct msg *m, void *arg)
{
	struct process *p = arg;
	uint32_t role = msg_get_u32(m);
	uint32_t instance = msg_get_u32(m);
	int fd;

	(void)chan;
	if (msg_end(m) == -1 || role != ROLE_WORKER)
		return -1;
	if ((fd = msg_get_fd(m)) == -1)
		return -1;
	/* A worker may be quicker than the configuration: not before that. */
	if (p->keeper.store != NULL)
		add_worker(&p->keeper, instance, fd);
	else if (p->nearly < MAX_EARLY) {
		p->early[p->nearly].instance = instance;
		p->early[p->nearly++].fd = fd;
	} else
		close(fd);
	return 0;
}

static void
on_alone(void *arg)
{
	struct process *p = arg;

	if (p->draining)
		loop_stop(p->keeper.loop);
}

/* The answers are on their way; the parent starts another one. */
static void
on_failed(void *arg)
{
	struct process *p = arg;

	loop_stop(p->keeper.loop);
}

/* It may have been taken over: let the parent start another one. */
static void
on_bad(const struct msg_chan *chan, void *arg)
{
	struct process *p = arg;

	proc_report_peer(p->parent, chan);
}

/* Requests may still come from workers that drain: their end is ours. */
static int
on_drain(struct msg_chan *chan, struct msg *m, void *arg)
{
	struct process *p = arg;

	(void)chan;
	(void)m;
	p->draining = true;
	if (p->keeper.nworkers == 0)
		loop_stop(p->keeper.loop);
	return 0;
}

int
keeper_main(const struct proc_args *args)
{
	struct process p = { .rootfd = -1, .instance = args->instance };
	char name[32];

	snprintf(name, sizeof(name), "keeper %u", args->instance);
	log_procinit(name);
	proc_child_start(args);
	umask(STORE_UMASK);
	privdrop(args);
	sandbox_enter(SANDBOX_KEEPER);

	p.conf = conf_new();
	LIST_INIT(&p.keeper.workers);
	LIST_INIT(&p.keeper.orphans);
	p.keeper.on_alone = on_alone;
	p.keeper.on_failed = on_failed;
	p.keeper.on_bad = on_bad;
	p.keeper.arg = &p;
	if ((p.keeper.loop = loop_new()) == NULL)
		fatal("event loop");
	p.parent = proc_parent_chan(p.keeper.loop, parent_rules,
	    sizeof(parent_rules) / sizeof(parent_rules[0]), &p);
	if (loop_run(p.keeper.loop) == -1)
		fatal("event loop");

	keeper_worker_cut_all(&p.keeper);
	(void)msg_chan_flush(p.parent);
	msg_chan_free(p.parent);
	loop_free(p.keeper.loop);
	store_free(p.keeper.store);
	conf_free(p.conf);
	free(p.root);
	return p.keeper.failed ? RESTARTS_EXIT_SYNC : 0;
}
