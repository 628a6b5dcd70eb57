/* SPDX-License-Identifier: ISC */
/*
 * The vault: has the database of long-lived credentials, answers the
 * broker's questions about them, and serves the control socket.  It knows
 * hashes of tokens, never a token; it decides nothing about access, and talks
 * to no client.  It keeps the root directory, under a user of its own to whom
 * the directory of the database belongs: SQLite works by file names.
 */
#include "vault.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "clock.h"
#include "log.h"
#include "loop.h"
#include "msg.h"
#include "privdrop.h"
#include "sandbox.h"

#include "conf.h"
#include "messages.h"
#include "vault_control.h"
#include "vault_db.h"

#define LOCK_WAIT_MS	5000		/* for an authctl that works on it */
#define TICK_MS		500
#define USED_TICKS	4		/* between writes of what was used */
#define EXPIRE_TICKS	7200
#define MAX_USED	512		/* ids that wait to be written */

struct vault {
	struct loop		*loop;
	struct msg_chan		*parent;
	struct msg_chan		*broker;	/* NULL while there is none */
	struct authd_conf	*conf;
	struct vault_limits	 limits;
	struct vault_db		*db;		/* NULL before CONF_END */
	int			 control_fd;	/* -1 before and after */
	struct vault_control	*control;
	struct loop_timer	*timer;
	unsigned		 ticks;
	char			 used[MAX_USED][CREDENTIAL_ID_SIZE];
	size_t			 nused;
};

static msg_handler_fn	 vault_on_value, vault_on_file, vault_on_peer,
			 vault_on_conf_end, vault_on_drain, vault_on_find,
			 vault_on_used, vault_on_keep, vault_on_forget;

static const struct msg_rule vault_rules[] = {
	{ MSG_CONF_BEGIN, ROLE_PARENT, 6, MSG_MAX_SIZE, 0,
	    proc_on_conf_begin, "CONF_BEGIN" },
	{ MSG_CONF_VALUE, ROLE_PARENT, 8, MSG_MAX_SIZE, 0, vault_on_value,
	    "CONF_VALUE" },
	{ MSG_CONF_FILE, ROLE_PARENT, 4, 4, 1, vault_on_file, "CONF_FILE" },
	{ MSG_PEER, ROLE_PARENT, 8, 8, 1, vault_on_peer, "PEER" },
	{ MSG_CONF_END, ROLE_PARENT, 0, 0, 0, vault_on_conf_end,
	    "CONF_END" },
	{ MSG_DRAIN, ROLE_PARENT, 0, 0, 0, vault_on_drain, "DRAIN" },
	{ MSG_FIND, ROLE_BROKER, 4 + CREDENTIAL_HASH_SIZE,
	    4 + CREDENTIAL_HASH_SIZE, 0, vault_on_find, "FIND" },
	{ MSG_USED, ROLE_BROKER, 4, 4 + CREDENTIAL_ID_LEN, 0, vault_on_used,
	    "USED" },
	{ MSG_KEEP, ROLE_BROKER, 20 + CREDENTIAL_HASH_SIZE, 4096, 0,
	    vault_on_keep, "KEEP" },
	{ MSG_FORGET, ROLE_BROKER, 0, 0, 0, vault_on_forget, "FORGET" },
};
#define VAULT_NRULES	(sizeof(vault_rules) / sizeof(vault_rules[0]))

/* ---- configuration ---- */

static int
vault_on_value(struct msg_chan *chan, struct msg *msg, void *arg)
{
	(void)chan;
	return conf_on_value(((struct vault *)arg)->conf, msg);
}

/* The control socket. */
static int
vault_on_file(struct msg_chan *chan, struct msg *msg, void *arg)
{
	struct vault	*vault = arg;

	(void)chan;
	if (msg_get_u32(msg) != CONF_FILE_CONTROL || vault->db != NULL ||
	    vault->control_fd != -1)
		return -1;
	vault->control_fd = msg_get_fd(msg);
	return msg_end(msg);
}

/* false: there is nobody who could remember anything. */
static bool
tell_to_forget(uint64_t number, void *arg)
{
	struct vault	*vault = arg;

	return vault->broker != NULL &&
	    msg_send_empty(vault->broker, MSG_FORGET, number) == 0;
}

/* ---- from time to time ---- */

