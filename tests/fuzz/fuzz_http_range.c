/* SPDX-License-Identifier: ISC */
/*
 * Range and Content-Range: whatever is accepted lies within the
 * representation, and does not wrap.  The first eight bytes are its size.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "http_range.h"

int	LLVMFuzzerTestOneInput(const uint8_t *, size_t);

static void
check(const char *value, uint64_t size)
{
	uint64_t first = 0, length = 0, last = 0;

	if (http_range_parse(value, size, &first, &length) == HTTP_RANGE_OK &&
	    (length == 0 || first >= size || length > size - first))
		abort();
	if (http_content_range_parse(value, &first, &last) == 0 &&
	    (last < first || last >= INT64_MAX))
		abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	uint64_t size;
	char *value;

	if (len < sizeof(size))
		return 0;
	memcpy(&size, data, sizeof(size));
	data += sizeof(size);
	len -= sizeof(size);
	if ((value = malloc(len + 1)) == NULL)
		abort();
	memcpy(value, data, len);
	value[len] = '\0';
	check(value, size);
	check(value, 0);
	check(value, 1000);
	check(value, UINT64_MAX);
	free(value);
	return 0;
}
