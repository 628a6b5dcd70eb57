/* SPDX-License-Identifier: ISC */
/*
 * The broker: decides who may what.  It has the access rules, the cache of
 * good credentials and the channels to verifiers and signer; it opens no
 * file and no socket, and never sees a private key or a password hash.
 */
#include "broker.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "log.h"
#include "loop.h"
#include "msg.h"
#include "privdrop.h"
#include "sandbox.h"

#include "broker_issue.h"
#include "conf.h"
#include "htgroup.h"
#include "messages.h"

#define MAX_WORKERS	64
#define THROTTLE_ENTRIES 16384

struct broker {
	struct loop		*loop;
	struct msg_chan		*parent;
	struct authd_conf	*conf;
	struct acl		*acl;		/* NULL before CONF_END */
	struct issue_env	 env;
	struct worker_slot {
		struct msg_chan	*chan;		/* NULL: none */
		uint64_t	 serial;	/* changes with the process */
	}			 workers[MAX_WORKERS];
	struct msg_chan		*verifiers[CONF_MAX_BACKENDS]
				    [VERIFIERS_MAX];
	struct msg_chan		*signer, *vault;
	uint64_t		 last_serial;
	bool			 draining;
};

static msg_handler_fn	 broker_on_value, broker_on_group, broker_on_rules,
			 broker_on_htgroup, broker_on_file, broker_on_peer,
			 broker_on_conf_end, broker_on_drain,
			 broker_on_request, broker_on_verdict,
			 broker_on_users_changed, broker_on_signed,
			 broker_on_vault;

#define VERIFIER_RULES(role)						\
	{ MSG_VERDICT, role, 13, MSG_MAX_SIZE, 0,			\
	    broker_on_verdict, "VERDICT" },				\
	{ MSG_USERS_CHANGED, role, 0, 0, 0,				\
	    broker_on_users_changed, "USERS_CHANGED" }

static const struct msg_rule broker_rules[] = {
	{ MSG_CONF_BEGIN, ROLE_PARENT, 6, MSG_MAX_SIZE, 0,
	    proc_on_conf_begin, "CONF_BEGIN" },
	{ MSG_CONF_VALUE, ROLE_PARENT, 8, MSG_MAX_SIZE, 0,
	    broker_on_value, "CONF_VALUE" },
	{ MSG_CONF_GROUP, ROLE_PARENT, 5, MSG_MAX_SIZE, 0,
	    broker_on_group, "CONF_GROUP" },
	{ MSG_CONF_RULE, ROLE_PARENT, 1, MSG_MAX_SIZE, 0,
	    broker_on_rules, "CONF_RULE" },
	{ MSG_CONF_HTGROUP, ROLE_PARENT, 2, MSG_MAX_SIZE, 0,
	    broker_on_htgroup, "CONF_HTGROUP" },
	{ MSG_CONF_FILE, ROLE_PARENT, 4, 4, 1, broker_on_file, "CONF_FILE" },
	{ MSG_PEER, ROLE_PARENT, 8, 8, 1, broker_on_peer, "PEER" },
	{ MSG_CONF_END, ROLE_PARENT, 0, 0, 0, broker_on_conf_end,
	    "CONF_END" },
	{ MSG_DRAIN, ROLE_PARENT, 0, 0, 0, broker_on_drain, "DRAIN" },
	{ MSG_TOKEN_REQUEST, ROLE_WORKER, 27, MSG_MAX_SIZE, 0,
	    broker_on_request, "TOKEN_REQUEST" },
	VERIFIER_RULES(ROLE_VERIFIER),
	VERIFIER_RULES(ROLE_VERIFIER_LDAP),
	VERIFIER_RULES(ROLE_VERIFIER_PAM),
	{ MSG_SIGNED, ROLE_SIGNER, 17, MSG_MAX_SIZE, 0,
	    broker_on_signed, "SIGNED" },
	{ MSG_FOUND, ROLE_VAULT, 1, MSG_MAX_SIZE, 0, broker_on_vault,
	    "FOUND" },
	{ MSG_KEPT, ROLE_VAULT, 5, 64, 0, broker_on_vault, "KEPT" },
	{ MSG_FORGET, ROLE_VAULT, 0, 0, 0, broker_on_vault, "FORGET" },
};
#define BROKER_NRULES	(sizeof(broker_rules) / sizeof(broker_rules[0]))

/* ---- configuration ---- */

