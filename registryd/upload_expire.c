/* SPDX-License-Identifier: ISC */
/*
 * Sessions that nobody goes on with: which they are, and their end.  Runs in
 * the collector.
 */
#include "layout.h"
#include "upload_session.h"

/* When was the session last touched? */
static enum store_result
upload_activity(struct store *s, const char *repo, const char *id,
    time_t *when)
{
	char path[LAYOUT_PATH_SIZE];
	struct store_stat st;
	enum store_result r;

	if ((r = store_stat(s, layout_upload(path, repo, id),
	    &st)) != STORE_OK)
		return r;
	*when = st.mtime;
	r = store_stat(s, layout_upload_data(path, repo, id), &st);
	if (r == STORE_OK && st.mtime > *when)
		*when = st.mtime;
	if (r == STORE_OK || r == STORE_NOTFOUND)
		r = store_stat(s, layout_upload_startedat(path, repo, id),
		    &st);
	if (r == STORE_OK && st.mtime > *when)
		*when = st.mtime;
	return r == STORE_NOTFOUND ? STORE_OK : r;
}

enum store_result
upload_expire(struct store *s, const char *repo, const char *id,
    time_t before, bool dryrun)
{
	char path[LAYOUT_PATH_SIZE];
	struct store_stat st;
	enum store_result r;
	time_t when;
	int fd = -1;

	if ((r = upload_activity(s, repo, id, &when)) != STORE_OK)
		return r;
	if (when >= before)
		return STORE_MISMATCH;
	if (dryrun)
		return STORE_OK;
	/* What a crash left of a finished session has no data file. */
	r = store_open_append(s, layout_upload_data(path, repo, id), &fd,
	    &st);
	if (r == STORE_NOTFOUND)
		fd = -1;
	else if (r != STORE_OK)
		return r;
	/* Again, now that nobody else can touch it. */
	r = upload_activity(s, repo, id, &when);
	if (r == STORE_OK && when >= before)
		r = STORE_MISMATCH;
	if (r == STORE_OK)
		r = store_remove_tree(s, layout_upload(path, repo, id),
		    STORE_NOSYNC);
	store_close(s, fd);
	return r;
}

enum store_result
upload_list(struct store *s, const char *repo, const char *after, size_t n,
    char ***ids, size_t *nids, bool *more)
{
	char path[LAYOUT_PATH_SIZE];

	return store_list(s, layout_uploads(path, repo), after, n, ids, nids,
	    more);
}
