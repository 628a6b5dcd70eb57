/* SPDX-License-Identifier: ISC */
/*
 * What a manifest's bytes say: its type, what it refers to, whose referrer it
 * is.  Runs in the worker, on bytes that a client sent or that the store
 * gave; touches no storage.
 *
 * A document that two readers could take for two things is refused: an image
 * that has "manifests", an index that has "layers", members that exist twice
 * or in another spelling (descriptor.c).
 */
#include "manifest.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "descriptor.h"
#include "json.h"

struct parse {
	struct manifest	*m;
	size_t		 ndescriptors;
	char		*error;
	size_t		 errsize;
};

static const char *const document_keys[] = {
	"schemaVersion", "mediaType", "artifactType", "config", "layers",
	"manifests", "blobs", "subject", "annotations", "fsLayers", NULL
};

static int
refuse(struct parse *p, const char *reason)
{
	(void)snprintf(p->error, p->errsize, "%s", reason);
	return -1;
}

/* A member that is there and not null. */
static json_t *
member(const json_t *object, const char *key)
{
	json_t *value = json_object_get(object, key);

	return json_is_null(value) ? NULL : value;
}

static int
refuse_at(struct parse *p, const char *where, const char *reason)
{
	(void)snprintf(p->error, p->errsize, "%s: %s", where, reason);
	return -1;
}

/* Check one descriptor, and give its digest. */
static int
check_descriptor(struct parse *p, json_t *desc, const char *where,
    struct digest *digest)
{
	const char *wrong;

	if (++p->ndescriptors > MANIFEST_MAX_DESCRIPTORS)
		return refuse(p, "too many descriptors");
	if ((wrong = descriptor_check(desc, digest)) != NULL)
		return refuse_at(p, where, wrong);
	return 0;
}

static int
refs_grow(struct manifest_refs *refs, size_t n)
{
	struct digest *items;

	if (n > MANIFEST_MAX_DESCRIPTORS)
		n = MANIFEST_MAX_DESCRIPTORS;
	items = realloc(refs->items, (refs->n + n + 1) * sizeof(*items));
	if (items == NULL)
		return -1;
	refs->items = items;
	return 0;
}

/* Which list of an index an entry belongs to. */
static struct manifest_refs *
entry_list(struct manifest *m, json_t *desc)
{
	const char *type = json_string_at(desc, "mediaType");

	if (type == NULL)
		return &m->others;
	switch (mediatype_kind(type)) {
	case MEDIATYPE_IMAGE:
	case MEDIATYPE_INDEX:
	case MEDIATYPE_ARTIFACT:
		return &m->children;
	default:
		return &m->others;
	}
}

/* Check the descriptors in a member; those that must exist are kept. */
static int
check_list(struct parse *p, const char *key, bool required)
{
	struct manifest *m = p->m;
	struct manifest_refs *refs;
	struct digest digest;
	json_t *list = json_object_get(m->doc, key), *desc;
	size_t i, n;

	if (list == NULL && !required)
		return 0;
	/* Go writes an empty slice as null. */
	if (list == NULL || (!json_is_array(list) && !json_is_null(list)))
		return refuse_at(p, key, "must be a list of descriptors");
	n = json_array_size(list);
	if (refs_grow(&m->blobs, n) == -1 || (m->kind == MEDIATYPE_INDEX &&
	    (refs_grow(&m->children, n) == -1 ||
	    refs_grow(&m->others, n) == -1)))
		return refuse(p, "");
	json_array_foreach(list, i, desc) {
		if (check_descriptor(p, desc, key, &digest) == -1)
			return -1;
		if (descriptor_is_foreign(desc))
			continue;
		refs = m->kind == MEDIATYPE_INDEX ? entry_list(m, desc) :
		    &m->blobs;
		refs->items[refs->n++] = digest;
	}
	return 0;
}

