/* SPDX-License-Identifier: ISC */
/*
 * The worker: faces the network, parses HTTP and token requests, and asks
 * the broker.  It has no key that signs, no password hash, no access rule
 * and no file; what it could give away is what passes through it.
 */
#include "worker.h"

#include <openssl/crypto.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "http.h"
#include "listener.h"
#include "log.h"
#include "loop.h"
#include "msg.h"
#include "privdrop.h"
#include "sandbox.h"
#include "secret.h"
#include "tls.h"

#include "broker_client.h"
#include "conf.h"
#include "messages.h"
#include "proxies.h"
#include "request.h"

#define MAX_TLS_FILE	(1 << 20)
#define MAX_LISTENERS	LISTENER_MAX
#define SIGN_TIME_MS	4200		/* after the check: see broker_signer */

struct worker {
	struct loop		*loop;
	struct msg_chan		*parent;
	struct msg_chan		*broker;	/* NULL while there is none */
	struct authd_conf	*conf;
	char			*jwks;
	struct secret		*tls_certificate, *tls_key;
	struct tls_conf		 tls_conf;
	struct tls_context	*tls;		/* NULL: plain */
	int			 fds[MAX_LISTENERS];	/* until CONF_END */
	struct listener		*listeners[MAX_LISTENERS];
	size_t			 nlisteners;
	struct http_server	*server;	/* NULL before CONF_END */
	struct request_env	 env;
	bool			 full;		/* listeners are paused */
};

static msg_handler_fn	 worker_on_value, worker_on_listener, worker_on_file,
			 worker_on_ticket_key, worker_on_jwks, worker_on_peer,
			 worker_on_conf_end, worker_on_drain, worker_on_reply;

static const struct msg_rule worker_rules[] = {
	{ MSG_CONF_BEGIN, ROLE_PARENT, 6, MSG_MAX_SIZE, 0,
	    proc_on_conf_begin, "CONF_BEGIN" },
	{ MSG_CONF_VALUE, ROLE_PARENT, 8, MSG_MAX_SIZE, 0,
	    worker_on_value, "CONF_VALUE" },
	{ MSG_CONF_LISTENER, ROLE_PARENT, 4, 1024, 1,
	    worker_on_listener, "CONF_LISTENER" },
	{ MSG_CONF_FILE, ROLE_PARENT, 4, 4, 1, worker_on_file, "CONF_FILE" },
	{ MSG_CONF_TICKET_KEY, ROLE_PARENT, 4 + TLS_TICKET_KEY_SIZE,
	    4 + TLS_TICKET_KEY_SIZE, 0, worker_on_ticket_key,
	    "CONF_TICKET_KEY" },
	{ MSG_CONF_JWKS, ROLE_PARENT, 4, MSG_MAX_SIZE, 0,
	    worker_on_jwks, "CONF_JWKS" },
	{ MSG_PEER, ROLE_PARENT, 8, 8, 1, worker_on_peer, "PEER" },
	{ MSG_CONF_END, ROLE_PARENT, 0, 0, 0, worker_on_conf_end,
	    "CONF_END" },
	{ MSG_DRAIN, ROLE_PARENT, 0, 0, 0, worker_on_drain, "DRAIN" },
	{ MSG_TOKEN_REPLY, ROLE_BROKER, 9, MSG_MAX_SIZE, 0,
	    worker_on_reply, "TOKEN_REPLY" },
};
#define WORKER_NRULES	(sizeof(worker_rules) / sizeof(worker_rules[0]))

/* ---- configuration ---- */

static int
worker_on_value(struct msg_chan *chan, struct msg *msg, void *arg)
{
	(void)chan;
	return conf_on_value(((struct worker *)arg)->conf, msg);
}

static int
worker_on_listener(struct msg_chan *chan, struct msg *msg, void *arg)
{
	struct worker	*worker = arg;
	char		 name[256];
	int		 fd;

	(void)chan;
	msg_get_str(msg, name, sizeof(name));
	fd = msg_get_fd(msg);
	if (worker->server != NULL || worker->nlisteners == MAX_LISTENERS ||
	    fd == -1 || msg_end(msg) == -1) {
		if (fd != -1)
			close(fd);
		return -1;
	}
	worker->fds[worker->nlisteners++] = fd;
	return 0;
}

