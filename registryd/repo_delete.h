/* SPDX-License-Identifier: ISC */
/*
 * Deletions that may take long, in steps (store.h) of STORE_SLICE_MS: AGAIN
 * comes from none of them, so whoever calls passes one more barrier.  An
 * error ends one; freed before its end, it has deleted nothing that a client
 * could see, except tags of the manifest.
 */
#ifndef REPO_DELETE_H
#define REPO_DELETE_H

#include "repo.h"

struct blob_delete;
struct manifest_delete;

/* NULL: ENOMEM. */
struct blob_delete *blob_delete_new(struct store *, const char *repo,
		    const struct digest *);
/*
 * EXISTS when a manifest of the repository refers to it; BUSY when it was
 * asked for all the time.
 */
enum store_result blob_delete_step(struct blob_delete *);
void		 blob_delete_free(struct blob_delete *); /* NULL is fine */

struct manifest_delete *manifest_delete_new(struct store *,
		    const char *repo, const struct digest *);
/* BUSY when it was put, or tagged, all the time. */
enum store_result manifest_delete_step(struct manifest_delete *);
void		 manifest_delete_free(struct manifest_delete *);

#endif
