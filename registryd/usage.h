/* SPDX-License-Identifier: ISC */
/*
 * How much each repository takes: what only it has, and what it shares with
 * others.
 */
#ifndef USAGE_H
#define USAGE_H

#include <stddef.h>
#include <stdint.h>

#include "store.h"

struct usage_repo {
	char		*name;
	uint64_t	 blobs;		/* manifests too */
	uint64_t	 bytes;		/* all of them */
	uint64_t	 unique;	/* bytes that go with it */
};

struct usage {
	struct usage_repo *repos;	/* in the order of the catalog */
	size_t		 n;
	uint64_t	 blobs, bytes;	/* of all, each once */
};

typedef void usage_progress_fn(size_t repos, void *arg);

/* The caller's: usage_done(), on failure too. */
enum store_result usage_run(struct store *, usage_progress_fn *, void *arg,
		    struct usage *);
void		 usage_done(struct usage *);

#endif
