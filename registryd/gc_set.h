/* SPDX-License-Identifier: ISC */
/*
 * What a collection remembers: keyed fingerprints of digests and names, in
 * sets and maps that grow.  Two things with one fingerprint are a chance of
 * 2^-64 or 2^-128, which nobody can bring about without the key.
 */
#ifndef GC_SET_H
#define GC_SET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "digest.h"

struct gc_key {				/* random, one for each run */
	uint64_t	 k[4];
};
struct gc_print {			/* 128 bits */
	uint64_t	 a, b;
};

void		 gc_key_init(struct gc_key *);
/* Never 0. */
uint64_t	 gc_print64(const struct gc_key *, const void *, size_t);
uint64_t	 gc_print_digest(const struct gc_key *, const struct digest *);
/* Of a pair: something in something. */
uint64_t	 gc_print_pair(const struct gc_key *, uint64_t, uint64_t);
struct gc_print	 gc_print128(const struct gc_key *, const void *, size_t);

/* 64-bit fingerprints, each with a number; zeroed memory is empty. */
struct gc_map {
	uint64_t	*keys;		/* 0: free */
	uint32_t	*values;	/* NULL: a set */
	size_t		 n, size;
};
/* true: it was not there.  -1 ENOMEM in *failed. */
bool		 gc_map_add(struct gc_map *, uint64_t key, bool *failed);
/* As a map: an existing value is replaced. */
int		 gc_map_put(struct gc_map *, uint64_t key, uint32_t value);
bool		 gc_map_has(const struct gc_map *, uint64_t key);
bool		 gc_map_get(const struct gc_map *, uint64_t key, uint32_t *);
void		 gc_map_done(struct gc_map *);
size_t		 gc_map_memory(const struct gc_map *);

/* 128-bit fingerprints; zeroed memory is empty. */
struct gc_names_set {
	struct gc_print	*prints;	/* both 0: free */
	size_t		 n, size;
};
int		 gc_names_set_add(struct gc_names_set *, struct gc_print);
bool		 gc_names_set_has(const struct gc_names_set *,
		    struct gc_print);
void		 gc_names_set_done(struct gc_names_set *);
size_t		 gc_names_set_memory(const struct gc_names_set *);

#endif
