/* SPDX-License-Identifier: ISC */
/*
 * Opens the keys of tokens, finds which of them signs for which service, and
 * composes the JWKS.  Runs in the parent; private keys are forgotten again
 * as soon as they were seen to fit: what is kept is public.
 */
#include "authd_keys.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "buf.h"
#include "frozen.h"
#include "secret.h"
#include "xmem.h"

#define MAX_FILE	(1 << 20)
#define MAX_JWKS	60000		/* fits into one message */
#define WARN_DAYS	30
#define LEEWAY		60		/* s: registries take a token longer */
#define OLD		".old"		/* what authctl key rotate leaves */
#define NEW		".new"		/* and when it was interrupted */

/* ---- opening ---- */

static struct secret *
copy_text(int fd)
{
	return fd == -1 ? NULL : secret_read(fd, MAX_FILE);
}

/* The public part of a pair that fits, or NULL and what is wrong. */
static struct claims_key *
load_pair(const struct authd_key *key, char *error, size_t size)
{
	struct claims_key	*pair, *public = NULL;
	struct secret		*text, *chain;

	snprintf(error, size, "out of memory");
	text = copy_text(key->key);
	chain = copy_text(key->certificate);
	if (chain == NULL || (key->key != -1 && text == NULL))
		goto out;
	pair = claims_key_new(text == NULL ? NULL : secret_data(text),
	    text == NULL ? 0 : secret_len(text), secret_data(chain),
	    secret_len(chain), error, size);
	if (pair != NULL)
		public = claims_key_new(NULL, 0, secret_data(chain),
		    secret_len(chain), error, size);
	claims_key_free(pair);
out:
	secret_free(text);
	secret_free(chain);
	return public;
}

/*
 * authctl key rotate puts the certificate in its place and then the key:
 * between the two, the key is there under its new name.
 */
static struct claims_key *
load_unfinished(struct authd_key *key, const char *name, const char *path,
    struct authd_opening *o)
{
	struct authd_key	 other = *key;
	struct claims_key	*public = NULL;
	char			 error[256], *new = xasprintf("%s" NEW, path);
	int			 fd;

	other.key = -1;
	fd = open(new, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	if (fd != -1) {
		other.key = frozen_copy(fd, MAX_FILE);
		close(fd);
	}
	if (other.key != -1)
		public = load_pair(&other, error, sizeof(error));
	if (public != NULL) {
		fprintf(o->messages, "warning: %s: %s: the rotation of this "
		    "key was interrupted, and %s is taken: finish it with "
		    "authctl key rotate\n", name, path, new);
		close(key->key);
		key->key = other.key;
	} else if (other.key != -1)
		close(other.key);
	free(new);
	return public;
}

/* NULL after a message. */
static struct claims_key *
load_public(struct authd_key *key, const char *name, const char *path,
    struct authd_opening *o)
{
	struct claims_key	*public;
	char			 error[256];

	public = load_pair(key, error, sizeof(error));
	if (public == NULL && key->key != -1)
		public = load_unfinished(key, name, path, o);
	if (public == NULL) {
		fprintf(o->messages, "error: %s: %s: %s\n", name, path,
		    error);
		o->failed = true;
	}
	return public;
}

/* Registries look at the certificate: without it, every token is refused. */
static void
warn_of_end(const struct claims_key *key, const char *name, const char *path,
    struct authd_opening *o)
{
	int	 days = claims_key_days_left(key);

	if (days < WARN_DAYS)
		fprintf(o->messages, "warning: %s: %s: its certificate ends "
		    "in %d days, and then no registry takes its tokens: see "
		    "authctl key rotate\n", name, path, days);
}

static void
close_key(struct authd_key *key)
{
	if (key->key != -1)
		close(key->key);
	if (key->certificate != -1)
		close(key->certificate);
	claims_key_free(key->public);
}

/* With path NULL it signs nothing. */
static void
open_key(struct authd_keys *keys, const char *name, const char *path,
    const char *certificate_name, const char *certificate,
    struct authd_opening *o)
{
	struct authd_key	 key = { -1, -1, NULL, 0 };
	struct stat		 st;

