/* SPDX-License-Identifier: ISC */
/*
 * The worker: faces the network.  Accepts connections, has requests parsed
 * and answered, reads the store beneath one directory that it cannot write
 * to, and asks keepers for everything that changes it.
 */
#include "worker.h"

#include <sys/resource.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "buf.h"
#include "conf.h"
#include "conf_recv.h"
#include "http.h"
#include "jwks.h"
#include "keeper_client.h"
#include "listener.h"
#include "log.h"
#include "messages.h"
#include "metrics_feed.h"
#include "privdrop.h"
#include "request.h"
#include "sandbox.h"
#include "store.h"
#include "tls.h"
#include "token_keys.h"
#include "verifier_client.h"
#include "xmem.h"

#define THROTTLE_ENTRIES 16384	/* addresses that are remembered */
#define MAX_FILE	(1 << 20)	/* of a certificate, key or key set */
#define SPARE_FDS	64		/* all but clients and their files */
#define NFILES		(CONF_FILE_TLS_CLIENTCA + 1)

struct worker {
	unsigned	 instance;	/* of this process */
	struct loop	*loop;
	struct msg_chan	*parent;
	struct registry_conf *conf;
	struct store	*store;
	struct keepers	*keepers;
	struct verifier_client *verifiers;	/* with auth.htpasswd */
	struct throttle	*throttle;	/* with registryd.htpasswd.failures */
	struct jwks	*jwks;		/* NULL unless auth.token is set */
	struct jwks	*incoming;	/* until the next CONF_END */
	struct tls_context *tls;
	struct request_ctx *requests;
	struct http_server *server;	/* NULL until configured */
	struct metrics_feed *feed;	/* with a monitor */
	int		 listener_fds[LISTENER_MAX];
	struct listener	*listeners[LISTENER_MAX];
	size_t		 nlisteners;
	struct buf	 files[NFILES];
	unsigned char	 ticket_key[TLS_TICKET_KEY_SIZE];
};

/* ---- configuration ---- */

static int
on_conf_value(struct msg_chan *chan, struct msg *msg, void *arg)
{
	struct worker *w = arg;

	(void)chan;
	return conf_recv_value(w->conf, msg);
}

static int
on_conf_store(struct msg_chan *chan, struct msg *msg, void *arg)
{
	struct worker *w = arg;
	char *path = NULL;
	int fd = -1;

	(void)chan;
	if (w->store != NULL || conf_recv_store(msg, &path, &fd) == -1) {
		free(path);
		if (fd != -1)
			close(fd);
		return -1;
	}
	w->store = store_fs_new(fd, path, false, STORE_NONE);
	free(path);
	if (w->store == NULL)
		fatal("store");
	return 0;
}

static int
on_conf_listener(struct msg_chan *chan, struct msg *msg, void *arg)
{
	struct worker *w = arg;
	char name[128];

	(void)chan;
	msg_get_str(msg, name, sizeof(name));
	if (msg_end(msg) == -1 || w->nlisteners == LISTENER_MAX)
		return -1;
	w->listener_fds[w->nlisteners++] = msg_get_fd(msg);
	return 0;
}

/*
 * Every worker has the same open file, and so the same file position: it is
 * read by offset.
 */
static void
read_file(struct buf *buf, int fd)
{
	off_t offset = 0;
	ssize_t n;
	char *room;

	do {
		if ((room = buf_reserve(buf, 4096)) == NULL)
			fatalx("configured file is larger than %d bytes",
			    MAX_FILE);
		if ((n = pread(fd, room, 4096, offset)) == -1)
			fatal("configured file");
		buf_commit(buf, (size_t)n);
		offset += n;
	} while (n > 0);
	/* Bundles may follow each other. */
	buf_addc(buf, '\n');
}

/* What an administrator can mend is not worth a second try. */
static _Noreturn void
refuse_conf(const char *key, const char *reason)
{
	log_error("%s: %s", key, reason);
	exit(PROC_EXIT_CONF);
}

/* The parent has seen that they are sound. */
static void
add_keys(struct worker *w, enum conf_file kind, int fd)
{
	char error[256];

	if (w->incoming == NULL && (w->incoming = jwks_new()) == NULL)
		fatal("key set");
	if (token_keys_add(w->incoming, kind, fd, error,
	    sizeof(error)) == -1)
		refuse_conf(kind == CONF_FILE_TOKEN_JWKS ? "auth.token.jwks" :
		    "auth.token.rootcertbundle", error);
}