static int
broker_on_value(struct msg_chan *chan, struct msg *msg, void *arg)
{
	(void)chan;
	return conf_on_value(((struct broker *)arg)->conf, msg);
}

static int
broker_on_group(struct msg_chan *chan, struct msg *msg, void *arg)
{
	(void)chan;
	return conf_on_group(((struct broker *)arg)->conf, msg);
}

static int
broker_on_rules(struct msg_chan *chan, struct msg *msg, void *arg)
{
	(void)chan;
	return conf_on_rules(((struct broker *)arg)->conf, msg);
}

static int
broker_on_htgroup(struct msg_chan *chan, struct msg *msg, void *arg)
{
	(void)chan;
	return htgroup_on_message(&((struct broker *)arg)->conf->file_groups,
	    msg);
}

/* The audit file, for appending. */
static int
broker_on_file(struct msg_chan *chan, struct msg *msg, void *arg)
{
	struct broker	*broker = arg;

	(void)chan;
	if (msg_get_u32(msg) != CONF_FILE_AUDIT ||
	    broker->env.audit_fd != -1)
		return -1;
	broker->env.audit_fd = msg_get_fd(msg);
	return msg_end(msg);
}

/* The htgroup file has changed: from now on with its new groups. */
static int
take_groups(struct broker *broker)
{
	struct acl	*acl;
	char		 error[256];

	if ((acl = conf_acl(broker->conf, error, sizeof(error))) == NULL) {
		log_error("access rules: %s", error);
		return 0;
	}
	acl_free(broker->acl);
	broker->acl = acl;
	broker->env.acl = acl;
	return 0;
}

static struct verifiers *
make_verifiers(const struct broker *broker)
{
	const struct authd_conf		*conf = broker->conf;
	const struct conf_backend	*backend;
	struct verifiers		*verifiers;
	unsigned			 roles[CONF_MAX_BACKENDS], instance;
	size_t				 i, n = 0;

	for (i = 0; i < conf->backends.n && n < CONF_MAX_BACKENDS; i++) {
		backend = conf_backend_find(conf->backends.items[i]);
		if (backend != NULL)
			roles[n++] = backend->role;
	}
	if (n == 0)
		fatalx("nothing checks passwords");
	verifiers = verifiers_new(broker->loop, MSG_VERIFY, roles, n,
	    conf->check_timeout_ms, (size_t)conf->check_queue);
	if (verifiers == NULL)
		return NULL;
	for (i = 0; conf_backends[i].name != NULL; i++)
		for (instance = 0; instance < VERIFIERS_MAX; instance++)
			verifiers_set(verifiers, conf_backends[i].role,
			    instance, broker->verifiers[i][instance]);
	/* Its modules may ask where a client is. */
	if (conf_backend_is_used(conf, ROLE_VERIFIER_PAM))
		verifiers_by_peer(verifiers);
	return verifiers;
}

/* What it needs for tokens of ours, when there is a vault. */
static void
make_vault(struct broker *broker)
{
	const struct authd_conf	*conf = broker->conf;
	struct issue_env	*env = &broker->env;

	if (conf->credentials.database == NULL)
		return;
	env->refresh = conf->credentials.refresh_ms > 0;
	env->owners = cred_cache_new((size_t)conf->cache_size,
	    conf->cache_ttl_ms);
	env->no_password = secret_new("", 0);
	env->vault = broker_vault_new(broker->loop,
	    conf->credentials.cache_ms);
	if (env->owners == NULL || env->no_password == NULL ||
	    env->vault == NULL)
		fatalx("out of memory");
	cred_cache_keep(env->owners, conf->grace_ms);
	verifiers_allow_lookup(env->verifiers, MSG_LOOKUP);
	broker_vault_set(env->vault, broker->vault);
}

static void
forget_users(struct broker *broker)
{
	cred_cache_flush(broker->env.cache);
	if (broker->env.owners != NULL)
		cred_cache_flush(broker->env.owners);
}

