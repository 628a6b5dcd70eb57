/* SPDX-License-Identifier: ISC */
/*
 * Expiry, collection, scrubbing, imports, and what registryctl changes.
 */
#include "op_admin.h"

#include <sys/mman.h>

#include <err.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "admin.h"
#include "export.h"
#include "gc.h"
#include "import.h"
#include "scrub.h"
#include "upload.h"

#define PAGE		32
#define SLICE_US	1000000
#define DISTANT		1000	/* seconds: everything is older than then */

/* An image with its first tag; see op_admin_prepare(). */
static int archive = -1;

bool
op_is_admin(enum op_kind kind)
{
	return kind == OP_REPO_REMOVE || kind == OP_TAG_REMOVE ||
	    kind == OP_UPLOAD_REMOVE || kind == OP_READONLY ||
	    kind == OP_IMPORT || kind == OP_EXPIRE || kind == OP_SWEEP ||
	    kind == OP_COLLECT || kind == OP_COLLECT_UNTAGGED;
}

/* ---- the collector ---- */

static enum store_result
expire(struct world *w, const struct op *op)
{
	const char *repo = world_repo(op->repo);
	enum store_result r;
	char **ids;
	size_t i, n;
	bool more;

	r = upload_list(w->store, repo, NULL, PAGE, &ids, &n, &more);
	if (r != STORE_OK)
		return r == STORE_NOTFOUND ? STORE_OK : r;
	for (i = 0; i < n && r == STORE_OK; i++)
		r = upload_expire(w->store, repo, ids[i],
		    time(NULL) + DISTANT, false);
	store_names_free(ids, n);
	return r;
}

static enum store_result
collect(struct world *w, const struct op *op)
{
	struct gc_options o = { .grace_ms = op->end * 1000,
	    .untagged_ms = op->kind == OP_COLLECT ? GC_UNTAGGED_KEEP : 0 };
	enum store_result r;
	bool done = false;
	struct gc *gc;

	if ((gc = gc_new(w->store, &o)) == NULL)
		return STORE_NOMEM;
	do
		r = gc_step(gc, SLICE_US, &done);
	while (r == STORE_OK && !done);
	gc_free(gc);
	return r;
}

/* ---- scrubbing: one directory of blobs is enough ---- */

static unsigned
shard_of(const struct op *op)
{
	return content_get(op->what)->digest.bytes[0];
}

enum store_result
op_scrub_begin(struct world *w, const struct op *op, struct scrub **scrub)
{
	static const struct scrub_options options = { .rate = 0 };
	struct scrub_cursor cursor = { .shard = shard_of(op) };
	enum store_result r = STORE_AGAIN;
	size_t i;

	if ((*scrub = scrub_new(w->store, &options)) == NULL)
		return STORE_NOMEM;
	scrub_resume(*scrub, &cursor);
	for (i = 0; i < op->end && r == STORE_AGAIN; i++)
		r = op_scrub_step(w, op, scrub);
	return r == STORE_AGAIN ? STORE_OK : r;
}

enum store_result
op_scrub_step(struct world *w, const struct op *op, struct scrub **scrub)
{
	enum store_result r;
	bool done;

	(void)w;
	if (*scrub == NULL)
		return STORE_OK;
	r = scrub_step(*scrub, 0, &done);
	if (r == STORE_OK && !done &&
	    scrub_report(*scrub)->shard == shard_of(op))
		return STORE_AGAIN;
	/* It goes past what it cannot read or list, and counts that. */
	if (r == STORE_OK && scrub_report(*scrub)->unreadable +
	    scrub_report(*scrub)->strange > 0)
		r = STORE_IO;
	scrub_free(*scrub);
	*scrub = NULL;
	return r;
}

/* ---- an administrator's wishes ---- */

/* It is told in words. */
static enum store_result
admin(struct world *w, const struct op *op)
{
	char error[ADMIN_ERROR_SIZE], tag[16], id[SESSION_ID_SIZE];
	const char *repo = world_repo(op->repo), *command;
	json_t *request, *result;

	if (op->kind == OP_REPO_REMOVE) {
		command = "repository-remove";
		request = json_pack("{ss}", "repository", repo);
	} else if (op->kind == OP_TAG_REMOVE) {
		command = "tag-remove";
		request = json_pack("{ss ss}", "repository", repo, "tag",
		    world_tag(tag, 0));
	} else if (op->kind == OP_UPLOAD_REMOVE) {
		command = "upload-cancel";
		request = json_pack("{ss ss}", "repository", repo, "upload",
		    world_session(id, w, op->repo, op->session));
	} else {
		command = "readonly";
		request = json_pack("{sb}", "on", op->end != 0);
	}
	if (request == NULL)
		return STORE_NOMEM;
	result = admin_run(w->store, command, request, error, sizeof(error));
	json_decref(request);
	if (result == NULL)
		return strstr(error, "there is no such") != NULL ?
		    STORE_NOTFOUND : STORE_IO;
	json_decref(result);
	return STORE_OK;
}

/* ---- imports ---- */

static void
push_image(struct world *w)
{
	const struct op ops[] = {
		{ OP_PUSH, REPO_A, .what = C_CONFIG },
		{ OP_PUSH, REPO_A, .what = C_LAYER },
		{ OP_PUT, REPO_A, .what = C_ONE, .tags = 1 },
	};
	enum store_result r;
	struct running *run;
	size_t i;

	for (i = 0; i < sizeof(ops) / sizeof(ops[0]); i++) {
		run = op_start(w, &ops[i], false);
		while ((r = op_step(run)) == STORE_AGAIN)
			(void)store_barrier(w->store);
		if (op_end(run, r) != STORE_OK)
			errx(2, "no image to import");
	}
}

/* The archive that imports read: made by an export of another store. */
void
op_admin_prepare(const struct op *op)
{
	struct export_options o = { .repo = world_repo(REPO_A), .dirfd = -1 };
	struct export_report report;
	char error[EXPORT_ERROR_SIZE];
	struct world *w;

	if (op->kind != OP_IMPORT || archive != -1)
		return;
	w = world_new();
	world_begin(w, STORE_NONE);
	world_open(w, true);
	push_image(w);
	if ((archive = memfd_create("archive", MFD_CLOEXEC)) == -1)
		err(2, "memfd");
	o.tarfd = archive;
	if (export_run(w->store, &o, &report, error) == -1)
		errx(2, "export: %s", error);
	world_close(w);
	world_end(w);
	munmap(w, sizeof(*w));
}

static enum store_result
import(struct world *w, const struct op *op)
{
	struct import_options o = { .repo = world_repo(op->repo),
	    .dirfd = -1 };
	struct import_report report;
	char error[IMPORT_ERROR_SIZE];

	op_admin_prepare(op);
	o.tarfd = archive;
	if (lseek(archive, 0, SEEK_SET) == -1)
		err(2, "lseek");
	return import_run(w->store, &o, &report, error) == 0 ? STORE_OK :
	    STORE_IO;
}

enum store_result
op_admin_do(struct world *w, const struct op *op)
{
	switch (op->kind) {
	case OP_EXPIRE:
		return expire(w, op);
	case OP_SWEEP:
		return store_sweep(w->store, time(NULL) + DISTANT);
	case OP_COLLECT:
	case OP_COLLECT_UNTAGGED:
		return collect(w, op);
	case OP_IMPORT:
		return import(w, op);
	default:
		return admin(w, op);
	}
}
