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

/* All that a collection remembers, in bytes; zeroed memory is no limit. */
struct gc_budget {
	size_t		 limit;		/* 0: none */
	size_t		 used, peak;
	bool		 over;		/* something was refused */
};
/*
 * An array that is doubled when it is full, from "first" on: *size is in
 * items of so many bytes.  NULL: ENOMEM, and nothing has changed.
 */
void		*gc_budget_grow(struct gc_budget *, void *, size_t *size,
		    size_t first, size_t item);
/* Zeroed; NULL: ENOMEM. */
void		*gc_budget_alloc(struct gc_budget *, size_t n, size_t item);
void		 gc_budget_free(struct gc_budget *, void *, size_t n,
		    size_t item);

/*
 * 64-bit fingerprints, each with a number; zeroed memory but for the budget
 * is empty.
 */
struct gc_map {
	struct gc_budget *budget;	/* may be NULL */
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

/* 128-bit fingerprints; zeroed memory but for the budget is empty. */
struct gc_names_set {
	struct gc_budget *budget;
	struct gc_print	*prints;	/* both 0: free */
	size_t		 n, size;
};
int		 gc_names_set_add(struct gc_names_set *, struct gc_print);
bool		 gc_names_set_has(const struct gc_names_set *,
		    struct gc_print);
void		 gc_names_set_done(struct gc_names_set *);

#endif
