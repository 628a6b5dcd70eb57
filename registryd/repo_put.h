/* SPDX-License-Identifier: ISC */
/*
 * A manifest on its way into a repository, in steps between which barriers
 * are passed (store.h), so that many go together.
 */
#ifndef REPO_PUT_H
#define REPO_PUT_H

#include "repo.h"

struct manifest_commit;

/*
 * What "put" points to must stay until the commit is freed.  Leases older
 * than renew_ms are renewed.  NULL: ENOMEM.
 */
struct manifest_commit *manifest_commit_new(struct store *,
		    const struct manifest_put *, uint64_t renew_ms);
/*
 * One step.  AGAIN: pass a barrier, then call it again; OK: done, durable and
 * visible.  MISSING: see below; MISMATCH: the bytes do not have this digest;
 * BUSY: deleted as often as it was put.
 */
enum store_result manifest_commit_step(struct manifest_commit *);
/* After MISSING: the references that are not there; the commit's. */
const struct digest *manifest_commit_missing(const struct manifest_commit *,
		    size_t *n);
/* At any step; what is not visible yet goes.  NULL is fine. */
void		 manifest_commit_free(struct manifest_commit *);

#endif
