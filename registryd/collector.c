/* SPDX-License-Identifier: ISC */
/*
 * The collector: expires uploads that nobody has touched for long, and
 * sweeps what a crash left behind.  Works in slices between which it hears
 * the parent; talks to nobody else.
 */
#include "collector.h"

#include <sys/stat.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "conf_recv.h"
#include "log.h"
#include "messages.h"
#include "privdrop.h"
#include "random.h"
#include "reference.h"
#include "repo.h"
#include "sandbox.h"
#include "str.h"
#include "upload.h"

#define STORE_UMASK	027
#define REPOS_PER_PAGE	64
#define SLICE_SESSIONS	64
#define SLICE_PAUSE_MS	5
#define JITTER_MAX_MS	60000
#define STRAY_AGE_S	(24 * 60 * 60)	/* files that were never put in place */

struct collector {
	struct loop	*loop;
	struct msg_chan	*parent;
	struct registry_conf *conf;
	char		*root;
	int		 rootfd;
	struct store	*store;
	struct loop_timer *timer;

	/* a run, in the order of repo_list_uploads() */
	bool		 running;
	time_t		 before;
	char		**repos;	/* page of names */
	size_t		 nrepos, next;
	bool		 more;
	char		 last[REPO_NAME_SIZE];
	char		 session[256];	/* name seen last; "" */
	uint64_t	 removed;
};

static int	 on_conf_value(struct msg_chan *, struct msg *, void *);
static int	 on_conf_store(struct msg_chan *, struct msg *, void *);
static int	 on_conf_end(struct msg_chan *, struct msg *, void *);
static int	 on_drain(struct msg_chan *, struct msg *, void *);

