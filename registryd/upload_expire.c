/* SPDX-License-Identifier: ISC */
/*
 * Sessions as a crowd: which and how many there are, and the end of those
 * that nobody goes on with.  Runs in the collector, and in keepers for a
 * count.
 */
#include <stdio.h>

#include "layout.h"
#include "repo.h"
#include "upload_session.h"

#define REPOS_PER_PAGE	64

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

enum store_result
upload_count(struct store *s, const char *repo, size_t max, size_t *n)
{
	enum store_result r;
	char **ids;
	bool more;

	*n = 0;
	r = upload_list(s, repo, NULL, max, &ids, n, &more);
	if (r == STORE_OK)
		store_names_free(ids, *n);
	return r == STORE_NOTFOUND ? STORE_OK : r;
}

enum store_result
upload_count_all(struct store *s, size_t max, size_t *total)
{
	char last[REPO_NAME_SIZE] = "", **repos;
	enum store_result r = STORE_OK;
	size_t i, n, nrepos;
	bool more = true;

	*total = 0;
	while (more && r == STORE_OK && *total < max) {
		r = repo_list_uploads(s, last[0] != '\0' ? last : NULL,
		    REPOS_PER_PAGE, &repos, &nrepos, &more);
		if (r != STORE_OK)
			break;
		for (i = 0; i < nrepos && *total < max && r == STORE_OK; i++) {
			r = upload_count(s, repos[i], max - *total, &n);
			*total += n;
		}
		if (nrepos > 0)
			snprintf(last, sizeof(last), "%s",
			    repos[nrepos - 1]);
		else
			more = false;
		store_names_free(repos, nrepos);
	}
	return r;
}
