/* SPDX-License-Identifier: ISC */
/*
 * A small table of digests and types, each digest with one place.  Runs in
 * the worker.  Tells nothing of what exists: the store is asked first.
 */
#include "manifest_types.h"

#include <stdlib.h>
#include <string.h>

struct entry {
	struct digest	 digest;
	char		*type;		/* NULL: free */
};

struct manifest_types {
	struct entry	*entries;
	size_t		 n;
};

struct manifest_types *
manifest_types_new(size_t n)
{
	struct manifest_types *t;

	if ((t = calloc(1, sizeof(*t))) == NULL)
		return NULL;
	t->n = n > 0 ? n : 1;
	if ((t->entries = calloc(t->n, sizeof(*t->entries))) == NULL) {
		free(t);
		return NULL;
	}
	return t;
}

void
manifest_types_free(struct manifest_types *t)
{
	size_t i;

	if (t == NULL)
		return;
	for (i = 0; i < t->n; i++)
		free(t->entries[i].type);
	free(t->entries);
	free(t);
}

/* The bytes of a digest are as good as random. */
static struct entry *
place_of(const struct manifest_types *t, const struct digest *digest)
{
	uint64_t i;

	memcpy(&i, digest->bytes, sizeof(i));
	return &t->entries[i % t->n];
}

const char *
manifest_types_get(const struct manifest_types *t,
    const struct digest *digest)
{
	const struct entry *e = place_of(t, digest);

	if (e->type == NULL || !digest_equal(&e->digest, digest))
		return NULL;
	return e->type;
}

void
manifest_types_put(struct manifest_types *t, const struct digest *digest,
    const char *type)
{
	struct entry *e = place_of(t, digest);
	char *copy = strdup(type);

	if (copy == NULL)
		return;
	free(e->type);
	e->type = copy;
	e->digest = *digest;
}
