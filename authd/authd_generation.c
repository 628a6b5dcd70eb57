/* SPDX-License-Identifier: ISC */
/*
 * From a configuration to a running set of children: users, sockets, files,
 * and what each role is sent.  Runs in the parent.
 */
#include "authd_generation.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "listener.h"
#include "privdrop.h"
#include "xmem.h"

#include "authd_copy.h"
#include "authd_files.h"
#include "authd_watch.h"
#include "cred.h"
#include "messages.h"

#define READY_TIMEOUT_MS	30000
#define NROLES			4

static const struct supervise_link links[] = {
	{ ROLE_WORKER, ROLE_BROKER, ROLE_BROKER },
	{ ROLE_BROKER, ROLE_VERIFIER, ROLE_BROKER },
	{ ROLE_BROKER, ROLE_SIGNER, ROLE_SIGNER },
};

struct authd_generation {
	struct authd_parent	*parent;
	struct authd_generation	*next;
	struct authd_conf	*conf;
	struct authd_files	 files;
	int			 listeners[LISTENER_MAX];
	size_t			 nlisteners;
	struct authd_watch	*watch;
	struct supervise_role	 roles[NROLES];
	struct log_field	*log_fields;	/* strings are conf's */
};

/* ---- what children are sent ---- */

static int
send_fd(struct msg_chan *chan, uint32_t type, int fd)
{
	struct msg_out	 out;

	msg_begin(&out, type, 0);
	msg_put_fd(&out, fd);
	return msg_send(chan, &out);
}

static int
send_file(struct msg_chan *chan, enum conf_file kind, int fd)
{
	struct msg_out	 out;

	msg_begin(&out, MSG_CONF_FILE, 0);
	msg_put_u32(&out, kind);
	msg_put_fd(&out, fd);
	return msg_send(chan, &out);
}

static int
send_tls(const struct authd_generation *gen, struct msg_chan *chan)
{
	struct msg_out	 out;

	if (gen->files.tls_certificate == -1)
		return 0;
	if (send_file(chan, CONF_FILE_TLS_CERTIFICATE,
	    gen->files.tls_certificate) == -1 ||
	    send_file(chan, CONF_FILE_TLS_KEY, gen->files.tls_key) == -1)
		return -1;
	msg_begin(&out, MSG_CONF_TICKET_KEY, 0);
	msg_put_bytes(&out, gen->parent->ticket_key, TLS_TICKET_KEY_SIZE);
	return msg_send(chan, &out);
}

static int
configure_worker(const struct authd_generation *gen, struct msg_chan *chan)
{
	struct msg_out	 out;
	char		 name[128];
	size_t		 i;

	for (i = 0; i < gen->nlisteners; i++) {
		msg_begin(&out, MSG_CONF_LISTENER, 0);
		msg_put_str(&out, listener_name(gen->listeners[i], name,
		    sizeof(name)));
		msg_put_fd(&out, gen->listeners[i]);
		if (msg_send(chan, &out) == -1)
			return -1;
	}
	if (send_tls(gen, chan) == -1)
		return -1;
	msg_begin(&out, MSG_CONF_JWKS, 0);
	msg_put_str(&out, gen->files.jwks);
	return msg_send(chan, &out);
}

static int
configure_signer(const struct authd_generation *gen, struct msg_chan *chan)
{
	const struct authd_conf	*conf = gen->conf;
	struct msg_out		 out;
	size_t			 i;

	msg_begin(&out, MSG_CONF_SIGNER, 0);
	msg_put_fd(&out, gen->files.key);
	msg_put_fd(&out, gen->files.certificate);
	msg_put_str(&out, conf->issuer);
	msg_put_u32(&out, (uint32_t)(conf->token_lifetime_ms / 1000));
	msg_put_u32(&out, (uint32_t)(conf->token_backdate_ms / 1000));
	msg_put_u32(&out, (uint32_t)conf->services.n);
	for (i = 0; i < conf->services.n; i++)
		msg_put_str(&out, conf->services.items[i]);
	return msg_send(chan, &out);
}

static int
configure(struct msg_chan *chan, unsigned role, unsigned instance, void *arg)
{
	const struct authd_generation	*gen = arg;

	(void)instance;
	if (role == ROLE_SIGNER)
		return configure_signer(gen, chan);
	if (conf_send(gen->conf, chan, role) == -1)
		return -1;
	if (role == ROLE_WORKER)
		return configure_worker(gen, chan);
	if (role == ROLE_VERIFIER)
		return send_fd(chan, MSG_CONF_HTPASSWD, gen->files.htpasswd);
	return 0;
}