/* Of an answer that is given this is no part: it only loses some times. */
static void
write_used(struct vault *vault)
{
	const char	*ids[MAX_USED];
	size_t		 i;

	if (vault->nused == 0)
		return;
	for (i = 0; i < vault->nused; i++)
		ids[i] = vault->used[i];
	if (vault_db_use(vault->db, ids, vault->nused,
	    (int64_t)clock_wall()) != VAULT_OK)
		log_error("credentials.database: %s",
		    vault_db_error(vault->db));
	vault->nused = 0;
}

static void
on_tick(void *arg)
{
	struct vault	*vault = arg;

	/* By the vault of another configuration, during a reload. */
	if (vault_db_changed(vault->db))
		tell_to_forget(0, vault);
	if (vault->ticks % USED_TICKS == 0)
		write_used(vault);
	if (vault->ticks % EXPIRE_TICKS == 0 && vault_db_expire(vault->db,
	    (int64_t)clock_wall()) != VAULT_OK)
		log_error("credentials.database: %s",
		    vault_db_error(vault->db));
	vault->ticks++;
	loop_timer_start(vault->timer, TICK_MS);
}

static int
vault_on_conf_end(struct msg_chan *chan, struct msg *msg, void *arg)
{
	struct vault			*vault = arg;
	const struct conf_credentials	*conf = &vault->conf->credentials;
	char				 error[512];

	if (msg_end(msg) == -1 || vault->db != NULL ||
	    conf->database == NULL || vault->control_fd == -1)
		return -1;
	vault->limits.lifetime = (int64_t)(conf->lifetime_ms / 1000);
	vault->limits.max_lifetime = (int64_t)(conf->max_lifetime_ms / 1000);
	vault->db = vault_db_open(conf->database, false, LOCK_WAIT_MS, error,
	    sizeof(error));
	if (vault->db == NULL) {
		log_error("credentials.database: %s", error);
		exit(PROC_EXIT_CONF);
	}
	vault->control = vault_control_new(vault->loop, vault->control_fd,
	    vault->db, &vault->limits, tell_to_forget, vault);
	vault->control_fd = -1;
	vault->timer = loop_timer_new(vault->loop, on_tick, vault);
	if (vault->control == NULL || vault->timer == NULL)
		fatal("vault");
	loop_timer_start(vault->timer, TICK_MS);
	return msg_send_empty(chan, MSG_READY, 0);
}

/* ---- the broker ---- */

static void
set_broker(struct vault *vault, struct msg_chan *broker)
{
	struct msg_chan	*old = vault->broker;

	vault->broker = broker;
	msg_chan_free(old);
	/* It has taken along what it knew. */
	if (vault->control != NULL)
		vault_control_forgotten(vault->control, UINT64_MAX);
}

static void
on_broker_closed(struct msg_chan *chan, const char *why, void *arg)
{
	(void)chan;
	/* It is the broker's word that counts: a new vault may get on. */
	if (why != NULL)
		fatalx("broker: bad message: %s", why);
	set_broker(arg, NULL);
}

static int
vault_on_peer(struct msg_chan *chan, struct msg *msg, void *arg)
{
	struct vault	*vault = arg;
	struct msg_chan	*broker;
	unsigned	 role, instance;
	int		 fd;

	(void)chan;
	role = msg_get_u32(msg);
	instance = msg_get_u32(msg);
	if (role != ROLE_BROKER || instance != 0 ||
	    (fd = msg_get_fd(msg)) == -1)
		return -1;
	broker = msg_chan_new(vault->loop, fd, role, instance, vault_rules,
	    VAULT_NRULES, on_broker_closed, vault);
	if (broker == NULL)
		fatal("channel to the broker");
	set_broker(vault, broker);
	return msg_end(msg);
}

static int
vault_on_find(struct msg_chan *chan, struct msg *msg, void *arg)
{
	struct vault		*vault = arg;
	struct vault_credential	 found;
	enum vault_result	 result = VAULT_FAILED;
	struct msg_out		 out;
	const void		*hash;
	size_t			 len;

	hash = msg_get_bytes(msg, CREDENTIAL_HASH_SIZE, &len);
	if (msg_end(msg) == -1 || len != CREDENTIAL_HASH_SIZE)
		return -1;
	if (vault->db != NULL)
		result = vault_db_find(vault->db, hash, &found);
	if (result == VAULT_FAILED && vault->db != NULL)
		log_error("credentials.database: %s",
		    vault_db_error(vault->db));
	msg_begin(&out, MSG_FOUND, msg->id);
	msg_put_u8(&out, result == VAULT_OK ? FIND_FOUND :
	    result == VAULT_NOTFOUND ? FIND_UNKNOWN : FIND_FAILED);
	if (result == VAULT_OK)
		vault_db_put(&out, &found);
	if (msg_send(chan, &out) == -1)
		log_warn("answer to the broker");
	return 0;
}

