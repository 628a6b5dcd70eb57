/* SPDX-License-Identifier: ISC */
/*
 * The kinds of damage that fsck knows: their names, how bad each is, and
 * what helps.  A table and nothing else.
 */
#include "fsck.h"

#define B	FSCK_BROKEN
#define O	FSCK_ODD
#define N	FSCK_NOTE

#define RIGHTS	"see the owner and the mode; registryd must be able to " \
		"read and write it"
#define BY_HAND	"not registryd's; remove it by hand if nobody needs it"
#define PUSH	"push the image again"
#define LATER	"a collection removes it in time"
#define SWEPT	"registryd removes it in time"

static const struct {
	const char	*name;
	enum fsck_severity severity;
	const char	*text;
} kinds[FSCK_NKINDS] = {
	[FSCK_UNREADABLE] = { "unreadable", B, "cannot be read: " RIGHTS },
	[FSCK_SYMLINK] = { "symlink", B, "a symbolic link where a file or "
	    "directory belongs: replace it by what it points to" },
	[FSCK_FILE_TYPE] = { "file-type", B, "not the kind of file that "
	    "belongs here: move it away, then push the image again" },
	[FSCK_MODE] = { "mode", B, "its owner may not use it: " RIGHTS },
	[FSCK_WORLD_WRITABLE] = { "world-writable", O, "everybody may write "
	    "here: run \"chmod o-w\"" },
	[FSCK_OWNER] = { "owner", O, "belongs to another user than the root "
	    "directory does: run \"chown\"" },
	[FSCK_STRAY] = { "stray", O, "does not belong here: " BY_HAND },
	[FSCK_FOREIGN] = { "foreign", N, "of another program" },
	[FSCK_TEMPORARY] = { "temporary", N, "never put in place; " SWEPT },
	[FSCK_TOO_DEEP] = { "too-deep", O, "nested too deeply: " BY_HAND },

	[FSCK_BLOB_NAME] = { "blob-name", O, "the name is no digest: "
	    BY_HAND },
	[FSCK_BLOB_SHARD] = { "blob-shard", O, "in the directory of other "
	    "digests, where nobody looks: move it to its own" },
	[FSCK_BLOB_EMPTY] = { "blob-empty", N, "a digest without bytes; "
	    LATER },
	[FSCK_BLOB_DIGEST] = { "blob-digest", B, "the bytes are not those of "
	    "the digest: " PUSH " (run \"registryctl scrub\" first, and "
	    "nobody gets them)" },
	[FSCK_BLOB_SIZE] = { "blob-size", B, "not as long as a manifest says, "
	    "and the bytes are wrong: " PUSH },
	[FSCK_BLOB_MARK] = { "blob-mark", B, "not as long as it was when it "
	    "was pushed, by what is noted with it: " PUSH },
	[FSCK_BLOB_HARDLINK] = { "blob-hardlink", O, "has another name "
	    "somewhere, through which it could be changed: copy it" },
	[FSCK_BLOB_UNREFERENCED] = { "blob-unreferenced", N, "no repository "
	    "has it; " LATER },
	[FSCK_BLOB_CONDEMNED] = { "blob-condemned", N, "being collected; "
	    "comes back when somebody asks for it" },
	[FSCK_BLOB_CONDEMNED_LIVE] = { "blob-condemned-live", N, "pushed "
	    "again while it was being collected; " LATER },

	[FSCK_LINK_NAME] = { "link-name", O, "the name is no digest: "
	    BY_HAND },
	[FSCK_LINK_ABSENT] = { "link-absent", N, "a digest without a link; "
	    LATER },
	[FSCK_LINK_SHORT] = { "link-short", B, "the link is not as long as a "
	    "digest: " PUSH },
	[FSCK_LINK_MALFORMED] = { "link-malformed", B, "the link does not "
	    "hold a digest: " PUSH },
	[FSCK_LINK_SPACE] = { "link-space", O, "white space around the digest "
	    "in the link, which other programs may not take" },
	[FSCK_LINK_ELSEWHERE] = { "link-elsewhere", B, "the link names "
	    "another digest than its path: " PUSH },
	[FSCK_LINK_HARDLINK] = { "link-hardlink", O, "has another name "
	    "somewhere, through which it could be changed: copy it" },
	[FSCK_LINK_PENDING] = { "link-pending", N, "a push in progress, or "
	    "one that ended early; " LATER },
	[FSCK_LINK_CONDEMNED] = { "link-condemned", N, "being collected; "
	    "comes back when somebody asks for it" },
	[FSCK_LINK_CONDEMNED_LIVE] = { "link-condemned-live", N, "made again "
	    "while it was being collected; " LATER },
	[FSCK_LAYER_BLOB_MISSING] = { "layer-blob-missing", N, "the "
	    "repository once had a blob whose bytes are gone, and no image "
	    "of it is known to need them; " LATER },

	[FSCK_REPO_NAME] = { "repository-name", O, "cannot be part of the "
	    "name of a repository, so nobody can reach it: rename it" },
	[FSCK_REPO_EMPTY] = { "repository-empty", N, "an empty directory; "
	    LATER },

	[FSCK_REVISION_BLOB_MISSING] = { "revision-blob-missing", B,
	    "a manifest whose bytes are not there: " PUSH },
	[FSCK_MANIFEST_LARGE] = { "manifest-large", B, "larger than a "
	    "manifest may be: nobody can get it" },
	[FSCK_MANIFEST_DIGEST] = { "manifest-digest", B, "the bytes of a "
	    "manifest are not those of its digest: " PUSH },
	[FSCK_MANIFEST_UNKNOWN] = { "manifest-unknown", N, "not a kind of "
	    "manifest that can be checked" },
	[FSCK_MANIFEST_MALFORMED] = { "manifest-malformed", O, "a descriptor "
	    "in the manifest makes no sense: it came like this" },
	[FSCK_CONFIG_MISSING] = { "config-missing", B, "the configuration of "
	    "an image is not there: " PUSH },
	[FSCK_LAYER_MISSING] = { "layer-missing", B, "a layer of an image is "
	    "not there: " PUSH },
	[FSCK_LAYER_UNLINKED] = { "layer-unlinked", B, "a blob of an image is "
	    "there, but not linked in the repository: " PUSH },
	[FSCK_CHILD_MISSING] = { "child-missing", B, "a manifest of an index "
	    "is not there: push the index with all its images again" },
	[FSCK_DESCRIPTOR_SIZE] = { "descriptor-size", O, "the manifest says "
	    "another size than the right bytes have: it came like this" },

	[FSCK_TAG_NAME] = { "tag-name", O, "cannot be a tag, so nobody can "
	    "reach it: rename or remove it" },
	[FSCK_TAG_EMPTY] = { "tag-empty", N, "a tag that points to nothing; "
	    "it is not listed" },
	[FSCK_TAG_REVISION_MISSING] = { "tag-revision-missing", B, "the tag "
	    "points to a manifest that the repository does not have: " PUSH
	    ", or remove the tag" },
	[FSCK_TAG_INDEX_MISSING] = { "tag-index-missing", O, "where the tag "
	    "points to is not in its history: push the tag again" },
	[FSCK_TAG_INDEX_DANGLING] = { "tag-index-dangling", N, "the history "
	    "of the tag names a manifest that has been deleted" },

	[FSCK_REFERRER_NAME] = { "referrer-name", O, "not the digest of a "
	    "referrer: " BY_HAND },
	[FSCK_REFERRER_MALFORMED] = { "referrer-malformed", O, "does not hold "
	    "a type of artifact: push the referrer again" },
	[FSCK_REFERRER_ORPHAN] = { "referrer-orphan", N, "an entry for a "
	    "referrer that is not there; " LATER },
	[FSCK_REFERRER_MISMATCH] = { "referrer-mismatch", O, "an entry for a "
	    "manifest that has another subject: remove it by hand" },
	[FSCK_REFERRER_MISSING] = { "referrer-missing", N, "not listed among "
	    "the referrers of its subject: push it again" },
	[FSCK_SUBJECT_MISSING] = { "subject-missing", N, "no note of whose "
	    "referrer it is: push it again" },
	[FSCK_SUBJECT_MISMATCH] = { "subject-mismatch", O, "the note names "
	    "another subject than the manifest: push it again" },
	[FSCK_SUBJECT_ORPHAN] = { "subject-orphan", N, "a note on a manifest "
	    "that is not there; " LATER },
	[FSCK_MEDIATYPE_MALFORMED] = { "mediatype-malformed", B, "does not "
	    "hold a media type: push the manifest again" },
	[FSCK_MEDIATYPE_ORPHAN] = { "mediatype-orphan", N, "a note on a "
	    "manifest that is not there; " LATER },
	[FSCK_TRASH] = { "trash", N, "deleted, and not yet gone; " SWEPT },
	[FSCK_QUARANTINED] = { "quarantined", N, "wrong bytes that a scrub "
	    "has taken out of the way: see the note beside them" },

	[FSCK_UPLOAD_NAME] = { "upload-name", O, "cannot be the id of an "
	    "upload: " BY_HAND },
	[FSCK_UPLOAD_DATA_MISSING] = { "upload-data-missing", N, "an upload "
	    "without bytes; it expires" },
	[FSCK_UPLOAD_STARTED_MISSING] = { "upload-startedat-missing", N,
	    "an upload without its time; it expires" },
	[FSCK_UPLOAD_STARTED_MALFORMED] = { "upload-startedat-malformed", O,
	    "does not hold a time; distribution would never remove it" },
};

const char *
fsck_kind_name(enum fsck_kind kind)
{
	return kinds[kind].name;
}

enum fsck_severity
fsck_kind_severity(enum fsck_kind kind)
{
	return kinds[kind].severity;
}

const char *
fsck_kind_text(enum fsck_kind kind)
{
	return kinds[kind].text;
}

const char *
fsck_severity_name(enum fsck_severity severity)
{
	switch (severity) {
	case FSCK_BROKEN:
		return "broken";
	case FSCK_ODD:
		return "odd";
	case FSCK_NOTE:
		return "note";
	}
	return "";
}
