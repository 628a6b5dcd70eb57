/* SPDX-License-Identifier: ISC */
/*
 * Verification of bearer tokens, and the verdicts of those that were good.
 * Runs in the worker.  Tokens themselves are not kept: a verdict is found by
 * the SHA-256 of the raw token, the least recently used one makes room, and
 * none outlives its token.
 */
#include "access_bearer.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "digest.h"
#include "encode.h"
#include "json.h"
#include "jws.h"

#define KEY_SIZE	32

struct verdict {
	struct bearer_verdict v;
	uint8_t		 key[KEY_SIZE];
	int64_t		 checked, expires;
	struct verdict	*next;			/* of its bucket */
	struct verdict	*newer, *older;
};

struct bearer {
	struct bearer_rules rules;
	struct verdict	**buckets;
	size_t		 nbuckets, n;
	struct verdict	*newest, *oldest;
	struct verdict	*loose;		/* the last one that is not kept */
};

static void
verdict_free(struct verdict *v)
{
	if (v == NULL)
		return;
	scope_set_done(&v->v.access);
	free(v->v.user);
	free(v->v.jti);
	free(v);
}

struct bearer *
bearer_new(const struct bearer_rules *rules)
{
	struct bearer *b;

	if ((b = calloc(1, sizeof(*b))) == NULL)
		return NULL;
	b->rules = *rules;
	b->nbuckets = 1;
	while (b->nbuckets < rules->cache && b->nbuckets < 65536)
		b->nbuckets *= 2;
	b->buckets = calloc(b->nbuckets, sizeof(struct verdict *));
	if (b->buckets == NULL) {
		free(b);
		return NULL;
	}
	return b;
}

static void
forget_all(struct bearer *b)
{
	struct verdict *v, *older;

	for (v = b->newest; v != NULL; v = older) {
		older = v->older;
		verdict_free(v);
	}
	verdict_free(b->loose);
	b->newest = b->oldest = b->loose = NULL;
	b->n = 0;
	memset(b->buckets, 0, b->nbuckets * sizeof(struct verdict *));
}

void
bearer_set_keys(struct bearer *b, const struct jwks *jwks)
{
	b->rules.jwks = jwks;
	forget_all(b);
}

void
bearer_free(struct bearer *b)
{
	if (b == NULL)
		return;
	forget_all(b);
	free(b->buckets);
	free(b);
}

size_t
bearer_cached(const struct bearer *b)
{
	return b->n;
}

static struct verdict **
bucket_of(struct bearer *b, const uint8_t *key)
{
	size_t i;

	memcpy(&i, key, sizeof(i));
	return &b->buckets[i & (b->nbuckets - 1)];
}

static void
list_remove(struct bearer *b, struct verdict *v)
{
	if (v->newer != NULL)
		v->newer->older = v->older;
	else
		b->newest = v->older;
	if (v->older != NULL)
		v->older->newer = v->newer;
	else
		b->oldest = v->newer;
}

static void
list_push(struct bearer *b, struct verdict *v)
{
	v->newer = NULL;
	v->older = b->newest;
	if (b->newest != NULL)
		b->newest->newer = v;
	else
		b->oldest = v;
	b->newest = v;
}

static void
cache_remove(struct bearer *b, struct verdict *v)
{
	struct verdict **p = bucket_of(b, v->key);

	while (*p != v)
		p = &(*p)->next;
	*p = v->next;
	list_remove(b, v);
	b->n--;
	verdict_free(v);
}

static struct verdict *
cache_find(struct bearer *b, const uint8_t *key, int64_t now)
{
	struct verdict *v;

	for (v = *bucket_of(b, key); v != NULL; v = v->next)
		if (memcmp(v->key, key, KEY_SIZE) == 0)
			break;
	if (v == NULL)
		return NULL;
	/* A clock that was put back must not make it live longer. */
	if (now >= v->expires || now < v->checked) {
		cache_remove(b, v);
		return NULL;
	}
	list_remove(b, v);
	list_push(b, v);
	return v;
}