/* When every peer that runs has been named; again for new groups. */
static int
broker_on_conf_end(struct msg_chan *chan, struct msg *msg, void *arg)
{
	struct broker		*broker = arg;
	struct authd_conf	*conf = broker->conf;
	struct issue_env	*env = &broker->env;
	char			 error[256];

	if (msg_end(msg) == -1)
		return -1;
	if (broker->acl != NULL)
		return take_groups(broker);
	if ((broker->acl = conf_acl(conf, error, sizeof(error))) == NULL)
		fatalx("access rules: %s", error);
	env->acl = broker->acl;
	env->services = &conf->services;
	env->cache = cred_cache_new((size_t)conf->cache_size,
	    conf->cache_ttl_ms);
	if (env->cache == NULL)
		fatalx("out of memory");
	cred_cache_keep(env->cache, conf->grace_ms);
	env->throttle = throttle_new(&conf->throttle, THROTTLE_ENTRIES);
	env->floor_ms = conf->throttle.floor_ms;
	env->signer = broker_signer_new(broker->loop);
	env->verifiers = make_verifiers(broker);
	env->by_peer = conf_backend_is_used(conf, ROLE_VERIFIER_PAM);
	if (env->throttle == NULL || env->signer == NULL ||
	    env->verifiers == NULL)
		fatalx("out of memory");
	broker_signer_set(env->signer, broker->signer);
	make_vault(broker);
	return msg_send_empty(chan, MSG_READY, 0);
}

/* ---- siblings ---- */

/* Where the channel to a sibling is kept; NULL: nobody we talk to. */
static struct msg_chan **
peer_place(struct broker *broker, unsigned role, unsigned instance)
{
	const struct conf_backend	*backend = conf_backend_of_role(role);

	if (role == ROLE_WORKER && instance < MAX_WORKERS)
		return &broker->workers[instance].chan;
	if (backend != NULL && instance < VERIFIERS_MAX)
		return &broker->verifiers[backend - conf_backends][instance];
	if (role == ROLE_SIGNER && instance == 0)
		return &broker->signer;
	if (role == ROLE_VAULT && instance == 0)
		return &broker->vault;
	return NULL;
}

/*
 * A new verifier may have a newer file of users than its predecessor, which
 * died before it could say so.
 */
static void
set_verifier(struct broker *broker, unsigned role, unsigned instance,
    struct msg_chan *chan)
{
	verifiers_set(broker->env.verifiers, role, instance, chan);
	if (chan != NULL && role == ROLE_VERIFIER)
		forget_users(broker);
}

/* Put a channel, or NULL, in a sibling's place. */
static void
set_peer(struct broker *broker, unsigned role, unsigned instance,
    struct msg_chan *chan)
{
	struct msg_chan	**place = peer_place(broker, role, instance);
	struct msg_chan	 *old = *place;

	*place = chan;
	if (role == ROLE_WORKER)
		broker->workers[instance].serial = ++broker->last_serial;
	else if (broker->acl != NULL && conf_backend_of_role(role) != NULL)
		set_verifier(broker, role, instance, chan);
	else if (broker->env.vault != NULL && role == ROLE_VAULT)
		broker_vault_set(broker->env.vault, chan);
	else if (broker->acl != NULL && role == ROLE_SIGNER)
		broker_signer_set(broker->env.signer, chan);
	msg_chan_free(old);
}

static void
on_peer_closed(struct msg_chan *chan, const char *why, void *arg)
{
	const struct broker		*broker = arg;
	unsigned			 role = msg_chan_role(chan);
	unsigned			 instance = msg_chan_instance(chan);
	const struct conf_backend	*backend = conf_backend_of_role(role);

	/* It is the signer's word that counts: only a new broker gets on. */
	if (why != NULL && role == ROLE_SIGNER)
		fatalx("signer: bad message: %s", why);
	if (why != NULL) {
		log_warnx("cut off %s %u: %s", role == ROLE_WORKER ?
		    "worker" : backend != NULL ? backend->process : "vault",
		    instance, why);
		proc_report_peer(broker->parent, chan);
	}
	set_peer(arg, role, instance, NULL);
}

static int
broker_on_peer(struct msg_chan *chan, struct msg *msg, void *arg)
{
	struct broker	*broker = arg;
	struct msg_chan	*peer;
	unsigned	 role, instance;
	int		 fd;

	(void)chan;
	role = msg_get_u32(msg);
	instance = msg_get_u32(msg);
	if (peer_place(broker, role, instance) == NULL ||
	    (fd = msg_get_fd(msg)) == -1)
		return -1;
	peer = msg_chan_new(broker->loop, fd, role, instance, broker_rules,
	    BROKER_NRULES, on_peer_closed, broker);
	if (peer == NULL)
		fatal("channel to a sibling");
	set_peer(broker, role, instance, peer);
	return msg_end(msg);
}

/* ---- requests ---- */

