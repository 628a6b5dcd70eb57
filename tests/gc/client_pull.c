/* SPDX-License-Identifier: ISC */
/*
 * Clients of gcstress, the half that reads: as a worker looks, with a keeper
 * at hand, and with every byte compared.
 */
#include "client.h"

#include <stdlib.h>
#include <string.h>

#include "oracle.h"
#include "repo.h"
#include "tag.h"

#define AGAIN_MAX	4	/* keepers asked for one answer */

/*
 * A keeper is asked where the look says so.  When it finds what a second look
 * does not, collection was faster: no answer.
 */
enum store_result
client_see_blob(struct client *c, unsigned repo, unsigned blob,
    uint64_t renew_ms, int *fd)
{
	const struct digest *d = &world_blobs[blob].digest;
	struct store_stat st;
	enum store_result r;
	bool lease;

	r = repo_see_blob(c->store, world_repo(repo), d, renew_ms, fd, &st,
	    &lease);
	if (!lease)
		return r;
	if (r == STORE_OK)
		store_close(c->store, *fd);
	r = repo_acquire_blob(c->store, world_repo(repo), d, renew_ms ==
	    REPO_NO_LEASE ? oracle->grace_ms / REPO_RENEW_PART : renew_ms);
	if (r != STORE_OK)
		return r;
	r = repo_see_blob(c->store, world_repo(repo), d, REPO_NO_LEASE, fd,
	    &st, &lease);
	return r == STORE_NOTFOUND ? STORE_BUSY : r;
}

static enum store_result
see_manifest(struct client *c, unsigned repo, unsigned manifest, int *fd)
{
	const struct digest *d = &world_manifests[manifest].digest;
	uint64_t renew_ms = oracle->grace_ms / REPO_RENEW_PART;
	struct store_stat st;
	enum store_result r;
	bool lease;

	r = repo_see_manifest(c->store, world_repo(repo), d, oracle->policy ?
	    renew_ms : REPO_NO_LEASE, fd, &st, &lease);
	if (!lease)
		return r;
	if (r == STORE_OK)
		store_close(c->store, *fd);
	r = repo_acquire_manifest(c->store, world_repo(repo), d, renew_ms);
	if (r != STORE_OK)
		return r;
	r = repo_see_manifest(c->store, world_repo(repo), d, REPO_NO_LEASE,
	    fd, &st, &lease);
	return r == STORE_NOTFOUND ? STORE_BUSY : r;
}

/* Takes fd. */
static bool
has_bytes(struct client *c, int fd, const char *data, size_t len)
{
	static char buffer[256 * 1024];
	size_t n = 0;
	enum store_result r;

	r = store_pread(c->store, fd, buffer, sizeof(buffer), 0, &n);
	store_close(c->store, fd);
	return r == STORE_OK && n == len && memcmp(buffer, data, len) == 0;
}

static enum store_result
pull_bytes(struct client *c, unsigned repo, unsigned manifest)
{
	const struct manifest *m = &world_manifests[manifest];
	enum store_result r;
	int fd;

	r = see_manifest(c, repo, manifest, &fd);
	if (r == STORE_OK && !has_bytes(c, fd, m->data, m->len))
		oracle_violation("%s: manifest %u has wrong bytes",
		    world_repo(repo), manifest);
	return r;
}

/* *gone: what is not there. */
static enum store_result
pull_blobs(struct client *c, unsigned repo, const struct manifest *m,
    unsigned *gone)
{
	enum store_result r = STORE_OK;
	const struct blob *b;
	unsigned i;
	int fd;

	for (i = 0; i < m->nblobs && r == STORE_OK; i++) {
		b = &world_blobs[m->blobs[i]];
		r = client_see_blob(c, repo, m->blobs[i],
		    oracle->grace_ms / REPO_RENEW_PART, &fd);
		if (r == STORE_OK && !has_bytes(c, fd, b->data, b->len))
			oracle_violation("%s: blob %u has wrong bytes",
			    world_repo(repo), m->blobs[i]);
		*gone = m->blobs[i];
	}
	return r;
}

/*
 * A visible manifest is whole.  Something absent is its end only when the
 * manifest itself is still visible after that, and nobody has put it anew.
 */
static void
check_whole(struct client *c, unsigned repo, unsigned manifest)
{
	struct watch watch;
	unsigned gone = 0;

	watch_begin(&watch, repo, manifest);
	if (pull_bytes(c, repo, manifest) != STORE_OK ||
	    pull_blobs(c, repo, &world_manifests[manifest], &gone) !=
	    STORE_NOTFOUND)
		return;
	if (pull_bytes(c, repo, manifest) == STORE_OK && watch_quiet(&watch))
		oracle_violation("C3: %s: manifest %u is visible, its blob %u "
		    "is not", world_repo(repo), manifest, gone);
}