#define RULE(type, min, max, fds, handler) \
	{ type, ROLE_PARENT, min, max, fds, handler, #type }

static const struct msg_rule parent_rules[] = {
	RULE(MSG_CONF_BEGIN, 6, MSG_MAX_SIZE, 0, proc_on_conf_begin),
	RULE(MSG_CONF_VALUE, 8, MSG_MAX_SIZE, 0, on_conf_value),
	RULE(MSG_CONF_STORE, 5, MSG_MAX_SIZE, 1, on_conf_store),
	RULE(MSG_CONF_END, 0, 0, 0, on_conf_end),
	RULE(MSG_DRAIN, 0, 0, 0, on_drain)
};

/* ---- one run ---- */

static void
run_end(struct collector *c, enum store_result r)
{
	store_names_free(c->repos, c->nrepos);
	c->repos = NULL;
	c->nrepos = c->next = 0;
	c->running = false;
	if (r != STORE_OK)
		log_warnx("expiry of uploads stopped: %s",
		    store_result_text(r));
	else if (c->removed > 0)
		log_info("%llu abandoned uploads %s",
		    (unsigned long long)c->removed,
		    c->conf->purge_dryrun ? "would be removed" : "removed");
	if (loop_timer_start(c->timer, c->conf->purge_interval_ms) == -1)
		fatal("timer");
}

static void
run_start(struct collector *c)
{
	time_t now = clock_wall();
	enum store_result r;

	c->running = true;
	c->before = now - (time_t)(c->conf->purge_age_ms / 1000);
	c->last[0] = c->session[0] = '\0';
	c->more = true;
	c->removed = 0;
	if ((r = store_sweep(c->store, now - STRAY_AGE_S)) != STORE_OK)
		log_warnx("sweep: %s", store_result_text(r));
}

/* The next page of repositories; with none left the run is over. */
static enum store_result
next_page(struct collector *c)
{
	store_names_free(c->repos, c->nrepos);
	c->repos = NULL;
	c->nrepos = c->next = 0;
	if (!c->more)
		return STORE_OK;
	return repo_list_uploads(c->store, c->last[0] != '\0' ? c->last :
	    NULL, REPOS_PER_PAGE, &c->repos, &c->nrepos, &c->more);
}

static void
expire_one(struct collector *c, const char *repo, const char *id)
{
	enum store_result r;

	if (!upload_id_ok(id))
		return;
	r = upload_expire(c->store, repo, id, c->before,
	    c->conf->purge_dryrun);
	switch (r) {
	case STORE_OK:
		c->removed++;
		log_info("upload %s in %s %s: abandoned", id, repo,
		    c->conf->purge_dryrun ? "would be removed" : "removed");
		break;
	case STORE_MISMATCH:		/* still in use */
	case STORE_BUSY:
	case STORE_NOTFOUND:
		break;
	default:
		log_warnx("upload %s in %s: %s", id, repo,
		    store_result_text(r));
	}
}

/* Some sessions of one repository; *done when it has no more. */
static enum store_result
expire_some(struct collector *c, const char *repo, bool *done)
{
	enum store_result r;
	char **ids;
	size_t i, n;
	bool more;

	*done = true;
	r = upload_list(c->store, repo, c->session[0] != '\0' ? c->session :
	    NULL, SLICE_SESSIONS, &ids, &n, &more);
	if (r != STORE_OK)
		return r == STORE_NOTFOUND || r == STORE_INVALID ?
		    STORE_OK : r;
	for (i = 0; i < n; i++)
		expire_one(c, repo, ids[i]);
	/* A name that is no id of ours could not be gone on from. */
	if (more && n > 0 && str_copy(c->session, sizeof(c->session),
	    ids[n - 1]) == 0)
		*done = false;
	store_names_free(ids, n);
	return STORE_OK;
}

static void
run_slice(struct collector *c)
{
	enum store_result r = STORE_OK;
	bool done;

	if (c->next == c->nrepos)
		r = next_page(c);
	if (r == STORE_OK && c->nrepos == 0) {
		run_end(c, STORE_OK);
		return;
	}
	if (r == STORE_OK)
		r = expire_some(c, c->repos[c->next], &done);
	if (r != STORE_OK) {
		run_end(c, r);
		return;
	}
	if (done) {
		str_copy(c->last, sizeof(c->last), c->repos[c->next++]);
		c->session[0] = '\0';
	}
	if (loop_timer_start(c->timer, SLICE_PAUSE_MS) == -1)
		fatal("timer");
}

static void
on_timer(void *arg)
{
	struct collector *c = arg;

	if (!c->running)
		run_start(c);
	run_slice(c);
}

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

/* Not all at once when many hosts start together. */
static uint64_t
jitter_ms(uint64_t interval_ms)
{
	uint64_t max = interval_ms / 10, v;

	if (max > JITTER_MAX_MS)
		max = JITTER_MAX_MS;
	random_bytes(&v, sizeof(v));
	return v % (max + 1);
}

static int
on_conf_end(struct msg_chan *chan, struct msg *m, void *arg)
{
	struct collector *c = arg;
	const struct registry_conf *conf = c->conf;

	if (c->root == NULL || c->store != NULL)
		return -1;
	c->store = store_fs_new(c->rootfd, c->root, !conf->readonly,
	    conf->durability);
	if (c->store == NULL)
		fatal("store %s", c->root);
	if (conf->purge_enabled && !conf->readonly &&
	    loop_timer_start(c->timer,
	    jitter_ms(conf->purge_interval_ms)) == -1)
		fatal("timer");
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
	struct collector c = { .rootfd = -1 };

	log_procinit("collector");
	proc_child_start(args);
	umask(STORE_UMASK);
	privdrop(args);
	sandbox_enter(SANDBOX_KEEPER);

	c.conf = conf_new();
	if ((c.loop = loop_new()) == NULL ||
	    (c.timer = loop_timer_new(c.loop, on_timer, &c)) == NULL)
		fatal("event loop");
	c.parent = proc_parent_chan(c.loop, parent_rules,
	    sizeof(parent_rules) / sizeof(parent_rules[0]), &c);
	if (loop_run(c.loop) == -1)
		fatal("event loop");

	msg_chan_free(c.parent);
	loop_timer_free(c.timer);
	loop_free(c.loop);
	store_names_free(c.repos, c.nrepos);
	store_free(c.store);
	conf_free(c.conf);
	free(c.root);
	return 0;
}
