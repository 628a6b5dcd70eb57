/* SPDX-License-Identifier: ISC */
/*
 * Notes on a manifest in our own tree: runs in keepers, as part of a PUT.
 */
#include "repo_note.h"

#include <string.h>

#include "layout.h"
#include "link.h"
#include "referrer.h"

static bool
has_mediatype(const struct manifest_put *put)
{
	return put->mediatype != NULL && put->mediatype[0] != '\0';
}

enum store_result
note_stage(struct store *s, const struct manifest_put *put,
    struct note_staged *staged)
{
	char text[DIGEST_STR_SIZE];
	enum store_result r = STORE_OK;

	if (has_mediatype(put))
		r = store_stage(s, put->mediatype, strlen(put->mediatype),
		    &staged->mediatype);
	if (r == STORE_OK && put->has_subject) {
		digest_format(text, &put->subject);
		r = store_stage(s, text, strlen(text), &staged->subject);
	}
	return r;
}

enum store_result
note_publish(struct store *s, const struct manifest_put *put,
    struct note_staged *staged)
{
	char path[LAYOUT_PATH_SIZE];
	enum store_result r = STORE_OK;

	if (has_mediatype(put))
		r = store_publish(s, &staged->mediatype,
		    layout_mediatype(path, put->repo, &put->digest),
		    STORE_REPLACE);
	if (r == STORE_OK && put->has_subject)
		r = store_publish(s, &staged->subject,
		    layout_subject(path, put->repo, &put->digest),
		    STORE_REPLACE);
	return r;
}

void
note_unstage(struct store *s, struct note_staged *staged)
{
	store_unstage(s, &staged->mediatype);
	store_unstage(s, &staged->subject);
}

static enum store_result
check_mediatype(struct store *s, const struct manifest_put *put)
{
	char path[LAYOUT_PATH_SIZE];
	enum store_result r;

	if (!has_mediatype(put))
		return STORE_OK;
	layout_mediatype(path, put->repo, &put->digest);
	r = store_stat(s, path, NULL);
	return r != STORE_NOTFOUND ? r : store_put(s, path, put->mediatype,
	    strlen(put->mediatype), STORE_REPLACE);
}

enum store_result
note_check(struct store *s, const struct manifest_put *put)
{
	char path[LAYOUT_PATH_SIZE];
	enum store_result r;

	if ((r = check_mediatype(s, put)) != STORE_OK || !put->has_subject)
		return r;
	layout_subject(path, put->repo, &put->digest);
	r = store_stat(s, path, NULL);
	if (r == STORE_NOTFOUND)
		r = link_put(s, path, &put->subject);
	if (r != STORE_OK)
		return r;
	layout_referrer(path, put->repo, &put->subject, &put->digest);
	r = store_stat(s, path, NULL);
	return r != STORE_NOTFOUND ? r : referrer_put(s, put->repo,
	    &put->subject, &put->digest, put->artifact_type);
}
