/* SPDX-License-Identifier: ISC */
/*
 * Opening what the configuration names, in the parent, and handing each
 * child its share.  This is the only place that opens anything by an
 * absolute path; it reads none of it.
 */
#include "setup.h"

#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "log.h"
#include "privdrop.h"
#include "setup_control.h"
#include "setup_root.h"
#include "tls.h"
#include "xmem.h"

/* ---- users ---- */

static int
find_user(const char *key, const char *user, uid_t *uid, gid_t *gid)
{
	if (privdrop_lookup(user, uid, gid) == 0)
		return 0;
	if (errno == ENOENT)
		log_error("%s: there is no user %s: create it with "
		    "\"useradd --system --no-create-home --shell "
		    "/usr/sbin/nologin %s\", or name another one",
		    key, user, user);
	else
		log_error("%s: %s: expected an unprivileged user or "
		    "\"uid:gid\"", key, user);
	return -1;
}

static void
set_role(struct supervise_role *role, unsigned number, const char *name,
    uint64_t count, unsigned drain_order)
{
	role->role = number;
	role->name = name;
	role->count = (unsigned)count;
	role->drain_order = drain_order;
}

static int
add_verifiers(struct setup *setup)
{
	struct supervise_role *verifier = &setup->roles[setup->nroles];
	const struct registry_conf *conf = setup->conf;

	if (conf->htpasswd_path == NULL)
		return 0;
	set_role(verifier, ROLE_VERIFIER, "verifier", conf->verifiers, 1);
	setup->nroles++;
	setup->links[setup->nlinks].a = ROLE_WORKER;
	setup->links[setup->nlinks].b = ROLE_VERIFIER;
	setup->links[setup->nlinks++].judge = ROLE_VERIFIER;
	if (geteuid() != 0)
		return 0;
	if (find_user("registryd.verifier_user", conf->verifier_user,
	    &verifier->uid, &verifier->gids[0]) == -1)
		return -1;
	verifier->ngids = 1;
	verifier->drop = true;
	return 0;
}

/*
 * As workers do, but without their view of the store; it goes with them.
 */
static void
add_monitor(struct setup *setup)
{
	const struct supervise_role *worker = &setup->roles[0];
	struct supervise_role *monitor = &setup->roles[setup->nroles];

	if (!conf_has_monitor(setup->conf))
		return;
	set_role(monitor, ROLE_MONITOR, "monitor", 1, 0);
	setup->nroles++;
	setup->links[setup->nlinks].a = ROLE_WORKER;
	setup->links[setup->nlinks++].b = ROLE_MONITOR;
	setup->links[setup->nlinks].a = ROLE_COLLECTOR;
	setup->links[setup->nlinks++].b = ROLE_MONITOR;
	monitor->drop = worker->drop;
	monitor->uid = worker->uid;
	monitor->gids[0] = worker->gids[0];
	monitor->ngids = worker->drop ? 1 : 0;
}

/*
 * Workers first: while they drain they need the keepers.  Without root
 * everybody stays who they are.
 */
static int
make_roles(struct setup *setup)
{
	struct supervise_role *worker = &setup->roles[0];
	struct supervise_role *keeper = &setup->roles[1];
	struct supervise_role *collector = &setup->roles[2];
	const struct registry_conf *conf = setup->conf;
	int failed;

	set_role(worker, ROLE_WORKER, "worker", conf->workers, 0);
	set_role(keeper, ROLE_KEEPER, "keeper", conf->keepers, 1);
	set_role(collector, ROLE_COLLECTOR, "collector", 1, 1);
	setup->links[0].a = ROLE_WORKER;
	setup->links[0].b = ROLE_KEEPER;
	setup->links[0].judge = ROLE_KEEPER;
	setup->nroles = 3;
	setup->nlinks = 1;
	if (add_verifiers(setup) == -1)
		return -1;
	if (geteuid() != 0) {
		add_monitor(setup);
		return 0;
	}
	failed = find_user("registryd.user", conf->user, &keeper->uid,
	    &keeper->gids[0]);
	failed |= find_user("registryd.worker_user", conf->worker_user,
	    &worker->uid, &worker->gids[0]);
	if (failed != 0)
		return -1;
	if (worker->uid == keeper->uid) {
		log_error("registryd.worker_user: %s is registryd.user: "
		    "workers must not own the store's files",
		    conf->worker_user);
		return -1;
	}
	keeper->drop = collector->drop = worker->drop = true;
	keeper->ngids = collector->ngids = 1;
	collector->uid = keeper->uid;
	collector->gids[0] = keeper->gids[0];
	/* The store's files are readable by its owner's group. */
	worker->gids[1] = keeper->gids[0];
	worker->ngids = 2;
	add_monitor(setup);
	return 0;
}

/* ---- files and sockets ---- */

static int
open_file(struct setup *setup, const char *key, const char *path,
    enum conf_file kind)
{
	struct setup_file *file;
	struct stat st;
	int fd;

