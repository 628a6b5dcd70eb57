/* SPDX-License-Identifier: ISC */
/*
 * What a campaign has counted.  Kept in a file after each cut, so that one
 * that was killed can be gone on with, and so that run.sh can add up.
 */
#ifndef POWERCUT_TOTALS_H
#define POWERCUT_TOTALS_H

#include <stddef.h>
#include <stdio.h>

/* In the order of enum finding where that has the same. */
enum total {
	TOTAL_CUTS,
	TOTAL_COLLECTING,	/* of them, beside collection */
	TOTAL_RECOVERY,		/* of them, while the last one was mended */
	TOTAL_DISKS,		/* new file systems */
	TOTAL_IMAGES,		/* more cuts of the same loads */
	TOTAL_ACKNOWLEDGED,
	TOTAL_PROMISES,		/* checked */
	TOTAL_OBJECTS,
	TOTAL_COLLECTED,
	TOTAL_WRITES,		/* of the disk, before cuts */
	TOTAL_UNSAFE,		/* of them, not flushed at the cut */
	TOTAL_LOST,
	TOTAL_BACK,
	TOTAL_WRONG,
	TOTAL_UNSERVED,
	TOTAL_UPLOAD,
	TOTAL_FSCK,		/* broken by registryctl fsck */
	TOTAL_UNMOUNTABLE,
	TOTAL_FAILED,		/* anything else: the harness, a server */
	TOTAL_ODD,		/* no finding */
	TOTAL_SECONDS,
	TOTALS
};
#define TOTAL_FIRST_BAD		TOTAL_LOST
#define TOTAL_LAST_BAD		TOTAL_FAILED

struct totals {
	size_t	 n[TOTALS];
};

/* All that must be none. */
size_t	 totals_bad(const struct totals *);
/* No file: nothing was counted yet.  Ends the program on any other trouble. */
void	 totals_load(struct totals *, const char *path);
void	 totals_save(const struct totals *, const char *path);
void	 totals_print(const struct totals *, FILE *);

#endif
