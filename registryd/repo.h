/* SPDX-License-Identifier: ISC */
/*
 * A repository's blobs and manifests in the store, and the list of
 * repositories.  Answers are never given from memory: each looks at the name.
 */
#ifndef REPO_H
#define REPO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "digest.h"
#include "store.h"

#define MANIFEST_MAX_SIZE	(4u * 1024 * 1024)
#define MEDIATYPE_SIZE		256

/*
 * Blob as seen from a repository: the link's content names the bytes.
 * INVALID when they have another length than when they were stored.
 */
enum store_result repo_open_blob(struct store *, const char *repo,
		    const struct digest *, int *fd, struct store_stat *);
enum store_result repo_stat_blob(struct store *, const char *repo,
		    const struct digest *, struct store_stat *);
/*
 * Manifest bytes by digest; at most MANIFEST_MAX_SIZE, else INVALID.  What is
 * condemned is not there.
 */
enum store_result repo_read_manifest(struct store *, const char *repo,
		    const struct digest *, char **data, size_t *len);
/*
 * The same for a worker that has to answer a client.  *lease: first a keeper
 * is to be asked for a lease, because the one there is older than renew_ms
 * (REPO_NO_LEASE: never), or because it may only have been renamed by
 * collection; then look again.  What is condemned is opened nevertheless, for
 * the keeper may not be allowed to bring it back.
 */
#define REPO_NO_LEASE	UINT64_MAX
enum store_result repo_see_blob(struct store *, const char *repo,
		    const struct digest *, uint64_t renew_ms, int *fd,
		    struct store_stat *, bool *lease);
enum store_result repo_see_manifest(struct store *, const char *repo,
		    const struct digest *, uint64_t renew_ms, int *fd,
		    struct store_stat *, bool *lease);
/* A manifest that is open, whole; INVALID when it is too large. */
enum store_result repo_read_fd(struct store *, int fd,
		    const struct store_stat *, char **data, size_t *len);
/* Is the manifest there (revision link and bytes)?  They are not read. */
enum store_result repo_stat_manifest(struct store *, const char *repo,
		    const struct digest *, struct store_stat *);
/* The Content-Type kept beside; NOTFOUND when the bytes tell it. */
enum store_result repo_read_mediatype(struct store *, const char *repo,
		    const struct digest *, char dst[MEDIATYPE_SIZE]);
/* Does the repository exist (has _manifests, _layers or uploads)? */
enum store_result repo_stat(struct store *, const char *repo);
/*
 * Names of repositories (_manifests or _layers exists) greater than "last"
 * in distribution's order (by component, so '/' sorts first), at most n.
 * Cost by page, not by store: directories before "last" are not descended
 * into.
 */
enum store_result repo_list(struct store *, const char *last, size_t n,
		    char ***names, size_t *nnames, bool *more);
/* The same for names that have upload sessions, repositories or not yet. */
enum store_result repo_list_uploads(struct store *, const char *last,
		    size_t n, char ***names, size_t *nnames, bool *more);
/*
 * The same for pages that also end, behind one name at least, when the time
 * of clock_monotonic_ms() has come (0: never); one look at a directory to
 * come back to "last" is given on top.
 */
enum store_result repo_list_until(struct store *, const char *last, size_t n,
		    uint64_t end_ms, char ***names, size_t *nnames,
		    bool *more);
enum store_result repo_list_uploads_until(struct store *, const char *last,
		    size_t n, uint64_t end_ms, char ***names, size_t *nnames,
		    bool *more);
/* By the same order: < 0, 0, > 0. */
int		 repo_compare(const char *, const char *);

/* A lease is renewed when this part of the grace has passed. */
#define REPO_RENEW_PART	4
/*
 * Is this link due for a lease, with leases renewed after renew_ms?  Its age
 * is by the clock of this host.
 */
bool		 repo_lease_is_old(const struct store_stat *,
		    uint64_t renew_ms);

