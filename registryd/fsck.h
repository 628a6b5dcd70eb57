/* SPDX-License-Identifier: ISC */
/*
 * Checking a store: that a tag leads to a revision, a revision to its bytes,
 * and these to everything that they name, and that nothing lies about that
 * does not belong there.  Reads only, also beside a registryd that serves.
 */
#ifndef FSCK_H
#define FSCK_H

#include <stdbool.h>
#include <stdint.h>

#include "store.h"

enum fsck_severity {
	FSCK_BROKEN,		/* clients see it */
	FSCK_ODD,		/* nobody does, and nothing of ours makes it */
	FSCK_NOTE		/* what a crash, a client that went away or a
				   running collection leaves for a while */
};

enum fsck_kind {
	/* names and files anywhere */
	FSCK_UNREADABLE,
	FSCK_SYMLINK,
	FSCK_FILE_TYPE,
	FSCK_MODE,
	FSCK_WORLD_WRITABLE,
	FSCK_OWNER,
	FSCK_STRAY,
	FSCK_FOREIGN,
	FSCK_TEMPORARY,
	FSCK_TOO_DEEP,
	/* blobs */
	FSCK_BLOB_NAME,
	FSCK_BLOB_SHARD,
	FSCK_BLOB_EMPTY,
	FSCK_BLOB_DIGEST,
	FSCK_BLOB_SIZE,
	FSCK_BLOB_MARK,
	FSCK_BLOB_HARDLINK,
	FSCK_BLOB_UNREFERENCED,
	FSCK_BLOB_CONDEMNED,
	FSCK_BLOB_CONDEMNED_LIVE,
	/* links */
	FSCK_LINK_NAME,
	FSCK_LINK_ABSENT,
	FSCK_LINK_SHORT,
	FSCK_LINK_MALFORMED,
	FSCK_LINK_SPACE,
	FSCK_LINK_ELSEWHERE,
	FSCK_LINK_HARDLINK,
	FSCK_LINK_PENDING,
	FSCK_LINK_CONDEMNED,
	FSCK_LINK_CONDEMNED_LIVE,
	FSCK_LAYER_BLOB_MISSING,
	/* repositories */
	FSCK_REPO_NAME,
	FSCK_REPO_EMPTY,
	/* revisions and what their bytes name */
	FSCK_REVISION_BLOB_MISSING,
	FSCK_MANIFEST_LARGE,
	FSCK_MANIFEST_DIGEST,
	FSCK_MANIFEST_UNKNOWN,
	FSCK_MANIFEST_MALFORMED,
	FSCK_CONFIG_MISSING,
	FSCK_LAYER_MISSING,
	FSCK_LAYER_UNLINKED,
	FSCK_CHILD_MISSING,
	FSCK_DESCRIPTOR_SIZE,
	/* tags */
	FSCK_TAG_NAME,
	FSCK_TAG_EMPTY,
	FSCK_TAG_REVISION_MISSING,
	FSCK_TAG_INDEX_MISSING,
	FSCK_TAG_INDEX_DANGLING,
	/* our own tree */
	FSCK_REFERRER_NAME,
	FSCK_REFERRER_MALFORMED,
	FSCK_REFERRER_ORPHAN,
	FSCK_REFERRER_MISMATCH,
	FSCK_REFERRER_MISSING,
	FSCK_SUBJECT_MISSING,
	FSCK_SUBJECT_MISMATCH,
	FSCK_SUBJECT_ORPHAN,
	FSCK_MEDIATYPE_MALFORMED,
	FSCK_MEDIATYPE_ORPHAN,
	FSCK_TRASH,
	FSCK_QUARANTINED,
	/* uploads */
	FSCK_UPLOAD_NAME,
	FSCK_UPLOAD_DATA_MISSING,
	FSCK_UPLOAD_STARTED_MISSING,
	FSCK_UPLOAD_STARTED_MALFORMED,
	FSCK_NKINDS
};

#define FSCK_DETAIL_SIZE	160

struct fsck_problem {
	enum fsck_kind	 kind;
	const char	*path;		/* beneath the root directory */
	const char	*repo;		/* NULL: in none */
	char		 detail[FSCK_DETAIL_SIZE];	/* "" when the kind
							   tells all */
};

struct fsck_report {
	uint64_t	 objects;	/* names that stand for something */
	uint64_t	 blobs, blob_bytes, hashed_bytes;
	uint64_t	 repositories, revisions, layers, tags, uploads;
	uint64_t	 broken, odd, notes;
	uint64_t	 kinds[FSCK_NKINDS];
};

/* Called for what is broken, and with "strict" for everything. */
typedef void fsck_found_fn(const struct fsck_problem *, void *arg);
typedef void fsck_progress_fn(const struct fsck_report *, void *arg);

struct fsck_options {
	bool		 strict;	/* read all bytes; report everything */
	fsck_progress_fn *progress;	/* now and then; or NULL */
	void		*progress_arg;
};

const char	*fsck_kind_name(enum fsck_kind);	/* "link-short" */
enum fsck_severity fsck_kind_severity(enum fsck_kind);
const char	*fsck_severity_name(enum fsck_severity);
/* What it means and what to do about it, in one line. */
const char	*fsck_kind_text(enum fsck_kind);

/*
 * Check everything.  Whatever cannot be read is a problem like others; the
 * result is not OK only when there was no checking (root directory, memory).
 */
enum store_result fsck_run(struct store *, const struct fsck_options *,
		    fsck_found_fn *, void *arg, struct fsck_report *);
/* Is something wrong: broken things, or with strict also odd ones? */
bool		 fsck_failed(const struct fsck_report *, bool strict);

#endif
