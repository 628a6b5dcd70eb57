/* SPDX-License-Identifier: ISC */
/*
 * Fingerprints and their sets: open addressing, doubled when three quarters
 * are taken, all within one budget.  Runs in the collector; knows nothing of
 * the store.
 *
 * What is put in comes from manifests, so from clients: SipHash-2-4 with a
 * random key keeps them from choosing what collides.
 */
#include "gc_set.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "random.h"

#define FIRST_SIZE	1024

/* ---- SipHash-2-4 ---- */

struct sip {
	uint64_t	 v0, v1, v2, v3;
};

static uint64_t
rotate(uint64_t x, unsigned n)
{
	return x << n | x >> (64 - n);
}

static void
sip_round(struct sip *s)
{
	s->v0 += s->v1;
	s->v1 = rotate(s->v1, 13) ^ s->v0;
	s->v0 = rotate(s->v0, 32);
	s->v2 += s->v3;
	s->v3 = rotate(s->v3, 16) ^ s->v2;
	s->v0 += s->v3;
	s->v3 = rotate(s->v3, 21) ^ s->v0;
	s->v2 += s->v1;
	s->v1 = rotate(s->v1, 17) ^ s->v2;
	s->v2 = rotate(s->v2, 32);
}

static void
sip_word(struct sip *s, uint64_t m)
{
	s->v3 ^= m;
	sip_round(s);
	sip_round(s);
	s->v0 ^= m;
}

static uint64_t
siphash(uint64_t k0, uint64_t k1, const void *data, size_t len)
{
	struct sip s = {
		.v0 = k0 ^ 0x736f6d6570736575u,
		.v1 = k1 ^ 0x646f72616e646f6du,
		.v2 = k0 ^ 0x6c7967656e657261u,
		.v3 = k1 ^ 0x7465646279746573u
	};
	const uint8_t *p = data;
	uint64_t m, last = (uint64_t)len << 56;
	size_t i, rest = len % 8;

	for (i = 0; i + 8 <= len; i += 8) {
		memcpy(&m, p + i, sizeof(m));
		sip_word(&s, m);
	}
	m = 0;
	memcpy(&m, p + i, rest);
	sip_word(&s, m ^ last);
	s.v2 ^= 0xff;
	for (i = 0; i < 4; i++)
		sip_round(&s);
	return s.v0 ^ s.v1 ^ s.v2 ^ s.v3;
}

void
gc_key_init(struct gc_key *key)
{
	random_bytes(key, sizeof(*key));
}

static uint64_t
not_zero(uint64_t h)
{
	return h != 0 ? h : 1;
}

uint64_t
gc_print64(const struct gc_key *key, const void *data, size_t len)
{
	return not_zero(siphash(key->k[0], key->k[1], data, len));
}

uint64_t
gc_print_digest(const struct gc_key *key, const struct digest *d)
{
	uint8_t bytes[1 + DIGEST_MAX_BYTES];
	size_t len = digest_alg_size(d->alg);

	bytes[0] = (uint8_t)d->alg;
	memcpy(bytes + 1, d->bytes, len);
	return gc_print64(key, bytes, 1 + len);
}

uint64_t
gc_print_pair(const struct gc_key *key, uint64_t a, uint64_t b)
{
	uint64_t both[2] = { a, b };

	return gc_print64(key, both, sizeof(both));
}

struct gc_print
gc_print128(const struct gc_key *key, const void *data, size_t len)
{
	struct gc_print p;

	p.a = not_zero(siphash(key->k[0], key->k[1], data, len));
	p.b = siphash(key->k[2], key->k[3], data, len);
	return p;
}

/* ---- memory ---- */

static int
budget_take(struct gc_budget *b, size_t bytes)
{
	if (b == NULL)
		return 0;
	if (b->limit != 0 && (b->used > b->limit ||
	    bytes > b->limit - b->used)) {
		b->over = true;
		errno = ENOMEM;
		return -1;
	}
	b->used += bytes;
	if (b->used > b->peak)
		b->peak = b->used;
	return 0;
}

static void
budget_give(struct gc_budget *b, size_t bytes)
{
	if (b != NULL)
		b->used -= bytes;
}

void *
gc_budget_alloc(struct gc_budget *b, size_t n, size_t item)
{
	void *p;

	if (n > SIZE_MAX / item || budget_take(b, n * item) == -1)
		return NULL;
	if ((p = calloc(n, item)) == NULL)
		budget_give(b, n * item);
	return p;
}

void
gc_budget_free(struct gc_budget *b, void *p, size_t n, size_t item)
{
	if (p == NULL)
		return;
	budget_give(b, n * item);
	free(p);
}