	if (path != NULL)
		key.key = authd_file_open(o, name, path, &st);
	key.certificate = authd_file_open(o, certificate_name, certificate,
	    &st);
	/* With -n a file may be absent. */
	if (key.certificate != -1 && (path == NULL || key.key != -1))
		key.public = load_public(&key, name, path != NULL ? path :
		    certificate, o);
	if (key.public == NULL) {
		close_key(&key);
		return;
	}
	if (path != NULL)
		warn_of_end(key.public, name, path, o);
	keys->items[keys->n++] = key;
}

/* The longest that any token lives, and may be taken. */
static time_t
longest_life(const struct authd_conf *conf)
{
	uint64_t	 ms = conf->token_lifetime_ms;
	size_t		 i;

	for (i = 0; i < conf->services.n; i++)
		if (conf->profiles[i].lifetime_ms != CONF_DEFAULT &&
		    conf->profiles[i].lifetime_ms > ms)
			ms = conf->profiles[i].lifetime_ms;
	return (time_t)(ms / 1000) + LEEWAY;
}

/* Index of an equal key; keys->n when there is none. */
static size_t
find_same(const struct authd_keys *keys, const struct claims_key *public)
{
	size_t	 i;

	for (i = 0; i < keys->n; i++)
		if (claims_key_is_same(keys->items[i].public, public))
			break;
	return i;
}

/* Takes the key, or closes it. */
static void
add_retired(struct authd_keys *keys, struct authd_key *key)
{
	struct authd_key	*same;
	size_t			 i, n = 0;

	for (i = 0; i < keys->n; i++)
		n += keys->items[i].until != 0;
	same = &keys->items[find_same(keys, key->public)];
	if (same < keys->items + keys->n) {
		if (same->until != 0 && same->until < key->until)
			same->until = key->until;
		close_key(key);
	} else if (n == AUTHD_MAX_RETIRED)
		close_key(key);
	else
		keys->items[keys->n++] = *key;
}

/*
 * The certificate that a rotation put aside: a restart between the two must
 * not take away what the last tokens are verified with.
 */
static void
open_old(struct authd_keys *keys, const struct authd_conf *conf,
    const char *certificate, struct authd_opening *o)
{
	struct authd_opening	 quiet = { o->messages, true, false };
	struct authd_key	 key = { -1, -1, NULL, 0 };
	struct stat		 st;
	char			*path;

	if (asprintf(&path, "%s" OLD, certificate) == -1)
		return;
	if (stat(path, &st) == 0 &&
	    st.st_mtime + longest_life(conf) > time(NULL)) {
		key.until = st.st_mtime + longest_life(conf);
		key.certificate = authd_file_open(&quiet, "certificate", path,
		    &st);
		if (key.certificate != -1)
			key.public = load_public(&key, "certificate", path,
			    &quiet);
		if (key.public != NULL)
			add_retired(keys, &key);
		else
			close_key(&key);
	}
	free(path);
}

/* ---- what is published ---- */

static int
add_jwk(const struct authd_key *key, const char *kid, struct buf *buf)
{
	if (buf->data[buf->len - 1] != '[')
		buf_addc(buf, ',');
	return claims_key_jwk(key->public, kid, buf);
}

/* Both names of the key, and what services call it. */
static int
add_jwks(const struct authd_keys *keys, const struct authd_conf *conf,
    const struct authd_key *key, struct buf *buf)
{
	const struct conf_service	*service;
	int				 found;
	size_t				 i;

	if (add_jwk(key, CLAIMS_KID_RFC7638, buf) == -1 ||
	    add_jwk(key, CLAIMS_KID_LIBTRUST, buf) == -1)
		return -1;
	for (i = 0; i < conf->services.n; i++) {
		service = &conf->profiles[i];
		found = authd_keys_find(keys, service->algorithm);
		if (strcmp(service->kid, CLAIMS_KID_RFC7638) == 0 ||
		    strcmp(service->kid, CLAIMS_KID_LIBTRUST) == 0 ||
		    found == -1 || key !=
		    authd_keys_signing(keys, (unsigned)found))
			continue;
		if (add_jwk(key, service->kid, buf) == -1)
			return -1;
	}
	return 0;
}

/* -1: it is too large. */
static int
make_jwks(struct authd_keys *keys, const struct authd_conf *conf)
{
	struct buf	 buf;
	size_t		 i;

	buf_init(&buf, MAX_JWKS);
	buf_addstr(&buf, "{\"keys\":[");
	for (i = 0; i < keys->n; i++)
		if (add_jwks(keys, conf, &keys->items[i], &buf) == -1)
			break;
	buf_addstr(&buf, "]}");
	free(keys->jwks);
	keys->jwks = buf_steal(&buf, NULL);
	buf_done(&buf);
	return keys->jwks == NULL ? -1 : 0;
}

/* ---- all of them ---- */

/* A service whose algorithm no key has gets no tokens at all. */
static void
check_services(const struct authd_keys *keys, const struct authd_conf *conf,
    struct authd_opening *o)
{
	const char	*algorithm;
	size_t		 i;

