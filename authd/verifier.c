/* SPDX-License-Identifier: ISC */
/*
 * A verifier: checks one credential at a time against the htpasswd file that
 * the parent gave it.  It computes and nothing else; a check that takes too
 * long ends the process, and the parent starts another.
 */
#include "verifier.h"

#include <errno.h>
#include <openssl/crypto.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>
#include <unistd.h>

#include "listener.h"
#include "log.h"
#include "loop.h"
#include "msg.h"
#include "privdrop.h"
#include "sandbox.h"

#include "conf.h"
#include "cred.h"
#include "messages.h"

struct verifier {
	struct loop		*loop;
	struct msg_chan		*parent;
	struct msg_chan		*broker;	/* NULL while there is none */
	struct authd_conf	*conf;
	void			*users;		/* cred_htpasswd's */
};

static msg_handler_fn	 verifier_on_value, verifier_on_htpasswd,
			 verifier_on_peer, verifier_on_conf_end,
			 verifier_on_drain, verifier_on_verify;

static const struct msg_rule verifier_rules[] = {
	{ MSG_CONF_BEGIN, ROLE_PARENT, 6, MSG_MAX_SIZE, 0,
	    proc_on_conf_begin, "CONF_BEGIN" },
	{ MSG_CONF_VALUE, ROLE_PARENT, 8, MSG_MAX_SIZE, 0,
	    verifier_on_value, "CONF_VALUE" },
	{ MSG_CONF_HTPASSWD, ROLE_PARENT, 0, 0, 1,
	    verifier_on_htpasswd, "CONF_HTPASSWD" },
	{ MSG_PEER, ROLE_PARENT, 8, 8, 1, verifier_on_peer, "PEER" },
	{ MSG_CONF_END, ROLE_PARENT, 0, 0, 0, verifier_on_conf_end,
	    "CONF_END" },
	{ MSG_DRAIN, ROLE_PARENT, 0, 0, 0, verifier_on_drain, "DRAIN" },
	{ MSG_VERIFY, ROLE_BROKER, 12, MSG_MAX_SIZE, 0,
	    verifier_on_verify, "VERIFY" },
};
#define VERIFIER_NRULES	(sizeof(verifier_rules) / sizeof(verifier_rules[0]))

/* ---- configuration ---- */

static int
verifier_on_value(struct msg_chan *chan, struct msg *msg, void *arg)
{
	(void)chan;
	return conf_on_value(((struct verifier *)arg)->conf, msg);
}

/*
 * The users, or the users anew.  The parent has parsed the file before; if
 * it is broken by now, the old users stay until it is whole again.
 */
static int
verifier_on_htpasswd(struct msg_chan *chan, struct msg *msg, void *arg)
{
	struct verifier	*verifier = arg;
	void		*users;
	int		 fd;

	(void)chan;
	if ((fd = msg_get_fd(msg)) == -1 || msg_end(msg) == -1)
		return -1;
	/* The parent has reported what is wrong; here stdout is /dev/null. */
	users = cred_htpasswd_load(fd, "htpasswd", stdout);
	close(fd);
	if (users == NULL) {
		log_warnx("htpasswd file changed while it was read");
		return 0;
	}
	cred_htpasswd.free(verifier->users);
	verifier->users = users;
	log_debug("%zu users", cred_htpasswd_count(users));
	if (verifier->broker != NULL)
		msg_send_empty(verifier->broker, MSG_USERS_CHANGED, 0);
	return 0;
}

