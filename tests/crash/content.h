/* SPDX-License-Identifier: ISC */
/*
 * The blobs and manifests that scenarios push: always the same bytes, so
 * that whatever a store gives back can be judged.
 */
#ifndef CONTENT_H
#define CONTENT_H

#include <stdbool.h>
#include <stddef.h>

#include "digest.h"

enum content_id {
	C_CONFIG,			/* blobs */
	C_LAYER,
	C_OTHER,
	C_EMPTY,
	C_SMALL,			/* sha512 */
	C_ONE,				/* manifests: config and layer */
	C_TWO,				/* config and other */
	C_INDEX,			/* of the two */
	C_SIGNATURE,			/* its subject is the first */
	C_NOTED,			/* a type that the bytes do not tell */
	C_MAX,
	C_NONE = C_MAX
};
#define C_FIRST_MANIFEST	C_ONE
#define CONTENT_MAX_REFS	2

struct content {
	const char	*name;
	const char	*data;
	size_t		 len;
	struct digest	 digest;
	bool		 is_manifest;
	enum content_id	 refs[CONTENT_MAX_REFS];
	size_t		 nrefs;
	enum content_id	 children[CONTENT_MAX_REFS];
	size_t		 nchildren;
	enum content_id	 subject;	/* C_NONE */
	const char	*mediatype;	/* to keep beside, or NULL */
	const char	*artifact_type;
};

void	 content_init(void);
const struct content *content_get(enum content_id);
/* Which has this digest; C_NONE. */
enum content_id content_find(const struct digest *);
/* Is this the beginning of one of them? */
bool	 content_is_prefix(const void *, size_t);

#endif
