/* SPDX-License-Identifier: ISC */
/*
 * Grammar of names: repositories, tags, upload ids (OCI distribution spec,
 * "Pulling manifests").  What passes here is safe as a path component.
 */
#ifndef REFERENCE_H
#define REFERENCE_H

#include <stdbool.h>

#include "digest.h"

#define REPO_NAME_MAX	255
#define REPO_NAME_SIZE	(REPO_NAME_MAX + 1)
#define TAG_MAX		128
#define TAG_SIZE	(TAG_MAX + 1)
#define UPLOAD_ID_MAX	64
#define UPLOAD_ID_SIZE	(UPLOAD_ID_MAX + 1)

bool	 repo_name_ok(const char *);
bool	 tag_ok(const char *);		/* [a-zA-Z0-9_][a-zA-Z0-9._-]{0,127} */
bool	 upload_id_ok(const char *);	/* [a-zA-Z0-9][a-zA-Z0-9_=-]{0,63} */

/* A manifest reference: a digest if it holds ':', else a tag. */
struct reference {
	bool		 is_digest;
	struct digest	 digest;
	char		 tag[TAG_SIZE];
};
/* 0, or -1: neither a tag nor a digest of a known algorithm. */
int	 reference_parse(struct reference *, const char *);

#endif
