/* SPDX-License-Identifier: ISC */
/*
 * Link files: a name whose content is "alg:hex", the digest that it stands
 * for.
 */
#ifndef LINK_H
#define LINK_H

#include "digest.h"
#include "store.h"

/* INVALID when the content is no digest. */
enum store_result link_get(struct store *, const char *path,
		    struct digest *);
/* The same, and what the link file itself is. */
enum store_result link_look(struct store *, const char *path,
		    struct digest *, struct store_stat *);
/* Durable at return; whatever was there is replaced. */
enum store_result link_put(struct store *, const char *path,
		    const struct digest *);

#endif