void *
gc_budget_grow(struct gc_budget *b, void *old, size_t *size, size_t first,
    size_t item)
{
	size_t grown = *size == 0 ? first : 2 * *size;
	void *p;

	if (grown > SIZE_MAX / item ||
	    budget_take(b, (grown - *size) * item) == -1)
		return NULL;
	if ((p = reallocarray(old, grown, item)) == NULL) {
		budget_give(b, (grown - *size) * item);
		return NULL;
	}
	*size = grown;
	return p;
}

/* ---- 64 bits, with or without a value ---- */

static size_t
map_slot(const struct gc_map *m, uint64_t key)
{
	size_t i = (size_t)key & (m->size - 1);

	while (m->keys[i] != 0 && m->keys[i] != key)
		i = (i + 1) & (m->size - 1);
	return i;
}

static void
map_free(struct gc_map *m)
{
	gc_budget_free(m->budget, m->keys, m->size, sizeof(*m->keys));
	gc_budget_free(m->budget, m->values, m->size, sizeof(*m->values));
}

static int
map_grow(struct gc_map *m, bool with_values)
{
	struct gc_map old = *m;
	size_t i, slot;

	m->size = old.size == 0 ? FIRST_SIZE : 2 * old.size;
	m->keys = gc_budget_alloc(m->budget, m->size, sizeof(*m->keys));
	m->values = with_values ? gc_budget_alloc(m->budget, m->size,
	    sizeof(*m->values)) : NULL;
	if (m->keys == NULL || (with_values && m->values == NULL)) {
		map_free(m);
		*m = old;
		return -1;
	}
	for (i = 0; i < old.size; i++) {
		if (old.keys[i] == 0)
			continue;
		slot = map_slot(m, old.keys[i]);
		m->keys[slot] = old.keys[i];
		if (with_values)
			m->values[slot] = old.values[i];
	}
	map_free(&old);
	return 0;
}

/* Where the key is, or is now. */
static int
map_place(struct gc_map *m, uint64_t key, bool with_values, size_t *slot,
    bool *added)
{
	if (m->n >= m->size / 4 * 3 && map_grow(m, with_values) == -1)
		return -1;
	*slot = map_slot(m, key);
	*added = m->keys[*slot] == 0;
	if (*added) {
		m->keys[*slot] = key;
		m->n++;
	}
	return 0;
}

bool
gc_map_add(struct gc_map *m, uint64_t key, bool *failed)
{
	bool added;
	size_t slot;

	if (map_place(m, key, false, &slot, &added) == -1) {
		*failed = true;
		return false;
	}
	return added;
}

int
gc_map_put(struct gc_map *m, uint64_t key, uint32_t value)
{
	bool added;
	size_t slot;

	if (map_place(m, key, true, &slot, &added) == -1)
		return -1;
	m->values[slot] = value;
	return 0;
}

bool
gc_map_has(const struct gc_map *m, uint64_t key)
{
	return m->size > 0 && m->keys[map_slot(m, key)] != 0;
}

bool
gc_map_get(const struct gc_map *m, uint64_t key, uint32_t *value)
{
	size_t slot;

	if (m->size == 0 || m->keys[slot = map_slot(m, key)] == 0)
		return false;
	*value = m->values[slot];
	return true;
}

void
gc_map_done(struct gc_map *m)
{
	map_free(m);
	*m = (struct gc_map){ .budget = m->budget };
}

/* ---- 128 bits ---- */

static size_t
names_slot(const struct gc_names_set *s, struct gc_print p)
{
	size_t i = (size_t)p.a & (s->size - 1);

	while (s->prints[i].a != 0 &&
	    (s->prints[i].a != p.a || s->prints[i].b != p.b))
		i = (i + 1) & (s->size - 1);
	return i;
}

static int
names_grow(struct gc_names_set *s)
{
	struct gc_names_set old = *s;
	size_t i;

	s->size = old.size == 0 ? FIRST_SIZE : 2 * old.size;
	s->prints = gc_budget_alloc(s->budget, s->size, sizeof(*s->prints));
	if (s->prints == NULL) {
		*s = old;
		return -1;
	}
	for (i = 0; i < old.size; i++)
		if (old.prints[i].a != 0)
			s->prints[names_slot(s, old.prints[i])] =
			    old.prints[i];
	gc_budget_free(s->budget, old.prints, old.size, sizeof(*old.prints));
	return 0;
}

int
gc_names_set_add(struct gc_names_set *s, struct gc_print p)
{
	size_t slot;

	if (s->n >= s->size / 4 * 3 && names_grow(s) == -1)
		return -1;
	slot = names_slot(s, p);
	if (s->prints[slot].a == 0)
		s->n++;
	s->prints[slot] = p;
	return 0;
}

bool
gc_names_set_has(const struct gc_names_set *s, struct gc_print p)
{
	return s->size > 0 && s->prints[names_slot(s, p)].a != 0;
}

void
gc_names_set_done(struct gc_names_set *s)
{
	gc_budget_free(s->budget, s->prints, s->size, sizeof(*s->prints));
	*s = (struct gc_names_set){ .budget = s->budget };
}
