/* SPDX-License-Identifier: ISC */
/*
 * A verifier: checks one credential at a time with the driver that its role
 * names, and talks to nobody but the broker beside what the driver needs.  A
 * check that takes too long ends the process, and the parent starts another.
 */
#include "verifier.h"

#include <errno.h>
#include <openssl/crypto.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "listener.h"
#include "log.h"
#include "loop.h"
#include "msg.h"
#include "privdrop.h"
#include "sandbox.h"
#include "verify.h"

#include "conf.h"
#include "cred.h"
#include "messages.h"

struct verifier {
	struct loop		*loop;
	struct msg_chan		*parent;
	struct msg_chan		*broker;	/* NULL while there is none */
	int			 early;		/* the broker that came before
						   the driver works; -1 */
	struct authd_conf	*conf;
	const struct cred_ops	*driver;
	void			*state;		/* the driver's */
	int			 files[CONF_NFILES];	/* -1: none */
};

/* A kind of backend more: one line here and one in conf_backends.c. */
static const struct {
	unsigned		 role;
	const struct cred_ops	*ops;
} drivers[] = {
	{ ROLE_VERIFIER, &cred_htpasswd },
	{ ROLE_VERIFIER_LDAP, &cred_ldap },
	{ ROLE_VERIFIER_PAM, &cred_pam },
};
#define NDRIVERS	(sizeof(drivers) / sizeof(drivers[0]))

static msg_handler_fn	 verifier_on_value, verifier_on_file,
			 verifier_on_peer, verifier_on_conf_end,
			 verifier_on_drain, verifier_on_verify,
			 verifier_on_lookup;

static const struct msg_rule verifier_rules[] = {
	{ MSG_CONF_BEGIN, ROLE_PARENT, 6, MSG_MAX_SIZE, 0,
	    proc_on_conf_begin, "CONF_BEGIN" },
	{ MSG_CONF_VALUE, ROLE_PARENT, 8, MSG_MAX_SIZE, 0,
	    verifier_on_value, "CONF_VALUE" },
	{ MSG_CONF_FILE, ROLE_PARENT, 4, 4, 1, verifier_on_file,
	    "CONF_FILE" },
	{ MSG_PEER, ROLE_PARENT, 8, 8, 1, verifier_on_peer, "PEER" },
	{ MSG_CONF_END, ROLE_PARENT, 0, 0, 0, verifier_on_conf_end,
	    "CONF_END" },
	{ MSG_DRAIN, ROLE_PARENT, 0, 0, 0, verifier_on_drain, "DRAIN" },
	{ MSG_VERIFY, ROLE_BROKER, 12, MSG_MAX_SIZE, 0,
	    verifier_on_verify, "VERIFY" },
	{ MSG_LOOKUP, ROLE_BROKER, 8, 1024, 0, verifier_on_lookup,
	    "LOOKUP" },
};
#define VERIFIER_NRULES	(sizeof(verifier_rules) / sizeof(verifier_rules[0]))

/* ---- configuration ---- */

static int
verifier_on_value(struct msg_chan *chan, struct msg *msg, void *arg)
{
	(void)chan;
	return conf_on_value(((struct verifier *)arg)->conf, msg);
}

static void
close_files(struct verifier *verifier)
{
	size_t	 i;

	for (i = 0; i < CONF_NFILES; i++) {
		if (verifier->files[i] != -1)
			close(verifier->files[i]);
		verifier->files[i] = -1;
	}
}

/* -1: the driver cannot work with that; a state that it had stays. */
static int
start_driver(struct verifier *verifier)
{
	char	 error[256] = "";
	void	*state;

	state = verifier->driver->start(verifier->conf, verifier->files,
	    error, sizeof(error));
	close_files(verifier);
	if (state == NULL) {
		log_error("%s: %s", verifier->driver->name, error);
		return -1;
	}
	if (verifier->state != NULL)
		verifier->driver->free(verifier->state);
	verifier->state = state;
	return 0;
}

static int
verifier_on_file(struct msg_chan *chan, struct msg *msg, void *arg)
{
	struct verifier	*verifier = arg;
	uint32_t	 kind;
	int		 fd;

	(void)chan;
	kind = msg_get_u32(msg);
	if (kind >= CONF_NFILES || (fd = msg_get_fd(msg)) == -1)
		return -1;
	if (verifier->files[kind] != -1)
		close(verifier->files[kind]);
	verifier->files[kind] = fd;
	return msg_end(msg);
}

static void	 set_broker(struct verifier *, int);

/*
 * At first, and again behind files that have changed.  The parent has looked
 * into them; if one is broken by now, what was known so far stays until it
 * is whole again.
 */
static int
verifier_on_conf_end(struct msg_chan *chan, struct msg *msg, void *arg)
{
	struct verifier	*verifier = arg;
	bool		 first = verifier->state == NULL;

	if (msg_end(msg) == -1)
		return -1;
	if (start_driver(verifier) == -1) {
		if (first)
			exit(PROC_EXIT_CONF);
		return 0;
	}
	if (verifier->early != -1)
		set_broker(verifier, verifier->early);
	verifier->early = -1;
	if (first)
		return msg_send_empty(chan, MSG_READY, 0);
	if (verifier->broker != NULL)
		msg_send_empty(verifier->broker, MSG_USERS_CHANGED, 0);
	return 0;
}

