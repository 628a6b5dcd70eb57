/* SPDX-License-Identifier: ISC */
/*
 * Collectors of gcstress: what registryd's collector does, scrubs as well,
 * without its pauses, and fsck for the times when nobody is at work.
 */
#include "collect.h"

#include <err.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "fsck.h"
#include "oracle.h"
#include "reference.h"
#include "repo.h"
#include "scrub.h"
#include "upload.h"

#define SLICE_US	20000
#define SCRUBBED	4	/* of so many collections one scrubs, too */
#define PAGE		64
#define SESSION_AGE_S	2
#define STRAY_AGE_S	5

static enum store_result
collect(struct store *s, const struct gc_options *options, uint64_t *changes)
{
	const struct gc_report *report;
	enum store_result r;
	struct gc *gc;
	bool done = false;
	int i;

	if ((gc = gc_new(s, options)) == NULL)
		return STORE_NOMEM;
	do
		r = gc_step(gc, SLICE_US, &done);
	while (r == STORE_OK && !done);
	report = gc_report(gc);
	for (i = 0; i < GC_NCLASSES; i++) {
		atomic_fetch_add(&oracle->condemned,
		    report->counts[i].condemned);
		atomic_fetch_add(&oracle->restored,
		    report->counts[i].restored);
		atomic_fetch_add(&oracle->deleted,
		    report->counts[i].deleted);
		*changes += report->counts[i].condemned +
		    report->counts[i].deleted;
	}
	if (r == STORE_OK)
		atomic_fetch_add(&oracle->runs, 1);
	else if (r != STORE_BUSY) {
		atomic_fetch_add(&oracle->errors, 1);
		oracle_violation("collection: %s: %s (%s)", report->path,
		    store_result_text(r), report->phase);
	}
	gc_free(gc);
	return r;
}

enum store_result
collect_once(struct store *s, const struct gc_options *options)
{
	uint64_t changes = 0;

	return collect(s, options, &changes);
}

static void
expire_repo(struct store *s, const char *repo)
{
	enum store_result r;
	char **ids;
	size_t i, n;
	bool more;

	r = upload_list(s, repo, NULL, PAGE, &ids, &n, &more);
	if (r != STORE_OK)
		return;
	for (i = 0; i < n; i++)
		if (upload_id_ok(ids[i]))
			(void)upload_expire(s, repo, ids[i],
			    time(NULL) - SESSION_AGE_S, false);
	store_names_free(ids, n);
}

/* Nobody damages anything here, so that whatever it finds is not so. */
static void
scrub(struct store *s)
{
	struct scrub_options options = { .rate = 0 };
	const struct scrub_report *report;
	enum store_result r;
	struct scrub *scrub;
	bool done = false;

	if ((scrub = scrub_new(s, &options)) == NULL)
		return;
	do
		r = scrub_step(scrub, SLICE_US, &done);
	while (r == STORE_OK && !done);
	report = scrub_report(scrub);
	if (r != STORE_OK)
		oracle_violation("scrub: %s", store_result_text(r));
	if (report->bad + report->unsteady + report->unreadable +
	    report->mended + report->returned + report->strange > 0)
		oracle_violation("scrub: %llu bad, %llu unsteady, %llu "
		    "unreadable, %llu mended, %llu back, %llu strange: %s",
		    (unsigned long long)report->bad,
		    (unsigned long long)report->unsteady,
		    (unsigned long long)report->unreadable,
		    (unsigned long long)report->mended,
		    (unsigned long long)report->returned,
		    (unsigned long long)report->strange,
		    report->strange_last);
	atomic_fetch_add(&oracle->scrubs, 1);
	scrub_free(scrub);
}

void
collector_loop(struct client *c)
{
	struct gc_options options = { .grace_ms = oracle->grace_ms,
	    .delay_ms = oracle->delay_ms,
	    .untagged_ms = oracle->policy ? oracle->untagged_ms :
	    GC_UNTAGGED_KEEP };
	unsigned i;

	client_disturb(c);
	while (!atomic_load(&oracle->stop)) {
		/* The lock of collection: wait for it as a schedule does. */
		if (collect_once(c->store, &options) != STORE_OK)
			usleep(1000);
		for (i = 0; i < NREPOS; i++)
			expire_repo(c->store, world_repo(i));
		(void)store_sweep(c->store, time(NULL) - STRAY_AGE_S);
		if (client_random(c, SCRUBBED) == 0)
			scrub(c->store);
	}
	_exit(0);
}

/* ---- what is left ---- */

/*
 * A client may delete what an index names.  A link may outlive its bytes when
 * somebody brought it back at the moment when they went: it is answered with
 * 404, and where a manifest names it that is another kind.  Without grace the
 * history of a tag may go while the tag is set.
 */
static bool
is_allowed(enum fsck_kind kind)
{
	return kind == FSCK_CHILD_MISSING || kind == FSCK_LAYER_BLOB_MISSING ||
	    (kind == FSCK_TAG_INDEX_MISSING && oracle->wild);
}

/* Is it a manifest that another one names, and so kept? */
static bool
is_named(struct store *s, const char *path)
{
	const struct manifest *m;
	unsigned i, r, c;
	char hex[DIGEST_HEX_SIZE];
	bool names;

	for (i = 0; i < NMANIFESTS; i++) {
		m = &world_manifests[i];
		names = m->subject != -1 && strstr(path, digest_hex(hex,
		    &world_manifests[m->subject].digest)) != NULL;
		for (c = 0; c < m->nchildren; c++)
			names = names || strstr(path, digest_hex(hex,
			    &world_manifests[m->children[c]].digest)) != NULL;
		for (r = 0; r < NREPOS && names; r++)
			if (repo_stat_manifest(s, world_repo(r), &m->digest,
			    NULL) == STORE_OK)
				return true;
	}
	return false;
}

/* Nothing of this may outlive two collections. */
static bool
is_garbage(enum fsck_kind kind)
{
	switch (kind) {
	case FSCK_BLOB_UNREFERENCED:
	case FSCK_BLOB_CONDEMNED:
	case FSCK_BLOB_CONDEMNED_LIVE:
	case FSCK_LINK_PENDING:
	case FSCK_LINK_CONDEMNED:
	case FSCK_LINK_CONDEMNED_LIVE:
	case FSCK_SUBJECT_ORPHAN:
	case FSCK_REFERRER_ORPHAN:
	case FSCK_MEDIATYPE_ORPHAN:
		return true;
	default:
		return false;
	}
}

struct check {
	struct store	*store;
	bool		 clean;
};

static void
on_found(const struct fsck_problem *p, void *arg)
{
	const struct check *check = arg;

	if (is_allowed(p->kind))
		return;
	if (fsck_kind_severity(p->kind) != FSCK_NOTE)
		oracle_violation("fsck: %s: %s %s", fsck_kind_name(p->kind),
		    p->path, p->detail);
	else if (check->clean && is_garbage(p->kind) &&
	    !(p->kind == FSCK_BLOB_UNREFERENCED &&
	    is_named(check->store, p->path)))
		oracle_violation("left over: %s: %s %s",
		    fsck_kind_name(p->kind), p->path, p->detail);
}

void
store_check(struct store *s, bool clean)
{
	struct fsck_options options = { .strict = true };
	struct check check = { s, clean };
	struct fsck_report report;
	enum store_result r;

	r = fsck_run(s, &options, on_found, &check, &report);
	if (r != STORE_OK)
		oracle_violation("fsck: %s", store_result_text(r));
}
