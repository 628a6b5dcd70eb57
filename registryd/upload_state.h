/* SPDX-License-Identifier: ISC */
/*
 * Hash states of uploads between two requests: a bounded table in a keeper.
 * A state is given out only while the file is as it was when it was kept.
 */
#ifndef UPLOAD_STATE_H
#define UPLOAD_STATE_H

#include "digest.h"
#include "store.h"

#define UPLOAD_STATE_MAX	256

/* Takes ownership of the hash; the oldest state makes room. */
void		 upload_state_keep(const char *path,
		    const struct store_stat *, struct digest_ctx *);
/* The caller's from now on; NULL when there is none that fits. */
struct digest_ctx *upload_state_take(const char *path,
		    const struct store_stat *);
void		 upload_state_drop(const char *path);

#endif