static int
verifier_on_conf_end(struct msg_chan *chan, struct msg *msg, void *arg)
{
	struct verifier	*verifier = arg;

	if (verifier->users == NULL || msg_end(msg) == -1)
		return -1;
	return msg_send_empty(chan, MSG_READY, 0);
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

static int
verifier_on_peer(struct msg_chan *chan, struct msg *msg, void *arg)
{
	struct verifier	*verifier = arg;
	unsigned	 role, instance;
	int		 fd;

	(void)chan;
	role = msg_get_u32(msg);
	instance = msg_get_u32(msg);
	if (role != ROLE_BROKER || (fd = msg_get_fd(msg)) == -1)
		return -1;
	msg_chan_free(verifier->broker);
	verifier->broker = msg_chan_new(verifier->loop, fd, role, instance,
	    verifier_rules, VERIFIER_NRULES, on_broker_closed, verifier);
	if (verifier->broker == NULL)
		fatal("channel to the broker");
	return msg_end(msg);
}

/* ---- checking ---- */

/* SIGALRM ends the process: nothing inside a driver can be relied upon. */
static void
set_alarm(uint64_t ms)
{
	struct itimerval	 timer = { .it_value = {
	    .tv_sec = (time_t)(ms / 1000),
	    .tv_usec = (suseconds_t)(ms % 1000 * 1000) } };

	if (setitimer(ITIMER_REAL, &timer, NULL) == -1)
		fatal("setitimer");
}

/* A broker that has gone has done nothing wrong. */
static void
send_verdict(struct verifier *verifier, uint64_t id,
    enum cred_verdict verdict, const struct cred_answer *answer)
{
	struct msg_out	 out;
	size_t		 i;

	msg_begin(&out, MSG_VERDICT, id);
	msg_put_u8(&out, (uint8_t)verdict);
	msg_put_str(&out, answer->user);
	msg_put_u32(&out, (uint32_t)answer->ngroups);
	for (i = 0; i < answer->ngroups; i++)
		msg_put_str(&out, answer->groups[i]);
	if (msg_send(verifier->broker, &out) == -1 && errno != EPIPE)
		log_warn("answer to the broker");
}

static int
verifier_on_verify(struct msg_chan *chan, struct msg *msg, void *arg)
{
	struct verifier		*verifier = arg;
	struct cred_answer	 answer;
	enum cred_verdict	 verdict = CRED_BAD;
	const void		*password;
	char			 user[MAX_USER + 1], peer[PEER_SIZE];
	size_t			 len;

	if (chan != verifier->broker || verifier->users == NULL)
		return -1;
	msg_get_str(msg, user, sizeof(user));
	password = msg_get_bytes(msg, MAX_PASSWORD, &len);
	msg_get_str(msg, peer, sizeof(peer));
	if (msg_end(msg) == -1)
		return -1;
	memset(&answer, 0, sizeof(answer));
	set_alarm(verifier->conf->check_timeout_ms);
	if (len > 0 && memchr(password, '\0', len) == NULL)
		verdict = cred_htpasswd.verify(verifier->users, user,
		    password, len, peer, &answer);
	set_alarm(0);
	send_verdict(verifier, msg->id, verdict, &answer);
	cred_answer_done(&answer);
	return 0;
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

int
verifier_main(const struct proc_args *args)
{
	struct verifier	 verifier;
	char		 name[32];

	snprintf(name, sizeof(name), "verifier %u", args->instance);
	log_procinit(name);
	proc_child_start(args);
	/* Reads files. */
	OPENSSL_init_crypto(OPENSSL_INIT_LOAD_CONFIG, NULL);
	privdrop(args);
	sandbox_enter(SANDBOX_VERIFIER);

	memset(&verifier, 0, sizeof(verifier));
	verifier.conf = conf_new();
	verifier.loop = loop_new();
	if (verifier.loop == NULL)
		fatal("event loop");
	verifier.parent = proc_parent_chan(verifier.loop, verifier_rules,
	    VERIFIER_NRULES, &verifier);
	if (loop_run(verifier.loop) == -1)
		fatal("event loop");
	msg_chan_free(verifier.broker);
	msg_chan_free(verifier.parent);
	cred_htpasswd.free(verifier.users);
	conf_free(verifier.conf);
	loop_free(verifier.loop);
	return 0;
}
