/* SPDX-License-Identifier: ISC */
/*
 * Asks the vault for credentials by their hash.  Runs in the broker.  Only
 * what was found is remembered: a token that was just made works at once.
 */
#include "broker_vault.h"

#include <sys/queue.h>

#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "pending.h"

#define MAX_QUESTIONS	4096
#define BUCKETS		1024		/* a power of two */

struct question {
	broker_found_fn	*found;		/* or */
	broker_kept_fn	*kept;
	void		*arg;
	unsigned char	 hash[CREDENTIAL_HASH_SIZE];
};

struct entry {
	unsigned char		 hash[CREDENTIAL_HASH_SIZE];
	struct vault_credential	 credential;
	uint64_t		 expires;	/* monotonic, ms */
	bool			 told;		/* that it is in use */
	LIST_ENTRY(entry)	 in_bucket;
	TAILQ_ENTRY(entry)	 by_age;
};

LIST_HEAD(bucket, entry);

struct broker_vault {
	struct msg_chan		*chan;		/* NULL: there is none */
	struct pending		*open;
	struct bucket		 buckets[BUCKETS];
	TAILQ_HEAD(, entry)	 entries;	/* oldest first */
	size_t			 n;
	uint64_t		 cache_ms;
	uint64_t		 forgotten;	/* how often all was */
};

static void
fail_question(void *item, void *arg)
{
	struct question	*q = item;

	(void)arg;
	if (q->found != NULL)
		q->found(FIND_FAILED, NULL, q->arg);
	else
		q->kept(NULL, q->arg);
	free(q);
}

struct broker_vault *
broker_vault_new(struct loop *loop, uint64_t cache_ms)
{
	struct broker_vault	*v;

	if ((v = calloc(1, sizeof(*v))) == NULL)
		return NULL;
	TAILQ_INIT(&v->entries);
	v->cache_ms = cache_ms;
	v->open = pending_new(loop, MAX_QUESTIONS, VAULT_TIME_MS,
	    fail_question, v);
	if (v->open == NULL) {
		free(v);
		return NULL;
	}
	return v;
}

/* ---- what is remembered ---- */

static void
drop(struct broker_vault *v, struct entry *e)
{
	LIST_REMOVE(e, in_bucket);
	TAILQ_REMOVE(&v->entries, e, by_age);
	v->n--;
	free(e);
}

static void
forget_all(struct broker_vault *v)
{
	struct entry	*e;

	v->forgotten++;
	while ((e = TAILQ_FIRST(&v->entries)) != NULL)
		drop(v, e);
}

/* SHA-256 is as even as a table could wish. */
static struct bucket *
bucket_of(struct broker_vault *v, const unsigned char *hash)
{
	return &v->buckets[(hash[0] | hash[1] << 8) & (BUCKETS - 1)];
}

/* What is too old is dropped on the way: all live equally long. */
static struct entry *
find_entry(struct broker_vault *v, const unsigned char *hash)
{
	uint64_t	 now = clock_monotonic_ms();
	struct entry	*e;

	while ((e = TAILQ_FIRST(&v->entries)) != NULL && e->expires <= now)
		drop(v, e);
	LIST_FOREACH(e, bucket_of(v, hash), in_bucket)
		if (memcmp(e->hash, hash, CREDENTIAL_HASH_SIZE) == 0)
			return e;
	return NULL;
}

static void
remember(struct broker_vault *v, const unsigned char *hash,
    const struct vault_credential *credential)
{
	struct entry	*e;

	if (v->cache_ms == 0)
		return;
	if ((e = find_entry(v, hash)) != NULL)
		drop(v, e);
	if (v->n == BROKER_VAULT_CACHE)
		drop(v, TAILQ_FIRST(&v->entries));
	if ((e = calloc(1, sizeof(*e))) == NULL)
		return;
	memcpy(e->hash, hash, CREDENTIAL_HASH_SIZE);
	e->credential = *credential;
	e->expires = clock_monotonic_ms() + v->cache_ms;
	LIST_INSERT_HEAD(bucket_of(v, hash), e, in_bucket);
	TAILQ_INSERT_TAIL(&v->entries, e, by_age);
	v->n++;
}

const struct vault_credential *
broker_vault_cached(struct broker_vault *v,
    const unsigned char hash[CREDENTIAL_HASH_SIZE])
{
	struct entry	*e = find_entry(v, hash);

	return e == NULL ? NULL : &e->credential;
}

uint64_t
broker_vault_forgotten(const struct broker_vault *v)
{
	return v->forgotten;
}

void
broker_vault_free(struct broker_vault *v)
{
	if (v == NULL)
		return;
	pending_fail(v->open);
	pending_free(v->open);
	forget_all(v);
	free(v);
}

