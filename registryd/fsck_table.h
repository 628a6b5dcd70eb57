/* SPDX-License-Identifier: ISC */
/*
 * A set of digests with what a check knows about each.  Kept by the first 128
 * bits, which are as good as random.
 */
#ifndef FSCK_TABLE_H
#define FSCK_TABLE_H

#include <stddef.h>
#include <stdint.h>

#include "digest.h"

#define FSCK_LIVE	0x01u		/* has its name */
#define FSCK_CONDEMNED	0x02u		/* has one that a collection gave */
#define FSCK_LINKED	0x04u		/* a repository links it */
#define FSCK_BYTES_OK	0x08u		/* its bytes have been hashed */
#define FSCK_BYTES_BAD	0x10u
#define FSCK_HAS_BYTES	0x20u		/* of a link: the blob is there */

struct fsck_entry {
	uint64_t	 key[2];	/* both 0: free */
	uint64_t	 size;
	uint32_t	 flags;
};

struct fsck_table {
	struct fsck_entry *entries;
	size_t		 n, cap;
};

/*
 * The entry, new and zero when it was not there; good until the next call.
 * NULL: no memory.
 */
struct fsck_entry *fsck_table_add(struct fsck_table *, const struct digest *);
/* NULL when it is not there. */
struct fsck_entry *fsck_table_find(const struct fsck_table *,
		    const struct digest *);
/* Empty again; keeps memory unless it is large. */
void		 fsck_table_reset(struct fsck_table *);
void		 fsck_table_done(struct fsck_table *);

#endif