/* ---- the htpasswd file changes ---- */

static void
send_users(struct msg_chan *chan, void *conf_arg, void *arg)
{
	const struct authd_generation	*gen = arg;

	if (conf_arg == gen &&
	    send_fd(chan, MSG_CONF_HTPASSWD, gen->files.htpasswd) == -1)
		log_warn("users to verifier %u", msg_chan_instance(chan));
}

/* Parse; what is wrong goes to the log. */
static void *
load_users(int fd, const char *path)
{
	char	*text = NULL;
	size_t	 len = 0;
	FILE	*messages;
	void	*users;

	if ((messages = open_memstream(&text, &len)) == NULL)
		return NULL;
	users = cred_htpasswd_load(fd, path, messages);
	fclose(messages);
	authd_log_messages(text);
	free(text);
	return users;
}

static void
on_users_changed(int fd, void *arg)
{
	struct authd_generation	*gen = arg;
	const char		*path = gen->conf->htpasswd;
	void			*users = NULL;
	int			 copy;

	if ((copy = authd_copy(fd, CRED_HTPASSWD_MAX)) == -1)
		log_warn("%s", path);
	else
		users = load_users(copy, path);
	close(fd);
	if (users == NULL) {
		log_error("%s is refused: the users known so far stay", path);
		if (copy != -1)
			close(copy);
		return;
	}
	log_info("%s has changed: %zu users", path,
	    cred_htpasswd_count(users));
	cred_htpasswd.free(users);
	close(gen->files.htpasswd);
	gen->files.htpasswd = copy;
	supervise_each(gen->parent->supervise, ROLE_VERIFIER, send_users, gen);
}

/* ---- making one ---- */

static void
set_role(struct authd_generation *gen, size_t i, unsigned role,
    const char *name, unsigned count, unsigned drain_order)
{
	gen->roles[i].role = role;
	gen->roles[i].name = name;
	gen->roles[i].count = count;
	gen->roles[i].drain_order = drain_order;
}

/* Who starts without being root stays who he is. */
static int
set_user(struct supervise_role *role, const char *key, const char *user,
    FILE *messages)
{
	if (geteuid() != 0)
		return 0;
	if (privdrop_lookup(user, &role->uid, &role->gids[0]) == 0) {
		role->ngids = 1;
		role->drop = true;
		return 0;
	}
	if (errno == ENOENT)
		fprintf(messages, "error: %s: there is no user %s; create it "
		    "with: useradd --system --no-create-home --shell "
		    "/usr/sbin/nologin %s\n", key, user, user);
	else
		fprintf(messages, "error: %s: %s: %s\n", key, user,
		    strerror(errno));
	return -1;
}

static int
make_roles(struct authd_generation *gen, FILE *messages)
{
	const struct authd_conf	*conf = gen->conf;
	struct supervise_role	*roles = gen->roles;
	int			 failed = 0;

	set_role(gen, 0, ROLE_WORKER, "worker", (unsigned)conf->workers, 0);
	set_role(gen, 1, ROLE_BROKER, "broker", 1, 1);
	set_role(gen, 2, ROLE_VERIFIER, "verifier",
	    (unsigned)conf->verifiers, 2);
	set_role(gen, 3, ROLE_SIGNER, "signer", 1, 2);
	failed |= set_user(&roles[0], "user", conf->user, messages);
	failed |= set_user(&roles[1], "broker_user", conf->broker_user,
	    messages);
	failed |= set_user(&roles[2], "verifier_user", conf->verifier_user,
	    messages);
	failed |= set_user(&roles[3], "signer_user", conf->signer_user,
	    messages);
	return failed;
}

/* Another generation's sockets for the same address, if there is one. */
static const struct authd_generation *
find_listening(const struct authd_generation *gen)
{
	const struct authd_generation	*other = gen->parent->generations;

	while (other != NULL && (other->nlisteners == 0 ||
	    strcmp(other->conf->listen, gen->conf->listen) != 0 ||
	    strcmp(other->conf->net, gen->conf->net) != 0))
		other = other->next;
	return other;
}

