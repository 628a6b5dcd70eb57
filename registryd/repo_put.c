/* SPDX-License-Identifier: ISC */
/*
 * A manifest PUT, step by step: runs in keepers.  With the order of these
 * steps stands or falls that nothing half-made is visible after a crash, and
 * that collection never takes what an acknowledged manifest refers to.
 *
 *  1. ACQUIRE  every reference: its link is leased, then link and bytes are
 *              looked at, renamed back when condemned; any missing: refuse;
 *              what another request has named just now is made durable
 *  2. STAGE    bytes, links and notes as files without a name   - barrier -
 *  3. BYTES    data of D; link.pending.<nonce>; the notes beside: media type
 *              and subject                                      - barrier -
 *  4. RECHECK  every reference, and D's own bytes, as in 1 but without a
 *              lease; any missing: unlink pending, refuse
 *  5. LINK     rename link.pending.<nonce> to link, beneath the lock of
 *              repo@D                                           - barrier -
 *  6. RECHECK  again; any missing: take the link back if there was none
 *              before 5, beneath the same lock, refuse
 *  7. SHOW     referrer entry; the entries of tags              - barrier -
 *     TAG      beneath the lock of repo@D: own link there (or condemned,
 *              and renamed back), else all over again, which puts this
 *              request after a DELETE; the notes again where they are gone;
 *              the link touched, so that a DELETE that has begun looks for
 *              tags again; tags, each beneath its own lock      - barrier -
 *  8. END      own link there, or renamed back?  If not, all over again.
 *              Else done: only now it is acknowledged.  Refused after 7,
 *              and no link there: the tags go, too.
 *
 * Collection marks from pending names as from links, and lists pending names
 * before it looks at the link, so from 3 on every reference is marked by any
 * run that begins after.  A run that began before may still condemn one, but
 * removes only names that were condemned before its own marking; 6 comes
 * after the link and so finds either the reference or a name that no run
 * removes any more without having seen the link (gc.c).  If link.pending is
 * gone at 5, this process slept for longer than the grace: all over again.
 */
#include "repo_put.h"

#include <stdlib.h>
#include <string.h>

#include "layout.h"
#include "link.h"
#include "random.h"
#include "referrer.h"
#include "repo_note.h"
#include "tag.h"

#define ROUNDS	16	/* against a DELETE of the same manifest */

enum staged {
	STAGED_BYTES,
	STAGED_LINK,
	NSTAGED
};

struct manifest_commit {
	struct store	*store;
	const struct manifest_put *put;
	uint64_t	 renew_ms;
	size_t		 step;		/* of the table below */
	size_t		 tagged;	/* tags that have been set */
	size_t		 tagged_ever;	/* in any round */
	unsigned	 round;
	struct store_staged staged[NSTAGED];
	struct note_staged notes;
	struct tag_staged *tags;	/* one for each of "put" */
	char		 pending[LAYOUT_PATH_SIZE];	/* "": none */
	uint64_t	 ino;		/* of our link */
	bool		 replaced;	/* there was a link before */
	enum store_result refused;	/* after a barrier; or OK */
	struct digest	*missing;
	size_t		 nmissing;
};

typedef enum store_result step_fn(struct manifest_commit *);

static step_fn	 step_acquire, step_bytes, step_link, step_show, step_tag,
    step_end;
static step_fn	*const steps[] = {
	step_acquire, step_bytes, step_link, step_show, step_tag, step_end
};
#define NSTEPS	(sizeof(steps) / sizeof(steps[0]))

struct manifest_commit *
manifest_commit_new(struct store *s, const struct manifest_put *put,
    uint64_t renew_ms)
{
	struct manifest_commit *c;

	if ((c = calloc(1, sizeof(*c))) == NULL ||
	    (c->tags = calloc(put->ntags + 1, sizeof(*c->tags))) == NULL) {
		free(c);
		return NULL;
	}
	c->store = s;
	c->put = put;
	c->renew_ms = renew_ms;
	return c;
}

