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
#include <time.h>
#include <unistd.h>

#include "frozen.h"
#include "htpasswd.h"
#include "listener.h"
#include "privdrop.h"
#include "watch.h"
#include "xmem.h"

#include "authd_files.h"
#include "authd_role.h"
#include "authd_vault.h"
#include "htgroup.h"
#include "messages.h"

#define READY_TIMEOUT_MS	30000

struct authd_generation {
	struct authd_parent	*parent;
	struct authd_generation	*next;
	struct authd_conf	*conf;
	struct authd_files	 files;
	int			 listeners[LISTENER_MAX];
	size_t			 nlisteners;
	struct watch		*watch, *watch_groups;
	struct loop_timer	*expiry;	/* of a key of the past */
	struct authd_roles	 roles;
	int			 control;	/* of the vault; -1: none */
	struct log_field	*log_fields;	/* strings are conf's */
};

/* ---- what children are sent ---- */

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
send_jwks(const struct authd_generation *gen, struct msg_chan *chan)
{
	struct msg_out	 out;

	msg_begin(&out, MSG_CONF_JWKS, 0);
	msg_put_str(&out, gen->files.keys.jwks);
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
	return send_jwks(gen, chan);
}

static int
send_signing_key(const struct authd_key *key, struct msg_chan *chan)
{
	struct msg_out	 out;

	msg_begin(&out, MSG_CONF_SIGNER_KEY, 0);
	msg_put_fd(&out, key->key);
	msg_put_fd(&out, key->certificate);
	return msg_send(chan, &out);
}

static uint32_t
seconds(uint64_t ms, uint64_t otherwise)
{
	return (uint32_t)((ms == CONF_DEFAULT ? otherwise : ms) / 1000);
}

static int
send_service(const struct authd_generation *gen, size_t i,
    struct msg_chan *chan)
{
	const struct authd_conf		*conf = gen->conf;
	const struct conf_service	*profile = &conf->profiles[i];
	struct msg_out			 out;

	msg_begin(&out, MSG_CONF_SERVICE, 0);
	msg_put_str(&out, conf->services.items[i]);
	msg_put_u32(&out, (uint32_t)authd_keys_find(&gen->files.keys,
	    profile->algorithm));
	msg_put_str(&out, profile->kid);
	msg_put_bool(&out, profile->x5c);
	msg_put_u32(&out, seconds(profile->lifetime_ms,
	    conf->token_lifetime_ms));
	msg_put_u32(&out, seconds(profile->backdate_ms,
	    conf->token_backdate_ms));
	return msg_send(chan, &out);
}

static int
configure_signer(const struct authd_generation *gen, struct msg_chan *chan)
{
	const struct authd_key	*key;
	struct msg_out		 out;
	size_t			 i;

	msg_begin(&out, MSG_CONF_SIGNER, 0);
	msg_put_str(&out, gen->conf->issuer);
	if (msg_send(chan, &out) == -1)
		return -1;
	for (i = 0; (key = authd_keys_signing(&gen->files.keys,
	    (unsigned)i)) != NULL; i++)
		if (send_signing_key(key, chan) == -1)
			return -1;
	for (i = 0; i < gen->conf->services.n; i++)
		if (send_service(gen, i, chan) == -1)
			return -1;
	return 0;
}

static int
send_ldap(const struct authd_generation *gen, struct msg_chan *chan)
{
	const struct authd_files	*files = &gen->files;

	if (files->ldap_password != -1 && send_file(chan,
	    CONF_FILE_LDAP_PASSWORD, files->ldap_password) == -1)
		return -1;
	return files->ldap_ca == -1 ? 0 :
	    send_file(chan, CONF_FILE_LDAP_CA, files->ldap_ca);
}

/* Only the files of its own backend. */
static int
configure_verifier(const struct authd_generation *gen, struct msg_chan *chan,
    unsigned role)
{
	if (role == ROLE_VERIFIER)
		return send_file(chan, CONF_FILE_HTPASSWD,
		    gen->files.htpasswd);
	if (role == ROLE_VERIFIER_LDAP)
		return send_ldap(gen, chan);
	return 0;
}