static int
check_config(struct parse *p)
{
	struct manifest *m = p->m;
	struct digest digest;
	json_t *config = json_object_get(m->doc, "config");

	if (config == NULL)
		return refuse(p, "config: missing");
	if (check_descriptor(p, config, "config", &digest) == -1)
		return -1;
	if (refs_grow(&m->blobs, 1) == -1)
		return refuse(p, "");
	m->blobs.items[m->blobs.n++] = digest;
	return 0;
}

/* Members that belong to another kind of manifest. */
static int
check_absent(struct parse *p, const char *const *keys)
{
	for (; *keys != NULL; keys++)
		if (member(p->m->doc, *keys) != NULL)
			return refuse_at(p, *keys,
			    "not allowed in a manifest of this type");
	return 0;
}

static int
check_subject(struct parse *p)
{
	struct manifest *m = p->m;
	json_t *subject = member(m->doc, "subject");

	if (subject == NULL)
		return 0;
	if (check_descriptor(p, subject, "subject", &m->subject) == -1)
		return -1;
	m->has_subject = true;
	return 0;
}

/* What the referrers API shows: its own type, else that of the config. */
static const char *
artifact_type_of(const struct manifest *m)
{
	const char *type = json_string_at(m->doc, "artifactType");

	if ((type == NULL || type[0] == '\0') && m->kind == MEDIATYPE_IMAGE)
		type = json_string_at(json_object_get(m->doc, "config"),
		    "mediaType");
	return type == NULL ? "" : type;
}

static int
check_artifact_type(struct parse *p)
{
	struct manifest *m = p->m;
	json_t *value = member(m->doc, "artifactType");
	const char *type;

	if (value != NULL && !json_is_string(value))
		return refuse(p, "artifactType: must be a string");
	type = artifact_type_of(m);
	if (m->has_subject && type[0] != '\0' && !mediatype_ok(type))
		return refuse(p, "artifactType: not a media type");
	free(m->artifact_type);
	if ((m->artifact_type = strdup(type)) == NULL)
		return refuse(p, "");
	value = member(m->doc, "annotations");
	if (value != NULL && (!json_is_object(value) ||
	    !descriptor_strings_only(value)))
		return refuse(p, "annotations: must be strings");
	m->annotations = value;
	return 0;
}

static int
check_kind(struct parse *p)
{
	static const char *const not_image[] = { "manifests", "blobs",
	    "fsLayers", NULL };
	static const char *const not_index[] = { "config", "layers", "blobs",
	    "fsLayers", NULL };
	static const char *const not_artifact[] = { "config", "layers",
	    "manifests", "fsLayers", NULL };

	switch (p->m->kind) {
	case MEDIATYPE_IMAGE:
		if (check_absent(p, not_image) == -1 ||
		    check_config(p) == -1)
			return -1;
		return check_list(p, "layers", true);
	case MEDIATYPE_INDEX:
		if (check_absent(p, not_index) == -1)
			return -1;
		return check_list(p, "manifests", true);
	case MEDIATYPE_ARTIFACT:
		if (check_absent(p, not_artifact) == -1)
			return -1;
		return check_list(p, "blobs", false);
	default:
		return 0;
	}
}

static int
check_document(struct parse *p)
{
	struct manifest *m = p->m;
	json_t *version = json_object_get(m->doc, "schemaVersion");

	if (!descriptor_keys_ok(m->doc, document_keys))
		return refuse(p, "member with ambiguous name");
	if (version != NULL && (!json_is_integer(version) ||
	    json_integer_value(version) != 2))
		return refuse(p, "schemaVersion: must be 2");
	if (version == NULL && m->kind != MEDIATYPE_ARTIFACT)
		return refuse(p, "schemaVersion: missing");
	if (check_kind(p) == -1 || check_subject(p) == -1)
		return -1;
	return check_artifact_type(p);
}

