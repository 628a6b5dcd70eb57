/* SPDX-License-Identifier: ISC */
/*
 * Every digest in a text, whatever the text is.
 */
#ifndef DIGEST_SCAN_H
#define DIGEST_SCAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "digest.h"

typedef void digest_found_fn(const struct digest *, void *arg);

struct digest_scan {			/* no secrets, but set by init only */
	digest_found_fn	*found;
	void		*arg;
	/* the word "subject" in quotes has been seen, in any case */
	bool		 subject;

	unsigned	 escape;	/* characters of an escape so far */
	char		 raw[4];	/* those of \uXXXX */
	uint32_t	 code;
	unsigned	 matched;	/* of "sha256:", and of its digits */
	unsigned	 word;		/* of "\"subject\"" */
	struct digest	 digest;
};

/*
 * found() is called for "sha256:" and 64 digits, "sha512:" and 128, in any
 * case and whatever stands before and after, also where some of it is written
 * with JSON's escapes.
 */
void	 digest_scan_init(struct digest_scan *, digest_found_fn *, void *arg);
/* The text in pieces of any size. */
void	 digest_scan_feed(struct digest_scan *, const void *, size_t);

#endif
