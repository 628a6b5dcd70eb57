/* SPDX-License-Identifier: ISC */
/*
 * A verifier: checks one user and password at a time against the htpasswd
 * file of auth.htpasswd, for the workers, which never see a hash.  It has no
 * file but that one, no store and no socket but its channels; a check that
 * takes too long ends it, and the parent starts another.
 */
#include "verifier.h"

#include <openssl/crypto.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "conf_recv.h"
#include "htpasswd.h"
#include "log.h"
#include "loop.h"
#include "messages.h"
#include "privdrop.h"
#include "sandbox.h"
#include "verify.h"

#define MAX_WORKERS	64

struct verifier {
	struct loop	*loop;
	struct msg_chan	*parent;
	struct registry_conf *conf;
	struct htpasswd	*users;		/* NULL until configured */
	int		 file;		/* that was sent last; -1: none */
	int		 early[MAX_WORKERS];	/* before the users; -1: none */
	struct msg_chan	*workers[MAX_WORKERS];
	size_t		 nworkers;
	bool		 draining;
};

static msg_handler_fn	 on_conf_value, on_conf_file, on_conf_end, on_peer,
			 on_drain, on_check;

#define RULE(type, min, max, fds, handler) \
	{ type, ROLE_PARENT, min, max, fds, handler, #type }

static const struct msg_rule rules[] = {
	RULE(MSG_CONF_BEGIN, 6, MSG_MAX_SIZE, 0, proc_on_conf_begin),
	RULE(MSG_CONF_VALUE, 8, MSG_MAX_SIZE, 0, on_conf_value),
	RULE(MSG_CONF_FILE, 4, 4, 1, on_conf_file),
	RULE(MSG_CONF_END, 0, 0, 0, on_conf_end),
	RULE(MSG_PEER, 8, 8, 1, on_peer),
	RULE(MSG_DRAIN, 0, 0, 0, on_drain),
	{ VERIFIER_CHECK, ROLE_WORKER, 12, MSG_MAX_SIZE, 0, on_check,
	    "VERIFIER_CHECK" },
};
#define NRULES	(sizeof(rules) / sizeof(rules[0]))

/* ---- workers ---- */

static void
on_worker_closed(struct msg_chan *chan, const char *why, void *arg)
{
	struct verifier *v = arg;
	unsigned instance = msg_chan_instance(chan);

	if (why != NULL) {
		log_warnx("cut off worker %u: %s", instance, why);
		proc_report_peer(v->parent, chan);
	}
	if (v->workers[instance] == chan) {
		v->workers[instance] = NULL;
		v->nworkers--;
	}
	msg_chan_free(chan);
	if (v->draining && v->nworkers == 0)
		loop_stop(v->loop);
}

static void
add_worker(struct verifier *v, unsigned instance, int fd)
{
	struct msg_chan *chan;

	chan = msg_chan_new(v->loop, fd, ROLE_WORKER, instance, rules, NRULES,
	    on_worker_closed, v);
	if (chan == NULL) {
		log_warn("channel to worker %u", instance);
		return;
	}
	if (v->workers[instance] != NULL)
		msg_chan_free(v->workers[instance]);
	else
		v->nworkers++;
	v->workers[instance] = chan;
}

static int
on_peer(struct msg_chan *chan, struct msg *m, void *arg)
{
	struct verifier *v = arg;
	uint32_t role = msg_get_u32(m);
	uint32_t instance = msg_get_u32(m);
	int fd;

	(void)chan;
	if (msg_end(m) == -1 || role != ROLE_WORKER ||
	    instance >= MAX_WORKERS || (fd = msg_get_fd(m)) == -1)
		return -1;
	/* A worker may be quicker than the configuration: not before that. */
	if (v->users != NULL) {
		add_worker(v, instance, fd);
		return 0;
	}
	if (v->early[instance] != -1)
		close(v->early[instance]);
	v->early[instance] = fd;
	return 0;
}

static int
on_check(struct msg_chan *chan, struct msg *m, void *arg)
{
	struct verifier *v = arg;

	return verify_serve(chan, m, VERIFIER_VERDICT,
	    v->conf->check_timeout_ms, verify_htpasswd, v->users);
}

/* ---- configuration ---- */

static int
on_conf_value(struct msg_chan *chan, struct msg *m, void *arg)
{
	struct verifier *v = arg;

	(void)chan;
	return conf_recv_value(v->conf, m);
}

static int
on_conf_file(struct msg_chan *chan, struct msg *m, void *arg)
{
	struct verifier *v = arg;
	uint32_t kind = msg_get_u32(m);
	int fd;

	(void)chan;
	if (msg_end(m) == -1 || kind != CONF_FILE_HTPASSWD ||
	    (fd = msg_get_fd(m)) == -1)
		return -1;
	if (v->file != -1)
		close(v->file);
	v->file = fd;
	return 0;
}

/* The parent has parsed it before: it goes wrong without memory only. */
static int
load_users(struct verifier *v)
{
	struct htpasswd *users = NULL;

	if (v->file != -1) {
		/* Its warnings were logged; here stdout is /dev/null. */
		users = htpasswd_load(v->file, "htpasswd", stdout);
		close(v->file);
		v->file = -1;
	}
	if (users == NULL)
		return -1;
	htpasswd_free(v->users);
	v->users = users;
	log_debug("%zu users", htpasswd_count(users));
	return 0;
}

/* At first, and again behind a file that has changed. */
static int
on_conf_end(struct msg_chan *chan, struct msg *m, void *arg)
{
	struct verifier *v = arg;
	bool first = v->users == NULL;
	unsigned i;

	if (load_users(v) == -1) {
		log_error("htpasswd file: cannot be loaded");
		return first ? -1 : 0;
	}
	for (i = 0; i < MAX_WORKERS; i++) {
		if (v->early[i] != -1)
			add_worker(v, i, v->early[i]);
		else if (v->workers[i] != NULL)
			(void)msg_send_empty(v->workers[i],
			    VERIFIER_CHANGED, 0);
		v->early[i] = -1;
	}
	return first ? msg_send_empty(chan, MSG_READY, m->id) : 0;
}

/* ---- the process ---- */

/* Checks may still come from workers that drain: their end is ours. */
static int
on_drain(struct msg_chan *chan, struct msg *m, void *arg)
{
	struct verifier *v = arg;

	(void)chan;
	(void)m;
	v->draining = true;
	if (v->nworkers == 0)
		loop_stop(v->loop);
	return 0;
}

static void
verifier_done(struct verifier *v)
{
	size_t i;

	for (i = 0; i < MAX_WORKERS; i++) {
		if (v->early[i] != -1)
			close(v->early[i]);
		msg_chan_free(v->workers[i]);
	}
	if (v->file != -1)
		close(v->file);
	msg_chan_free(v->parent);
	htpasswd_free(v->users);
	conf_free(v->conf);
	loop_free(v->loop);
}

int
verifier_main(const struct proc_args *args)
{
	struct verifier v = { .file = -1 };
	char name[32];
	size_t i;

	snprintf(name, sizeof(name), "verifier %u", args->instance);
	log_procinit(name);
	proc_child_start(args);
	/* Reads files. */
	OPENSSL_init_crypto(OPENSSL_INIT_LOAD_CONFIG, NULL);
	privdrop(args);
	sandbox_enter(SANDBOX_VERIFIER);

	for (i = 0; i < MAX_WORKERS; i++)
		v.early[i] = -1;
	if ((v.loop = loop_new()) == NULL || (v.conf = conf_new()) == NULL)
		fatal("start");
	v.parent = proc_parent_chan(v.loop, rules, NRULES, &v);
	if (loop_run(v.loop) == -1)
		fatal("event loop");
	verifier_done(&v);
	return 0;
}
