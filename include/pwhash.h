/* SPDX-License-Identifier: ISC */
/*
 * The forms of password hashes that we take, by their text alone.
 */
#ifndef PWHASH_H
#define PWHASH_H

#include <stdbool.h>
#include <stdint.h>

#define PWHASH_MAX	511		/* bytes of a password */

enum pwhash_scheme {
	PWHASH_LOCKED,			/* "!" or "*": matches nothing */
	PWHASH_BCRYPT,
	PWHASH_SHA256,
	PWHASH_SHA512,
	PWHASH_YESCRYPT,
	PWHASH_GOST_YESCRYPT,
	PWHASH_SCRYPT,
	PWHASH_SCHEMES
};

struct pwhash {
	enum pwhash_scheme scheme;
	uint64_t	 cost;		/* grows with the time to compute */
	bool		 weak;		/* works, but its cost is low */
};

/*
 * What a hash is.  NULL and *out, or why it is refused (without the hash's
 * text): not known, weak by design, malformed, a cost beyond the bounds.
 */
const char	*pwhash_parse(const char *hash, struct pwhash *out);

#endif