static int
worker_on_file(struct msg_chan *chan, struct msg *msg, void *arg)
{
	struct worker	 *worker = arg;
	struct secret	**place, *text = NULL;
	uint32_t	  kind;
	int		  fd;

	(void)chan;
	kind = msg_get_u32(msg);
	if ((fd = msg_get_fd(msg)) == -1)
		return -1;
	place = kind == CONF_FILE_TLS_KEY ? &worker->tls_key :
	    &worker->tls_certificate;
	if (kind <= CONF_FILE_TLS_KEY && *place == NULL && msg_end(msg) == 0)
		text = secret_read(fd, MAX_TLS_FILE);
	close(fd);
	if (text == NULL) {
		log_warn("TLS file");
		return -1;
	}
	*place = text;
	return 0;
}

static int
worker_on_ticket_key(struct msg_chan *chan, struct msg *msg, void *arg)
{
	struct worker	*worker = arg;
	const void	*key;
	size_t		 len;

	(void)chan;
	key = msg_get_bytes(msg, TLS_TICKET_KEY_SIZE, &len);
	if (msg_end(msg) == -1 || len != TLS_TICKET_KEY_SIZE)
		return -1;
	memcpy(worker->tls_conf.ticket_key, key, len);
	return 0;
}

static int
worker_on_jwks(struct msg_chan *chan, struct msg *msg, void *arg)
{
	struct worker	*worker = arg;
	char		*jwks;

	(void)chan;
	if ((jwks = msg_get_strdup(msg, MSG_MAX_SIZE)) == NULL)
		return -1;
	/* Answers have copies of the old one. */
	free(worker->jwks);
	worker->env.jwks = worker->jwks = jwks;
	return msg_end(msg);
}

static void
make_tls(struct worker *worker)
{
	struct tls_conf	*tls = &worker->tls_conf;
	char		 error[256];

	if (worker->tls_certificate == NULL || worker->tls_key == NULL)
		return;
	tls->certificate = secret_data(worker->tls_certificate);
	tls->certificate_len = secret_len(worker->tls_certificate);
	tls->key = secret_data(worker->tls_key);
	tls->key_len = secret_len(worker->tls_key);
	tls->minimum = worker->conf->tls_minimum;
	worker->tls = tls_context_new(tls, error, sizeof(error));
	if (worker->tls == NULL)
		fatalx("TLS: %s", error);
	secret_free(worker->tls_certificate);
	secret_free(worker->tls_key);
	worker->tls_certificate = worker->tls_key = NULL;
	secret_wipe(tls, sizeof(*tls));
}

/* ---- connections ---- */

static void
pause_listeners(struct worker *worker, bool pause)
{
	size_t	 i;

	worker->full = pause;
	for (i = 0; i < worker->nlisteners; i++)
		listener_pause(worker->listeners[i], pause);
}

static void
on_room(void *arg)
{
	struct worker	*worker = arg;

	if (worker->full)
		pause_listeners(worker, false);
}

static void
on_accept(int fd, const struct peer *peer, void *arg)
{
	struct worker	*worker = arg;

	if (http_server_add(worker->server, fd, peer, worker->tls) == -1)
		log_debug("connection refused");
	if (http_server_connections(worker->server) >=
	    worker->conf->http.max_connections)
		pause_listeners(worker, true);
}

static int
worker_on_conf_end(struct msg_chan *chan, struct msg *msg, void *arg)
{
	struct worker	*worker = arg;
	size_t		 i;

	if (worker->server != NULL || worker->jwks == NULL ||
	    msg_end(msg) == -1)
		return -1;
	make_tls(worker);
	worker->env.conf = worker->conf;
	worker->env.jwks = worker->jwks;
	if ((worker->env.proxies = proxies_new(worker->conf)) == NULL)
		fatalx("out of memory");
	worker->env.broker = broker_client_new(worker->loop,
	    worker->conf->check_timeout_ms + SIGN_TIME_MS + VAULT_TIME_MS +
	    worker->conf->throttle.delay_ms +
	    2 * worker->conf->throttle.floor_ms);
	worker->server = http_server_new(worker->loop, &worker->conf->http,
	    &request_ops, &worker->env);
	if (worker->env.broker == NULL || worker->server == NULL)
		fatalx("out of memory");
	broker_client_set_channel(worker->env.broker, worker->broker);
	http_server_on_room(worker->server, on_room, worker);
	for (i = 0; i < worker->nlisteners; i++) {
		worker->listeners[i] = listener_new(worker->loop,
		    worker->fds[i], on_accept, worker);
		if (worker->listeners[i] == NULL)
			fatal("listener");
	}
	return msg_send_empty(chan, MSG_READY, 0);
}

