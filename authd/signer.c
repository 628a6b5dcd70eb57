/* SPDX-License-Identifier: ISC */
/*
 * The signer: the one process that holds the private keys.  Whatever the
 * broker asks, the issuer, the audience, the key and the form of tokens, their
 * lifetime and the clock are the signer's own, and it signs for nothing but
 * repositories with good names and the catalog.  It has no files, no network,
 * and never sees a password.
 */
#include "signer.h"

#include <errno.h>
#include <openssl/crypto.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "buf.h"
#include "clock.h"
#include "log.h"
#include "loop.h"
#include "msg.h"
#include "privdrop.h"
#include "sandbox.h"
#include "scope.h"
#include "secret.h"

#include "claims.h"
#include "messages.h"
#include "token_request.h"

#define SIGNER_MAX_FILE		(1 << 20)	/* key or chain */
#define SIGNER_MAX_LIFETIME	86400		/* seconds */
#define SIGNER_MAX_SERVICES	1024
#define SIGNER_MAX_KEYS		16
#define SIGNER_MAX_KID		127
#define SIGNER_MAX_TOKEN	49152
#define SIGNER_SECURE_HEAP	(1 << 18)
#define SIGNER_ALL_ACTIONS	(ACTION_PULL | ACTION_PUSH | ACTION_DELETE | \
				    ACTION_ALL)

struct signer {
	struct loop		*loop;
	struct msg_chan		*parent;
	struct msg_chan		*broker;	/* NULL while there is none */
	struct claims_key	*keys[SIGNER_MAX_KEYS];
	size_t			 nkeys;
	char			*issuer;
	struct service {
		char			*name;
		const struct claims_key	*key;
		char			*header;	/* of its tokens */
		uint32_t		 lifetime, backdate;	/* seconds */
	}			*services;
	uint32_t		 nservices;
	bool			 ready;
};

static msg_handler_fn	 signer_on_conf, signer_on_key, signer_on_service,
			 signer_on_conf_end, signer_on_peer,
			 signer_on_drain, signer_on_sign;

static const struct msg_rule signer_rules[] = {
	{ MSG_CONF_BEGIN, ROLE_PARENT, 6, MSG_MAX_SIZE, 0,
	    proc_on_conf_begin, "CONF_BEGIN" },
	{ MSG_CONF_SIGNER, ROLE_PARENT, 5, 4 + MAX_SERVICE, 0,
	    signer_on_conf, "CONF_SIGNER" },
	{ MSG_CONF_SIGNER_KEY, ROLE_PARENT, 0, 0, 2,
	    signer_on_key, "CONF_SIGNER_KEY" },
	{ MSG_CONF_SERVICE, ROLE_PARENT, 22, 1024, 0,
	    signer_on_service, "CONF_SERVICE" },
	{ MSG_PEER, ROLE_PARENT, 8, 8, 1, signer_on_peer, "PEER" },
	{ MSG_CONF_END, ROLE_PARENT, 0, 0, 0, signer_on_conf_end,
	    "CONF_END" },
	{ MSG_DRAIN, ROLE_PARENT, 0, 0, 0, signer_on_drain, "DRAIN" },
	{ MSG_SIGN, ROLE_BROKER, 12, MSG_MAX_SIZE, 0, signer_on_sign,
	    "SIGN" },
};
#define SIGNER_NRULES	(sizeof(signer_rules) / sizeof(signer_rules[0]))

/* ---- configuration ---- */

/* The whole file; several signers may have been given the same one. */
static struct secret *
read_file(int fd, const char *what)
{
	struct secret	*text = NULL;

	if (fd != -1 && lseek(fd, 0, SEEK_SET) != -1)
		text = secret_read(fd, SIGNER_MAX_FILE);
	if (text == NULL)
		log_warn("%s of the tokens", what);
	return text;
}

static struct claims_key *
read_key(int keyfd, int chainfd)
{
	struct claims_key	*key = NULL;
	struct secret		*text, *chain;
	char			 error[256];

	text = read_file(keyfd, "key");
	chain = read_file(chainfd, "certificate");
	if (text != NULL && chain != NULL) {
		key = claims_key_new(secret_data(text), secret_len(text),
		    secret_data(chain), secret_len(chain), error,
		    sizeof(error));
		if (key == NULL)
			log_warnx("tokens cannot be signed: %s", error);
	}
	secret_free(text);
	secret_free(chain);
	return key;
}

/* Once, and first. */
static int
signer_on_conf(struct msg_chan *chan, struct msg *msg, void *arg)
{
	struct signer	*signer = arg;

	(void)chan;
	if (signer->issuer != NULL || (signer->issuer = msg_get_strdup(msg,
	    MAX_SERVICE)) == NULL)
		return -1;
	return msg_end(msg);
}