/* ---- the broker ---- */

static void
on_broker_closed(struct msg_chan *chan, const char *why, void *arg)
{
	struct verifier	*verifier = arg;

	/* It is the broker's word that counts: a new verifier may get on. */
	if (why != NULL)
		fatalx("broker: bad message: %s", why);
	if (verifier->broker == chan)
		verifier->broker = NULL;
	msg_chan_free(chan);
}

static void
set_broker(struct verifier *verifier, int fd)
{
	msg_chan_free(verifier->broker);
	verifier->broker = msg_chan_new(verifier->loop, fd, ROLE_BROKER, 0,
	    verifier_rules, VERIFIER_NRULES, on_broker_closed, verifier);
	if (verifier->broker == NULL)
		fatal("channel to the broker");
}

/* It may be quicker than the configuration: no question before that. */
static int
verifier_on_peer(struct msg_chan *chan, struct msg *msg, void *arg)
{
	struct verifier	*verifier = arg;
	unsigned	 role, instance;
	int		 fd;

	(void)chan;
	role = msg_get_u32(msg);
	instance = msg_get_u32(msg);
	if (msg_end(msg) == -1 || role != ROLE_BROKER || instance != 0 ||
	    (fd = msg_get_fd(msg)) == -1)
		return -1;
	if (verifier->state != NULL) {
		set_broker(verifier, fd);
		return 0;
	}
	if (verifier->early != -1)
		close(verifier->early);
	verifier->early = fd;
	return 0;
}

static uint64_t
limit_ms(const struct verifier *verifier)
{
	return verifier->driver->limit == NULL ?
	    verifier->conf->check_timeout_ms :
	    verifier->driver->limit(verifier->conf);
}

static int
verifier_on_verify(struct msg_chan *chan, struct msg *msg, void *arg)
{
	struct verifier	*verifier = arg;

	if (chan != verifier->broker || verifier->state == NULL)
		return -1;
	return verify_serve(chan, msg, MSG_VERDICT, limit_ms(verifier),
	    verifier->driver->verify, verifier->state);
}

static int
verifier_on_lookup(struct msg_chan *chan, struct msg *msg, void *arg)
{
	struct verifier	*verifier = arg;

	if (chan != verifier->broker || verifier->state == NULL)
		return -1;
	return verify_serve_lookup(chan, msg, MSG_VERDICT,
	    limit_ms(verifier), verifier->driver->lookup, verifier->state);
}

/* ---- the process ---- */

static int
verifier_on_drain(struct msg_chan *chan, struct msg *msg, void *arg)
{
	struct verifier	*verifier = arg;

	(void)chan;
	if (msg_end(msg) == -1)
		return -1;
	if (verifier->broker != NULL)
		msg_chan_flush(verifier->broker);
	loop_stop(verifier->loop);
	return 0;
}

static const struct cred_ops *
find_driver(const char *process)
{
	const struct conf_backend	*backend;
	size_t				 i;

	for (backend = conf_backends; backend->name != NULL; backend++)
		for (i = 0; i < NDRIVERS; i++)
			if (strcmp(backend->process, process) == 0 &&
			    drivers[i].role == backend->role)
				return drivers[i].ops;
	return NULL;
}

static void
verifier_done(struct verifier *verifier)
{
	msg_chan_free(verifier->broker);
	msg_chan_free(verifier->parent);
	if (verifier->state != NULL)
		verifier->driver->free(verifier->state);
	close_files(verifier);
	if (verifier->early != -1)
		close(verifier->early);
	conf_free(verifier->conf);
	loop_free(verifier->loop);
}

int
verifier_main(const struct proc_args *args)
{
	struct verifier	 verifier;
	char		 name[48];
	size_t		 i;

	snprintf(name, sizeof(name), "%s %u", args->role, args->instance);
	log_procinit(name);
	proc_child_start(args);
	memset(&verifier, 0, sizeof(verifier));
	verifier.early = -1;
	for (i = 0; i < CONF_NFILES; i++)
		verifier.files[i] = -1;
	if ((verifier.driver = find_driver(args->role)) == NULL)
		fatalx("no driver for %s", args->role);
	/* Reads files. */
	OPENSSL_init_crypto(OPENSSL_INIT_LOAD_CONFIG, NULL);
	if (verifier.driver->enter != NULL)
		verifier.driver->enter(args);
	else
		privdrop(args);
	sandbox_enter(verifier.driver->level);

	verifier.conf = conf_new();
	verifier.loop = loop_new();
	if (verifier.loop == NULL)
		fatal("event loop");
	verifier.parent = proc_parent_chan(verifier.loop, verifier_rules,
	    VERIFIER_NRULES, &verifier);
	if (loop_run(verifier.loop) == -1)
		fatal("event loop");
	verifier_done(&verifier);
	return 0;
}
