/* SPDX-License-Identifier: ISC */
/*
 * One resumable upload: a session on disk, and, while a keeper works on it,
 * its open file, lock and running hash.
 */
#ifndef UPLOAD_H
#define UPLOAD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

#include "digest.h"
#include "store.h"

struct upload;

/* Create the session on disk; alg: what to hash with while bytes arrive. */
enum store_result upload_start(struct store *, const char *repo,
		    const char *id, enum digest_alg, struct upload **);
/*
 * Take up a session: locked until upload_close().  BUSY when another request
 * has it.  The hash goes on from a kept state, else upload_finish() hashes
 * the file again.
 */
enum store_result upload_open(struct store *, const char *repo,
		    const char *id, struct upload **);
uint64_t	 upload_offset(const struct upload *);
/*
 * Make what was appended survive a power cut, and note it: what a client is
 * told of comes after that.  A step of it (store.h), and all of them.
 */
enum store_result upload_save_step(struct upload *);
enum store_result upload_save(struct upload *);
uint64_t	 upload_saved(const struct upload *);	/* bytes */
/* Append at the end; hashed on the way. */
enum store_result upload_append(struct upload *, const void *, size_t);
/* Give back what was appended since opening: cut to "offset". */
enum store_result upload_rewind(struct upload *, uint64_t offset);
/*
 * One step of finishing: hashes at most "budget" bytes that still have to
 * be hashed.  *done when nothing is left to hash.
 */
enum store_result upload_hash_step(struct upload *, enum digest_alg,
		    size_t budget, bool *done);
/*
 * Check the digest, publish the blob, link it in the repository, remove the
 * session.  MISMATCH leaves the session as it was, and so does BUSY: another
 * has the file open for writing.  A blob that is there already is replaced:
 * these bytes are known to be right.  REMOVED: by a DELETE, or a collection
 * that did not wait for it; so is the session.  A step of it (store.h), and
 * all.
 */
enum store_result upload_finish_step(struct upload *, const struct digest *);
enum store_result upload_finish(struct upload *, const struct digest *);
enum store_result upload_cancel(struct store *, const char *repo,
		    const char *id);
/*
 * Without a session open: what has been saved (reading only).  NOTFOUND as
 * well for one that could not be opened, since a cut has made it a blob.
 */
enum store_result upload_status(struct store *, const char *repo,
		    const char *id, uint64_t *offset);
/*
 * Remove the session if nobody has touched it since "before": STORE_OK and
 * removed (with dryrun: would be), BUSY or MISMATCH (still in use).
 */
enum store_result upload_expire(struct store *, const char *repo,
		    const char *id, time_t before, bool dryrun);
/* Ids of the sessions of a repository, as store_list(). */
enum store_result upload_list(struct store *, const char *repo,
		    const char *after, size_t n, char ***ids, size_t *nids,
		    bool *more);
/* How many there are, in a repository or in all; no further than max. */
enum store_result upload_count(struct store *, const char *repo, size_t max,
		    size_t *n);
enum store_result upload_count_all(struct store *, size_t max, size_t *n);
/*
 * Unlock and free; the session stays on disk, with what was saved of it.
 * NULL is fine.
 */
void		 upload_close(struct upload *);

#endif
