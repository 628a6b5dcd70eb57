/* SPDX-License-Identifier: ISC */
/*
 * Base64, hexadecimal and base32, for every process.  Decoding accepts the
 * canonical form only: one value, one text.
 */
#include "encode.h"

#include <errno.h>
#include <limits.h>
#include <stdbool.h>

static const char base64_alphabet[] =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
static const char base64url_alphabet[] =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
static const char base32_alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
static const char hex_digits[] = "0123456789abcdef";

static size_t
base64_write(char *dst, const uint8_t *src, size_t len, const char *alphabet,
    bool pad)
{
	char *start = dst;
	uint32_t bits;
	size_t i, n;

	for (i = 0; i < len; i += 3) {
		n = len - i < 3 ? len - i : 3;
		bits = (uint32_t)src[i] << 16;
		if (n > 1)
			bits |= (uint32_t)src[i + 1] << 8;
		if (n > 2)
			bits |= src[i + 2];
		*dst++ = alphabet[bits >> 18];
		*dst++ = alphabet[bits >> 12 & 0x3f];
		if (n > 1)
			*dst++ = alphabet[bits >> 6 & 0x3f];
		else if (pad)
			*dst++ = '=';
		if (n > 2)
			*dst++ = alphabet[bits & 0x3f];
		else if (pad)
			*dst++ = '=';
	}
	*dst = '\0';
	return (size_t)(dst - start);
}

static int
base64_value(char c, const char *alphabet)
{
	if (c >= 'A' && c <= 'Z')
		return c - 'A';
	if (c >= 'a' && c <= 'z')
		return c - 'a' + 26;
	if (c >= '0' && c <= '9')
		return c - '0' + 52;
	if (c == alphabet[62])
		return 62;
	if (c == alphabet[63])
		return 63;
	return -1;
}

/* Text without padding. */
static ssize_t
base64_read(uint8_t *dst, const char *src, size_t len, const char *alphabet)
{
	uint8_t *start = dst;
	uint32_t bits = 0;
	unsigned have = 0;
	size_t i;
	int v;

	if (len % 4 == 1)
		goto bad;
	for (i = 0; i < len; i++) {
		v = base64_value(src[i], alphabet);
		if (v == -1)
			goto bad;
		bits = (bits << 6 | (uint32_t)v) & 0xffff;
		have += 6;
		if (have >= 8) {
			have -= 8;
			*dst++ = (uint8_t)(bits >> have);
		}
	}
	if ((bits & ((1U << have) - 1)) != 0)
		goto bad;
	return dst - start;
bad:
	errno = EINVAL;
	return -1;
}

size_t
base64_encode(char *dst, const void *src, size_t len)
{
	return base64_write(dst, src, len, base64_alphabet, true);
}

size_t
base64url_encode(char *dst, const void *src, size_t len)
{
	return base64_write(dst, src, len, base64url_alphabet, false);
}

ssize_t
base64_decode(void *dst, const char *src, size_t len)
{
	size_t pad = 0;

	if (len % 4 != 0) {
		errno = EINVAL;
		return -1;
	}
	while (pad < 2 && pad < len && src[len - 1 - pad] == '=')
		pad++;
	return base64_read(dst, src, len - pad, base64_alphabet);
}

ssize_t
base64url_decode(void *dst, const char *src, size_t len)
{
	return base64_read(dst, src, len, base64url_alphabet);
}

void
hex_encode(char *dst, const void *src, size_t len)
{
	const uint8_t *p = src;
	size_t i;

	for (i = 0; i < len; i++) {
		*dst++ = hex_digits[p[i] >> 4];
		*dst++ = hex_digits[p[i] & 0x0f];
	}
	*dst = '\0';
}

/* One more than the value; 0: not a digit.  Random digits defeat branches. */
static const uint8_t hex_values[UCHAR_MAX + 1] = {
	['0'] = 1, ['1'] = 2, ['2'] = 3, ['3'] = 4, ['4'] = 5, ['5'] = 6,
	['6'] = 7, ['7'] = 8, ['8'] = 9, ['9'] = 10, ['a'] = 11, ['b'] = 12,
	['c'] = 13, ['d'] = 14, ['e'] = 15, ['f'] = 16
};

int
hex_decode(void *dst, const char *src, size_t len)
{
	const uint8_t *from = (const uint8_t *)src;
	unsigned high, low;
	uint8_t *p = dst;
	size_t i;

	if (len % 2 != 0) {
		errno = EINVAL;
		return -1;
	}
	for (i = 0; i < len; i += 2) {
		high = hex_values[from[i]];
		low = hex_values[from[i + 1]];
		if (high == 0 || low == 0) {
			errno = EINVAL;
			return -1;
		}
		*p++ = (uint8_t)((high - 1) << 4 | (low - 1));
	}
	return 0;
}

size_t
base32_encode(char *dst, const void *src, size_t len)
{
	const uint8_t *p = src;
	char *start = dst;
	uint32_t bits = 0;
	unsigned have = 0;
	size_t i;

	for (i = 0; i < len; i++) {
		bits = (bits << 8 | p[i]) & 0xfff;
		for (have += 8; have >= 5; have -= 5)
			*dst++ = base32_alphabet[bits >> (have - 5) & 0x1f];
	}
	if (have > 0)
		*dst++ = base32_alphabet[bits << (5 - have) & 0x1f];
	*dst = '\0';
	return (size_t)(dst - start);
}