static int
on_conf_file(struct msg_chan *chan, struct msg *msg, void *arg)
{
	struct worker *w = arg;
	uint32_t kind = msg_get_u32(msg);
	int fd;

	(void)chan;
	if (msg_end(msg) == -1)
		return -1;
	fd = msg_get_fd(msg);
	if (kind == CONF_FILE_TOKEN_ROOTS || kind == CONF_FILE_TOKEN_JWKS)
		add_keys(w, kind, fd);
	else if (kind < NFILES)
		read_file(&w->files[kind], fd);
	close(fd);
	return 0;
}

static int
on_conf_ticket_key(struct msg_chan *chan, struct msg *msg, void *arg)
{
	struct worker *w = arg;
	const void *key;
	size_t len;

	(void)chan;
	key = msg_get_bytes(msg, TLS_TICKET_KEY_SIZE, &len);
	if (msg_end(msg) == -1 || len != TLS_TICKET_KEY_SIZE)
		return -1;
	memcpy(w->ticket_key, key, len);
	return 0;
}

static void
make_keepers(struct worker *w)
{
	if (w->keepers == NULL && (w->keepers = keepers_new(w->loop,
	    (unsigned)w->conf->keepers, w->conf->keeper_timeout_ms,
	    w->conf->lease_timeout_ms)) == NULL)
		fatal("keepers");
}

static void
on_users_changed(void *arg)
{
	struct worker *w = arg;

	if (w->requests != NULL)
		request_forget_users(w->requests);
}

static void
make_verifiers(struct worker *w)
{
	if (w->verifiers == NULL && w->conf->htpasswd_path != NULL &&
	    (w->verifiers = verifier_client_new(w->loop, w->conf,
	    on_users_changed, w)) == NULL)
		fatal("verifiers");
}

static int
add_verifier(struct worker *w, uint32_t instance, int fd)
{
	make_verifiers(w);
	if (w->verifiers == NULL || instance >= w->conf->verifiers) {
		close(fd);
		return -1;
	}
	if (verifier_client_add(w->verifiers, instance, fd) == -1)
		log_warn("channel to verifier %u", (unsigned)instance);
	return 0;
}

static void
fill_metrics(uint64_t *v, void *arg)
{
	const struct worker *w = arg;

	memset(v, 0, METRIC_WORKER_N * sizeof(*v));
	if (w->server == NULL)
		return;
	request_counts(w->requests, v);
	v[METRIC_CONNECTIONS] = http_server_connections(w->server);
}

static int
add_monitor(struct worker *w, int fd)
{
	if (w->feed == NULL && (w->feed = metrics_feed_new(w->loop,
	    METRICS_WORKER, METRIC_WORKER_N, fill_metrics, w)) == NULL)
		fatal("metrics");
	if (metrics_feed_peer(w->feed, fd) == -1)
		log_warn("channel to the monitor");
	return 0;
}

static int
on_peer(struct msg_chan *chan, struct msg *msg, void *arg)
{
	struct worker *w = arg;
	uint32_t role = msg_get_u32(msg);
	uint32_t instance = msg_get_u32(msg);

	(void)chan;
	if (msg_end(msg) == 0 && role == ROLE_VERIFIER)
		return add_verifier(w, instance, msg_get_fd(msg));
	if (!msg->bad && role == ROLE_MONITOR)
		return add_monitor(w, msg_get_fd(msg));
	if (msg->bad || role != ROLE_KEEPER ||
	    instance >= w->conf->keepers)
		return -1;
	make_keepers(w);
	if (keepers_set_peer(w->keepers, instance, msg_get_fd(msg)) == -1)
		log_warn("channel to keeper %u", (unsigned)instance);
	return 0;
}

/* ---- serving ---- */

static void
pause_listeners(struct worker *w, bool pause)
{
	size_t i;

	for (i = 0; i < w->nlisteners; i++)
		if (w->listeners[i] != NULL)
			listener_pause(w->listeners[i], pause);
}

static void
on_room(void *arg)
{
	pause_listeners(arg, false);
}

