/* SPDX-License-Identifier: ISC */
/*
 * Random bytes from the operating system, for every process.  Keeps no
 * state, so a fork needs no care, and needs no file below a chroot.
 */
#include "random.h"

#include <stdint.h>
#include <unistd.h>

#include "encode.h"
#include "log.h"

#define ENTROPY_MAX	256		/* the limit of getentropy() */

void
random_bytes(void *dst, size_t len)
{
	char *p = dst;
	size_t n;

	for (; len > 0; p += n, len -= n) {
		n = len < ENTROPY_MAX ? len : ENTROPY_MAX;
		if (getentropy(p, n) == -1)
			fatal("getentropy");
	}
}

void
random_hex(char *dst, size_t n)
{
	uint8_t bytes[32];
	size_t part;

	*dst = '\0';
	for (; n > 0; dst += 2 * part, n -= part) {
		part = n < sizeof(bytes) ? n : sizeof(bytes);
		random_bytes(bytes, part);
		hex_encode(dst, bytes, part);
	}
}

void
random_uuid(char dst[UUID_SIZE])
{
	uint8_t b[16];

	random_bytes(b, sizeof(b));
	b[6] = (uint8_t)((b[6] & 0x0f) | 0x40);		/* version 4 */
	b[8] = (uint8_t)((b[8] & 0x3f) | 0x80);		/* RFC 9562 variant */
	hex_encode(dst, b, 4);
	dst[8] = '-';
	hex_encode(dst + 9, b + 4, 2);
	dst[13] = '-';
	hex_encode(dst + 14, b + 6, 2);
	dst[18] = '-';
	hex_encode(dst + 19, b + 8, 2);
	dst[23] = '-';
	hex_encode(dst + 24, b + 10, 6);
}