const struct digest *
manifest_commit_missing(const struct manifest_commit *c, size_t *n)
{
	*n = c->nmissing;
	return c->missing;
}

/* Nothing of it is visible, or it is complete. */
static void
commit_drop(struct manifest_commit *c)
{
	size_t i;

	for (i = 0; i < NSTAGED; i++)
		store_unstage(c->store, &c->staged[i]);
	note_unstage(c->store, &c->notes);
	for (i = 0; i < c->put->ntags; i++)
		tag_unstage(c->store, &c->tags[i]);
	if (c->pending[0] != '\0')
		(void)store_unlink(c->store, c->pending);
	c->pending[0] = '\0';
}

void
manifest_commit_free(struct manifest_commit *c)
{
	if (c == NULL)
		return;
	commit_drop(c);
	free(c->tags);
	free(c->missing);
	free(c);
}

/* Its tags are of nothing if its link has gone; another may have put both. */
static enum store_result
untag_all(struct manifest_commit *c)
{
	const struct manifest_put *put = c->put;
	struct store_lock lock;
	enum store_result r;
	size_t i;

	if ((r = repo_lock_manifest(c->store, put->repo, &put->digest,
	    &lock)) != STORE_OK)
		return r;
	r = repo_recheck_manifest(c->store, put->repo, &put->digest);
	for (i = 0; r == STORE_NOTFOUND && i < c->tagged_ever; i++)
		if (tag_delete_if(c->store, put->repo, put->tags[i],
		    &put->digest) == STORE_LOCKED)
			r = STORE_LOCKED;
	store_unlock(c->store, &lock);
	return r;
}

/*
 * Nothing of it stays.  Its repository may have been removed behind the tags
 * that it had set already.
 */
static enum store_result
commit_refuse(struct manifest_commit *c, enum store_result why)
{
	bool tagged = c->tagged_ever > 0;

	c->refused = why;
	c->step = NSTEPS;
	if (tagged && untag_all(c) == STORE_LOCKED)
		return STORE_LOCKED;
	c->tagged_ever = 0;
	commit_drop(c);
	return tagged && store_batched(c->store) ? STORE_AGAIN : why;
}

enum store_result
manifest_commit_step(struct manifest_commit *c)
{
	enum store_result r = STORE_OK;
	size_t step;

	while (r == STORE_OK && c->step < NSTEPS) {
		step = c->step++;
		if ((r = steps[step](c)) == STORE_LOCKED) {
			c->step = step;
			return r;
		}
		/* Another round, or a refusal that waits for a barrier. */
		if (r == STORE_AGAIN || (r == STORE_OK && c->step < NSTEPS))
			r = store_batched(c->store) ? STORE_AGAIN : STORE_OK;
	}
	if (r == STORE_OK)
		r = c->refused;
	return r == STORE_OK || r == STORE_AGAIN ? r : commit_refuse(c, r);
}

/* Begin again after somebody removed what had been put. */
static enum store_result
commit_again(struct manifest_commit *c)
{
	commit_drop(c);
	if (++c->round == ROUNDS)
		return STORE_BUSY;
	c->step = 0;
	c->tagged = 0;
	return STORE_AGAIN;
}

/* ---- references ---- */

typedef enum store_result look_fn(struct manifest_commit *,
		    const struct digest *);

static enum store_result
acquire_blob(struct manifest_commit *c, const struct digest *d)
{
	return repo_acquire_blob(c->store, c->put->repo, d, c->renew_ms);
}

static enum store_result
acquire_child(struct manifest_commit *c, const struct digest *d)
{
	return repo_acquire_manifest(c->store, c->put->repo, d, c->renew_ms);
}

static enum store_result
recheck_blob(struct manifest_commit *c, const struct digest *d)
{
	return repo_recheck_blob(c->store, c->put->repo, d);
}