static int
configure_broker(const struct authd_generation *gen, struct msg_chan *chan)
{
	if (gen->files.audit != -1 &&
	    send_file(chan, CONF_FILE_AUDIT, gen->files.audit) == -1)
		return -1;
	return gen->conf->file_groups == NULL ? 0 :
	    htgroup_send(gen->conf->file_groups, chan);
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
	if (role == ROLE_BROKER)
		return configure_broker(gen, chan);
	if (role == ROLE_VAULT)
		return send_file(chan, CONF_FILE_CONTROL, gen->control);
	return configure_verifier(gen, chan, role);
}

/* ---- the htpasswd file changes ---- */

static void
send_users(struct msg_chan *chan, void *conf_arg, void *arg)
{
	const struct authd_generation	*gen = arg;

	if (conf_arg == gen &&
	    (configure_verifier(gen, chan, ROLE_VERIFIER) == -1 ||
	    msg_send_empty(chan, MSG_CONF_END, 0) == -1))
		log_warn("users to verifier %u", msg_chan_instance(chan));
}

/* Parse; what is wrong goes to the log. */
static struct htpasswd *
load_users(int fd, const char *path)
{
	char	*text = NULL;
	size_t	 len = 0;
	FILE	*messages;
	struct htpasswd	*users;

	if ((messages = open_memstream(&text, &len)) == NULL)
		return NULL;
	users = htpasswd_load(fd, path, messages);
	fclose(messages);
	log_messages(text);
	free(text);
	return users;
}

static void
on_users_changed(int fd, void *arg)
{
	struct authd_generation	*gen = arg;
	const char		*path = gen->conf->htpasswd;
	struct htpasswd		*users;
	int			 copy, error;

	if ((copy = frozen_copy(fd, HTPASSWD_MAX_SIZE)) == -1) {
		error = errno;
		close(fd);
		if (!frozen_may_succeed(error) || watch_again(gen->watch))
			log_error("%s: %s: the users known so far stay", path,
			    strerror(error));
		return;
	}
	users = load_users(copy, path);
	close(fd);
	if (users == NULL) {
		log_error("%s is refused: the users known so far stay", path);
		close(copy);
		return;
	}
	log_info("%s has changed: %zu users", path, htpasswd_count(users));
	htpasswd_free(users);
	close(gen->files.htpasswd);
	gen->files.htpasswd = copy;
	supervise_each(gen->parent->supervise, ROLE_VERIFIER, send_users, gen);
}

/* ---- keys of the past ---- */

static void
send_new_jwks(struct msg_chan *chan, void *conf_arg, void *arg)
{
	if (conf_arg == arg && send_jwks(arg, chan) == -1)
		log_warn("keys to worker %u", msg_chan_instance(chan));
}

static void
wait_for_expiry(struct authd_generation *gen)
{
	time_t	 next = authd_keys_next(&gen->files.keys), now = time(NULL);

	if (next != 0)
		loop_timer_start(gen->expiry, next <= now ? 1 :
		    (uint64_t)(next - now) * 1000);
}

static void
on_expiry(void *arg)
{
	struct authd_generation	*gen = arg;

	if (authd_keys_expire(&gen->files.keys, gen->conf, time(NULL)))
		supervise_each(gen->parent->supervise, ROLE_WORKER,
		    send_new_jwks, gen);
	wait_for_expiry(gen);
}

/* Tokens of the configuration before this one are still on their way. */
static void
keep_old_keys(struct authd_generation *gen)
{
	const struct authd_generation	*old = gen->parent->generations;

	if (old != NULL)
		authd_keys_retire(&gen->files.keys, gen->conf,
		    &old->files.keys, old->conf, time(NULL));
	gen->expiry = loop_timer_new(gen->parent->loop, on_expiry, gen);
	if (gen->expiry == NULL)
		fatal("timer");
	wait_for_expiry(gen);
}

/* ---- the htgroup file changes ---- */

