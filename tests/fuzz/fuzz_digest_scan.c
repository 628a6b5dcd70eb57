/* SPDX-License-Identifier: ISC */
/*
 * digest_scan: finds at least what a plain search finds, the same whatever
 * the pieces, and only what is a digest.
 */
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "digest_scan.h"

#define MAX_FOUND	4096

int	 LLVMFuzzerTestOneInput(const uint8_t *, size_t);

struct found {
	struct digest	 items[MAX_FOUND];
	size_t		 n;
};

static void
on_digest(const struct digest *d, void *arg)
{
	struct found *f = arg;

	if (f->n < MAX_FOUND)
		f->items[f->n++] = *d;
}

static void
scan(struct found *f, const uint8_t *data, size_t len, size_t piece)
{
	struct digest_scan s;
	size_t n;

	f->n = 0;
	digest_scan_init(&s, on_digest, f);
	for (; len > 0; data += n, len -= n) {
		n = piece == 0 || piece > len ? len : piece;
		digest_scan_feed(&s, data, n);
	}
}

static void
check_plain(const struct found *f, const char *text)
{
	char one[DIGEST_STR_SIZE];
	struct digest d;
	size_t i, len;

	for (; (text = strstr(text, "sha")) != NULL; text++) {
		len = strncmp(text, "sha512", 6) == 0 ? 7 + 128 : 7 + 64;
		if (strlen(text) < len)
			continue;
		memcpy(one, text, len);
		one[len] = '\0';
		if (digest_parse(&d, one) == -1)
			continue;
		for (i = 0; i < f->n; i++)
			if (digest_equal(&f->items[i], &d))
				break;
		assert(i < f->n || f->n == MAX_FOUND);
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct found whole, pieces;
	size_t i, n;
	char *text;

	scan(&whole, data, size, 0);
	for (n = 1; n < 4; n++) {
		scan(&pieces, data, size, n);
		assert(pieces.n == whole.n);
		for (i = 0; i < whole.n; i++)
			assert(digest_equal(&pieces.items[i],
			    &whole.items[i]));
	}
	if ((text = malloc(size + 1)) == NULL)
		return 0;
	memcpy(text, data, size);
	text[size] = '\0';
	check_plain(&whole, text);
	free(text);
	return 0;
}