static enum store_result
recheck_child(struct manifest_commit *c, const struct digest *d)
{
	return repo_recheck_manifest(c->store, c->put->repo, d);
}

static enum store_result
missing_add(struct manifest_commit *c, const struct digest *d)
{
	struct digest *grown;

	grown = reallocarray(c->missing, c->nmissing + 1, sizeof(*grown));
	if (grown == NULL)
		return STORE_NOMEM;
	grown[c->nmissing++] = *d;
	c->missing = grown;
	return STORE_OK;
}

/* A link that cannot be followed is as good as none. */
static enum store_result
look_at(struct manifest_commit *c, const struct digest *d, size_t n,
    look_fn *look)
{
	enum store_result r = STORE_OK;
	size_t i;

	for (i = 0; i < n && r == STORE_OK; i++) {
		r = look(c, &d[i]);
		if (r == STORE_NOTFOUND || r == STORE_INVALID)
			r = missing_add(c, &d[i]);
	}
	return r;
}

static enum store_result
look_at_all(struct manifest_commit *c, look_fn *blob, look_fn *child)
{
	enum store_result r;

	c->nmissing = 0;
	r = look_at(c, c->put->refs, c->put->nrefs, blob);
	if (r == STORE_OK)
		r = look_at(c, c->put->children, c->put->nchildren, child);
	if (r == STORE_OK && c->nmissing > 0)
		r = STORE_MISSING;
	return r;
}

/* Steps 4 and 6; without its own bytes it would be no manifest. */
static enum store_result
recheck_all(struct manifest_commit *c)
{
	enum store_result r;

	if ((r = look_at_all(c, recheck_blob, recheck_child)) != STORE_OK)
		return r;
	r = repo_recheck_bytes(c->store, &c->put->digest);
	return r == STORE_NOTFOUND ? STORE_AGAIN : r;
}

/* ---- 1 and 2 ---- */

static enum store_result
stage_link(struct manifest_commit *c, const struct digest *d,
    enum staged which)
{
	char text[DIGEST_STR_SIZE];

	digest_format(text, d);
	return store_stage(c->store, text, strlen(text), &c->staged[which]);
}

static enum store_result
stage_all(struct manifest_commit *c)
{
	const struct manifest_put *put = c->put;
	enum store_result r;
	size_t i;

	r = store_stage(c->store, put->data, put->len,
	    &c->staged[STAGED_BYTES]);
	if (r == STORE_OK)
		r = stage_link(c, &put->digest, STAGED_LINK);
	if (r == STORE_OK)
		r = note_stage(c->store, put, &c->notes);
	for (i = 0; i < put->ntags && r == STORE_OK; i++)
		r = tag_stage(c->store, &put->digest, &c->tags[i]);
	return r;
}

/* Whoever has named it may not have synced it yet, and may never. */
static enum store_result
settle(struct manifest_commit *c, const char *link)
{
	char path[LAYOUT_PATH_SIZE];
	struct digest target;
	enum store_result r;

	if ((r = link_get(c->store, link, &target)) != STORE_OK ||
	    (r = store_settle(c->store, link)) != STORE_OK)
		return r;
	return store_settle(c->store, layout_blob(path, &target));
}

static enum store_result
settle_all(struct manifest_commit *c)
{
	const struct manifest_put *put = c->put;
	char path[LAYOUT_PATH_SIZE];
	enum store_result r = STORE_OK;
	size_t i;

	for (i = 0; i < put->nrefs && r == STORE_OK; i++)
		r = settle(c, layout_layer(path, put->repo, &put->refs[i]));
	for (i = 0; i < put->nchildren && r == STORE_OK; i++)
		r = settle(c, layout_revision(path, put->repo,
		    &put->children[i]));
	return r;
}