/* ---- the broker ---- */

static void
set_broker(struct worker *worker, struct msg_chan *chan)
{
	struct msg_chan	*old = worker->broker;

	worker->broker = chan;
	if (worker->env.broker != NULL)
		broker_client_set_channel(worker->env.broker, chan);
	msg_chan_free(old);
}

static void
on_broker_closed(struct msg_chan *chan, const char *why, void *arg)
{
	(void)chan;
	/* It is the broker's word that counts: only a new worker gets on. */
	if (why != NULL)
		fatalx("broker: bad message: %s", why);
	set_broker(arg, NULL);
}

static int
worker_on_peer(struct msg_chan *chan, struct msg *msg, void *arg)
{
	struct worker	*worker = arg;
	struct msg_chan	*broker;
	unsigned	 role, instance;
	int		 fd;

	(void)chan;
	role = msg_get_u32(msg);
	instance = msg_get_u32(msg);
	if (role != ROLE_BROKER || (fd = msg_get_fd(msg)) == -1)
		return -1;
	broker = msg_chan_new(worker->loop, fd, role, instance, worker_rules,
	    WORKER_NRULES, on_broker_closed, worker);
	if (broker == NULL)
		fatal("channel to the broker");
	set_broker(worker, broker);
	return msg_end(msg);
}

static int
worker_on_reply(struct msg_chan *chan, struct msg *msg, void *arg)
{
	struct worker	*worker = arg;

	(void)chan;
	if (worker->env.broker == NULL)
		return -1;
	return broker_client_on_reply(worker->env.broker, msg);
}

/* ---- the process ---- */

static void
on_drained(void *arg)
{
	loop_stop(((struct worker *)arg)->loop);
}

static int
worker_on_drain(struct msg_chan *chan, struct msg *msg, void *arg)
{
	struct worker	*worker = arg;
	size_t		 i;

	(void)chan;
	if (msg_end(msg) == -1)
		return -1;
	if (worker->server == NULL) {
		loop_stop(worker->loop);
		return 0;
	}
	for (i = 0; i < worker->nlisteners; i++)
		listener_free(worker->listeners[i]);
	worker->nlisteners = 0;
	http_server_drain(worker->server, on_drained, worker);
	return 0;
}

static void
worker_done(struct worker *worker)
{
	size_t	 i;

	for (i = 0; i < worker->nlisteners; i++)
		listener_free(worker->listeners[i]);
	http_server_free(worker->server);
	broker_client_free(worker->env.broker);
	proxies_free(worker->env.proxies);
	msg_chan_free(worker->broker);
	msg_chan_free(worker->parent);
	tls_context_free(worker->tls);
	free(worker->jwks);
	conf_free(worker->conf);
	loop_free(worker->loop);
}

int
worker_main(const struct proc_args *args)
{
	struct worker	 worker;
	char		 name[32];

	snprintf(name, sizeof(name), "worker %u", args->instance);
	log_procinit(name);
	proc_child_start(args);
	/* Reads files. */
	OPENSSL_init_crypto(OPENSSL_INIT_LOAD_CONFIG, NULL);
	privdrop(args);
	sandbox_enter(SANDBOX_NET_WORKER);

	memset(&worker, 0, sizeof(worker));
	worker.conf = conf_new();
	worker.loop = loop_new();
	if (worker.loop == NULL)
		fatal("event loop");
	worker.parent = proc_parent_chan(worker.loop, worker_rules,
	    WORKER_NRULES, &worker);
	if (loop_run(worker.loop) == -1)
		fatal("event loop");
	worker_done(&worker);
	return 0;
}
