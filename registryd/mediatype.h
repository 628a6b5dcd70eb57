/* SPDX-License-Identifier: ISC */
/*
 * Media types of manifests.
 */
#ifndef MEDIATYPE_H
#define MEDIATYPE_H

#include <jansson.h>
#include <stdbool.h>

#define MEDIATYPE_OCI_MANIFEST	"application/vnd.oci.image.manifest.v1+json"
#define MEDIATYPE_OCI_INDEX	"application/vnd.oci.image.index.v1+json"
#define MEDIATYPE_OCI_ARTIFACT	"application/vnd.oci.artifact.manifest.v1+json"
#define MEDIATYPE_DOCKER_MANIFEST \
	"application/vnd.docker.distribution.manifest.v2+json"
#define MEDIATYPE_DOCKER_LIST \
	"application/vnd.docker.distribution.manifest.list.v2+json"
#define MEDIATYPE_OCI_EMPTY	"application/vnd.oci.empty.v1+json"

enum mediatype_kind {
	MEDIATYPE_IMAGE,	/* config and layers */
	MEDIATYPE_INDEX,	/* manifests */
	MEDIATYPE_ARTIFACT,	/* blobs */
	MEDIATYPE_SCHEMA1,	/* refused */
	MEDIATYPE_OTHER		/* stored as it is */
};

enum mediatype_kind mediatype_kind(const char *);
/* type/subtype by RFC 6838 section 4.2, at most 255 bytes, no parameters. */
bool	 mediatype_ok(const char *);
/*
 * What the document alone says of its type; distribution guesses in the same
 * way.  NULL: bytes that are not JSON.
 */
const char *mediatype_told(const json_t *);
/* Docker's schema 1, whatever it calls itself. */
bool	 mediatype_is_schema1(const json_t *);
/*
 * Does an Accept header (all its values joined by ",", NULL when absent) take
 * this type?  Absent, empty, and a star range take everything; parameters
 * but q are ignored; q=0 refuses.
 */
bool	 mediatype_accepted(const char *accept, const char *type);

#endif