/* Once it is to finish it ends with its last request. */
static void
on_idle(void *arg)
{
	struct broker	*broker = arg;
	unsigned	 i;

	if (!broker->draining || broker->env.open > 0)
		return;
	for (i = 0; i < MAX_WORKERS; i++)
		if (broker->workers[i].chan != NULL)
			msg_chan_flush(broker->workers[i].chan);
	loop_stop(broker->loop);
}

static void
send_reply(unsigned instance, uint64_t serial, struct msg_out *out, void *arg)
{
	struct broker		*broker = arg;
	struct worker_slot	*worker = &broker->workers[instance];

	if (worker->chan == NULL || worker->serial != serial)
		msg_drop(out);
	else if (msg_send(worker->chan, out) == -1)
		log_warn("reply to worker %u", instance);
}

static int
broker_on_request(struct msg_chan *chan, struct msg *msg, void *arg)
{
	struct broker	*broker = arg;
	unsigned	 instance = msg_chan_instance(chan);

	if (broker->acl == NULL)
		return -1;
	return issue_start(&broker->env, instance,
	    broker->workers[instance].serial, msg);
}

static int
broker_on_verdict(struct msg_chan *chan, struct msg *msg, void *arg)
{
	struct broker	*broker = arg;

	if (broker->acl == NULL)
		return -1;
	return verifiers_on_verdict(broker->env.verifiers, chan, msg);
}

static int
broker_on_users_changed(struct msg_chan *chan, struct msg *msg, void *arg)
{
	struct broker	*broker = arg;

	(void)chan;
	if (broker->acl != NULL)
		forget_users(broker);
	return msg_end(msg);
}

static int
broker_on_signed(struct msg_chan *chan, struct msg *msg, void *arg)
{
	struct broker	*broker = arg;

	(void)chan;
	if (broker->acl == NULL)
		return -1;
	return broker_signer_on_signed(broker->env.signer, msg);
}

static int
broker_on_vault(struct msg_chan *chan, struct msg *msg, void *arg)
{
	struct broker	*broker = arg;

	if (broker->env.vault == NULL)
		return -1;
	if (msg->type == MSG_FOUND)
		return broker_vault_on_found(broker->env.vault, msg);
	if (msg->type == MSG_KEPT)
		return broker_vault_on_kept(broker->env.vault, msg);
	return broker_vault_on_forget(broker->env.vault, chan, msg);
}

/* ---- the process ---- */

/* The parent drains workers first, so hardly anything can be open. */
static int
broker_on_drain(struct msg_chan *chan, struct msg *msg, void *arg)
{
	struct broker	*broker = arg;

	(void)chan;
	if (msg_end(msg) == -1)
		return -1;
	broker->draining = true;
	on_idle(broker);
	return 0;
}

static void
broker_done(struct broker *broker)
{
	unsigned	 i, j;

	verifiers_free(broker->env.verifiers);
	broker_vault_free(broker->env.vault);
	broker_signer_free(broker->env.signer);
	cred_cache_free(broker->env.owners);
	secret_free(broker->env.no_password);
	cred_cache_free(broker->env.cache);
	throttle_free(broker->env.throttle);
	for (i = 0; i < MAX_WORKERS; i++)
		msg_chan_free(broker->workers[i].chan);
	for (i = 0; i < CONF_MAX_BACKENDS; i++)
		for (j = 0; j < VERIFIERS_MAX; j++)
			msg_chan_free(broker->verifiers[i][j]);
	msg_chan_free(broker->signer);
	msg_chan_free(broker->vault);
	msg_chan_free(broker->parent);
	acl_free(broker->acl);
	if (broker->env.audit_fd != -1)
		close(broker->env.audit_fd);
	conf_free(broker->conf);
	loop_free(broker->loop);
}

int
broker_main(const struct proc_args *args)
{
	struct broker	 broker;

	log_procinit("broker");
	proc_child_start(args);
	privdrop(args);
	sandbox_enter(SANDBOX_BROKER);

	memset(&broker, 0, sizeof(broker));
	broker.conf = conf_new();
	broker.env.audit_fd = -1;
	broker.env.reply = send_reply;
	broker.env.idle = on_idle;
	broker.env.arg = &broker;
	broker.loop = loop_new();
	if (broker.loop == NULL)
		fatal("event loop");
	broker.env.loop = broker.loop;
	broker.parent = proc_parent_chan(broker.loop, broker_rules,
	    BROKER_NRULES, &broker);
	if (loop_run(broker.loop) == -1)
		fatal("event loop");
	broker_done(&broker);
	return 0;
}
