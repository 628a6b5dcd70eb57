/* SPDX-License-Identifier: ISC */
/*
 * Clients of gcstress, the half that changes things: uploads, mounts, puts
 * and deletes.
 */
#include "client.h"

#include <err.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "oracle.h"
#include "random.h"
#include "repo.h"
#include "repo_put.h"
#include "sysfs.h"
#include "tag.h"
#include "upload.h"

#define CALLS_MIN	20	/* between disturbances */
#define CALLS_MAX	4000
#define DELAY_MAX_US	3000

/* When a positive answer was given, and what had happened by then. */
struct answer {
	bool		 given;
	uint64_t	 ms;
	uint64_t	 tick;
};

uint64_t
client_random(struct client *c, uint64_t below)
{
	c->random ^= c->random << 13;
	c->random ^= c->random >> 7;
	c->random ^= c->random << 17;
	return (c->random >> 11) % below;
}

uint64_t
client_now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000 + (uint64_t)ts.tv_nsec / 1000000;
}

/* ---- disturbances ---- */

static uint64_t countdown;

static int
on_call(const struct sysfs_call *call, void *arg)
{
	struct client *c = arg;
	uint64_t dice;

	(void)call;
	if (--countdown > 0)
		return 0;
	countdown = CALLS_MIN + client_random(c, CALLS_MAX);
	dice = client_random(c, 100);
	if (dice < 60)
		usleep((useconds_t)client_random(c, DELAY_MAX_US));
	else if (oracle->calm)
		sched_yield();
	else if (dice < 90)
		raise(SIGSTOP);
	else
		raise(SIGKILL);
	return 0;
}

void
client_disturb(struct client *c)
{
	countdown = CALLS_MIN + client_random(c, CALLS_MAX);
	sysfs_set_hook(on_call, c);
}

/* ---- blobs ---- */

static enum store_result
barriers(struct client *c, enum store_result r)
{
	if (r != STORE_AGAIN)
		return r;
	r = store_barrier(c->store);
	return r == STORE_OK ? STORE_AGAIN : r;
}

static bool
upload_blob(struct client *c, unsigned repo, unsigned blob)
{
	const struct blob *b = &world_blobs[blob];
	struct upload *u;
	enum store_result r;
	char id[UUID_SIZE];

	read_begin(c->slot, OP_UPLOAD);
	random_uuid(id);
	r = upload_start(c->store, world_repo(repo), id, DIGEST_SHA256, &u);
	if (r == STORE_OK) {
		r = upload_append(u, b->data, b->len);
		if (r == STORE_OK && client_random(c, 4) == 0)
			r = upload_save(u);
		if (r == STORE_OK)
			do
				r = barriers(c, upload_finish_step(u,
				    &b->digest));
			while (r == STORE_AGAIN);
		upload_close(u);
	}
	read_end(c->slot, OP_UPLOAD);
	return r == STORE_OK;
}

static bool
mount_blob(struct client *c, unsigned repo, unsigned blob)
{
	unsigned from = (unsigned)client_random(c, NREPOS);
	enum store_result r;

	if (from == repo)
		return false;
	read_begin(c->slot, OP_MOUNT);
	r = repo_mount_blob(c->store, world_repo(repo), world_repo(from),
	    &world_blobs[blob].digest);
	read_end(c->slot, OP_MOUNT);
	return r == STORE_OK;
}

static bool
head_blob(struct client *c, unsigned repo, unsigned blob)
{
	enum store_result r;
	int fd;

	read_begin(c->slot, OP_HEAD);
	r = client_see_blob(c, repo, blob,
	    oracle->grace_ms / REPO_RENEW_PART, &fd);
	if (r == STORE_OK)
		store_close(c->store, fd);
	read_end(c->slot, OP_HEAD);
	return r == STORE_OK;
}

/* As a pushing client does; what is answered is noted before it is asked. */
static void
bring_blob(struct client *c, unsigned repo, unsigned blob, struct answer *a)
{
	a->ms = client_now_ms();
	a->tick = atomic_load(&oracle->tick);
	a->given = head_blob(c, repo, blob);
	if (!a->given && client_random(c, 3) == 0) {
		a->ms = client_now_ms();
		a->tick = atomic_load(&oracle->tick);
		a->given = mount_blob(c, repo, blob);
	}
	if (!a->given) {
		a->ms = client_now_ms();
		a->tick = atomic_load(&oracle->tick);
		a->given = upload_blob(c, repo, blob);
	}
}

/* ---- manifests ---- */

static bool
blob_delete_open(unsigned repo, unsigned blob)
{
	uint64_t want = (uint64_t)OP_BLOB_DELETE << 24 | repo << 16 |
	    blob << 8 | NO_TAG;
	unsigned i;

	for (i = 0; i < NSLOTS; i++)
		if (atomic_load(&oracle->slots[i]) == want)
			return true;
	return false;
}

/* I2: whoever got an answer and comes in time is not refused. */
static void
check_refusal(const struct manifest *m, unsigned repo, unsigned blob,
    const struct answer *a)
{
	uint64_t now = client_now_ms();

	if (oracle->wild || !a->given ||
	    (now - a->ms) * 4 >= oracle->grace_ms * 3 ||
	    blob_delete_open(repo, blob) ||
	    atomic_load(&oracle->links[repo][blob].delete_end) >= a->tick)
		return;
	oracle_violation("I2: %s: put of manifest %d refused for blob %u, "
	    "%llu ms after a positive answer", world_repo(repo),
	    world_find_manifest(&m->digest), blob,
	    (unsigned long long)(now - a->ms));
}

