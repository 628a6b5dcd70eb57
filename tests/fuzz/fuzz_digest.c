/* SPDX-License-Identifier: ISC */
/*
 * digest_parse: what is taken is exactly what is printed back.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "digest.h"

int	 LLVMFuzzerTestOneInput(const uint8_t *, size_t);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text, out[DIGEST_STR_SIZE];
	struct digest d;
	enum digest_alg alg;

	if ((text = malloc(size + 1)) == NULL)
		return 0;
	memcpy(text, data, size);
	text[size] = '\0';
	if (digest_parse(&d, text) == 0) {
		if (strcmp(digest_format(out, &d), text) != 0)
			abort();
		text[6] = '\0';
		if (digest_alg_parse(&alg, text) == -1 || alg != d.alg)
			abort();
	}
	free(text);
	return 0;
}
