/* SPDX-License-Identifier: ISC */
/*
 * Media types and Accept: a type on the first line, a header behind it.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "mediatype.h"

int	LLVMFuzzerTestOneInput(const uint8_t *, size_t);

static void
check(bool true_or_bug)
{
	if (!true_or_bug)
		abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *type, *accept;

	if ((type = malloc(size + 1)) == NULL)
		return 0;
	if (size > 0)
		memcpy(type, data, size);
	type[size] = '\0';
	accept = type + strcspn(type, "\n");
	if (*accept == '\n')
		*accept++ = '\0';
	(void)mediatype_accepted(accept, type);
	if (mediatype_kind(type) != MEDIATYPE_OTHER)
		check(mediatype_ok(type));
	if (mediatype_ok(type)) {
		check(mediatype_accepted(type, type));
		check(mediatype_accepted(NULL, type));
		check(strlen(type) <= 255 && strpbrk(type, " ;,\"\r") == NULL);
	}
	free(type);
	return 0;
}
