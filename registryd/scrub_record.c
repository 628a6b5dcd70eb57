/* SPDX-License-Identifier: ISC */
/*
 * The record of scrubs: lines of a name and a number, all of them or none.
 * Written by the collector and by registryctl, read by both.
 */
#include "scrub_record.h"

#include <inttypes.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "layout.h"
#include "str.h"

#define NUMBER(name, member) \
	{ name, offsetof(struct scrub_record, member) }
#define COUNTS(prefix, member) \
	NUMBER(prefix "blobs", member.blobs), \
	NUMBER(prefix "bytes", member.bytes), \
	NUMBER(prefix "bad", member.bad), \
	NUMBER(prefix "quarantined", member.quarantined), \
	NUMBER(prefix "unsteady", member.unsteady), \
	NUMBER(prefix "unreadable", member.unreadable), \
	NUMBER(prefix "mended", member.mended), \
	NUMBER(prefix "returned", member.returned), \
	NUMBER(prefix "strange", member.strange)

static const struct {
	const char	*name;
	size_t		 offset;	/* of a uint64_t */
} numbers[] = {
	NUMBER("last_began", last_began),
	NUMBER("last_ended", last_ended),
	COUNTS("last_", last),
	NUMBER("began", began),
	COUNTS("", cursor.counts)
};
#define NNUMBERS	(sizeof(numbers) / sizeof(numbers[0]))

static uint64_t *
number_at(struct scrub_record *record, size_t i)
{
	return (uint64_t *)(void *)((char *)record + numbers[i].offset);
}

size_t
scrub_record_format(char dst[SCRUB_RECORD_SIZE],
    const struct scrub_record *record)
{
	struct scrub_record copy = *record;
	size_t i, len = 0;

	for (i = 0; i < NNUMBERS; i++)
		len += (size_t)snprintf(dst + len, SCRUB_RECORD_SIZE - len,
		    "%s %" PRIu64 "\n", numbers[i].name,
		    *number_at(&copy, i));
	len += (size_t)snprintf(dst + len, SCRUB_RECORD_SIZE - len,
	    "shard %u\nafter %s\n", record->cursor.shard,
	    record->cursor.after);
	return len;
}

/* "name value\n": the value, and *text behind the line; NULL if it is not. */
static const char *
take_line(const char **text, const char *end, const char *name, size_t *len)
{
	size_t n = strlen(name);
	const char *value, *newline;

	if ((size_t)(end - *text) <= n || memcmp(*text, name, n) != 0 ||
	    (*text)[n] != ' ')
		return NULL;
	value = *text + n + 1;
	newline = memchr(value, '\n', (size_t)(end - value));
	if (newline == NULL)
		return NULL;
	*len = (size_t)(newline - value);
	*text = newline + 1;
	return value;
}

int
scrub_record_parse(struct scrub_record *record, const char *text, size_t size)
{
	const char *end = text + size, *value;
	struct scrub_record r;
	uint64_t shard;
	size_t i, len;

	memset(&r, 0, sizeof(r));
	for (i = 0; i < NNUMBERS; i++)
		if ((value = take_line(&text, end, numbers[i].name, &len)) ==
		    NULL || str_parse_u64(value, len, INT64_MAX,
		    number_at(&r, i)) == -1)
			return -1;
	if ((value = take_line(&text, end, "shard", &len)) == NULL ||
	    str_parse_u64(value, len, UINT16_MAX, &shard) == -1)
		return -1;
	r.cursor.shard = (unsigned)shard;
	value = take_line(&text, end, "after", &len);
	if (value == NULL || len >= sizeof(r.cursor.after) || text != end)
		return -1;
	memcpy(r.cursor.after, value, len);
	if (strspn(r.cursor.after, "0123456789abcdef") != len)
		return -1;
	*record = r;
	return 0;
}

enum store_result
scrub_record_get(struct store *s, struct scrub_record *record)
{
	enum store_result r;
	char *text;
	size_t len;

	memset(record, 0, sizeof(*record));
	r = store_read(s, LAYOUT_SCRUB, SCRUB_RECORD_SIZE, &text, &len);
	if (r == STORE_NOTFOUND || r == STORE_INVALID || r == STORE_TOOBIG)
		return STORE_OK;
	if (r != STORE_OK)
		return r;
	(void)scrub_record_parse(record, text, len);
	free(text);
	return STORE_OK;
}

enum store_result
scrub_record_put(struct store *s, const struct scrub_record *record,
    bool durable)
{
	char text[SCRUB_RECORD_SIZE];
	enum store_result r;
	size_t len;

	len = scrub_record_format(text, record);
	r = store_put(s, LAYOUT_SCRUB, text, len, durable ? STORE_REPLACE :
	    STORE_REPLACE | STORE_NOSYNC);
	return r == STORE_OK && durable ? store_barrier(s) : r;
}

enum store_result
scrub_record_finish(struct store *s, const struct scrub *scrub,
    uint64_t began)
{
	struct scrub_record record;

	memset(&record, 0, sizeof(record));
	scrub_tell(scrub, &record.cursor);
	record.last = record.cursor.counts;
	record.last_began = began;
	record.last_ended = (uint64_t)clock_wall();
	memset(&record.cursor, 0, sizeof(record.cursor));
	return scrub_record_put(s, &record, true);
}

uint64_t
scrub_record_due_ms(const struct scrub_record *record, uint64_t interval_ms,
    uint64_t now_s)
{
	uint64_t passed_ms;

	if (record->began != 0 || record->last_ended == 0)
		return 0;
	/* A time that lies ahead comes from a clock that was wrong. */
	if (record->last_ended > now_s)
		return interval_ms;
	passed_ms = (now_s - record->last_ended) * 1000;
	return passed_ms < interval_ms ? interval_ms - passed_ms : 0;
}
