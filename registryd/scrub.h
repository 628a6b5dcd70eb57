/* SPDX-License-Identifier: ISC */
/*
 * Reading every blob, so that bytes that have gone bad are found before a
 * client gets them: these are moved into quarantine, and then a push puts
 * them there again.
 */
#ifndef SCRUB_H
#define SCRUB_H

#include <stdbool.h>
#include <stdint.h>

#include "digest.h"
#include "store.h"

#define SCRUB_LIST_MAX	64		/* bad blobs that are listed */
#define SCRUB_SHARDS	512u		/* directories, of two algorithms */

struct scrub_options {
	uint64_t	 rate;		/* bytes per second; 0: no limit */
	bool		 dryrun;	/* find only */
	/* only what an interrupted scrub has left in quarantine */
	bool		 only_quarantine;
};

struct scrub_report {
	uint64_t	 blobs, bytes;
	uint64_t	 bad, quarantined;
	/* wrong or unreadable at first, and right when read once more */
	uint64_t	 unsteady;
	struct digest	 unsteady_last;
	uint64_t	 unreadable;	/* the disk says no: left where it is */
	uint64_t	 mended;	/* right, with a wrong size noted */
	uint64_t	 returned;	/* right bytes, from quarantine */
	uint64_t	 strange;	/* no blobs; fsck names them all */
	char		 strange_last[256];
	struct digest	 list[SCRUB_LIST_MAX];	/* the first bad ones */
	size_t		 nlist;
	unsigned	 shard, shards;	/* progress */
};

/* What goes on counting in the scrub that goes on. */
struct scrub_counts {
	uint64_t	 blobs, bytes, bad, quarantined, unsteady;
	uint64_t	 unreadable, mended, returned, strange;
};

/* How far a scrub has come, so that another can go on from there. */
struct scrub_cursor {
	unsigned	 shard;
	char		 after[DIGEST_HEX_SIZE];	/* in the shard; "" */
	struct scrub_counts counts;
};

struct scrub;

struct scrub	*scrub_new(struct store *, const struct scrub_options *);
/* Go on from there; before the first step. */
void		 scrub_resume(struct scrub *, const struct scrub_cursor *);
void		 scrub_tell(const struct scrub *, struct scrub_cursor *);
/*
 * Work for about budget_us, or less when the rate is reached.  OK: go on,
 * or *done.  Other results end it.
 */
enum store_result scrub_step(struct scrub *, unsigned budget_us, bool *done);
const struct scrub_report *scrub_report(const struct scrub *);
void		 scrub_free(struct scrub *);		/* NULL is fine */

#endif
