/* SPDX-License-Identifier: ISC */
/*
 * What a store remembers of its scrubs, in .registryd/scrub: the last that
 * came to its end, and how far the one that is under way has come, whichever
 * host is at it.
 */
#ifndef SCRUB_RECORD_H
#define SCRUB_RECORD_H

#include "scrub.h"

#define SCRUB_RECORD_SIZE	2048	/* bytes of the file, at most */

struct scrub_record {
	uint64_t	 last_began, last_ended;	/* 0: never */
	struct scrub_counts last;
	uint64_t	 began;		/* 0: none is under way */
	struct scrub_cursor cursor;
};

/* A record that cannot be read or makes no sense is an empty one. */
enum store_result scrub_record_get(struct store *, struct scrub_record *);
/* durable: else it may be lost with the power, which costs reading again. */
enum store_result scrub_record_put(struct store *,
		    const struct scrub_record *, bool durable);
/* This one came to its end: the last, and none is under way any more. */
enum store_result scrub_record_finish(struct store *, const struct scrub *,
		    uint64_t began);
/* How long until the next one is due; 0: it is, or has to be gone on with. */
uint64_t	 scrub_record_due_ms(const struct scrub_record *,
		    uint64_t interval_ms, uint64_t now_s);
/* The text of the file; for the fuzzer. */
int		 scrub_record_parse(struct scrub_record *, const char *,
		    size_t len);
size_t		 scrub_record_format(char dst[SCRUB_RECORD_SIZE],
		    const struct scrub_record *);

#endif
