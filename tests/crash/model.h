/* SPDX-License-Identifier: ISC */
/*
 * What a disk may hold after a power cut, by a file system that promises
 * nothing but what a sync says: bytes of a file and names in a directory
 * that were not synced may be there or not, each for itself; bytes may be
 * there in part, or read as zeroes; only a rename within one directory is
 * whole.
 */
#ifndef MODEL_H
#define MODEL_H

#include "trace.h"

#define MODEL_MAX_PENDING	1024
#define MODEL_SECTOR		512

enum fate {
	FATE_DONE,
	FATE_LOST,
	FATE_TORN,			/* write: the first sectors only */
	FATE_ZERO,			/* write: its length, but zeroes */
	NFATES
};

/* A cut after the first "n" changes. */
struct cut {
	const struct trace *trace;
	size_t		 n;
	unsigned	 moment;
	struct {
		size_t		 change;
		bool		 minor;	/* nobody looks there */
	}		 pending[MODEL_MAX_PENDING];
	size_t		 npending;
};

void	 model_cut(struct cut *, const struct trace *, size_t n);
/* How many fates a pending change may have. */
unsigned model_fates(const struct cut *, size_t pending);
/*
 * The state where each pending change has its fate; it is kept until the
 * next one.  Returns a number that tells states apart.
 */
uint64_t model_build(const struct cut *, const uint8_t *fates);
/* Put the state built last into an empty directory. */
void	 model_write(const struct cut *, const char *dir);

#endif
