/* SPDX-License-Identifier: ISC */
/*
 * What the bytes of a manifest tell of its type, by digest: they never
 * change, so they need not be parsed again for each GET.
 */
#ifndef MANIFEST_TYPES_H
#define MANIFEST_TYPES_H

#include <stddef.h>

#include "digest.h"

struct manifest_types;

/* Keeps at most n types; those that fall on one place replace each other. */
struct manifest_types *manifest_types_new(size_t n);
void		 manifest_types_free(struct manifest_types *);
/* NULL when it is not known; valid until the next put. */
const char	*manifest_types_get(const struct manifest_types *,
		    const struct digest *);
/* Only for what manifest_read() found in the bytes alone. */
void		 manifest_types_put(struct manifest_types *,
		    const struct digest *, const char *type);

#endif