static void
check_missing(const struct manifest *m, unsigned repo,
    const struct answer *answers, const struct digest *missing, size_t n)
{
	size_t i, j;

	atomic_fetch_add(&oracle->refused, 1);
	for (i = 0; i < n; i++)
		for (j = 0; j < m->nblobs; j++)
			if (digest_equal(&missing[i],
			    &world_blobs[m->blobs[j]].digest))
				check_refusal(m, repo, m->blobs[j],
				    &answers[j]);
}

static enum store_result
put_manifest(struct client *c, const struct manifest *m, unsigned repo,
    unsigned tag, const struct answer *answers)
{
	struct digest refs[REFS_MAX], children[REFS_MAX];
	const char *tagname = tag != NO_TAG ? world_tag(tag) : NULL;
	struct manifest_put put = { .repo = world_repo(repo),
	    .digest = m->digest, .data = m->data, .len = m->len,
	    .refs = refs, .nrefs = m->nblobs, .children = children,
	    .nchildren = m->nchildren, .has_subject = m->subject != -1,
	    .artifact_type = "application/x-test", .tags = &tagname,
	    .ntags = tag != NO_TAG };
	const struct digest *missing;
	struct manifest_commit *commit;
	enum store_result r;
	size_t i, n;

	for (i = 0; i < m->nblobs; i++)
		refs[i] = world_blobs[m->blobs[i]].digest;
	for (i = 0; i < m->nchildren; i++)
		children[i] = world_manifests[m->children[i]].digest;
	if (m->subject != -1)
		put.subject = world_manifests[m->subject].digest;
	commit = manifest_commit_new(c->store, &put,
	    oracle->grace_ms / REPO_RENEW_PART);
	if (commit == NULL)
		err(1, NULL);
	do
		r = barriers(c, manifest_commit_step(commit));
	while (r == STORE_AGAIN);
	if (r == STORE_MISSING) {
		missing = manifest_commit_missing(commit, &n);
		check_missing(m, repo, answers, missing, n);
	} else if (r == STORE_BUSY)
		atomic_fetch_add(&oracle->busy, 1);
	manifest_commit_free(commit);
	return r;
}

static void
push(struct client *c)
{
	struct answer answers[REFS_MAX] = { { .given = false } };
	unsigned repo = (unsigned)client_random(c, NREPOS);
	unsigned number = (unsigned)client_random(c, NMANIFESTS);
	unsigned tag = client_random(c, 2) == 0 ? NO_TAG :
	    (unsigned)client_random(c, NTAGS);
	const struct manifest *m = &world_manifests[number];
	struct change change;
	enum store_result r;
	unsigned i;

	for (i = 0; i < m->nblobs; i++)
		if (client_random(c, 10) != 0)
			bring_blob(c, repo, m->blobs[i], &answers[i]);
	/* A slow client, in time or too late. */
	if (client_random(c, 20) == 0)
		usleep((useconds_t)(client_random(c, oracle->grace_ms + 10) *
		    1000));
	change_begin(&change, c->slot, OP_PUT, repo, number, tag);
	r = put_manifest(c, m, repo, tag, answers);
	change_end(&change, r == STORE_OK);
}

/* ---- deleting ---- */

static void
delete_manifest(struct client *c)
{
	unsigned repo = (unsigned)client_random(c, NREPOS);
	unsigned number = (unsigned)client_random(c, NMANIFESTS);
	struct change change;
	enum store_result r;

	change_begin(&change, c->slot, OP_DELETE, repo, number, NO_TAG);
	r = repo_delete_manifest(c->store, world_repo(repo),
	    &world_manifests[number].digest);
	if (r == STORE_BUSY)
		atomic_fetch_add(&oracle->busy, 1);
	change_end(&change, r == STORE_OK);
}

static void
delete_tag(struct client *c)
{
	unsigned repo = (unsigned)client_random(c, NREPOS);
	unsigned tag = (unsigned)client_random(c, NTAGS);
	struct change change;
	enum store_result r;

	change_begin(&change, c->slot, OP_TAG_DELETE, repo, 0xff, tag);
	r = repo_delete_tag(c->store, world_repo(repo), world_tag(tag));
	change_end(&change, r == STORE_OK);
}

static void
delete_blob(struct client *c)
{
	unsigned repo = (unsigned)client_random(c, NREPOS);
	unsigned blob = (unsigned)client_random(c, NBLOBS);
	struct change change;

	change_begin(&change, c->slot, OP_BLOB_DELETE, repo, blob, NO_TAG);
	change_end(&change, repo_delete_blob(c->store, world_repo(repo),
	    &world_blobs[blob].digest) == STORE_OK);
}

void
client_main(struct client *c)
{
	uint64_t dice;

	client_disturb(c);
	while (!atomic_load(&oracle->stop)) {
		dice = client_random(c, 100);
		if (dice < 28)
			push(c);
		else if (dice < 43)
			client_pull(c);
		else if (dice < 58)
			client_pull_tag(c);
		else if (dice < 90)
			delete_manifest(c);
		else if (dice < 95)
			delete_tag(c);
		else
			delete_blob(c);
	}
	_exit(0);
}