/* ---- leases and the way back from collection: keepers ---- */
/*
 * Before a positive answer: the link is touched when it is older than
 * renew_ms, and link and bytes come back when collection has renamed them.
 * NOTFOUND: they are gone, or damaged as far as a look can tell: a blob has
 * another length than when it was stored, a manifest another digest.
 */
enum store_result repo_acquire_blob(struct store *, const char *repo,
		    const struct digest *, uint64_t renew_ms);
enum store_result repo_acquire_manifest(struct store *, const char *repo,
		    const struct digest *, uint64_t renew_ms);
/*
 * After a name that refers to it is visible: is it there, or there again,
 * and as long as it was?  Without a lease, and without reading manifests.
 */
enum store_result repo_recheck_blob(struct store *, const char *repo,
		    const struct digest *);
enum store_result repo_recheck_manifest(struct store *, const char *repo,
		    const struct digest *);
/* The bytes alone. */
enum store_result repo_recheck_bytes(struct store *, const struct digest *);
/*
 * Held while a manifest's tags are set or it is deleted, so that neither
 * happens in the middle of the other.  Locks of tags may be taken inside.
 */
enum store_result repo_lock_manifest(struct store *, const char *repo,
		    const struct digest *, struct store_lock *);
/*
 * Held that lock, before it gets a tag: a DELETE of it that has looked for
 * tags looks again.  NOTFOUND: the link has gone, or is being renamed.
 */
enum store_result repo_touch_manifest(struct store *, const char *repo,
		    const struct digest *);
/* X.condemned.* back to X; OK as well when X is there.  NOTFOUND. */
enum store_result repo_resurrect(struct store *, const char *path);

/* ---- writing: keepers ---- */
enum store_result repo_link_blob(struct store *, const char *repo,
		    const struct digest *);
/*
 * Link a blob of another repository; NOTFOUND when it is not there.  A step
 * of it (store.h), with a struct that is all zero at first; and all of them.
 */
struct repo_mount {
	unsigned	 stage;
	struct store_staged link;
};
enum store_result repo_mount_step(struct store *, struct repo_mount *,
		    const char *repo, const char *from, const struct digest *);
void		 repo_mount_done(struct store *, struct repo_mount *);
enum store_result repo_mount_blob(struct store *, const char *repo,
		    const char *from, const struct digest *);
/*
 * ---- deleting; in steps: repo_delete.h ----
 *
 * A blob: EXISTS when a manifest of the repository refers to it.
 */
enum store_result repo_delete_blob(struct store *, const char *repo,
		    const struct digest *);

struct manifest_put {
	const char	*repo;
	struct digest	 digest;
	const void	*data;
	size_t		 len;
	const char	*mediatype;	/* to keep beside; or NULL */
	const struct digest *refs;	/* must exist: blobs */
	size_t		 nrefs;
	const struct digest *children;	/* must exist: manifests */
	size_t		 nchildren;
	bool		 has_subject;
	struct digest	 subject;
	const char	*artifact_type;	/* with subject; "" when none */
	const char *const *tags;
	size_t		 ntags;
};
/*
 * All steps of repo_put.h at once.  STORE_MISSING: *missing gets the absent
 * digests (malloc()ed array).  STORE_MISMATCH: the bytes do not have this
 * digest.
 */
enum store_result repo_put_manifest(struct store *,
		    const struct manifest_put *, struct digest **missing,
		    size_t *nmissing);
/*
 * The manifest that a tag points to has been in use until now: the age that
 * collection looks at counts from when it lost its last tag.  As durable as
 * what is done to the tag next, which must not be done after an error.  OK
 * when there is no tag, or nothing that it points to.
 */
enum store_result repo_touch_tagged(struct store *, const char *repo,
		    const char *tag);
enum store_result repo_delete_tag(struct store *, const char *repo,
		    const char *tag);
/* The directory that a link had to itself, when it is empty. */
void		 repo_prune_link(struct store *, const char *dir);
/* Tags that point to it go first, then referrer entry, then the revision. */
enum store_result repo_delete_manifest(struct store *, const char *repo,
		    const struct digest *);

#endif
