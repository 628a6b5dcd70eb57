/* SPDX-License-Identifier: ISC */
/* One run of powercut.c: its machines, its disk, and what it has found. */
#ifndef POWERCUT_RUN_H
#define POWERCUT_RUN_H

#include <sys/types.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "check.h"
#include "disk.h"
#include "totals.h"

struct filesystem {
	const char	*name, *type;
	off_t		 size;
	const char	*mkfs[8];
	const char	*options[4];	/* to mount with; one of them */
};

struct run {
	const char			*dir, *durability;
	const char			*lines;		/* to configure */
	char				*name;
	const struct filesystem		*fs;
	bool				 is_distribution;
	unsigned			 cuts, images, load_ms;
	unsigned			 collect;	/* one disk of n */
	uint64_t			 dice;
	struct cut			 cut;		/* the last one */
	bool				 at_image;	/* in the spare disk */
	const char			*options;	/* mounted with */
	char				*image, *state;
	struct disk			*disk, *spare;
	struct guest			*guest, *checker;
	struct load			*load;
	struct check			*check;
	const char			*totals_path;	/* or NULL */
	struct totals			 totals;
	size_t				 acks_seen;	/* of this disk */
	size_t				 n_kept;
};

/* ---- filesystem.c -------------------------------------------------------- */

/* Ends the program when there is none of that name. */
const struct filesystem *filesystem_find(const char *name);
/* Make it anew in the image file; ends the program when that fails. */
void	 filesystem_make(const struct filesystem *, const char *image);

/* ---- found.c ------------------------------------------------------------- */

/* Print what was found, and keep it with the disk as the cut has left it. */
void	 found_keep(struct run *, const char *what, const char *text);
/* What r->check has counted. */
void	 found_count(struct run *);

#endif
