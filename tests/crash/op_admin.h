/* SPDX-License-Identifier: ISC */
/*
 * What an administrator and the collector ask of the store, for op.c.
 */
#ifndef OP_ADMIN_H
#define OP_ADMIN_H

#include "op.h"

struct scrub;

bool	 op_is_admin(enum op_kind);
/* Make what the operation needs from outside of the store. */
void	 op_admin_prepare(const struct op *);
/* All of it, but for OP_SCRUB. */
enum store_result op_admin_do(struct world *, const struct op *);
/* With as many steps as the operation has before others have their turn. */
enum store_result op_scrub_begin(struct world *, const struct op *,
		    struct scrub **);
/* AGAIN: others may have their turn.  The scrub is freed at the end. */
enum store_result op_scrub_step(struct world *, const struct op *,
		    struct scrub **);

#endif