static int
signer_on_key(struct msg_chan *chan, struct msg *msg, void *arg)
{
	struct signer		*signer = arg;
	struct claims_key	*key = NULL;
	int			 keyfd, chainfd;

	(void)chan;
	keyfd = msg_get_fd(msg);
	chainfd = msg_get_fd(msg);
	if (!signer->ready && signer->nkeys < SIGNER_MAX_KEYS)
		key = read_key(keyfd, chainfd);
	if (keyfd != -1)
		close(keyfd);
	if (chainfd != -1)
		close(chainfd);
	if (key == NULL)
		return -1;
	signer->keys[signer->nkeys++] = key;
	return msg_end(msg);
}

/* The fields of one service; -1: not to be had. */
static int
get_service(const struct signer *signer, struct service *service,
    struct msg *msg)
{
	char		 kid[SIGNER_MAX_KID + 1];
	uint32_t	 key;
	bool		 x5c;

	service->name = msg_get_strdup(msg, MAX_SERVICE);
	key = msg_get_u32(msg);
	msg_get_str(msg, kid, sizeof(kid));
	x5c = msg_get_bool(msg);
	service->lifetime = msg_get_u32(msg);
	service->backdate = msg_get_u32(msg);
	if (service->name == NULL || msg_end(msg) == -1 ||
	    key >= signer->nkeys || service->lifetime == 0 ||
	    service->lifetime > SIGNER_MAX_LIFETIME ||
	    service->backdate > SIGNER_MAX_LIFETIME)
		return -1;
	service->key = signer->keys[key];
	service->header = claims_key_header(service->key, kid, x5c);
	return service->header == NULL ? -1 : 0;
}

static int
signer_on_service(struct msg_chan *chan, struct msg *msg, void *arg)
{
	struct signer	*signer = arg;
	struct service	*services;

	(void)chan;
	if (signer->ready || signer->nservices == SIGNER_MAX_SERVICES)
		return -1;
	services = reallocarray(signer->services, signer->nservices + 1,
	    sizeof(*services));
	if (services == NULL)
		return -1;
	signer->services = services;
	services += signer->nservices++;
	memset(services, 0, sizeof(*services));
	return get_service(signer, services, msg);
}

static int
signer_on_conf_end(struct msg_chan *chan, struct msg *msg, void *arg)
{
	struct signer	*signer = arg;

	if (signer->ready || signer->issuer == NULL || signer->nkeys == 0 ||
	    msg_end(msg) == -1)
		return -1;
	signer->ready = true;
	return msg_send_empty(chan, MSG_READY, 0);
}

/* ---- the broker ---- */

static void
on_broker_closed(struct msg_chan *chan, const char *why, void *arg)
{
	struct signer	*signer = arg;

	if (why != NULL) {
		log_warnx("cut off broker %u: %s", msg_chan_instance(chan),
		    why);
		proc_report_peer(signer->parent, chan);
	}
	if (signer->broker == chan)
		signer->broker = NULL;
	msg_chan_free(chan);
}

static int
signer_on_peer(struct msg_chan *chan, struct msg *msg, void *arg)
{
	struct signer	*signer = arg;
	struct msg_chan	*broker;
	unsigned	 role, instance;
	int		 fd;

	(void)chan;
	role = msg_get_u32(msg);
	instance = msg_get_u32(msg);
	if (role != ROLE_BROKER || (fd = msg_get_fd(msg)) == -1)
		return -1;
	broker = msg_chan_new(signer->loop, fd, role, instance, signer_rules,
	    SIGNER_NRULES, on_broker_closed, signer);
	if (broker == NULL) {
		log_warn("channel to broker %u", instance);
		return -1;
	}
	msg_chan_free(signer->broker);
	signer->broker = broker;
	return msg_end(msg);
}

/* ---- signing ---- */

/* What our table has under the name asked for, NULL for none. */
static const struct service *
find_service(const struct signer *signer, const char *name)
{
	uint32_t	 i;

	for (i = 0; i < signer->nservices; i++) {
		if (strcmp(signer->services[i].name, name) == 0)
			return &signer->services[i];
	}
	return NULL;
}

static bool
scope_signable(const struct scope *scope)
{
	if ((scope->actions & ~SIGNER_ALL_ACTIONS) != 0)
		return false;
	if (strcmp(scope->type, "repository") == 0)
		return scope_repository_name_ok(scope->name);
	return strcmp(scope->type, "registry") == 0 &&
	    strcmp(scope->name, "catalog") == 0;
}