static void
cache_add(struct bearer *b, struct verdict *v)
{
	struct verdict **bucket;

	if (b->rules.cache == 0) {
		verdict_free(b->loose);
		b->loose = v;
		return;
	}
	if (b->n >= b->rules.cache)
		cache_remove(b, b->oldest);
	bucket = bucket_of(b, v->key);
	v->next = *bucket;
	*bucket = v;
	list_push(b, v);
	b->n++;
}

/* A verdict ends with the first of its entries that has an end of its own. */
static int64_t
first_end(const json_t *access, int64_t expires)
{
	const json_t *entry, *end;
	size_t i;

	json_array_foreach(access, i, entry) {
		end = json_object_get(entry, "exp");
		if (json_is_number(end) &&
		    json_number_value(end) < (double)expires)
			expires = (int64_t)json_number_value(end);
	}
	return expires;
}

static char *
claim_text(const json_t *claims, const char *name)
{
	const char *text = json_string_at(claims, name);

	return strdup(text == NULL ? "" : text);
}

static struct verdict *
verdict_new(const json_t *claims, const uint8_t *key, int64_t now,
    int64_t expires)
{
	const json_t *access = json_object_get(claims, "access");
	struct verdict *v;

	if ((v = calloc(1, sizeof(*v))) == NULL)
		return NULL;
	memcpy(v->key, key, KEY_SIZE);
	v->v.user = claim_text(claims, "sub");
	v->v.jti = claim_text(claims, "jti");
	/* Of too many entries the first ones count: fewer rights, not more. */
	if (v->v.user == NULL || v->v.jti == NULL ||
	    (scope_set_from_claim(&v->v.access, access, now) == -1 &&
	    errno != E2BIG)) {
		verdict_free(v);
		return NULL;
	}
	v->checked = now;
	v->expires = first_end(access, expires);
	return v;
}

/* Of a token that was verified: is it signed as the configuration allows? */
static bool
algorithm_ok(const struct bearer *b, const char *token)
{
	char header[JWS_MAX_SIZE], reason[80];
	const char *alg;
	json_t *doc;
	ssize_t len;
	size_t i;
	bool ok = false;

	if (b->rules.nalgorithms == 0)
		return true;
	if (strlen(token) > JWS_MAX_SIZE)
		return false;
	len = base64url_decode(header, token, strcspn(token, "."));
	if (len == -1)
		return false;
	doc = json_load_strict(header, (size_t)len, reason, sizeof(reason));
	alg = json_string_at(doc, "alg");
	for (i = 0; i < b->rules.nalgorithms && alg != NULL && !ok; i++)
		ok = strcmp(b->rules.algorithms[i], alg) == 0;
	json_decref(doc);
	return ok;
}

const struct bearer_verdict *
bearer_verify(struct bearer *b, const char *token, int64_t now,
    const char **reason)
{
	const char *issuers[] = { b->rules.issuer, NULL };
	const struct jws_expect expect = { issuers, b->rules.audience,
	    b->rules.leeway, b->rules.max_lifetime, now };
	struct digest key;
	struct verdict *v;
	enum jws_result result;
	json_t *claims = NULL;
	int64_t expires = 0;

	*reason = NULL;
	if (digest_of(&key, DIGEST_SHA256, token, strlen(token)) == -1)
		return NULL;
	if ((v = cache_find(b, key.bytes, now)) != NULL)
		return &v->v;
	result = jws_verify(b->rules.jwks, token, strlen(token), &claims);
	if (result != JWS_OK) {
		if (result != JWS_NOMEM)
			*reason = jws_result_text(result);
		return NULL;
	}
	*reason = algorithm_ok(b, token) ?
	    jws_check_claims(claims, &expect, &expires) :
	    "the signature's algorithm is not allowed";
	v = *reason != NULL ? NULL :
	    verdict_new(claims, key.bytes, now, expires);
	json_decref(claims);
	if (v == NULL)
		return NULL;
	cache_add(b, v);
	return &v->v;
}
