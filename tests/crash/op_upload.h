/* SPDX-License-Identifier: ISC */
/*
 * Operations on upload sessions, for op.c.
 */
#ifndef OP_UPLOAD_H
#define OP_UPLOAD_H

#include "op.h"

struct upload;

struct op_upload {
	struct upload	*upload;	/* open, or NULL */
	char		 id[32];
	uint64_t	 begin;		/* where it was found */
};

bool	 op_is_upload(enum op_kind);
/* Up to where barriers are needed. */
enum store_result op_upload_begin(struct world *, const struct op *,
		    bool retry, struct op_upload *);
/* As xxx_step() of the store. */
enum store_result op_upload_step(const struct op *, struct op_upload *);
/* What a keeper does before its answer r; returns what the answer means. */
enum store_result op_upload_end(struct world *, const struct op *,
		    struct op_upload *, enum store_result r);
/* Make the session of the operation anew: its client has lost it. */
enum store_result op_upload_restart(struct world *, const struct op *);

#endif