/* NULL when the token may be made, else why not. */
static const char *
refusal(const struct service *service, const struct scope_set *scopes)
{
	size_t	 i;

	if (service == NULL)
		return "a service that is not configured";
	for (i = 0; i < scopes->n; i++) {
		if (!scope_signable(&scopes->items[i]))
			return "a scope that no token may have";
	}
	return NULL;
}

/* A broker that has gone has done nothing wrong: another one may be there. */
static void
answer_sign(struct signer *signer, uint64_t id, const struct buf *token,
    const struct claims *claims)
{
	struct msg_out	 out;

	msg_begin(&out, MSG_SIGNED, id);
	msg_put_bool(&out, token != NULL);
	msg_put_str(&out, token == NULL ? "" : buf_str(token));
	msg_put_str(&out, token == NULL ? "" : claims->jti);
	msg_put_u32(&out, token == NULL ? 0 : claims->lifetime);
	msg_put_u64(&out, token == NULL ? 0 : (uint64_t)claims->now);
	if (msg_send(signer->broker, &out) == -1 && errno != EPIPE)
		log_warn("answer to the broker");
}

/* Everything but who, and what for, is the table's. */
static const char *
make_token(const struct signer *signer, const char *name,
    struct claims *claims, struct buf *token)
{
	const struct service	*service = find_service(signer, name);
	const char		*why;

	if ((why = refusal(service, claims->access)) != NULL)
		return why;
	claims->header = service->header;
	claims->issuer = signer->issuer;
	claims->audience = service->name;
	claims->now = clock_wall();
	claims->lifetime = service->lifetime;
	claims->backdate = service->backdate;
	return claims_sign(service->key, claims, token) == -1 ?
	    "what cannot be signed" : NULL;
}

static void
sign(struct signer *signer, uint64_t id, const char *service,
    const char *subject, const struct scope_set *scopes)
{
	struct claims	 claims = { .subject = subject, .access = scopes };
	struct buf	 token;
	const char	*why;

	buf_init(&token, SIGNER_MAX_TOKEN);
	if ((why = make_token(signer, service, &claims, &token)) != NULL)
		log_warnx("broker asks for %s", why);
	answer_sign(signer, id, why == NULL ? &token : NULL, &claims);
	buf_wipe(&token);
}

static int
signer_on_sign(struct msg_chan *chan, struct msg *msg, void *arg)
{
	struct signer	*signer = arg;
	struct scope_set scopes = { NULL, 0 };
	char		 service[MAX_SERVICE + 1], subject[MAX_USER + 1];
	int		 ret = -1;

	/* An old broker's last words, or one too early. */
	if (chan != signer->broker || !signer->ready)
		return -1;
	msg_get_str(msg, service, sizeof(service));
	msg_get_str(msg, subject, sizeof(subject));
	if (token_scopes_get(msg, &scopes) == 0 && msg_end(msg) == 0) {
		sign(signer, msg->id, service, subject, &scopes);
		ret = 0;
	}
	scope_set_done(&scopes);
	return ret;
}

/* ---- the process ---- */

static int
signer_on_drain(struct msg_chan *chan, struct msg *msg, void *arg)
{
	struct signer	*signer = arg;

	(void)chan;
	if (msg_end(msg) == -1)
		return -1;
	/* Each question was answered in its turn; write what is queued. */
	if (signer->broker != NULL)
		msg_chan_flush(signer->broker);
	loop_stop(signer->loop);
	return 0;
}

static void
signer_done(struct signer *signer)
{
	uint32_t	 i;

	msg_chan_free(signer->broker);
	msg_chan_free(signer->parent);
	for (i = 0; i < signer->nkeys; i++)
		claims_key_free(signer->keys[i]);
	for (i = 0; i < signer->nservices; i++) {
		free(signer->services[i].name);
		free(signer->services[i].header);
	}
	free(signer->services);
	free(signer->issuer);
	loop_free(signer->loop);
}

int
signer_main(const struct proc_args *args)
{
	struct signer	 signer;

	log_procinit("signer");
	proc_child_start(args);
	/* Reads files; and keys go to memory that is not swapped out. */
	OPENSSL_init_crypto(OPENSSL_INIT_LOAD_CONFIG, NULL);
	CRYPTO_secure_malloc_init(SIGNER_SECURE_HEAP, 16);
	privdrop(args);
	sandbox_enter(SANDBOX_SIGNER);

	memset(&signer, 0, sizeof(signer));
	signer.loop = loop_new();
	if (signer.loop == NULL)
		fatal("event loop");
	signer.parent = proc_parent_chan(signer.loop, signer_rules,
	    SIGNER_NRULES, &signer);
	if (loop_run(signer.loop) == -1)
		fatal("event loop");
	signer_done(&signer);
	return 0;
}
