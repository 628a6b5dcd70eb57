/* SPDX-License-Identifier: ISC */
/*
 * Tags of a repository.
 */
#ifndef TAG_H
#define TAG_H

#include "digest.h"
#include "store.h"

/* What the tag points to. */
enum store_result tag_get(struct store *, const char *repo, const char *tag,
		    struct digest *);
/* Tags greater than "last" in byte order, at most n; only readable ones. */
enum store_result tag_list(struct store *, const char *repo,
		    const char *last, size_t n, char ***names, size_t *nnames,
		    bool *more);
/*
 * Point the tag to a revision that is already durable, in steps between
 * which barriers are passed (store.h): the bytes of both links; the entry
 * among those that the tag ever had; the tag itself, under its lock.
 */
struct tag_staged {
	struct store_staged index, current;
};
enum store_result tag_stage(struct store *, const struct digest *,
		    struct tag_staged *);
enum store_result tag_publish_index(struct store *, const char *repo,
		    const char *tag, const struct digest *,
		    struct tag_staged *);
enum store_result tag_publish(struct store *, const char *repo,
		    const char *tag, const struct digest *,
		    struct tag_staged *);
void		 tag_unstage(struct store *, struct tag_staged *);
/* All of it. */
enum store_result tag_put(struct store *, const char *repo, const char *tag,
		    const struct digest *);
/* Held by whoever changes what the tag points to, or its history. */
enum store_result tag_lock(struct store *, const char *repo,
		    const char *tag, struct store_lock *);
enum store_result tag_delete(struct store *, const char *repo,
		    const char *tag);
/* Delete it only if it still points to this digest, else STORE_MISMATCH. */
enum store_result tag_delete_if(struct store *, const char *repo,
		    const char *tag, const struct digest *);

#endif