static void
on_accept(int fd, const struct peer *peer, void *arg)
{
	struct worker *w = arg;

	if (http_server_add(w->server, fd, peer, w->tls) == -1)
		log_debug("connection from %s was not taken", peer->addr);
	if (http_server_connections(w->server) >=
	    w->conf->http.max_connections)
		pause_listeners(w, true);
}

static void
start_tls(struct worker *w)
{
	struct buf *files = w->files;
	struct tls_conf conf = { 0 };
	const char **suites, *warning;
	char error[256];
	size_t i;

	if (w->conf->tls_certificate == NULL)
		return;
	suites = xcalloc(w->conf->tls_ciphersuites.n + 1, sizeof(*suites));
	for (i = 0; i < w->conf->tls_ciphersuites.n; i++)
		suites[i] = w->conf->tls_ciphersuites.items[i];
	conf.certificate = buf_str(&files[CONF_FILE_TLS_CERTIFICATE]);
	conf.certificate_len = files[CONF_FILE_TLS_CERTIFICATE].len;
	conf.key = buf_str(&files[CONF_FILE_TLS_KEY]);
	conf.key_len = files[CONF_FILE_TLS_KEY].len;
	if (files[CONF_FILE_TLS_CLIENTCA].len > 0) {
		conf.clientcas = buf_str(&files[CONF_FILE_TLS_CLIENTCA]);
		conf.clientcas_len = files[CONF_FILE_TLS_CLIENTCA].len;
	}
	conf.client_auth = w->conf->tls_client_auth;
	conf.minimum = w->conf->tls_minimum;
	if (w->conf->tls_ciphersuites.n > 0)
		conf.ciphersuites = suites;
	memcpy(conf.ticket_key, w->ticket_key, sizeof(conf.ticket_key));
	w->tls = tls_context_new(&conf, error, sizeof(error));
	explicit_bzero(&conf, sizeof(conf));
	free(suites);
	if (w->tls == NULL)
		refuse_conf("http.tls", error);
	/* Once is enough. */
	warning = tls_context_warning(w->tls);
	if (warning != NULL && w->instance == 0)
		log_warnx("http.tls: %s", warning);
}

/* What is not there any more is refused from now on. */
static void
take_keys(struct worker *w)
{
	struct jwks *old = w->jwks;

	w->jwks = w->incoming;
	w->incoming = NULL;
	if (w->requests != NULL)
		request_set_keys(w->requests, w->jwks);
	jwks_free(old);
}

/*
 * A connection needs a descriptor for itself, and while it is served one for
 * the file that it gets or the pipe of what it sends.
 */
static void
limit_connections(struct worker *w)
{
	size_t *max = &w->conf->http.max_connections;
	struct rlimit lim;
	size_t fit;

	if (getrlimit(RLIMIT_NOFILE, &lim) == -1 ||
	    lim.rlim_cur == RLIM_INFINITY)
		return;
	fit = lim.rlim_cur > 2 * SPARE_FDS ?
	    (size_t)(lim.rlim_cur - SPARE_FDS) / 2 : SPARE_FDS / 2;
	if (*max <= fit)
		return;
	log_warnx("registryd.limits.connections: %zu do not fit into the "
	    "limit of %llu open files: %zu are taken", *max,
	    (unsigned long long)lim.rlim_cur, fit);
	*max = fit;
}

static void
make_throttle(struct worker *w)
{
	if (w->conf->htpasswd_path == NULL ||
	    w->conf->throttle.failures_per_source == 0)
		return;
	w->throttle = throttle_new(&w->conf->throttle, THROTTLE_ENTRIES);
	if (w->throttle == NULL)
		fatal("throttle");
}

static void
start_requests(struct worker *w)
{
	struct request_env env = {
		.loop = w->loop,
		.conf = w->conf,
		.store = w->store,
		.keepers = w->keepers,
		.throttle = w->throttle,
		.verifiers = w->verifiers == NULL ? NULL :
		    verifier_client_pool(w->verifiers),
		.jwks = w->jwks,
	};

	if ((w->requests = request_ctx_new(&env)) == NULL)
		fatalx("requests cannot be served");
	w->server = http_server_new(w->loop, &w->conf->http, &request_ops,
	    w->requests);
	if (w->server == NULL)
		fatal("http server");
	http_server_on_room(w->server, on_room, w);
}

