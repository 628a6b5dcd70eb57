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

struct scrub_options {
	uint64_t	 rate;		/* bytes per second; 0: no limit */
	bool		 dryrun;	/* find only */
};

struct scrub_report {
	uint64_t	 blobs, bytes;
	uint64_t	 bad, quarantined;
	uint64_t	 unreadable;	/* the disk says no: left where it is */
	struct digest	 list[SCRUB_LIST_MAX];	/* the first of them */
	size_t		 nlist;
	unsigned	 shard, shards;	/* progress */
};

struct scrub;

struct scrub	*scrub_new(struct store *, const struct scrub_options *);
/*
 * Work for about budget_ms, or less when the rate is reached.  OK: go on,
 * or *done.  Other results end it.
 */
enum store_result scrub_step(struct scrub *, unsigned budget_ms, bool *done);
const struct scrub_report *scrub_report(const struct scrub *);
void		 scrub_free(struct scrub *);		/* NULL is fine */

#endif
