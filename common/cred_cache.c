/* SPDX-License-Identifier: ISC */
/*
 * The cache of good credentials.  An entry is found by the
 * HMAC-SHA256 of user, place and password under a key that is made at start
 * and never leaves the process: what is kept cannot be turned into a password,
 * nor tried against another process's copy.  Failures are not cached.
 */
#include "cred_cache.h"

#include <sys/queue.h>

#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "random.h"

#define KEY_SIZE	32
#define BUCKETS		4096		/* a power of two */

struct entry {
	unsigned char		 key[KEY_SIZE];
	struct cred_answer	 answer;
	uint64_t		 expires;	/* monotonic, ms */
	uint64_t		 ends;		/* kept until then */
	LIST_ENTRY(entry)	 in_bucket;
	TAILQ_ENTRY(entry)	 by_age;
};

LIST_HEAD(bucket, entry);

struct cred_cache {
	unsigned char		 hmac_key[KEY_SIZE];
	struct bucket		 buckets[BUCKETS];
	TAILQ_HEAD(, entry)	 entries;	/* oldest first */
	size_t			 n, max;
	uint64_t		 ttl_ms, grace_ms;
};

struct cred_cache *
cred_cache_new(size_t size, uint64_t ttl_ms)
{
	struct cred_cache	*cache;

	if ((cache = calloc(1, sizeof(*cache))) == NULL)
		return NULL;
	TAILQ_INIT(&cache->entries);
	random_bytes(cache->hmac_key, sizeof(cache->hmac_key));
	cache->max = size;
	cache->ttl_ms = ttl_ms;
	return cache;
}

void
cred_cache_keep(struct cred_cache *cache, uint64_t grace_ms)
{
	cache->grace_ms = grace_ms;
}

static void
drop(struct cred_cache *cache, struct entry *e)
{
	LIST_REMOVE(e, in_bucket);
	TAILQ_REMOVE(&cache->entries, e, by_age);
	cache->n--;
	cred_answer_done(&e->answer);
	secret_wipe(e->key, sizeof(e->key));
	free(e);
}

void
cred_cache_flush(struct cred_cache *cache)
{
	struct entry	*e;

	while ((e = TAILQ_FIRST(&cache->entries)) != NULL)
		drop(cache, e);
}

void
cred_cache_free(struct cred_cache *cache)
{
	if (cache == NULL)
		return;
	cred_cache_flush(cache);
	secret_wipe(cache->hmac_key, sizeof(cache->hmac_key));
	free(cache);
}

/* A NUL ends user and place, which have none: no two keys look alike. */
static int
make_key(const struct cred_cache *cache, const struct cred_key *of,
    unsigned char key[KEY_SIZE])
{
	size_t		 ulen = strlen(of->user) + 1;
	size_t		 wlen = strlen(of->where) + 1;
	size_t		 plen = secret_len(of->password);
	unsigned int	 n = 0;
	unsigned char	*text;
	bool		 done;

	if ((text = malloc(ulen + wlen + plen)) == NULL)
		return -1;
	memcpy(text, of->user, ulen);
	memcpy(text + ulen, of->where, wlen);
	memcpy(text + ulen + wlen, secret_data(of->password), plen);
	done = HMAC(EVP_sha256(), cache->hmac_key, KEY_SIZE, text,
	    ulen + wlen + plen, key, &n) != NULL && n == KEY_SIZE;
	secret_wipe(text, ulen + wlen + plen);
	free(text);
	return done ? 0 : -1;
}

static struct bucket *
bucket_of(struct cred_cache *cache, const unsigned char *key)
{
	return &cache->buckets[(key[0] | key[1] << 8) & (BUCKETS - 1)];
}

static struct entry *
find(struct cred_cache *cache, const unsigned char *key)
{
	struct entry	*e;

	LIST_FOREACH(e, bucket_of(cache, key), in_bucket)
		if (memcmp(e->key, key, KEY_SIZE) == 0)
			return e;
	return NULL;
}

static struct entry *
find_credential(struct cred_cache *cache, const struct cred_key *of)
{
	unsigned char	 key[KEY_SIZE];

	if (cache->n == 0 || make_key(cache, of, key) == -1)
		return NULL;
	return find(cache, key);
}

const struct cred_answer *
cred_cache_find_kept(struct cred_cache *cache, const struct cred_key *of)
{
	struct entry	*e = find_credential(cache, of);

	if (e == NULL)
		return NULL;
	if (e->ends <= clock_monotonic_ms()) {
		drop(cache, e);
		return NULL;
	}
	return &e->answer;
}

const struct cred_answer *
cred_cache_find(struct cred_cache *cache, const struct cred_key *of)
{
	struct entry	*e = find_credential(cache, of);
	uint64_t	 now = clock_monotonic_ms();

	if (e == NULL || e->expires > now)
		return e == NULL ? NULL : &e->answer;
	if (e->ends <= now)
		drop(cache, e);
	return NULL;
}

void
cred_cache_drop(struct cred_cache *cache, const struct cred_key *of)
{
	struct entry	*e = find_credential(cache, of);

	if (e != NULL)
		drop(cache, e);
}

void
cred_cache_put(struct cred_cache *cache, const struct cred_key *of,
    const struct cred_answer *answer)
{
	struct entry	*e, *old;
	uint64_t	 now = clock_monotonic_ms();

	if (cache->max == 0 || (cache->ttl_ms == 0 && cache->grace_ms == 0) ||
	    (e = calloc(1, sizeof(*e))) == NULL)
		return;
	if (make_key(cache, of, e->key) == -1 ||
	    cred_answer_copy(&e->answer, answer) == -1) {
		free(e);
		return;
	}
	if ((old = find(cache, e->key)) != NULL)
		drop(cache, old);
	else if (cache->n == cache->max)
		drop(cache, TAILQ_FIRST(&cache->entries));
	e->expires = now + cache->ttl_ms;
	e->ends = now + (cache->grace_ms > cache->ttl_ms ? cache->grace_ms :
	    cache->ttl_ms);
	LIST_INSERT_HEAD(bucket_of(cache, e->key), e, in_bucket);
	TAILQ_INSERT_TAIL(&cache->entries, e, by_age);
	cache->n++;
}

size_t
cred_cache_count(const struct cred_cache *cache)
{
	return cache->n;
}
