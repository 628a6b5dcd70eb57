/* SPDX-License-Identifier: ISC */
/*
 * Names in the store: distribution's layout (docker/registry/v2/...) and our
 * own sibling tree (.registryd/...), which distribution ignores.
 *
 *   docker/registry/v2/blobs/<alg>/<hh>/<hex>/data
 *   docker/registry/v2/repositories/<name>/_layers/<alg>/<hex>/link
 *   .../_manifests/revisions/<alg>/<hex>/link
 *   .../_manifests/tags/<tag>/current/link
 *   .../_manifests/tags/<tag>/index/<alg>/<hex>/link
 *   .../_uploads/<id>/{data,startedat}
 *   .../_uploads/<id>/hashstates/
 *       of a session that distribution has worked on
 *   .../_uploads/<id>/synced
 *       how much of "data" may be believed; ours, and gone with the session
 *   .registryd/repositories/<name>/_referrers/<alg>/<hex>/<alg>:<hex>
 *       one entry for each manifest whose subject is <alg>:<hex>; content:
 *       its artifact type
 *   .registryd/repositories/<name>/_mediatypes/<alg>/<hex>
 *       Content-Type of a manifest whose bytes do not tell it
 *   .registryd/repositories/<name>/_subjects/<alg>/<hex>
 *       the subject of that manifest, so that its referrer entry can be
 *       found again without parsing
 *   .registryd/tmp/, .registryd/trash/
 *       files not yet in place, trees on their way out; never listed
 *   .registryd/locks/<hh>, .registryd/locks/m<hh>
 *       empty files that are locked, never removed, but replaced where a copy
 *       of the store shares them
 *   .registryd/reserve
 *       space for what makes room; empty while it is given out
 *
 *   .registryd/readonly
 *       there while an administrator lets nothing be written
 *   .registryd/quarantine/<alg>:<hex>.<inode>
 *       bytes that are not those of the digest, and a note on each
 *   .registryd/control/<host>.sock
 *       the control socket of the registryd on that host
 *   .registryd/scrub
 *       how far the scrub by schedule is, and what the last one found
 *   .registryd/clock
 *       touched to learn what time it is for the file system
 *
 * Collection renames before it removes: X becomes "X.condemned.<run>.<nonce>"
 * in the same directory, where X is a blob's "data", a "link" of _layers or
 * of revisions, or one of our own notes.  <run> is when, in nanoseconds by
 * the clock of the file system, <nonce> is random; both are 16 digits.  A
 * revision on its way in is "link.pending.<nonce>".
 *
 * Every function writes a path into dst (LAYOUT_PATH_SIZE) and returns it.
 * Arguments have passed reference.h.
 */
#ifndef LAYOUT_H
#define LAYOUT_H

#include <stdbool.h>
#include <stdint.h>

#include "digest.h"

#define LAYOUT_PATH_SIZE	1024
#define LAYOUT_REPOSITORIES	"docker/registry/v2/repositories"
#define LAYOUT_BLOBS		"docker/registry/v2/blobs"
#define LAYOUT_OWN		".registryd"
#define LAYOUT_OWN_REPOSITORIES	".registryd/repositories"
#define LAYOUT_TMP		".registryd/tmp"
#define LAYOUT_TRASH		".registryd/trash"
#define LAYOUT_LOCKS		".registryd/locks"
#define LAYOUT_RESERVE		".registryd/reserve"
#define LAYOUT_COLLECT_LOCK	".registryd/locks/collect"
#define LAYOUT_SCRUB_LOCK	".registryd/locks/scrub"
#define LAYOUT_SCRUB		".registryd/scrub"
#define LAYOUT_CLOCK		".registryd/clock"
#define LAYOUT_READONLY		".registryd/readonly"
#define LAYOUT_QUARANTINE	".registryd/quarantine"
#define LAYOUT_CONDEMNED	".condemned."
#define LAYOUT_PENDING		".pending."

char	*layout_blob(char *dst, const struct digest *);
char	*layout_repo(char *dst, const char *repo);
char	*layout_layers(char *dst, const char *repo);
char	*layout_layer(char *dst, const char *repo, const struct digest *);
char	*layout_revision(char *dst, const char *repo, const struct digest *);
char	*layout_manifests(char *dst, const char *repo);
char	*layout_tags(char *dst, const char *repo);
char	*layout_tag(char *dst, const char *repo, const char *tag);
char	*layout_tag_current(char *dst, const char *repo, const char *tag);
char	*layout_tag_index(char *dst, const char *repo, const char *tag,
	    const struct digest *);
char	*layout_uploads(char *dst, const char *repo);
char	*layout_upload(char *dst, const char *repo, const char *id);
char	*layout_upload_data(char *dst, const char *repo, const char *id);
char	*layout_upload_startedat(char *dst, const char *repo, const char *id);
char	*layout_upload_synced(char *dst, const char *repo, const char *id);
char	*layout_upload_hashes(char *dst, const char *repo, const char *id);
char	*layout_referrers(char *dst, const char *repo, const struct digest *);
char	*layout_referrer(char *dst, const char *repo,
	    const struct digest *subject, const struct digest *referrer);
char	*layout_mediatype(char *dst, const char *repo, const struct digest *);
char	*layout_subject(char *dst, const char *repo, const struct digest *);

/* ---- names of collection ---- */
char	*layout_condemned(char *dst, const char *path, uint64_t run,
	    uint64_t nonce);
char	*layout_pending(char *dst, const char *repo, const struct digest *,
	    uint64_t nonce);
/* Of a name without its directory: what it was, and when it was renamed. */
bool	 layout_condemned_parse(const char *name, size_t *baselen,
	    uint64_t *run);
bool	 layout_is_pending(const char *name);
/* Is the name X's, which is "base", or one that collection gave to X? */
bool	 layout_stands_for(const char *name, const char *base);
/* "dir/name"; -1 when it is too long. */
int	 layout_join(char *dst, const char *dir, const char *name);

#endif