static enum store_result
step_acquire(struct manifest_commit *c)
{
	const struct manifest_put *put = c->put;
	struct digest d;
	enum store_result r;

	if (put->len > MANIFEST_MAX_SIZE)
		return STORE_TOOBIG;
	if (digest_of(&d, put->digest.alg, put->data, put->len) == -1)
		return STORE_NOMEM;
	if (!digest_equal(&d, &put->digest))
		return STORE_MISMATCH;
	if ((r = look_at_all(c, acquire_blob, acquire_child)) != STORE_OK)
		return r;
	/* Collection has renamed one since. */
	if ((r = settle_all(c)) == STORE_NOTFOUND)
		return commit_again(c);
	return r == STORE_OK ? stage_all(c) : r;
}

/* ---- 3 ---- */

/* What is there already is compared: damage is healed by replacing it. */
static enum store_result
publish_bytes(struct manifest_commit *c)
{
	const struct manifest_put *put = c->put;
	char path[LAYOUT_PATH_SIZE];
	enum store_result r;
	char *old = NULL;
	size_t oldlen;
	bool same;

	layout_blob(path, &put->digest);
	r = store_read(c->store, path, put->len, &old, &oldlen);
	if (r != STORE_OK && r != STORE_TOOBIG && r != STORE_NOTFOUND)
		return r;
	same = r == STORE_OK && oldlen == put->len &&
	    memcmp(old, put->data, put->len) == 0;
	if (r == STORE_OK)
		free(old);
	/* Another request may have made the name just now. */
	if (same && (r = store_settle(c->store, path)) != STORE_NOTFOUND) {
		store_unstage(c->store, &c->staged[STAGED_BYTES]);
		return r;
	}
	return store_publish(c->store, &c->staged[STAGED_BYTES], path,
	    STORE_REPLACE | STORE_TELL);
}

static enum store_result
publish_pending(struct manifest_commit *c)
{
	struct store_stat st;
	enum store_result r;
	uint64_t nonce;

	random_bytes(&nonce, sizeof(nonce));
	layout_pending(c->pending, c->put->repo, &c->put->digest, nonce);
	/* Its name needs no sync: after a crash it is of no use to anyone. */
	r = store_publish(c->store, &c->staged[STAGED_LINK], c->pending,
	    STORE_NONAME);
	if (r == STORE_OK)
		r = store_stat(c->store, c->pending, &st);
	if (r == STORE_OK)
		c->ino = st.ino;
	return r;
}

static enum store_result
step_bytes(struct manifest_commit *c)
{
	enum store_result r;

	r = publish_bytes(c);
	if (r == STORE_OK)
		r = publish_pending(c);
	if (r == STORE_OK)
		/* Now, when the pending link keeps them. */
		r = note_publish(c->store, c->put, &c->notes);
	return r == STORE_NOTFOUND ? commit_again(c) : r;
}

/* ---- 4 and 5 ---- */

static enum store_result
lock_own(struct manifest_commit *c, struct store_lock *lock)
{
	return repo_lock_manifest(c->store, c->put->repo, &c->put->digest,
	    lock);
}

static enum store_result
publish_link(struct manifest_commit *c)
{
	char path[LAYOUT_PATH_SIZE];
	enum store_result r;

	layout_revision(path, c->put->repo, &c->put->digest);
	r = store_move(c->store, c->pending, path, STORE_TELL);
	if (r != STORE_EXISTS)
		return r;
	c->replaced = true;
	return store_move(c->store, c->pending, path,
	    STORE_REPLACE | STORE_TELL);
}

static enum store_result
step_link(struct manifest_commit *c)
{
	struct store_lock lock;
	enum store_result r;

	if ((r = recheck_all(c)) == STORE_AGAIN)
		return commit_again(c);
	if (r != STORE_OK || (r = lock_own(c, &lock)) != STORE_OK)
		return r;
	r = publish_link(c);
	store_unlock(c->store, &lock);
	if (r == STORE_NOTFOUND)
		return commit_again(c);
	if (r == STORE_OK)
		c->pending[0] = '\0';
	return r;
}

