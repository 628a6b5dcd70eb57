/* SPDX-License-Identifier: ISC */
/*
 * Descriptors in manifests, as clients send them (OCI image spec,
 * "Descriptors").
 */
#ifndef DESCRIPTOR_H
#define DESCRIPTOR_H

#include <jansson.h>
#include <stdbool.h>

#include "digest.h"

/* NULL and the digest, or what is wrong with it. */
const char *descriptor_check(json_t *, struct digest *);
/* A layer that clients get elsewhere: it need not be here. */
bool	 descriptor_is_foreign(json_t *);
/* Is no member a known one in another spelling? */
bool	 descriptor_keys_ok(json_t *object, const char *const *known);
/* Are all members, or elements, strings? */
bool	 descriptor_strings_only(json_t *);

#endif
