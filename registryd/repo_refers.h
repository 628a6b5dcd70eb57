/* SPDX-License-Identifier: ISC */
/*
 * Does any manifest of a repository name a digest, in any place?
 */
#ifndef REPO_REFERS_H
#define REPO_REFERS_H

#include "repo.h"

struct repo_refers;

/* NULL: ENOMEM. */
struct repo_refers *repo_refers_new(struct store *, const char *repo,
		    const struct digest *);
/*
 * Look until clock_monotonic_ms() is "until", but at one at least: OK with
 * *yes when that is known, or MORE.
 */
enum store_result repo_refers_step(struct repo_refers *, uint64_t until,
		    bool *yes);
/* NULL is fine. */
void		 repo_refers_free(struct repo_refers *);

#endif