void
broker_vault_set(struct broker_vault *v, struct msg_chan *chan)
{
	/* Another vault cannot say what this one has told meanwhile. */
	forget_all(v);
	if (v->chan != NULL)
		pending_fail(v->open);
	v->chan = chan;
}

/* ---- questions ---- */

/* Takes ownership of the question, on failure too. */
static uint64_t
open_question(struct broker_vault *v, struct question *q)
{
	uint64_t	 id = 0;

	if (v->chan == NULL || (id = pending_add(v->open, q)) == 0)
		free(q);
	return id;
}

static int
send_question(struct broker_vault *v, struct msg_out *out, uint64_t id)
{
	if (msg_send(v->chan, out) == 0)
		return 0;
	free(pending_take(v->open, id));
	return -1;
}

int
broker_vault_find(struct broker_vault *v,
    const unsigned char hash[CREDENTIAL_HASH_SIZE], broker_found_fn *fn,
    void *arg)
{
	struct question	*q;
	struct msg_out	 out;
	uint64_t	 id;

	if ((q = calloc(1, sizeof(*q))) == NULL)
		return -1;
	q->found = fn;
	q->arg = arg;
	memcpy(q->hash, hash, sizeof(q->hash));
	if ((id = open_question(v, q)) == 0)
		return -1;
	msg_begin(&out, MSG_FIND, id);
	msg_put_bytes(&out, hash, CREDENTIAL_HASH_SIZE);
	return send_question(v, &out, id);
}

int
broker_vault_keep(struct broker_vault *v, const struct broker_refresh *refresh,
    broker_kept_fn *fn, void *arg)
{
	struct question	*q;
	struct msg_out	 out;
	uint64_t	 id;

	if ((q = calloc(1, sizeof(*q))) == NULL)
		return -1;
	q->kept = fn;
	q->arg = arg;
	if ((id = open_question(v, q)) == 0)
		return -1;
	msg_begin(&out, MSG_KEEP, id);
	msg_put_bytes(&out, refresh->hash, CREDENTIAL_HASH_SIZE);
	msg_put_str(&out, refresh->user);
	msg_put_str(&out, refresh->service);
	msg_put_str(&out, refresh->client);
	msg_put_str(&out, refresh->stamp);
	return send_question(v, &out, id);
}

void
broker_vault_used(struct broker_vault *v,
    const unsigned char hash[CREDENTIAL_HASH_SIZE], const char *id)
{
	struct entry	*e = find_entry(v, hash);
	struct msg_out	 out;

	if (v->chan == NULL || (e != NULL && e->told))
		return;
	if (e != NULL)
		e->told = true;
	msg_begin(&out, MSG_USED, 0);
	msg_put_str(&out, id);
	/* Then it is known a little later. */
	msg_send(v->chan, &out);
}

/* ---- answers ---- */

int
broker_vault_on_found(struct broker_vault *v, struct msg *msg)
{
	struct vault_credential	 credential;
	struct question		*q;
	uint8_t			 result;

	result = msg_get_u8(msg);
	if (result > FIND_FAILED)
		return -1;
	if (result == FIND_FOUND ? vault_db_take(msg, &credential) == -1 :
	    msg_end(msg) == -1)
		return -1;
	/* Late answers, to what has expired, are dropped. */
	if ((q = pending_take(v->open, msg->id)) == NULL)
		return 0;
	if (q->found == NULL) {
		fail_question(q, v);
		return -1;
	}
	if (result == FIND_FOUND)
		remember(v, q->hash, &credential);
	q->found((enum find_result)result, result == FIND_FOUND ?
	    &credential : NULL, q->arg);
	free(q);
	return 0;
}

int
broker_vault_on_kept(struct broker_vault *v, struct msg *msg)
{
	char		 id[CREDENTIAL_ID_SIZE];
	struct question	*q;
	bool		 kept;

	kept = msg_get_bool(msg);
	msg_get_str(msg, id, sizeof(id));
	if (msg_end(msg) == -1)
		return -1;
	if ((q = pending_take(v->open, msg->id)) == NULL)
		return 0;
	if (q->kept == NULL) {
		fail_question(q, v);
		return -1;
	}
	q->kept(kept ? id : NULL, q->arg);
	free(q);
	return 0;
}

int
broker_vault_on_forget(struct broker_vault *v, struct msg_chan *chan,
    struct msg *msg)
{
	if (msg_end(msg) == -1)
		return -1;
	forget_all(v);
	/* A vault that has gone needs no answer. */
	msg_send_empty(chan, MSG_FORGET, msg->id);
	return 0;
}