static void
start_listeners(struct worker *w)
{
	size_t i;

	for (i = 0; i < w->nlisteners; i++) {
		w->listeners[i] = listener_new(w->loop, w->listener_fds[i],
		    on_accept, w);
		if (w->listeners[i] == NULL)
			fatal("listener");
	}
}

static int
on_conf_end(struct msg_chan *chan, struct msg *msg, void *arg)
{
	struct worker *w = arg;
	size_t i;

	if (w->store == NULL)
		return -1;
	if (w->incoming != NULL)
		take_keys(w);
	if (w->server != NULL)
		return 0;
	make_keepers(w);
	make_verifiers(w);
	make_throttle(w);
	start_tls(w);
	for (i = 0; i < NFILES; i++)
		buf_wipe(&w->files[i]);
	explicit_bzero(w->ticket_key, sizeof(w->ticket_key));
	limit_connections(w);
	start_requests(w);
	start_listeners(w);
	return msg_send_empty(chan, MSG_READY, msg->id);
}

/* ---- the end ---- */

static void
on_drained(void *arg)
{
	struct worker *w = arg;

	loop_stop(w->loop);
}

static int
on_drain(struct msg_chan *chan, struct msg *msg, void *arg)
{
	struct worker *w = arg;
	size_t i;

	(void)chan;
	(void)msg;
	for (i = 0; i < w->nlisteners; i++) {
		listener_free(w->listeners[i]);
		w->listeners[i] = NULL;
	}
	if (w->server == NULL)
		loop_stop(w->loop);
	else
		http_server_drain(w->server, on_drained, w);
	return 0;
}

static void
worker_shutdown(struct worker *w)
{
	metrics_feed_free(w->feed);
	http_server_free(w->server);
	request_ctx_free(w->requests);
	keepers_free(w->keepers);
	verifier_client_free(w->verifiers);
	throttle_free(w->throttle);
	jwks_free(w->jwks);
	jwks_free(w->incoming);
	tls_context_free(w->tls);
	store_free(w->store);
	conf_free(w->conf);
	msg_chan_free(w->parent);
	loop_free(w->loop);
}

#define RULE(type, min, max, fds, handler) \
	{ type, ROLE_PARENT, min, max, fds, handler, #type }

static const struct msg_rule worker_rules[] = {
	RULE(MSG_CONF_BEGIN, 6, MSG_MAX_SIZE, 0, proc_on_conf_begin),
	RULE(MSG_CONF_VALUE, 8, MSG_MAX_SIZE, 0, on_conf_value),
	RULE(MSG_CONF_STORE, 5, MSG_MAX_SIZE, 1, on_conf_store),
	RULE(MSG_CONF_LISTENER, 4, 256, 1, on_conf_listener),
	RULE(MSG_CONF_FILE, 4, 4, 1, on_conf_file),
	RULE(MSG_CONF_TICKET_KEY, 4 + TLS_TICKET_KEY_SIZE,
	    4 + TLS_TICKET_KEY_SIZE, 0, on_conf_ticket_key),
	RULE(MSG_PEER, 8, 8, 1, on_peer),
	RULE(MSG_CONF_END, 0, 0, 0, on_conf_end),
	RULE(MSG_DRAIN, 0, 0, 0, on_drain),
};
#define NRULES	(sizeof(worker_rules) / sizeof(worker_rules[0]))

int
worker_main(const struct proc_args *args)
{
	struct worker w = { .instance = args->instance };
	char name[32];
	size_t i;

	snprintf(name, sizeof(name), "worker %u", args->instance);
	log_procinit(name);
	proc_child_start(args);
	privdrop(args);
	sandbox_enter(SANDBOX_NET_WORKER);
	if ((w.loop = loop_new()) == NULL || (w.conf = conf_new()) == NULL)
		fatal("start");
	for (i = 0; i < NFILES; i++)
		buf_init(&w.files[i], MAX_FILE);
	w.parent = proc_parent_chan(w.loop, worker_rules, NRULES, &w);
	if (loop_run(w.loop) == -1)
		fatal("loop");
	worker_shutdown(&w);
	return 0;
}
