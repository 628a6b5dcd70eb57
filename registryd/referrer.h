/* SPDX-License-Identifier: ISC */
/*
 * Which manifests name a digest as their subject.  Kept by name, so that
 * they are found without scanning, also for a subject not yet pushed.
 */
#ifndef REFERRER_H
#define REFERRER_H

#include "digest.h"
#include "store.h"

struct referrer {
	struct digest	 digest;
	char		*artifact_type;
};

enum store_result referrer_put(struct store *, const char *repo,
		    const struct digest *subject,
		    const struct digest *referrer, const char *artifact_type);
enum store_result referrer_delete(struct store *, const char *repo,
		    const struct digest *subject,
		    const struct digest *referrer);
/*
 * Referrers whose digest is greater than "last" (NULL: all) and whose
 * artifact type is "filter" (NULL: any), in byte order, at most n.
 * No referrers is STORE_OK with 0.
 */
enum store_result referrer_list(struct store *, const char *repo,
		    const struct digest *subject, const char *last,
		    const char *filter, size_t n, struct referrer **,
		    size_t *nreferrers, bool *more);
void		 referrers_free(struct referrer *, size_t);

#endif