static void
send_groups(struct msg_chan *chan, void *conf_arg, void *arg)
{
	const struct authd_generation	*gen = arg;

	if (conf_arg == gen &&
	    (htgroup_send(gen->conf->file_groups, chan) == -1 ||
	    msg_send_empty(chan, MSG_CONF_END, 0) == -1))
		log_warn("groups to broker %u", msg_chan_instance(chan));
}

static void
on_groups_changed(int fd, void *arg)
{
	struct authd_generation	*gen = arg;
	const char		*path = gen->conf->htgroup;
	struct htgroup		*groups = NULL;
	char			*text = NULL;
	size_t			 len = 0;
	FILE			*messages;

	if ((messages = open_memstream(&text, &len)) != NULL) {
		groups = htgroup_read(fd, path, messages);
		fclose(messages);
		log_messages(text);
		free(text);
	}
	close(fd);
	if (groups == NULL) {
		log_error("%s is refused: the groups known so far stay", path);
		return;
	}
	log_info("%s has changed: %zu groups", path, groups->n);
	htgroup_free(gen->conf->file_groups);
	gen->conf->file_groups = groups;
	supervise_each(gen->parent->supervise, ROLE_BROKER, send_groups, gen);
}

/* ---- making one ---- */

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

/* Of the vault, in its user's directory; another generation may have it. */
static int
open_control(struct authd_generation *gen, FILE *messages)
{
	const char			*path = gen->conf->credentials.control;
	const struct authd_generation	*other = gen->parent->generations;

	if (gen->conf->credentials.database == NULL)
		return 0;
	while (other != NULL && (other->control == -1 ||
	    strcmp(other->conf->credentials.control, path) != 0))
		other = other->next;
	/* Two vaults that share a socket have to mean the same database. */
	if (other != NULL && strcmp(other->conf->credentials.database,
	    gen->conf->credentials.database) != 0)
		fprintf(messages, "error: credentials.database: a change "
		    "needs a restart, or another credentials.control\n");
	else if (other == NULL)
		gen->control = authd_vault_open(gen->conf, authd_roles_find(
		    &gen->roles, ROLE_VAULT), messages);
	else
		gen->control = fcntl(other->control, F_DUPFD_CLOEXEC, 3);
	return gen->control == -1 ? -1 : 0;
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
	struct stat		 groups_from;
	int			 failed = 0;

	gen->parent = parent;
	gen->conf = conf;
	make_log_fields(gen);
	gen->control = -1;
	failed |= authd_roles_make(&gen->roles, conf, messages);
	failed |= authd_files_open(&gen->files, conf, false, messages);
	failed |= conf_htgroup_load(conf, false, &groups_from, messages);
	if (failed == 0)
		failed |= conf_expect_check(conf, messages);
	/* Last, so that nobody connects to what will not start. */
	if (failed == 0)
		failed |= open_control(gen, messages);
	if (failed == 0)
		failed |= open_listeners(gen, messages);
	if (failed == 0 && conf_backend_is_used(conf, ROLE_VERIFIER)) {
		gen->watch = watch_new(parent->loop, conf->htpasswd,
		    &gen->files.htpasswd_from, on_users_changed, gen);
		if (gen->watch == NULL)
			fatal("watch of %s", conf->htpasswd);
	}
	if (failed == 0 && conf->htgroup != NULL) {
		gen->watch_groups = watch_new(parent->loop, conf->htgroup,
		    &groups_from, on_groups_changed, gen);
		if (gen->watch_groups == NULL)
			fatal("watch of %s", conf->htgroup);
	}
	if (failed == 0)
		keep_old_keys(gen);
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
	watch_free(gen->watch);
	watch_free(gen->watch_groups);
	loop_timer_free(gen->expiry);
	authd_files_close(&gen->files);
	for (i = 0; i < gen->nlisteners; i++)
		close(gen->listeners[i]);
	if (gen->control != -1)
		close(gen->control);
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
		.roles = gen->roles.roles,
		.nroles = gen->roles.nroles,
		.links = gen->roles.links,
		.nlinks = gen->roles.nlinks,
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