static int
vault_on_used(struct msg_chan *chan, struct msg *msg, void *arg)
{
	struct vault	*vault = arg;
	char		 id[CREDENTIAL_ID_SIZE];
	size_t		 i;

	(void)chan;
	msg_get_str(msg, id, sizeof(id));
	if (msg_end(msg) == -1)
		return -1;
	for (i = 0; i < vault->nused; i++)
		if (strcmp(vault->used[i], id) == 0)
			return 0;
	/* With so many at once the next use will be in time as well. */
	if (vault->db != NULL && vault->nused < MAX_USED)
		memcpy(vault->used[vault->nused++], id, sizeof(id));
	return 0;
}

/* A refresh token for somebody who has just shown his password. */
static enum vault_result
keep(struct vault *vault, struct vault_credential *c,
    const unsigned char *hash)
{
	enum vault_result	 result;
	uint64_t		 lifetime = vault->conf->credentials.refresh_ms;

	if (vault->db == NULL || lifetime == 0)
		return VAULT_FAILED;
	c->kind = CREDENTIAL_REFRESH;
	c->created = (int64_t)clock_wall();
	c->expires = c->created + (int64_t)(lifetime / 1000);
	credential_make_id(c->id);
	result = vault_db_add(vault->db, c, hash);
	if (result != VAULT_OK)
		log_error("credentials.database: %s",
		    vault_db_error(vault->db));
	return result;
}

static int
vault_on_keep(struct msg_chan *chan, struct msg *msg, void *arg)
{
	struct vault_credential	 c;
	struct msg_out		 out;
	const void		*hash;
	size_t			 len;
	bool			 kept;

	memset(&c, 0, sizeof(c));
	hash = msg_get_bytes(msg, CREDENTIAL_HASH_SIZE, &len);
	msg_get_str(msg, c.owner, sizeof(c.owner));
	msg_get_str(msg, c.service, sizeof(c.service));
	msg_get_str(msg, c.client, sizeof(c.client));
	msg_get_str(msg, c.stamp, sizeof(c.stamp));
	if (msg_end(msg) == -1 || len != CREDENTIAL_HASH_SIZE)
		return -1;
	kept = keep(arg, &c, hash) == VAULT_OK;
	msg_begin(&out, MSG_KEPT, msg->id);
	msg_put_bool(&out, kept);
	msg_put_str(&out, kept ? c.id : "");
	if (msg_send(chan, &out) == -1)
		log_warn("answer to the broker");
	return 0;
}

static int
vault_on_forget(struct msg_chan *chan, struct msg *msg, void *arg)
{
	struct vault	*vault = arg;

	(void)chan;
	if (msg_end(msg) == -1)
		return -1;
	if (vault->control != NULL && msg->id != 0)
		vault_control_forgotten(vault->control, msg->id);
	return 0;
}

/* ---- the process ---- */

static int
vault_on_drain(struct msg_chan *chan, struct msg *msg, void *arg)
{
	struct vault	*vault = arg;

	(void)chan;
	if (msg_end(msg) == -1)
		return -1;
	if (vault->broker != NULL)
		msg_chan_flush(vault->broker);
	loop_stop(vault->loop);
	return 0;
}

static void
vault_done(struct vault *vault)
{
	if (vault->db != NULL)
		write_used(vault);
	vault_control_free(vault->control);
	vault_db_close(vault->db);
	loop_timer_free(vault->timer);
	msg_chan_free(vault->broker);
	msg_chan_free(vault->parent);
	if (vault->control_fd != -1)
		close(vault->control_fd);
	conf_free(vault->conf);
	loop_free(vault->loop);
}

int
vault_main(const struct proc_args *args)
{
	static struct vault	 vault;

	log_procinit("vault");
	proc_child_start(args);
	privdrop_keep_root(args);
	umask(077);
	sandbox_enter(SANDBOX_VAULT);

	vault.control_fd = -1;
	vault.conf = conf_new();
	vault.loop = loop_new();
	if (vault.loop == NULL)
		fatal("event loop");
	vault.parent = proc_parent_chan(vault.loop, vault_rules,
	    VAULT_NRULES, &vault);
	if (loop_run(vault.loop) == -1)
		fatal("event loop");
	vault_done(&vault);
	return 0;
}
