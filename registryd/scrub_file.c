/* SPDX-License-Identifier: ISC */
/*
 * One file of a scrub: read, hashed and judged.  Runs in the collector or in
 * registryctl.  Nothing follows from one look: memory and cables lie as well
 * as disks, so what seems to be wrong is read once more, past the cache.
 */
#include <string.h>

#include "scrub_state.h"
#include "str.h"

enum verdict { RIGHT, WRONG, UNREADABLE };

void
scrub_file_close(struct scrub *scrub)
{
	if (!scrub->open)
		return;
	store_close(scrub->store, scrub->fd);
	digest_ctx_free(scrub->hash);
	scrub->hash = NULL;
	scrub->open = false;
}

/* ---- opening ---- */

/* NOTFOUND: has it just gone, or can nothing be there? */
static void
look_above(struct scrub *scrub)
{
	char dir[LAYOUT_PATH_SIZE], *slash;
	struct store_stat st;
	enum store_result r;

	str_copy(dir, sizeof(dir), scrub->path);
	if ((slash = strrchr(dir, '/')) == NULL)
		return;
	*slash = '\0';
	r = store_stat(scrub->store, dir, &st);
	if (r == STORE_INVALID || (r == STORE_OK && !st.is_dir))
		scrub_strange(scrub, dir);
}

/*
 * The store would not open it: because it is no file, or for its size, which
 * is not the one that is noted with it.  Then the bytes tell which is wrong.
 */
static enum store_result
open_refused(struct scrub *scrub)
{
	enum store_result r;

	r = store_stat(scrub->store, scrub->path, &scrub->st);
	if (r == STORE_INVALID || (r == STORE_OK && scrub->st.is_dir)) {
		scrub_strange(scrub, scrub->path);
		return STORE_OK;
	}
	if (r == STORE_NOTFOUND) {
		look_above(scrub);
		return STORE_OK;
	}
	if (r == STORE_OK)
		r = store_open_append(scrub->store, scrub->path, &scrub->fd,
		    &scrub->st);
	switch (r) {
	case STORE_OK:
		scrub->open = scrub->refused = true;
		return STORE_OK;
	case STORE_READONLY:
		/* Only looking: no client can get it in any case. */
		scrub->report.blobs++;
		scrub->report.bad++;
		if (scrub->report.nlist < SCRUB_LIST_MAX)
			scrub->report.list[scrub->report.nlist++] =
			    scrub->digest;
		return STORE_OK;
	case STORE_NOMEM:
	case STORE_LIMIT:
		return r;
	default:
		scrub->report.unreadable++;
		return STORE_OK;
	}
}

static enum store_result
begin_reading(struct scrub *scrub)
{
	digest_ctx_free(scrub->hash);
	scrub->offset = 0;
	scrub->hash = digest_ctx_new(scrub->digest.alg);
	return scrub->hash == NULL ? STORE_NOMEM : STORE_OK;
}

/* For now, or for good; another try may do. */
static bool
is_unreadable(enum store_result r)
{
	return store_result_is_io(r) || r == STORE_UNAVAILABLE;
}

enum store_result
scrub_file_open(struct scrub *scrub, const char *path,
    const struct digest *d)
{
	enum store_result r;

	(void)str_copy(scrub->path, sizeof(scrub->path), path);
	scrub->digest = *d;
	scrub->second = scrub->refused = false;
	r = store_open(scrub->store, path, &scrub->fd, &scrub->st);
	if (is_unreadable(r))
		r = store_open(scrub->store, path, &scrub->fd, &scrub->st);
	/* So sockets and devices answer; nothing is wrong with the disk. */
	if (store_result_is_io(r) && store_stat(scrub->store, path, NULL) ==
	    STORE_INVALID)
		r = STORE_INVALID;
	if (r == STORE_OK)
		scrub->open = true;
	else if (r == STORE_INVALID)
		r = open_refused(scrub);
	else if (r == STORE_NOTFOUND) {
		look_above(scrub);
		r = STORE_OK;
	} else if (is_unreadable(r)) {
		scrub->report.unreadable++;
		r = STORE_OK;
	}
	if (r != STORE_OK || !scrub->open)
		return r;
	return begin_reading(scrub);
}

/* ---- the verdict ---- */

static enum store_result
file_right(struct scrub *scrub)
{
	struct scrub_report *report = &scrub->report;
	enum store_result r;

	if (scrub->second) {
		report->unsteady++;
		report->unsteady_last = scrub->digest;
	}
	if (scrub->quarantine)
		return scrub->options.dryrun ? STORE_OK : scrub_return(scrub);
	if (!scrub->refused || scrub->options.dryrun)
		return STORE_OK;
	r = store_mark(scrub->store, scrub->fd, scrub->offset);
	if (r == STORE_OK)
		report->mended++;
	return r;
}

static enum store_result
file_wrong(struct scrub *scrub)
{
	struct scrub_report *report = &scrub->report;

	if (scrub->quarantine)
		return scrub->options.dryrun ? STORE_OK :
		    scrub_note(scrub, scrub->path);
	report->bad++;
	if (report->nlist < SCRUB_LIST_MAX)
		report->list[report->nlist++] = scrub->digest;
	return scrub->options.dryrun ? STORE_OK : scrub_quarantine(scrub);
}

static enum store_result
judge(struct scrub *scrub, enum verdict verdict)
{
	enum store_result r = STORE_OK;

	if (verdict != RIGHT && !scrub->second) {
		scrub->second = true;
		store_forget(scrub->store, scrub->fd);
		return begin_reading(scrub);
	}
	if (!scrub->quarantine)
		scrub->report.blobs++;
	if (verdict == RIGHT)
		r = file_right(scrub);
	else if (verdict == WRONG)
		r = file_wrong(scrub);
	else
		/* It may be read another time, or by another host. */
		scrub->report.unreadable++;
	/* Until now, so that no other file has the same number. */
	scrub_file_close(scrub);
	return r;
}

enum store_result
scrub_file_read(struct scrub *scrub)
{
	struct digest got;
	size_t n;

	if (store_pread(scrub->store, scrub->fd, scrub->buffer,
	    SCRUB_BUFFER_SIZE, scrub->offset, &n) != STORE_OK)
		return judge(scrub, UNREADABLE);
	if (digest_ctx_update(scrub->hash, scrub->buffer, n) == -1)
		return STORE_NOMEM;
	scrub->offset += n;
	scrub->report.bytes += n;
	scrub->allowed = scrub->allowed > n ? scrub->allowed - n : 0;
	if (n == SCRUB_BUFFER_SIZE)
		return STORE_OK;
	if (digest_ctx_result(scrub->hash, &got) == -1)
		return STORE_NOMEM;
	return judge(scrub, digest_equal(&got, &scrub->digest) ? RIGHT :
	    WRONG);
}
