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

/*
 * A decimal number and its check, which also ties it to the session; "loose"
 * for bytes of which some were never synced.
 */
static void
note_format(char dst[NOTE_SIZE], const char *id, uint64_t size, bool loose)
{
	uint64_t h = 0xcbf29ce484222325u ^ size;

	for (; *id != '\0'; id++)
		h = (h ^ (unsigned char)*id) * 0x100000001b3u;
	h = (h ^ size) * 0x100000001b3u;
	snprintf(dst, NOTE_SIZE, "%" PRIu64 " %016" PRIx64 "%s\n", size, h,
	    loose ? " loose" : "");
}

/* Distribution has synced what a session of its own holds. */
static enum store_result
note_absent(struct store *s, const char *repo, const char *id,
    uint64_t *size)
{
	char path[LAYOUT_PATH_SIZE];
	struct store_stat st;
	enum store_result r;

	r = store_stat(s, layout_upload_hashes(path, repo, id), &st);
	if (r != STORE_OK && r != STORE_NOTFOUND)
		return r;
	*size = r == STORE_OK && st.is_dir ? UINT64_MAX : 0;
	return STORE_OK;
}

enum store_result
upload_note_get(struct store *s, const char *repo, const char *id,
    uint64_t *size, bool *loose)
{
	char path[LAYOUT_PATH_SIZE], want[NOTE_SIZE];
	enum store_result r;
	char *text, *end;
	size_t len;

	*loose = false;
	r = store_read(s, layout_upload_synced(path, repo, id), NOTE_SIZE,
	    &text, &len);
	if (r == STORE_NOTFOUND)
		return note_absent(s, repo, id, size);
	if (r == STORE_TOOBIG) {
		*size = 0;
		return STORE_OK;
	}
	/* What cannot be read now may be there all the same. */
	if (r != STORE_OK)
		return r;
	errno = 0;
	*size = strtoull(text, &end, 10);
	*loose = strstr(text, " loose") != NULL;
	note_format(want, id, *size, *loose);
	if (errno != 0 || strcmp(text, want) != 0)
		*size = 0;
	free(text);
	return STORE_OK;
}

enum store_result
upload_note_put(struct store *s, const char *repo, const char *id,
    uint64_t size, bool loose, unsigned flags)
{
	char path[LAYOUT_PATH_SIZE], text[NOTE_SIZE];

	note_format(text, id, size, loose);
	return store_put(s, layout_upload_synced(path, repo, id), text,
	    strlen(text), STORE_REPLACE | flags);
}
