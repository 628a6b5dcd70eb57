/* SPDX-License-Identifier: ISC */
/*
 * An image layout into a repository: blobs, then manifests, children before
 * their index, then tags; as a client would push them.  Runs in registryctl,
 * as the owner of the store.
 */
#include "import.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "import_state.h"
#include "json.h"
#include "layout.h"
#include "manifest.h"
#include "reference.h"
#include "repo.h"

#define DEPTH_MAX	8		/* indexes in indexes */
#define ABOUT_MAX	32		/* signatures of signatures */
#define ENTRIES_MAX	100000		/* of index.json */
#define REF_NAME	"org.opencontainers.image.ref.name"

int
import_fail(struct import *im, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(im->error, IMPORT_ERROR_SIZE, fmt, ap);
	va_end(ap);
	return -1;
}

int
import_stop(struct import *im, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(im->error, IMPORT_ERROR_SIZE, fmt, ap);
	va_end(ap);
	im->report->stopped = true;
	return -1;
}

int
import_fail_store(struct import *im, const char *what, enum store_result r)
{
	return import_stop(im, "%s: %s", what, store_result_text(r));
}

int
import_may_write(struct import *im)
{
	enum store_result r = store_stat(im->store, LAYOUT_READONLY, NULL);

	if (r == STORE_NOTFOUND)
		return 0;
	if (r == STORE_OK)
		return import_fail(im, "the registry is read-only: run "
		    "\"registryctl readonly off\" first");
	return import_fail_store(im, LAYOUT_READONLY, r);
}

bool
import_was_taken(const struct import *im, const struct digest *d,
    unsigned flag)
{
	const struct fsck_entry *e = fsck_table_find(&im->seen, d);

	return e != NULL && (e->flags & flag) != 0;
}

/* Without memory for it, it is looked at again. */
void
import_note_taken(struct import *im, const struct digest *d, unsigned flag)
{
	struct fsck_entry *e = fsck_table_add(&im->seen, d);

	if (e != NULL)
		e->flags |= flag;
}

/* ---- one manifest ---- */

static void
file_name(char *dst, size_t size, const struct digest *d)
{
	char hex[DIGEST_HEX_SIZE];

	snprintf(dst, size, "blobs/%s/%s", digest_alg_name(d->alg),
	    digest_hex(hex, d));
}

static int
take_blobs(struct import *im, const struct manifest_refs *refs)
{
	char name[DIGEST_STR_SIZE + 16];
	size_t i;

	for (i = 0; i < refs->n; i++) {
		file_name(name, sizeof(name), &refs->items[i]);
		if (import_file(im, name, &refs->items[i]) == -1)
			return -1;
	}
	return 0;
}

static int	 take_manifest(struct import *, const struct digest *,
		    const char *mediatype, const char *tag, unsigned depth);

static const char *
type_of_entry(const struct manifest *m, const struct digest *d)
{
	const char *text;
	struct digest found;
	json_t *desc;
	size_t i;

	json_array_foreach(json_object_get(m->doc, "manifests"), i, desc) {
		text = json_string_at(desc, "digest");
		if (text != NULL && digest_parse(&found, text) == 0 &&
		    digest_equal(&found, d))
			return json_string_at(desc, "mediaType");
	}
	return NULL;
}

/*
 * Those that are in the repository, too: what they name may not be.  A layout
 * need not have all of them.
 */
static int
take_children(struct import *im, const struct manifest *m,
    const struct manifest_refs *refs, unsigned depth)
{
	size_t i;

	for (i = 0; i < refs->n; i++)
		if (!import_was_taken(im, &refs->items[i], IMPORT_MANIFEST) &&
		    take_manifest(im, &refs->items[i], type_of_entry(m,
		    &refs->items[i]), NULL, depth + 1) == -1)
			return -1;
	return 0;
}

static int
missing(struct import *im, const char *text, const struct digest *list,
    size_t n)
{
	char first[DIGEST_STR_SIZE] = "";

	if (n > 0)
		digest_format(first, &list[0]);
	return import_fail(im, "%s: it names %s, which is not in the layout",
	    text, first);
}

static int
put_manifest(struct import *im, const struct digest *d,
    const struct manifest *m, const char *data, size_t len, const char *tag)
{
	char text[DIGEST_STR_SIZE];
	struct manifest_put put = { .repo = im->repo, .digest = *d,
	    .data = data, .len = len, .mediatype = m->told ? NULL :
	    m->mediatype, .refs = m->blobs.items, .nrefs = m->blobs.n,
	    .children = m->children.items, .nchildren = m->children.n,
	    .has_subject = m->has_subject, .subject = m->subject,
	    .artifact_type = m->artifact_type, .tags = &tag,
	    .ntags = tag != NULL ? 1 : 0 };
	struct digest *list;
	enum store_result r;
	size_t n;
	int failed = 0;

	if (import_may_write(im) == -1)
		return -1;
	r = repo_put_manifest(im->store, &put, &list, &n);
	digest_format(text, d);
	if (r == STORE_MISSING) {
		failed = missing(im, text, list, n);
		free(list);
	} else if (r != STORE_OK)
		failed = import_fail_store(im, text, r);
	if (failed == 0) {
		if (!import_was_taken(im, d, IMPORT_MANIFEST))
			im->report->manifests++;
		im->report->tags += put.ntags;
		import_note_taken(im, d, IMPORT_MANIFEST);
	}
	return failed;
}

