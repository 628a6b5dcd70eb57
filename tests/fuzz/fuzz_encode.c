/* SPDX-License-Identifier: ISC */
/*
 * Encodings, both ways: any bytes survive, and a text that decodes is the
 * one that these bytes encode to, so that no value has two forms.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "encode.h"

int	 LLVMFuzzerTestOneInput(const uint8_t *, size_t);

#define MAX	4096

static void
check(int ok)
{
	if (!ok)
		abort();
}

static void
check_bytes(const uint8_t *data, size_t len)
{
	static char text[2 * MAX + 8];
	static uint8_t back[2 * MAX + 8];
	size_t n;

	n = base64_encode(text, data, len);
	check(n == BASE64_LEN(len) && strlen(text) == n);
	check(base64_decode(back, text, n) == (ssize_t)len);
	check(memcmp(back, data, len) == 0);
	n = base64url_encode(text, data, len);
	check(strlen(text) == n);
	check(base64url_decode(back, text, n) == (ssize_t)len);
	check(memcmp(back, data, len) == 0);
	hex_encode(text, data, len);
	check(strlen(text) == 2 * len);
	check(hex_decode(back, text, 2 * len) == 0);
	check(memcmp(back, data, len) == 0);
	n = base32_encode(text, data, len);
	check(n == (len * 8 + 4) / 5 && strlen(text) == n);
}

static void
check_text(const char *text, size_t len)
{
	static char again[2 * MAX + 8];
	uint8_t *bytes = malloc(len / 4 * 3 + 3);
	ssize_t n;

	check(bytes != NULL);
	n = base64_decode(bytes, text, len);
	if (n != -1)
		check(base64_encode(again, bytes, (size_t)n) == len &&
		    memcmp(again, text, len) == 0);
	n = base64url_decode(bytes, text, len);
	if (n != -1)
		check(base64url_encode(again, bytes, (size_t)n) == len &&
		    memcmp(again, text, len) == 0);
	if (hex_decode(bytes, text, len) == 0) {
		hex_encode(again, bytes, len / 2);
		check(memcmp(again, text, len) == 0);
	}
	free(bytes);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	if (len > MAX)
		len = MAX;
	check_bytes(data, len);
	check_text((const char *)data, len);
	return 0;
}
