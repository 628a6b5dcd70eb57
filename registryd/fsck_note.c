/* SPDX-License-Identifier: ISC */
/*
 * Our own notes on manifests in a check: referrers by subject, subjects, and
 * media types, each for a revision that is there.
 */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fsck_state.h"
#include "layout.h"
#include "manifest.h"
#include "repo.h"

enum note_kind { NOTE_REFERRER, NOTE_MEDIATYPE, NOTE_SUBJECT };

static const char *const trees[] = { "_referrers", "_mediatypes",
	"_subjects" };

struct notes {
	enum note_kind	 kind;
	enum digest_alg	 alg;
	struct digest	 subject;	/* of the directory of referrers */
};

/* The revision may be live, or have what a collection left of its name. */
static bool
has_revision(struct fsck *f, const struct digest *d)
{
	char path[LAYOUT_PATH_SIZE], *slash;

	layout_revision(path, f->repo, d);
	if (fsck_exists(f, path))
		return true;
	slash = strrchr(path, '/');
	*slash = '\0';
	return fsck_exists(f, path);
}

/* A collection has renamed it. */
static bool
is_condemned(struct fsck *f, const char *name)
{
	uint64_t run;
	size_t len;

	if (!layout_condemned_parse(name, &len, &run))
		return false;
	fsck_report(f, FSCK_LINK_CONDEMNED, "a note on a manifest");
	return true;
}

/* ---- referrers ---- */

/* Whose referrer the manifest says it is. */
static void
check_referrer(struct fsck *f, const struct notes *notes,
    const struct digest *d)
{
	char text[DIGEST_STR_SIZE], *data;
	enum store_result r;
	struct manifest m;
	size_t len;

	if (!has_revision(f, d)) {
		fsck_report(f, FSCK_REFERRER_ORPHAN, "%s", "");
		return;
	}
	/* Damage of the manifest itself has been reported. */
	r = repo_read_manifest(f->store, f->repo, d, &data, &len);
	if (r != STORE_OK) {
		if (r != STORE_NOTFOUND && r != STORE_INVALID)
			fsck_unreadable(f, f->path, r);
		return;
	}
	if (manifest_read(&m, data, len, NULL) == -1) {
		fsck_stop(f, STORE_NOMEM);
		free(data);
		return;
	}
	if (m.kind != MEDIATYPE_OTHER && m.doc != NULL &&
	    (!m.has_subject || !digest_equal(&m.subject, &notes->subject)))
		fsck_report(f, FSCK_REFERRER_MISMATCH, "its subject is %s",
		    m.has_subject ? digest_format(text, &m.subject) :
		    "nothing");
	manifest_done(&m);
	free(data);
}

static void
on_referrer(struct fsck *f, int dirfd, const char *name, unsigned char type,
    void *arg)
{
	const struct notes *notes = arg;
	struct digest d;
	struct stat st;
	size_t len;
	char *data;

	if (is_condemned(f, name))
		return;
	if (digest_parse(&d, name) == -1) {
		fsck_report(f, FSCK_REFERRER_NAME, "%s", "");
		return;
	}
	if (!fsck_is(f, type, DT_REG))
		return;
	fsck_count(f);
	data = fsck_read_file(f, dirfd, name, MEDIATYPE_SIZE, &st, &len);
	if (data == NULL)
		return;
	if (strlen(data) != len || (len > 0 && !mediatype_ok(data)))
		fsck_report(f, FSCK_REFERRER_MALFORMED, "%zu bytes", len);
	free(data);
	check_referrer(f, notes, &d);
}

/* ---- the others ---- */

static void
check_mediatype(struct fsck *f, int dirfd, const char *name,
    const struct digest *d)
{
	struct stat st;
	size_t len;
	char *data;

	data = fsck_read_file(f, dirfd, name, MEDIATYPE_SIZE, &st, &len);
	if (data != NULL && (strlen(data) != len || !mediatype_ok(data)))
		fsck_report(f, FSCK_MEDIATYPE_MALFORMED, "%zu bytes", len);
	free(data);
	if (!has_revision(f, d))
		fsck_report(f, FSCK_MEDIATYPE_ORPHAN, "%s", "");
}

/* What it says has been held against the manifest with the revisions. */
static void
check_subject(struct fsck *f, int dirfd, const char *name,
    const struct digest *d)
{
	struct digest subject;

	if (fsck_link(f, dirfd, name, &subject) == 0 && !has_revision(f, d))
		fsck_report(f, FSCK_SUBJECT_ORPHAN, "%s", "");
}

static void
on_note(struct fsck *f, int dirfd, const char *name, unsigned char type,
    void *arg)
{
	struct notes *notes = arg;
	char text[DIGEST_STR_SIZE];
	struct digest d;
	int n;

	if (is_condemned(f, name))
		return;
	n = snprintf(text, sizeof(text), "%s:%s",
	    digest_alg_name(notes->alg), name);
	if (n < 0 || (size_t)n >= sizeof(text) ||
	    digest_parse(&d, text) == -1) {
		fsck_report(f, FSCK_LINK_NAME, "%s", "");
		return;
	}
	if (notes->kind == NOTE_REFERRER) {
		notes->subject = d;
		if (fsck_is(f, type, DT_DIR))
			fsck_directory(f, dirfd, name, on_referrer, notes);
		return;
	}
	if (!fsck_is(f, type, DT_REG))
		return;
	fsck_count(f);
	if (notes->kind == NOTE_MEDIATYPE)
		check_mediatype(f, dirfd, name, &d);
	else
		check_subject(f, dirfd, name, &d);
}

static void
on_alg(struct fsck *f, int dirfd, const char *name, unsigned char type,
    void *arg)
{
	struct notes *notes = arg;

	if (digest_alg_parse(&notes->alg, name) == -1)
		fsck_unknown_name(f, name);
	else if (fsck_is(f, type, DT_DIR))
		fsck_directory(f, dirfd, name, on_note, notes);
}

static int
tree_kind(const char *name)
{
	int i;

	for (i = 0; i < (int)(sizeof(trees) / sizeof(trees[0])); i++)
		if (strcmp(name, trees[i]) == 0)
			return i;
	return -1;
}

bool
fsck_is_note_tree(const char *name)
{
	return tree_kind(name) != -1;
}

void
fsck_notes(struct fsck *f, int dirfd, const char *name)
{
	struct notes notes = { .kind = (enum note_kind)tree_kind(name) };

	fsck_directory(f, dirfd, name, on_alg, &notes);
}