/* "others": entries of an index of unknown type are taken as manifests. */
static int
put_with_contents(struct import *im, const struct digest *d,
    struct manifest *m, const char *data, size_t len, const char *tag,
    unsigned depth)
{
	size_t i;

	if (take_blobs(im, &m->blobs) == -1 ||
	    take_children(im, m, &m->children, depth) == -1 ||
	    take_children(im, m, &m->others, depth) == -1)
		return -1;
	/* There is room: each list was made for all entries. */
	for (i = 0; i < m->others.n; i++)
		m->children.items[m->children.n++] = m->others.items[i];
	m->others.n = 0;
	return put_manifest(im, d, m, data, len, tag);
}

/* A child that is not in the layout may be in the repository. */
static int
want_manifest(struct import *im, const struct digest *d, const char *name,
    unsigned depth)
{
	if (depth > 0 && repo_acquire_manifest(im->store, im->repo, d,
	    im->options->renew_ms) == STORE_OK)
		return 0;
	return import_fail(im, "%s: not in the layout", name);
}

static int
take_manifest(struct import *im, const struct digest *d,
    const char *mediatype, const char *tag, unsigned depth)
{
	char name[DIGEST_STR_SIZE + 16], reason[256], *data;
	struct manifest m;
	struct digest got;
	size_t len;
	int r;

	file_name(name, sizeof(name), d);
	if (depth > DEPTH_MAX)
		return import_fail(im, "%s: indexes nested too deeply", name);
	if ((r = import_small(im, name, &data, &len)) == -1)
		return -1;
	if (r == 0)
		return want_manifest(im, d, name, depth);
	r = -1;
	if (digest_of(&got, d->alg, data, len) == -1 ||
	    !digest_equal(&got, d))
		import_fail(im, "%s: the bytes in the layout are not those "
		    "of this digest", name);
	else if (manifest_parse(&m, data, len, mediatype != NULL ?
	    mediatype : "", reason, sizeof(reason)) == -1)
		import_fail(im, "%s: not a manifest: %s", name,
		    reason[0] != '\0' ? reason : "out of memory");
	else {
		r = put_with_contents(im, d, &m, data, len, tag, depth);
		manifest_done(&m);
	}
	free(data);
	return r;
}

/* ---- the index ---- */

static json_t *
load_json(struct import *im, const char *name)
{
	char reason[128], *data;
	json_t *doc;
	size_t len;
	int r;

	if ((r = import_small(im, name, &data, &len)) == -1)
		return NULL;
	if (r == 0) {
		import_fail(im, "%s is not there: not an OCI image layout",
		    name);
		return NULL;
	}
	doc = json_load_strict(data, len, reason, sizeof(reason));
	free(data);
	if (doc == NULL)
		import_fail(im, "%s: not valid JSON: %s", name, reason);
	return doc;
}

static int
check_version(struct import *im)
{
	const char *version;
	json_t *doc;
	int failed = 0;

	if ((doc = load_json(im, "oci-layout")) == NULL)
		return -1;
	version = json_string_at(doc, "imageLayoutVersion");
	if (version == NULL || strncmp(version, "1.", 2) != 0)
		failed = import_fail(im, "oci-layout: not version 1");
	json_decref(doc);
	return failed;
}

/* The tag that an entry asks for; others name the image in some other way. */
static const char *
tag_of(const json_t *entry)
{
	const char *name = json_string_at(json_object_get(entry,
	    "annotations"), REF_NAME), *colon;

	if (name == NULL)
		return NULL;
	if (tag_ok(name))
		return name;
	/* "registry/name:tag", as some tools write it */
	colon = strrchr(name, ':');
	return colon != NULL && tag_ok(colon + 1) ? colon + 1 : NULL;
}

static int
take_entry(struct import *im, const json_t *entry, const char *tag)
{
	const char *text = json_string_at(entry, "digest");
	struct digest d;

	if (text == NULL || digest_parse(&d, text) == -1)
		return import_fail(im, "index.json: an entry without a "
		    "digest of a known algorithm");
	return take_manifest(im, &d, json_string_at(entry, "mediaType"), tag,
	    0);
}

