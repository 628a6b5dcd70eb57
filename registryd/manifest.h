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

struct manifest_refs {
	struct digest	*items;
	size_t		 n;
};

struct manifest {
	enum mediatype_kind kind;
	char		*mediatype;	/* effective Content-Type */
	bool		 told;		/* the bytes alone tell mediatype */
	struct manifest_refs blobs;	/* config, layers: must be present */
	struct manifest_refs children;	/* manifests of an index */
	/* entries of an index whose type leaves open which of the two */
	struct manifest_refs others;
	bool		 has_subject;
	struct digest	 subject;
	char		*artifact_type;	/* by the rules of referrers; "" */
	json_t		*annotations;	/* borrowed from doc; NULL */
	json_t		*doc;		/* NULL when the bytes are not JSON */
};

/*
 * Parse and check what a client pushes; content_type is the request's,
 * without parameters, "" when it has none (then the bytes tell).  0, or -1
 * with a reason for the client, "" when memory is out.
 */
int	 manifest_parse(struct manifest *, const char *data, size_t len,
	    const char *content_type, char *error, size_t errsize);
/*
 * Read back from the store: mediatype (NULL: the bytes tell), subject,
 * artifact type and annotations; nothing is refused.  -1: out of memory.
 */
int	 manifest_read(struct manifest *, const char *data, size_t len,
	    const char *mediatype);
/* The references of an index: digests of its "manifests", doc kept by it. */
int	 manifest_entries(const struct manifest *, struct manifest_refs *);
void	 manifest_refs_done(struct manifest_refs *);
void	 manifest_done(struct manifest *);

#endif
