/* SPDX-License-Identifier: ISC */
/*
 * Content digests: sha256 and sha512 as equals.
 */
#ifndef DIGEST_H
#define DIGEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

enum digest_alg { DIGEST_SHA256, DIGEST_SHA512 };

#define DIGEST_MAX_BYTES	64
#define DIGEST_HEX_SIZE		(2 * DIGEST_MAX_BYTES + 1)
#define DIGEST_STR_SIZE		(8 + 2 * DIGEST_MAX_BYTES)

/* Plain data, compared with digest_equal(). */
struct digest {
	enum digest_alg	 alg;
	uint8_t		 bytes[DIGEST_MAX_BYTES];
};

/* "sha256:" and 64, or "sha512:" and 128 lower-case digits.  0 or -1. */
int		 digest_parse(struct digest *, const char *);
/* Name as in a digest: "sha256".  0 or -1. */
int		 digest_alg_parse(enum digest_alg *, const char *);
const char	*digest_alg_name(enum digest_alg);
size_t		 digest_alg_size(enum digest_alg);	/* bytes */
/* Returns dst. */
char		*digest_format(char dst[DIGEST_STR_SIZE],
		    const struct digest *);
char		*digest_hex(char dst[DIGEST_HEX_SIZE], const struct digest *);
bool		 digest_equal(const struct digest *, const struct digest *);
/* Digest of bytes in memory. -1: the hash failed. */
int		 digest_of(struct digest *, enum digest_alg, const void *,
		    size_t);

/* Hashing a stream. */
struct digest_ctx;
struct digest_ctx *digest_ctx_new(enum digest_alg);	/* NULL: ENOMEM */
/* Another one that goes on from the same point. */
struct digest_ctx *digest_ctx_copy(const struct digest_ctx *);
enum digest_alg	 digest_ctx_alg(const struct digest_ctx *);
int		 digest_ctx_update(struct digest_ctx *, const void *, size_t);
/* The digest of what came so far; the context can go on. */
int		 digest_ctx_result(const struct digest_ctx *, struct digest *);
void		 digest_ctx_free(struct digest_ctx *);

#endif