/* Nobody has deleted the children since the index was acknowledged. */
static void
check_children(struct client *c, unsigned repo, unsigned number)
{
	const struct manifest *m = &world_manifests[number];
	struct watch watch, child;
	unsigned i;

	for (i = 0; i < m->nchildren; i++) {
		watch_begin(&watch, repo, number);
		if (watch.expect != EXPECT_PRESENT)
			return;
		watch_begin(&child, repo, m->children[i]);
		if (pull_bytes(c, repo, m->children[i]) == STORE_NOTFOUND &&
		    watch_end(&watch) == EXPECT_PRESENT &&
		    watch_undeleted(&child, watch.acked))
			oracle_violation("%s: index %u has lost manifest %u",
			    world_repo(repo), number, m->children[i]);
	}
}

static void
pull(struct client *c, unsigned repo, unsigned manifest)
{
	struct watch watch;
	enum store_result r;
	enum expect expect;

	watch_begin(&watch, repo, manifest);
	r = pull_bytes(c, repo, manifest);
	expect = watch_end(&watch);
	if (r == STORE_NOTFOUND) {
		atomic_fetch_add(&oracle->absent, 1);
		if (expect == EXPECT_PRESENT)
			oracle_violation("I1: %s: manifest %u was put and is "
			    "absent", world_repo(repo), manifest);
	} else if (r == STORE_OK) {
		if (expect == EXPECT_ABSENT)
			oracle_violation("D1: %s: manifest %u was deleted "
			    "and is back", world_repo(repo), manifest);
		check_whole(c, repo, manifest);
		check_children(c, repo, manifest);
	} else if (r != STORE_BUSY)
		oracle_violation("%s: manifest %u: %s", world_repo(repo),
		    manifest, store_result_text(r));
}

void
client_pull(struct client *c)
{
	read_begin(c->slot, OP_PULL);
	pull(c, (unsigned)client_random(c, NREPOS),
	    (unsigned)client_random(c, NMANIFESTS));
	read_end(c->slot, OP_PULL);
}

/* ---- by tag ---- */

/* A tag that leads to nothing, and still does after a second look. */
static void
check_target(struct client *c, unsigned repo, unsigned tag, int number)
{
	struct watch watch;
	struct digest d;

	watch_begin(&watch, repo, (unsigned)number);
	if (pull_bytes(c, repo, (unsigned)number) != STORE_NOTFOUND)
		return;
	if (tag_get(c->store, world_repo(repo), world_tag(tag), &d) ==
	    STORE_OK && world_find_manifest(&d) == number &&
	    watch_quiet(&watch))
		oracle_violation("C3: %s:%s leads to manifest %d, which is "
		    "absent", world_repo(repo), world_tag(tag), number);
}

static void
check_tag(const struct tag_watch *w, enum store_result r, int number)
{
	bool none = w->manifest == 255;

	if (r == STORE_NOTFOUND && !none)
		oracle_violation("I1: %s:%s was set to manifest %u and is "
		    "absent", world_repo(w->repo), world_tag(w->tag),
		    w->manifest);
	if (r == STORE_OK && none)
		oracle_violation("D1: %s:%s was deleted and leads to %d",
		    world_repo(w->repo), world_tag(w->tag), number);
	if (r == STORE_OK && !none && number != (int)w->manifest)
		oracle_violation("%s:%s was set to manifest %u and leads to "
		    "%d", world_repo(w->repo), world_tag(w->tag),
		    w->manifest, number);
}

void
client_pull_tag(struct client *c)
{
	unsigned repo = (unsigned)client_random(c, NREPOS);
	unsigned tag = (unsigned)client_random(c, NTAGS);
	struct tag_watch watch;
	enum store_result r;
	struct digest d;
	int number = -1;
	bool known;

	read_begin(c->slot, OP_PULL_TAG);
	known = tag_watch_begin(&watch, repo, tag);
	r = tag_get(c->store, world_repo(repo), world_tag(tag), &d);
	if (r == STORE_OK && (number = world_find_manifest(&d)) == -1)
		oracle_violation("%s:%s leads to an unknown digest",
		    world_repo(repo), world_tag(tag));
	if (known && tag_watch_end(&watch))
		check_tag(&watch, r, number);
	if (r == STORE_OK && number != -1) {
		check_target(c, repo, tag, number);
		pull(c, repo, (unsigned)number);
	} else if (r != STORE_NOTFOUND && r != STORE_OK)
		oracle_violation("%s:%s: %s", world_repo(repo),
		    world_tag(tag), store_result_text(r));
	read_end(c->slot, OP_PULL_TAG);
}