/* The entry of the tag, or the only one that is not about another. */
static const json_t *
find_one(const struct import *im, const json_t *list)
{
	const json_t *only = NULL;
	const char *tag;
	json_t *entry;
	size_t i, n = 0;

	json_array_foreach(list, i, entry) {
		tag = tag_of(entry);
		if (tag != NULL && strcmp(tag, im->options->tag) == 0)
			return entry;
		if (json_object_get(entry, "artifactType") != NULL)
			continue;
		only = entry;
		n++;
	}
	return n == 1 ? only : NULL;
}

/* What the manifest of an entry is about; not known: false.  -1: failed. */
static int
subject_of(struct import *im, const json_t *entry, struct digest *subject)
{
	const char *text = json_string_at(entry, "digest"), *found;
	char name[DIGEST_STR_SIZE + 16], reason[128], *data;
	struct digest d;
	json_t *doc;
	size_t len;
	int r;

	if (text == NULL || digest_parse(&d, text) == -1)
		return 0;
	file_name(name, sizeof(name), &d);
	if ((r = import_small(im, name, &data, &len)) != 1)
		return r;
	doc = json_load_strict(data, len, reason, sizeof(reason));
	free(data);
	found = json_string_at(json_object_get(doc, "subject"), "digest");
	r = found != NULL && digest_parse(subject, found) == 0;
	json_decref(doc);
	return r;
}

struct about {				/* an entry that has a subject */
	const json_t	*entry;
	struct digest	 subject;
};

/* Entries that are about something; there is room for all. */
static int
list_about(struct import *im, const json_t *list, struct about *about,
    size_t *n)
{
	json_t *entry;
	size_t i;
	int r;

	*n = 0;
	json_array_foreach(list, i, entry) {
		if ((r = subject_of(im, entry, &about[*n].subject)) == -1)
			return -1;
		if (r == 1)
			about[(*n)++].entry = entry;
	}
	return 0;
}

/*
 * Signatures and the like of what has been taken, and then theirs: as long
 * as there are more.
 */
static int
take_about(struct import *im, struct about *about, size_t n)
{
	unsigned round;
	size_t i, taken = 1;

	for (round = 0; round < ABOUT_MAX && taken > 0; round++) {
		taken = 0;
		for (i = 0; i < n; i++) {
			if (about[i].entry == NULL || !import_was_taken(im,
			    &about[i].subject, IMPORT_MANIFEST))
				continue;
			if (take_entry(im, about[i].entry, NULL) == -1)
				return -1;
			about[i].entry = NULL;
			taken++;
		}
	}
	return taken == 0 ? 0 : import_fail(im, "signatures of signatures "
	    "nested too deeply");
}

static int
take_one(struct import *im, const json_t *list)
{
	const json_t *one = find_one(im, list);
	struct about *about;
	size_t n;
	int failed;

	if (one == NULL)
		return import_fail(im, "the layout has %zu images, and none "
		    "is called %s", json_array_size(list), im->options->tag);
	if (take_entry(im, one, im->options->tag) == -1)
		return -1;
	if ((about = calloc(json_array_size(list), sizeof(*about))) == NULL)
		return import_stop(im, "out of memory");
	failed = list_about(im, list, about, &n) == -1 ||
	    take_about(im, about, n) == -1 ? -1 : 0;
	free(about);
	return failed;
}

static int
take_all(struct import *im, const json_t *list)
{
	json_t *entry;
	size_t i;

	json_array_foreach(list, i, entry)
		if (take_entry(im, entry, tag_of(entry)) == -1)
			return -1;
	return 0;
}

static int
take_index(struct import *im)
{
	json_t *doc, *list;
	int failed;

	if ((doc = load_json(im, "index.json")) == NULL)
		return -1;
	list = json_object_get(doc, "manifests");
	if (!json_is_array(list) || json_array_size(list) == 0)
		failed = import_fail(im, "index.json: there are no images");
	else if (json_array_size(list) > ENTRIES_MAX)
		failed = import_fail(im, "index.json: too many images");
	else
		failed = im->options->tag != NULL ? take_one(im, list) :
		    take_all(im, list);
	json_decref(doc);
	return failed;
}

int
import_run(struct store *s, const struct import_options *options,
    struct import_report *report, char error[IMPORT_ERROR_SIZE])
{
	struct import im = { .store = s, .repo = options->repo,
	    .options = options, .report = report, .error = error };
	int failed = -1;

	memset(report, 0, sizeof(*report));
	error[0] = '\0';
	if ((im.buffer = malloc(IMPORT_COPY_SIZE)) == NULL)
		import_stop(&im, "out of memory");
	else if ((options->tarfd == -1 || import_read_tar(&im) == 0) &&
	    check_version(&im) == 0)
		failed = take_index(&im);
	import_source_done(&im);
	free(im.buffer);
	return failed;
}
