/* SPDX-License-Identifier: ISC */
/*
 * A revision in a check: its bytes, and that everything they name is in the
 * repository.  Reads what pushes would refuse too: other registries may have
 * taken it.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "descriptor.h"
#include "fsck_state.h"
#include "json.h"
#include "layout.h"
#include "link.h"
#include "manifest.h"
#include "repo.h"

/* Does the revision still exist?  It may have been deleted meanwhile. */
static bool
still_there(struct fsck *f, const struct digest *d)
{
	char path[LAYOUT_PATH_SIZE];

	return fsck_exists(f, layout_revision(path, f->repo, d));
}

bool
fsck_has_revision(struct fsck *f, const struct digest *d)
{
	const struct fsck_entry *e = fsck_table_find(&f->revisions, d);

	return (e != NULL && e->flags != 0) || still_there(f, d);
}

/* ---- references ---- */

static void
bad_descriptor(struct fsck *f, const char *where)
{
	fsck_report(f, FSCK_MANIFEST_MALFORMED, "%s", where);
}

/* The size that the manifest says against that of the bytes. */
static void
check_size(struct fsck *f, json_t *desc, const struct digest *d,
    uint64_t size)
{
	json_t *value = json_object_get(desc, "size");
	char text[DIGEST_STR_SIZE];

	if (!json_is_integer(value) ||
	    (uint64_t)json_integer_value(value) == size)
		return;
	/* One of the two lies. */
	fsck_report(f, fsck_hash_blob(f, d) ? FSCK_DESCRIPTOR_SIZE :
	    FSCK_BLOB_SIZE, "%s: %llu bytes, the manifest says %lld",
	    digest_format(text, d), (unsigned long long)size,
	    (long long)json_integer_value(value));
}

/* A blob that is not among the links of the repository. */
static void
missing_blob(struct fsck *f, const struct digest *revision,
    const struct digest *d, enum fsck_kind kind)
{
	char path[LAYOUT_PATH_SIZE], text[DIGEST_STR_SIZE];
	struct digest target;
	enum store_result r;
	bool linked;

	/* Look again: it may have come while we walked. */
	r = link_get(f->store, layout_layer(path, f->repo, d), &target);
	if (r != STORE_OK && r != STORE_NOTFOUND && r != STORE_INVALID) {
		fsck_unreadable(f, path, r);
		return;
	}
	linked = r == STORE_OK;
	if ((linked && fsck_find_blob(f, &target) != NULL) ||
	    !still_there(f, revision))
		return;
	if (!linked && fsck_find_blob(f, d) != NULL)
		kind = FSCK_LAYER_UNLINKED;
	fsck_report(f, kind, "%s", digest_format(text, d));
}

static void
check_blob(struct fsck *f, const struct digest *revision, json_t *desc,
    const char *key, enum fsck_kind kind)
{
	const struct fsck_entry *e;
	const char *text = json_string_at(desc, key);
	struct digest d;

	if (text == NULL || digest_parse(&d, text) == -1) {
		bad_descriptor(f, kind == FSCK_CONFIG_MISSING ? "config" :
		    "layers");
		return;
	}
	if (descriptor_is_foreign(desc))
		return;
	e = fsck_table_find(&f->layers, &d);
	if (e == NULL || (e->flags & FSCK_HAS_BYTES) == 0)
		missing_blob(f, revision, &d, kind);
	else
		check_size(f, desc, &d, e->size);
}

/* An entry of an index: a manifest, or what another registry let pass. */
static void
check_entry(struct fsck *f, const struct digest *revision, json_t *desc)
{
	const struct fsck_entry *e;
	const char *text = json_string_at(desc, "digest");
	struct digest d;

	if (text == NULL || digest_parse(&d, text) == -1) {
		bad_descriptor(f, "manifests");
		return;
	}
	if (descriptor_is_foreign(desc))
		return;
	if (fsck_has_revision(f, &d)) {
		e = fsck_table_find(&f->blobs, &d);
		if (e != NULL && (e->flags & FSCK_LIVE) != 0)
			check_size(f, desc, &d, e->size);
		return;
	}
	e = fsck_table_find(&f->layers, &d);
	if ((e == NULL || (e->flags & FSCK_HAS_BYTES) == 0) &&
	    still_there(f, revision))
		fsck_report(f, FSCK_CHILD_MISSING, "%s", text);
}

static void
check_list(struct fsck *f, const struct digest *revision, json_t *doc,
    const char *list, const char *key)
{
	json_t *desc;
	size_t i;

	json_array_foreach(json_object_get(doc, list), i, desc)
		check_blob(f, revision, desc, key, FSCK_LAYER_MISSING);
}

