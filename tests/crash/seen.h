/* SPDX-License-Identifier: ISC */
/*
 * A set of hashes, in memory of the caller's that is all zero at first.
 */
#ifndef SEEN_H
#define SEEN_H

#include <err.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* False when it was there already.  Ends the program at 3/4 of nslots. */
static inline bool
seen_add(uint64_t *slots, size_t nslots, size_t *n, uint64_t h)
{
	size_t i;

	if (h == 0)
		h = 1;
	for (i = h % nslots; slots[i] != 0; i = (i + 1) % nslots)
		if (slots[i] == h)
			return false;
	if (++*n == nslots / 4 * 3)
		errx(2, "too many to remember");
	slots[i] = h;
	return true;
}

#endif
