/* SPDX-License-Identifier: ISC */
/*
 * A manifest's bytes: what they refer to and what they are.  Parsed in the
 * worker; keepers see digests and bytes only.
 */
#ifndef MANIFEST_H
#define MANIFEST_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#include "digest.h"
#include "mediatype.h"

#define MANIFEST_MAX_DESCRIPTORS	4096

struct manifest {
	enum mediatype_kind kind;
	char		*mediatype;	/* effective Content-Type */
	bool		 told;		/* the bytes alone tell mediatype */
	struct digest	*blobs;		/* config, layers: must be present */
	size_t		 nblobs;
	struct digest	*children;	/* manifests of an index */
	size_t		 nchildren;
	bool		 has_subject;
	struct digest	 subject;
	char		*artifact_type;	/* by the rules of referrers; "" */
	json_t		*annotations;	/* borrowed from doc; NULL */
	json_t		*doc;		/* NULL when the bytes are not JSON */
};

/*
 * Parse and check; content_type is the request's, without parameters, or
 * NULL when read back from the store (then the bytes tell, and nothing but
 * what is needed is checked).  0, or -1 with a reason for the client.
 */
int	 manifest_parse(struct manifest *, const char *data, size_t len,
	    const char *content_type, char *error, size_t errsize);
void	 manifest_done(struct manifest *);

#endif