static void
check_references(struct fsck *f, const struct digest *d,
    const struct manifest *m)
{
	json_t *desc;
	size_t i;

	switch (m->kind) {
	case MEDIATYPE_IMAGE:
		check_blob(f, d, json_object_get(m->doc, "config"), "digest",
		    FSCK_CONFIG_MISSING);
		check_list(f, d, m->doc, "layers", "digest");
		break;
	case MEDIATYPE_INDEX:
		json_array_foreach(json_object_get(m->doc, "manifests"), i,
		    desc)
			check_entry(f, d, desc);
		break;
	case MEDIATYPE_ARTIFACT:
		check_list(f, d, m->doc, "blobs", "digest");
		break;
	case MEDIATYPE_SCHEMA1:
		check_list(f, d, m->doc, "fsLayers", "blobSum");
		break;
	default:
		break;
	}
}

/* ---- the subject, and our notes on it ---- */

static void
check_subject(struct fsck *f, const struct digest *d,
    const struct manifest *m)
{
	char path[LAYOUT_PATH_SIZE], text[DIGEST_STR_SIZE];
	struct digest noted;
	enum store_result r;

	layout_referrer(path, f->repo, &m->subject, d);
	if (!fsck_exists(f, path) && still_there(f, d))
		fsck_report(f, FSCK_REFERRER_MISSING, "of %s",
		    digest_format(text, &m->subject));
	r = link_get(f->store, layout_subject(path, f->repo, d), &noted);
	if (r == STORE_NOTFOUND)
		fsck_report(f, FSCK_SUBJECT_MISSING, "%s",
		    digest_format(text, &m->subject));
	else if (r != STORE_OK && r != STORE_INVALID)
		fsck_unreadable(f, path, r);
	else if (r != STORE_OK || !digest_equal(&noted, &m->subject))
		fsck_report_at(f, FSCK_SUBJECT_MISMATCH, path,
		    "the manifest says %s", digest_format(text,
		    &m->subject));
}

/* ---- bytes ---- */

static void
check_document(struct fsck *f, const struct digest *d, const char *data,
    size_t len)
{
	char path[LAYOUT_PATH_SIZE], mediatype[MEDIATYPE_SIZE];
	enum store_result r = STORE_NOTFOUND;
	struct manifest m;
	bool noted;

	if (f->has_mediatypes)
		r = repo_read_mediatype(f->store, f->repo, d, mediatype);
	noted = r == STORE_OK;
	if (r != STORE_OK && r != STORE_NOTFOUND && r != STORE_INVALID)
		fsck_unreadable(f, layout_mediatype(path, f->repo, d), r);
	if (manifest_read(&m, data, len, noted ? mediatype : NULL) == -1) {
		fsck_stop(f, STORE_NOMEM);
		return;
	}
	/* A type that is noted beside may be that of anything. */
	if (!json_is_object(m.doc) && (!noted || m.kind != MEDIATYPE_OTHER))
		fsck_report(f, FSCK_MANIFEST_UNKNOWN, "not a JSON object");
	else {
		check_references(f, d, &m);
		if (m.has_subject)
			check_subject(f, d, &m);
	}
	manifest_done(&m);
}

static void
check_bytes(struct fsck *f, const struct digest *d, const char *data,
    size_t len, struct fsck_entry *e)
{
	struct digest got;

	if ((e->flags & (FSCK_BYTES_OK | FSCK_BYTES_BAD)) == 0) {
		f->report->hashed_bytes += len;
		if (digest_of(&got, d->alg, data, len) == -1) {
			fsck_stop(f, STORE_NOMEM);
			return;
		}
		e->flags |= digest_equal(&got, d) ? FSCK_BYTES_OK :
		    FSCK_BYTES_BAD;
	}
	if ((e->flags & FSCK_BYTES_BAD) != 0) {
		fsck_report(f, FSCK_MANIFEST_DIGEST, "%zu bytes", len);
		return;
	}
	check_document(f, d, data, len);
}

void
fsck_manifest(struct fsck *f, const struct digest *d)
{
	struct fsck_entry *e = fsck_find_blob(f, d);
	char path[LAYOUT_PATH_SIZE];
	enum store_result r;
	char *data;
	size_t len;

	if (e == NULL) {
		if (f->result == STORE_OK && still_there(f, d))
			fsck_report(f, FSCK_REVISION_BLOB_MISSING, "%s", "");
		return;
	}
	/* One that only a collection's name is left of can come back. */
	if ((e->flags & FSCK_LIVE) == 0)
		return;
	r = store_read(f->store, layout_blob(path, d), MANIFEST_MAX_SIZE,
	    &data, &len);
	switch (r) {
	case STORE_OK:
		check_bytes(f, d, data, len, e);
		free(data);
		break;
	case STORE_TOOBIG:
		fsck_report(f, FSCK_MANIFEST_LARGE, "%llu bytes",
		    (unsigned long long)e->size);
		break;
	case STORE_NOTFOUND:
		break;
	default:
		fsck_unreadable(f, path, r);
	}
}
