/* SPDX-License-Identifier: ISC */
/*
 * Open addressing over the bits of the digests themselves.  A check of the
 * store uses one table for all blobs and small ones for each repository.
 */
#include "fsck_table.h"

#include <stdlib.h>
#include <string.h>

#define MIN_CAP		64
#define KEEP_CAP	65536

static void
make_key(uint64_t key[2], const struct digest *d)
{
	memcpy(key, d->bytes, 2 * sizeof(uint64_t));
	/* Algorithms are apart, and no key looks like a free place. */
	key[1] ^= (uint64_t)d->alg;
	if (key[0] == 0 && key[1] == 0)
		key[1] = 1;
}

static struct fsck_entry *
place_of(struct fsck_entry *entries, size_t cap, const uint64_t key[2])
{
	size_t i = (size_t)key[0] & (cap - 1);
	struct fsck_entry *e;

	for (;; i = (i + 1) & (cap - 1)) {
		e = &entries[i];
		if ((e->key[0] == key[0] && e->key[1] == key[1]) ||
		    (e->key[0] == 0 && e->key[1] == 0))
			return e;
	}
}

static int
grow(struct fsck_table *t)
{
	size_t i, cap = t->cap == 0 ? MIN_CAP : t->cap * 2;
	struct fsck_entry *entries;

	if ((entries = calloc(cap, sizeof(*entries))) == NULL)
		return -1;
	for (i = 0; i < t->cap; i++)
		if (t->entries[i].key[0] != 0 || t->entries[i].key[1] != 0)
			*place_of(entries, cap, t->entries[i].key) =
			    t->entries[i];
	free(t->entries);
	t->entries = entries;
	t->cap = cap;
	return 0;
}

struct fsck_entry *
fsck_table_add(struct fsck_table *t, const struct digest *d)
{
	struct fsck_entry *e;
	uint64_t key[2];

	if (t->n >= t->cap / 2 && grow(t) == -1)
		return NULL;
	make_key(key, d);
	e = place_of(t->entries, t->cap, key);
	if (e->key[0] == 0 && e->key[1] == 0) {
		memcpy(e->key, key, sizeof(e->key));
		t->n++;
	}
	return e;
}

struct fsck_entry *
fsck_table_find(const struct fsck_table *t, const struct digest *d)
{
	struct fsck_entry *e;
	uint64_t key[2];

	if (t->cap == 0)
		return NULL;
	make_key(key, d);
	e = place_of(t->entries, t->cap, key);
	return e->key[0] == 0 && e->key[1] == 0 ? NULL : e;
}

void
fsck_table_reset(struct fsck_table *t)
{
	if (t->cap > KEEP_CAP) {
		fsck_table_done(t);
		return;
	}
	if (t->n > 0)
		memset(t->entries, 0, t->cap * sizeof(*t->entries));
	t->n = 0;
}

void
fsck_table_done(struct fsck_table *t)
{
	free(t->entries);
	memset(t, 0, sizeof(*t));
}
