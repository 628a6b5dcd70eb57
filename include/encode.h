/* SPDX-License-Identifier: ISC */
/*
 * Base64 (RFC 4648 section 4 and 5), hexadecimal and base32.
 */
#ifndef ENCODE_H
#define ENCODE_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define BASE64_LEN(n)	(((n) + 2) / 3 * 4)	/* without the NUL */

/* dst needs BASE64_LEN(len) + 1.  Returns the length without the NUL. */
size_t	 base64_encode(char *dst, const void *src, size_t len);
size_t	 base64url_encode(char *dst, const void *src, size_t len); /* no '=' */
/*
 * Canonical form only: right padding for base64, none for base64url, no
 * space, zero trailing bits.  dst needs len / 4 * 3 + 3.
 * Returns the number of bytes, or -1 (EINVAL).
 */
ssize_t	 base64_decode(void *dst, const char *src, size_t len);
ssize_t	 base64url_decode(void *dst, const char *src, size_t len);
/* dst needs 2 * len + 1; lower case. */
void	 hex_encode(char *dst, const void *src, size_t len);
/* Lower case only; len must be even.  0, or -1 (EINVAL). */
int	 hex_decode(void *dst, const char *src, size_t len);
/* RFC 4648 section 6 without '='; dst needs (len * 8 + 4) / 5 + 1. */
size_t	 base32_encode(char *dst, const void *src, size_t len);

#endif
