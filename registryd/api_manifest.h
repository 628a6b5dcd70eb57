/* SPDX-License-Identifier: ISC */
/*
 * Manifests read back from the store: shared by the handlers of manifests
 * and of referrers.
 */
#ifndef API_MANIFEST_H
#define API_MANIFEST_H

#include <stddef.h>

#include "digest.h"
#include "manifest.h"
#include "store.h"

struct api_request;

struct api_manifest {
	char		*data;
	size_t		 len;
	struct manifest	 m;
};

/*
 * Bytes and type of a manifest.  INVALID when the bytes do not have this
 * digest: wrong bytes are never sent.
 */
enum store_result api_manifest_load(struct api_request *,
		    const struct digest *, struct api_manifest *);
void		 api_manifest_unload(struct api_manifest *);

#endif