	if (path == NULL)
		return 0;
	if (setup->nfiles == SETUP_MAX_FILES) {
		log_error("%s: more than %d files", key, SETUP_MAX_FILES);
		return -1;
	}
	/* Opening a FIFO would wait for its other end. */
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	if (fd == -1 || fstat(fd, &st) == -1) {
		log_error("%s: %s: %s", key, path, strerror(errno));
		if (fd != -1)
			close(fd);
		return -1;
	}
	if (!S_ISREG(st.st_mode)) {
		log_error("%s: %s: %s", key, path, S_ISDIR(st.st_mode) ?
		    strerror(EISDIR) : "not a regular file");
		close(fd);
		return -1;
	}
	file = &setup->files[setup->nfiles++];
	file->kind = kind;
	file->fd = fd;
	return 0;
}

static int
open_files(struct setup *setup)
{
	const struct registry_conf *conf = setup->conf;
	int failed = 0;
	size_t i;

	failed |= open_file(setup, "http.tls.certificate",
	    conf->tls_certificate, CONF_FILE_TLS_CERTIFICATE);
	failed |= open_file(setup, "http.tls.key", conf->tls_key,
	    CONF_FILE_TLS_KEY);
	for (i = 0; i < conf->tls_clientcas.n; i++)
		failed |= open_file(setup, "http.tls.clientcas",
		    conf->tls_clientcas.items[i], CONF_FILE_TLS_CLIENTCA);
	return failed;
}

static void
note_file(FILE *messages, const char *key, const char *path)
{
	if (path != NULL && access(path, R_OK) == -1)
		fprintf(messages, "note: %s: %s: %s\n", key, path,
		    strerror(errno));
}

void
setup_note_files(const struct registry_conf *conf, FILE *messages)
{
	size_t i;

	note_file(messages, "http.tls.certificate", conf->tls_certificate);
	note_file(messages, "http.tls.key", conf->tls_key);
	for (i = 0; i < conf->tls_clientcas.n; i++)
		note_file(messages, "http.tls.clientcas",
		    conf->tls_clientcas.items[i]);
	if (conf->token_realm == NULL)
		return;
	note_file(messages, "auth.token.rootcertbundle", conf->token_roots);
	note_file(messages, "auth.token.jwks", conf->token_jwks);
}

/* So that no connection is refused while one set of workers follows another. */
static int
inherit_sockets(struct setup_sockets *sockets, const struct setup_sockets *old,
    const char *key, const char *addr)
{
	size_t i;
	int fd;

	for (i = 0; i < old->n; i++) {
		fd = fcntl(old->fds[i], F_DUPFD_CLOEXEC, 0);
		if (fd == -1) {
			log_warn("%s: %s", key, addr);
			return -1;
		}
		sockets->fds[sockets->n++] = fd;
	}
	sockets->inherited = true;
	return 0;
}

/* "same": the address is what it was. */
static int
open_sockets(struct setup_sockets *sockets, const struct setup_sockets *old,
    bool same, const char *key, const char *net, const char *addr)
{
	char error[256];
	int n;

	if (same)
		return inherit_sockets(sockets, old, key, addr);
	n = listener_reopen(net, addr, old == NULL ? NULL : old->fds,
	    old == NULL ? 0 : old->n, sockets->fds, error, sizeof(error));
	if (n == -1) {
		log_error("%s: %s", key, error);
		return -1;
	}
	sockets->n = (size_t)n;
	return 0;
}

static int
open_listeners(struct setup *setup, const struct setup *old)
{
	const struct registry_conf *conf = setup->conf;
	bool same;
	int failed;

	same = old != NULL && strcmp(conf->net, old->conf->net) == 0 &&
	    strcmp(conf->addr, old->conf->addr) == 0;
	failed = open_sockets(&setup->listeners, old == NULL ? NULL :
	    &old->listeners, same, "http.addr", conf->net, conf->addr);
	if (!conf_has_monitor(conf))
		return failed;
	same = old != NULL && conf_has_monitor(old->conf) &&
	    strcmp(conf->debug_addr, old->conf->debug_addr) == 0;
	failed |= open_sockets(&setup->debug, old == NULL ? NULL :
	    &old->debug, same, "http.debug.addr", "tcp", conf->debug_addr);
	return failed;
}

static void
copy_log_fields(struct setup *setup)
{
	const struct conf_pairs *pairs = &setup->conf->log_fields;
	size_t i;

	setup->log_fields = xcalloc(pairs->n + 1, sizeof(struct log_field));
	for (i = 0; i < pairs->n; i++) {
		setup->log_fields[i].key = pairs->items[i].name;
		setup->log_fields[i].value = pairs->items[i].value;
	}
}