static int
take_over(struct authd_generation *gen, const struct authd_generation *other)
{
	int	 fd;

	while (gen->nlisteners < other->nlisteners) {
		fd = fcntl(other->listeners[gen->nlisteners],
		    F_DUPFD_CLOEXEC, 3);
		if (fd == -1)
			return -1;
		gen->listeners[gen->nlisteners++] = fd;
	}
	return 0;
}

static int
open_listeners(struct authd_generation *gen, FILE *messages)
{
	const struct authd_generation	*other = find_listening(gen);
	struct log_field		 field;
	char				 error[256], name[128];
	int				 n;
	size_t				 i;

	if (other != NULL) {
		if (take_over(gen, other) == 0)
			return 0;
		fprintf(messages, "error: listen: %s\n", strerror(errno));
		return -1;
	}
	other = gen->parent->generations;
	while (other != NULL && other->nlisteners == 0)
		other = other->next;
	n = listener_reopen(gen->conf->net, gen->conf->listen,
	    other == NULL ? NULL : other->listeners,
	    other == NULL ? 0 : other->nlisteners, gen->listeners, error,
	    sizeof(error));
	if (n == -1) {
		fprintf(messages, "error: listen: %s\n", error);
		return -1;
	}
	gen->nlisteners = (size_t)n;
	for (i = 0; i < gen->nlisteners; i++) {
		field.key = "address";
		field.value = listener_name(gen->listeners[i], name,
		    sizeof(name));
		log_event(LOG_LEVEL_INFO, "listening", &field, 1);
	}
	return 0;
}

static void
make_log_fields(struct authd_generation *gen)
{
	const struct conf_pairs	*pairs = &gen->conf->log_fields;
	size_t			 i;

	gen->log_fields = xcalloc(pairs->n + 1, sizeof(*gen->log_fields));
	for (i = 0; i < pairs->n; i++) {
		gen->log_fields[i].key = pairs->items[i].name;
		gen->log_fields[i].value = pairs->items[i].value;
	}
}

struct authd_generation *
authd_generation_new(struct authd_parent *parent, struct authd_conf *conf,
    FILE *messages)
{
	struct authd_generation	*gen = xcalloc(1, sizeof(*gen));
	int			 failed = 0;

	gen->parent = parent;
	gen->conf = conf;
	make_log_fields(gen);
	failed |= make_roles(gen, messages);
	failed |= authd_files_open(&gen->files, conf, false, messages);
	/* Last, so that nobody connects to what will not start. */
	if (failed == 0)
		failed |= open_listeners(gen, messages);
	if (failed == 0) {
		gen->watch = authd_watch_new(parent->loop, conf->htpasswd,
		    &gen->files.htpasswd_from, on_users_changed, gen);
		if (gen->watch == NULL)
			fatal("watch of %s", conf->htpasswd);
	}
	gen->next = parent->generations;
	parent->generations = gen;
	if (failed != 0) {
		authd_generation_free(gen);
		return NULL;
	}
	return gen;
}

void
authd_generation_free(struct authd_generation *gen)
{
	struct authd_generation	**at;
	size_t			  i;

	if (gen == NULL)
		return;
	for (at = &gen->parent->generations; *at != gen; at = &(*at)->next)
		continue;
	*at = gen->next;
	authd_watch_free(gen->watch);
	authd_files_close(&gen->files);
	for (i = 0; i < gen->nlisteners; i++)
		close(gen->listeners[i]);
	free(gen->log_fields);
	conf_free(gen->conf);
	free(gen);
}

static void
on_ended(void *arg)
{
	authd_generation_free(arg);
}

int
authd_generation_start(struct authd_generation *gen)
{
	const struct authd_conf	*conf = gen->conf;
	struct supervise_conf	 supervise = {
		.program = gen->parent->program,
		.roles = gen->roles,
		.nroles = NROLES,
		.links = links,
		.nlinks = sizeof(links) / sizeof(links[0]),
		.ready_timeout_ms = READY_TIMEOUT_MS,
		.drain_timeout_ms = conf->drain_timeout_ms,
		.log_level = gen->parent->verbose ? LOG_LEVEL_DEBUG :
		    conf->log_level,
		.log_format = conf->log_format,
		.log_fields = gen->log_fields,
		.nlog_fields = conf->log_fields.n,
		.configure = configure,
		.conf_arg = gen,
		.conf_free = on_ended
	};

	return supervise_start(gen->parent->supervise, &supervise);
}
