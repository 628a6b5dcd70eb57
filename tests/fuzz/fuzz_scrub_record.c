/* SPDX-License-Identifier: ISC */
/*
 * The record of scrubs: what is taken is written in the same way again, and
 * leads nowhere but into a directory of blobs.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "scrub_record.h"

int	 LLVMFuzzerTestOneInput(const uint8_t *, size_t);

static void
must(int ok)
{
	if (!ok)
		abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char text[SCRUB_RECORD_SIZE];
	struct scrub_record record, again;
	size_t len;

	memset(&record, 0, sizeof(record));
	if (scrub_record_parse(&record, (const char *)data, size) == -1) {
		must(record.began == 0 && record.last_ended == 0);
		return 0;
	}
	must(strchr(record.cursor.after, '/') == NULL);
	must(strchr(record.cursor.after, '.') == NULL);
	len = scrub_record_format(text, &record);
	must(len < sizeof(text));
	must(scrub_record_parse(&again, text, len) == 0);
	must(memcmp(&again, &record, sizeof(record)) == 0);
	(void)scrub_record_due_ms(&record, 1000, record.last_ended);
	return 0;
}
