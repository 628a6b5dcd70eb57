/* SPDX-License-Identifier: ISC */
/*
 * Notes beside the data of a session: so many bytes of it have been synced.
 * Written in keepers, read in workers too.
 *
 * A note need not be synced: an older one, or none, promises less.  One that
 * takes a promise back must be.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "layout.h"
#include "upload_session.h"

#define NOTE_SIZE	64

/* A decimal number and its check, which also ties it to the session. */
static void
note_format(char dst[NOTE_SIZE], const char *id, uint64_t size)
{
	uint64_t h = 0xcbf29ce484222325u ^ size;

	for (; *id != '\0'; id++)
		h = (h ^ (unsigned char)*id) * 0x100000001b3u;
	h = (h ^ size) * 0x100000001b3u;
	snprintf(dst, NOTE_SIZE, "%" PRIu64 " %016" PRIx64 "\n", size, h);
}

/* Distribution has synced what a session of its own holds. */
static bool
is_foreign(struct store *s, const char *repo, const char *id)
{
	char path[LAYOUT_PATH_SIZE];
	struct store_stat st;

	return store_stat(s, layout_upload_hashes(path, repo, id), &st) ==
	    STORE_OK && st.is_dir;
}

uint64_t
upload_note_get(struct store *s, const char *repo, const char *id)
{
	char path[LAYOUT_PATH_SIZE], want[NOTE_SIZE];
	enum store_result r;
	char *text, *end;
	uint64_t size;
	size_t len;

	r = store_read(s, layout_upload_synced(path, repo, id), NOTE_SIZE,
	    &text, &len);
	if (r == STORE_NOTFOUND)
		return is_foreign(s, repo, id) ? UINT64_MAX : 0;
	if (r != STORE_OK)
		return 0;
	errno = 0;
	size = strtoull(text, &end, 10);
	note_format(want, id, size);
	if (errno != 0 || strcmp(text, want) != 0)
		size = 0;
	free(text);
	return size;
}

enum store_result
upload_note_put(struct store *s, const char *repo, const char *id,
    uint64_t size, unsigned flags)
{
	char path[LAYOUT_PATH_SIZE], text[NOTE_SIZE];

	note_format(text, id, size);
	return store_put(s, layout_upload_synced(path, repo, id), text,
	    strlen(text), STORE_REPLACE | flags);
}