/* ---- 6 and 7 ---- */

/*
 * The link goes again, unless there was one before or another request has
 * put its own there meanwhile: those were acknowledged, and may have tags.
 * It is durable before this one is refused.
 */
static enum store_result
take_back(struct manifest_commit *c, enum store_result why)
{
	char path[LAYOUT_PATH_SIZE];
	struct store_lock lock;
	struct store_stat st;
	enum store_result r;

	if (c->replaced || why != STORE_MISSING)
		return why;
	if ((r = lock_own(c, &lock)) != STORE_OK)
		return r == STORE_LOCKED ? r : why;
	layout_revision(path, c->put->repo, &c->put->digest);
	if (store_stat(c->store, path, &st) == STORE_OK && st.ino == c->ino)
		(void)store_unlink(c->store, path);
	store_unlock(c->store, &lock);
	c->refused = why;
	c->step = NSTEPS;
	return store_batched(c->store) ? STORE_AGAIN : STORE_OK;
}

static enum store_result
step_show(struct manifest_commit *c)
{
	const struct manifest_put *put = c->put;
	enum store_result r;
	size_t i;

	if ((r = recheck_all(c)) == STORE_AGAIN)
		return commit_again(c);
	if (r != STORE_OK)
		return take_back(c, r);
	if (put->has_subject)
		r = referrer_put(c->store, put->repo, &put->subject,
		    &put->digest, put->artifact_type);
	for (i = 0; i < put->ntags && r == STORE_OK; i++)
		r = tag_publish_index(c->store, put->repo, put->tags[i],
		    &put->digest, &c->tags[i]);
	return r;
}

/* Tags that were set before a lock was met: a DELETE may have come since. */
static enum store_result
check_tagged(struct manifest_commit *c)
{
	const struct manifest_put *put = c->put;
	enum store_result r = STORE_OK;
	struct digest d;
	size_t i;

	for (i = 0; i < c->tagged && r == STORE_OK; i++) {
		r = tag_get(c->store, put->repo, put->tags[i], &d);
		if (r == STORE_OK && !digest_equal(&d, &put->digest))
			r = STORE_NOTFOUND;
	}
	return r;
}

/* With the lock: no DELETE of it from the look at the link to the tags. */
static enum store_result
tag_locked(struct manifest_commit *c)
{
	const struct manifest_put *put = c->put;
	enum store_result r;
	const char *tag;

	r = repo_recheck_manifest(c->store, put->repo, &put->digest);
	if (r == STORE_OK)
		r = check_tagged(c);
	if (r == STORE_OK)
		r = note_check(c->store, put);
	if (r == STORE_OK && put->ntags > 0)
		r = repo_touch_manifest(c->store, put->repo, &put->digest);
	while (c->tagged < put->ntags && r == STORE_OK) {
		tag = put->tags[c->tagged];
		r = repo_touch_tagged(c->store, put->repo, tag);
		if (r == STORE_OK)
			r = tag_publish(c->store, put->repo, tag,
			    &put->digest, &c->tags[c->tagged]);
		if (r == STORE_OK)
			c->tagged++;
	}
	if (c->tagged > c->tagged_ever)
		c->tagged_ever = c->tagged;
	return r;
}

static enum store_result
step_tag(struct manifest_commit *c)
{
	struct store_lock lock;
	enum store_result r;

	if ((r = lock_own(c, &lock)) != STORE_OK)
		return r;
	r = tag_locked(c);
	store_unlock(c->store, &lock);
	return r == STORE_NOTFOUND ? commit_again(c) : r;
}

/* ---- 8 ---- */

static enum store_result
step_end(struct manifest_commit *c)
{
	enum store_result r;

	r = repo_recheck_manifest(c->store, c->put->repo, &c->put->digest);
	return r == STORE_NOTFOUND ? commit_again(c) : r;
}
