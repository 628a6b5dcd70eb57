/* SPDX-License-Identifier: ISC */
/*
 * What the clients of gcstress push and pull: a small, fixed set of blobs and
 * manifests, so that they meet on the same names all the time.  Made once,
 * before any process is forked.
 */
#ifndef WORLD_H
#define WORLD_H

#include <stddef.h>

#include "digest.h"

#define NREPOS		3
#define NBLOBS		28
#define NIMAGES		18
#define NINDEXES	4
#define NARTIFACTS	4
#define NMANIFESTS	(NIMAGES + NINDEXES + NARTIFACTS)
#define NTAGS		4
#define REFS_MAX	4

struct blob {
	struct digest	 digest;
	char		*data;
	size_t		 len;
};

struct manifest {
	struct digest	 digest;
	char		*data;
	size_t		 len;
	unsigned	 blobs[REFS_MAX];
	unsigned	 nblobs;
	unsigned	 children[REFS_MAX];	/* manifests */
	unsigned	 nchildren;
	int		 subject;		/* manifest, or -1 */
};

extern struct blob world_blobs[NBLOBS];
extern struct manifest world_manifests[NMANIFESTS];

void	 world_make(void);
const char *world_repo(unsigned);
const char *world_tag(unsigned);
/* Number of the blob or manifest with that digest, or -1. */
int	 world_find_blob(const struct digest *);
int	 world_find_manifest(const struct digest *);

#endif