struct setup *
setup_open(struct registry_conf *conf, const struct setup *old)
{
	struct setup *setup;
	int failed = 0;

	setup = xcalloc(1, sizeof(*setup));
	setup->conf = conf;
	setup->rootfd = setup->controlfd = -1;
	copy_log_fields(setup);
	/* All that is wrong at once, not only the first. */
	if (make_roles(setup) == -1)
		failed = -1;
	else if ((setup->rootfd = setup_root_open(conf, &setup->roles[1],
	    &setup->roles[0])) == -1)
		failed = -1;
	failed |= open_files(setup);
	if (conf->htpasswd_path != NULL && (setup->users =
	    setup_users_open(conf->htpasswd_path)) == NULL)
		failed = -1;
	if (conf->token_realm != NULL &&
	    (setup->keys = setup_keys_open(conf)) == NULL)
		failed = -1;
	failed |= open_listeners(setup, old);
	if (failed == 0)
		setup->controlfd = setup_control_open(conf, &setup->roles[1],
		    old != NULL ? old->conf : NULL,
		    old != NULL ? old->controlfd : -1);
	if (failed != 0) {
		setup_free(setup);
		return NULL;
	}
	return setup;
}

void
setup_free(struct setup *setup)
{
	size_t i;

	if (setup == NULL)
		return;
	for (i = 0; i < setup->listeners.n; i++)
		close(setup->listeners.fds[i]);
	for (i = 0; i < setup->debug.n; i++)
		close(setup->debug.fds[i]);
	for (i = 0; i < setup->nfiles; i++)
		close(setup->files[i].fd);
	if (setup->rootfd != -1)
		close(setup->rootfd);
	if (setup->controlfd != -1)
		close(setup->controlfd);
	setup_users_free(setup->users);
	setup_keys_free(setup->keys);
	free(setup->log_fields);
	conf_free(setup->conf);
	free(setup);
}

/* ---- to the children ---- */

static int
send_values(const struct setup *setup, struct msg_chan *chan)
{
	struct msg_out out;
	char *value;
	size_t i;

	for (i = 0; i < conf_nvalues(); i++) {
		if ((value = conf_get_value(setup->conf, i)) == NULL)
			continue;
		msg_begin(&out, MSG_CONF_VALUE, 0);
		msg_put_u32(&out, (uint32_t)i);
		msg_put_str(&out, value);
		free(value);
		if (msg_send(chan, &out) == -1)
			return -1;
	}
	return 0;
}

static int
send_store(const struct setup *setup, struct msg_chan *chan)
{
	struct msg_out out;

	msg_begin(&out, MSG_CONF_STORE, 0);
	msg_put_str(&out, setup->conf->root);
	msg_put_fd(&out, setup->rootfd);
	return msg_send(chan, &out);
}

bool
setup_take_control(struct setup *setup)
{
	if (setup->controlfd != -1)
		return false;
	setup->controlfd = setup_control_retry(setup->conf,
	    &setup->roles[1]);
	return setup->controlfd != -1;
}

int
setup_send_control(const struct setup *setup, struct msg_chan *chan)
{
	struct msg_out out;

	if (setup->controlfd == -1)
		return 0;
	msg_begin(&out, MSG_CONF_CONTROL, 0);
	msg_put_fd(&out, setup->controlfd);
	return msg_send(chan, &out);
}

static int
send_sockets(const struct setup_sockets *sockets, struct msg_chan *chan)
{
	struct msg_out out;
	char name[128];
	size_t i;

	for (i = 0; i < sockets->n; i++) {
		msg_begin(&out, MSG_CONF_LISTENER, 0);
		msg_put_str(&out, listener_name(sockets->fds[i], name,
		    sizeof(name)));
		msg_put_fd(&out, sockets->fds[i]);
		if (msg_send(chan, &out) == -1)
			return -1;
	}
	return 0;
}

static int
send_network(const struct setup *setup, struct msg_chan *chan,
    const unsigned char *ticket_key)
{
	struct msg_out out;
	size_t i;

	if (send_sockets(&setup->listeners, chan) == -1)
		return -1;
	for (i = 0; i < setup->nfiles; i++) {
		msg_begin(&out, MSG_CONF_FILE, 0);
		msg_put_u32(&out, setup->files[i].kind);
		msg_put_fd(&out, setup->files[i].fd);
		if (msg_send(chan, &out) == -1)
			return -1;
	}
	if (setup->keys != NULL && setup_keys_send(setup->keys, chan) == -1)
		return -1;
	msg_begin(&out, MSG_CONF_TICKET_KEY, 0);
	msg_put_bytes(&out, ticket_key, TLS_TICKET_KEY_SIZE);
	return msg_send(chan, &out);
}

int
setup_send(const struct setup *setup, struct msg_chan *chan, unsigned role,
    const unsigned char *ticket_key)
{
	if (send_values(setup, chan) == -1)
		return -1;
	/* No store for them. */
	if (role == ROLE_VERIFIER)
		return setup_users_send(setup->users, chan);
	if (role == ROLE_MONITOR)
		return send_sockets(&setup->debug, chan);
	if (send_store(setup, chan) == -1)
		return -1;
	if (role == ROLE_WORKER)
		return send_network(setup, chan, ticket_key);
	if (role == ROLE_COLLECTOR)
		return setup_send_control(setup, chan);
	return 0;
}