	for (i = 0; i < conf->services.n; i++) {
		algorithm = conf->profiles[i].algorithm;
		if (authd_keys_find(keys, algorithm) != -1)
			continue;
		fprintf(o->messages, "error: services: %s: there is no key "
		    "that signs%s%s\n", conf->services.items[i],
		    algorithm == NULL ? "" : " with ",
		    algorithm == NULL ? "" : algorithm);
		o->failed = true;
	}
}

void
authd_keys_open(struct authd_keys *keys, const struct authd_conf *conf,
    struct authd_opening *o)
{
	const struct conf_token_key	*key;
	size_t				 i, wanted = conf->nkeys;

	memset(keys, 0, sizeof(*keys));
	if (conf->token_key != NULL) {
		wanted++;
		open_key(keys, "token.key", conf->token_key,
		    "token.certificate", conf->token_certificate, o);
	}
	for (i = 0; i < conf->nkeys; i++) {
		key = &conf->keys[i];
		open_key(keys, "keys.key", key->sign ? key->key : NULL,
		    "keys.certificate", key->certificate, o);
	}
	/* Of what is absent nothing can be said. */
	if (keys->n == wanted)
		check_services(keys, conf, o);
	if (conf->token_certificate != NULL)
		open_old(keys, conf, conf->token_certificate, o);
	for (i = 0; i < conf->nkeys; i++)
		open_old(keys, conf, conf->keys[i].certificate, o);
	if (make_jwks(keys, conf) == -1) {
		fprintf(o->messages, "error: keys: their JWKS is larger than "
		    "%d bytes\n", MAX_JWKS);
		o->failed = true;
	}
}

void
authd_keys_close(struct authd_keys *keys)
{
	size_t	 i;

	for (i = 0; i < keys->n; i++)
		close_key(&keys->items[i]);
	free(keys->jwks);
	memset(keys, 0, sizeof(*keys));
}

int
authd_keys_find(const struct authd_keys *keys, const char *algorithm)
{
	size_t	 i;
	int	 place = 0;

	for (i = 0; i < keys->n; i++) {
		if (keys->items[i].key == -1)
			continue;
		if (algorithm == NULL || strcmp(claims_key_algorithm(
		    keys->items[i].public), algorithm) == 0)
			return place;
		place++;
	}
	return -1;
}

const struct authd_key *
authd_keys_signing(const struct authd_keys *keys, unsigned place)
{
	size_t	 i;

	for (i = 0; i < keys->n; i++)
		if (keys->items[i].key != -1 && place-- == 0)
			return &keys->items[i];
	return NULL;
}

/* ---- the past ---- */

void
authd_keys_retire(struct authd_keys *keys, const struct authd_conf *conf,
    const struct authd_keys *old, const struct authd_conf *oldconf, time_t now)
{
	const struct authd_key	*from;
	struct authd_key	 key;
	size_t			 i;

	for (i = 0; i < old->n; i++) {
		from = &old->items[i];
		/* One that was only published signed nothing of late. */
		if (from->key == -1 && from->until <= now)
			continue;
		key = (struct authd_key){ -1, -1,
		    claims_key_ref(from->public), from->until };
		if (from->key != -1)
			key.until = now + longest_life(oldconf);
		add_retired(keys, &key);
	}
	/* What does not fit is the past's. */
	while (make_jwks(keys, conf) == -1 && keys->n > 0 &&
	    keys->items[keys->n - 1].until != 0)
		close_key(&keys->items[--keys->n]);
}

bool
authd_keys_expire(struct authd_keys *keys, const struct authd_conf *conf,
    time_t now)
{
	size_t	 i, kept = 0;
	bool	 expired;

	for (i = 0; i < keys->n; i++) {
		if (keys->items[i].until != 0 && keys->items[i].until <= now)
			close_key(&keys->items[i]);
		else
			keys->items[kept++] = keys->items[i];
	}
	expired = kept < keys->n;
	keys->n = kept;
	return expired && make_jwks(keys, conf) == 0;
}

time_t
authd_keys_next(const struct authd_keys *keys)
{
	time_t	 next = 0;
	size_t	 i;

	for (i = 0; i < keys->n; i++)
		if (keys->items[i].until != 0 &&
		    (next == 0 || keys->items[i].until < next))
			next = keys->items[i].until;
	return next;
}
