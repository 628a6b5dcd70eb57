/* SPDX-License-Identifier: ISC */
/*
 * Questions asked of another process and not yet answered: each has an id
 * and, the same for all of a table, a time to live.  A bounded table.
 */
#ifndef PENDING_H
#define PENDING_H

#include <stddef.h>
#include <stdint.h>

#include "loop.h"

struct pending;

/* The item's time is over, or pending_fail() was called; it is taken out. */
typedef void pending_expire_fn(void *item, void *arg);

struct pending	*pending_new(struct loop *, size_t max, uint64_t timeout_ms,
		    pending_expire_fn *, void *arg);	/* NULL: ENOMEM */
/* Items left are forgotten, without a callback.  NULL is fine. */
void		 pending_free(struct pending *);
/* The item's new id, never 0; 0 when the table is full or memory is out. */
uint64_t	 pending_add(struct pending *, void *item);
/* Take an item out; NULL when there is none with this id. */
void		*pending_take(struct pending *, uint64_t id);
size_t		 pending_count(const struct pending *);
/* Expire everything that is in the table now. */
void		 pending_fail(struct pending *);

#endif