/* Hold the request's type against the document's; sets kind, mediatype. */
static int
check_mediatype(struct parse *p, const char *content_type)
{
	struct manifest *m = p->m;
	json_t *own = member(m->doc, "mediaType");
	const char *told = mediatype_told(m->doc), *type;

	type = content_type[0] != '\0' ? content_type : told;
	if (!mediatype_ok(type))
		return refuse(p, "Content-Type: not a media type");
	if (json_is_object(m->doc) && own != NULL &&
	    (!json_is_string(own) || strcmp(json_string_value(own), type) != 0))
		return refuse(p, "mediaType: differs from Content-Type");
	m->kind = mediatype_kind(type);
	m->told = m->doc != NULL && strcmp(told, type) == 0;
	if (m->kind == MEDIATYPE_SCHEMA1 ||
	    (json_is_object(m->doc) && mediatype_is_schema1(m->doc)))
		return refuse(p, "schema 1 is not supported");
	if ((m->mediatype = strdup(type)) == NULL)
		return refuse(p, "");
	return 0;
}

int
manifest_parse(struct manifest *m, const char *data, size_t len,
    const char *content_type, char *error, size_t errsize)
{
	struct parse p = { m, 0, error, errsize };
	char reason[128];
	bool any;			/* bytes of any kind are fine */

	memset(m, 0, sizeof(*m));
	error[0] = '\0';
	any = content_type[0] != '\0' &&
	    mediatype_kind(content_type) == MEDIATYPE_OTHER;
	m->doc = json_load_strict(data, len, reason, sizeof(reason));
	if (m->doc == NULL && !any) {
		(void)snprintf(error, errsize, "not valid JSON: %s", reason);
		goto fail;
	}
	if (!json_is_object(m->doc) && !any) {
		(void)refuse(&p, "not a JSON object");
		goto fail;
	}
	if (check_mediatype(&p, content_type) == -1)
		goto fail;
	if (m->kind == MEDIATYPE_OTHER) {
		if ((m->artifact_type = strdup("")) == NULL)
			goto fail;
		return 0;
	}
	if (check_document(&p) == -1)
		goto fail;
	return 0;
fail:
	manifest_done(m);
	return -1;
}

int
manifest_read(struct manifest *m, const char *data, size_t len,
    const char *mediatype)
{
	char reason[128];
	const char *text;

	memset(m, 0, sizeof(*m));
	m->doc = json_load_strict(data, len, reason, sizeof(reason));
	text = mediatype != NULL ? mediatype : mediatype_told(m->doc);
	m->kind = mediatype_kind(text);
	m->told = mediatype == NULL;
	m->mediatype = strdup(text);
	text = m->kind == MEDIATYPE_OTHER || m->doc == NULL ? "" :
	    artifact_type_of(m);
	m->artifact_type = strdup(text);
	if (m->mediatype == NULL || m->artifact_type == NULL) {
		manifest_done(m);
		return -1;
	}
	if (m->kind == MEDIATYPE_OTHER || m->doc == NULL)
		return 0;
	m->annotations = member(m->doc, "annotations");
	text = json_string_at(member(m->doc, "subject"), "digest");
	m->has_subject = text != NULL && digest_parse(&m->subject, text) == 0;
	return 0;
}

int
manifest_entries(const struct manifest *m, struct manifest_refs *refs)
{
	json_t *list = json_object_get(m->doc, "manifests"), *desc;
	const char *text;
	size_t i;

	memset(refs, 0, sizeof(*refs));
	if (refs_grow(refs, json_array_size(list)) == -1)
		return -1;
	json_array_foreach(list, i, desc) {
		if (refs->n == MANIFEST_MAX_DESCRIPTORS)
			break;
		text = json_string_at(desc, "digest");
		if (text != NULL &&
		    digest_parse(&refs->items[refs->n], text) == 0)
			refs->n++;
	}
	return 0;
}

void
manifest_refs_done(struct manifest_refs *refs)
{
	free(refs->items);
	refs->items = NULL;
	refs->n = 0;
}

void
manifest_done(struct manifest *m)
{
	manifest_refs_done(&m->blobs);
	manifest_refs_done(&m->children);
	manifest_refs_done(&m->others);
	free(m->mediatype);
	free(m->artifact_type);
	json_decref(m->doc);
	memset(m, 0, sizeof(*m));
}
