/* SPDX-License-Identifier: ISC */
/*
 * The operations, by the store's interface and in the order that keepers
 * call it.
 */
#include "op.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "foreign.h"
#include "layout.h"
#include "op_admin.h"
#include "op_upload.h"
#include "repo_put.h"
#include "scrub.h"
#include "tag.h"
#include "upload.h"

static const char *const names[] = {
	[OP_END] = "end",
	[OP_PUSH] = "push",
	[OP_START] = "start upload",
	[OP_PATCH] = "patch upload",
	[OP_ABORT] = "abort patch",
	[OP_FINISH] = "finish upload",
	[OP_REFUSED] = "finish with a wrong digest",
	[OP_CANCEL] = "cancel upload",
	[OP_MOUNT] = "mount blob",
	[OP_BLOB_DELETE] = "delete blob",
	[OP_PUT] = "put manifest",
	[OP_TAG_DELETE] = "delete tag",
	[OP_TAG_DELETE_IF] = "delete tag if",
	[OP_MANIFEST_DELETE] = "delete manifest",
	[OP_EXPIRE] = "expire uploads",
	[OP_SWEEP] = "sweep",
	[OP_COLLECT] = "collect",
	[OP_COLLECT_UNTAGGED] = "collect untagged",
	[OP_REPO_REMOVE] = "remove repository",
	[OP_TAG_REMOVE] = "remove tag",
	[OP_UPLOAD_REMOVE] = "remove upload",
	[OP_READONLY] = "read-only",
	[OP_IMPORT] = "import",
	[OP_SCRUB] = "scrub",
	[OP_DAMAGE] = "damage",
	[OP_FOREIGN] = "foreign repository"
};

const char *
op_name(enum op_kind kind)
{
	return names[kind];
}

/* ---- manifests and tags ---- */

/* What manifest_put points to. */
struct put {
	struct manifest_put m;
	struct digest	 refs[CONTENT_MAX_REFS];
	struct digest	 children[CONTENT_MAX_REFS];
	char		 names[NTAGS][16];
	const char	*tags[NTAGS];
};

static void
put_fill(struct put *p, const struct op *op)
{
	const struct content *c = content_get(op->what);
	struct manifest_put *m = &p->m;
	size_t i;

	memset(p, 0, sizeof(*p));
	m->repo = world_repo(op->repo);
	m->digest = c->digest;
	m->data = c->data;
	m->len = c->len;
	m->mediatype = c->mediatype;
	m->artifact_type = c->artifact_type;
	for (i = 0; i < c->nrefs; i++)
		p->refs[i] = content_get(c->refs[i])->digest;
	m->refs = p->refs;
	m->nrefs = c->nrefs;
	for (i = 0; i < c->nchildren; i++)
		p->children[i] = content_get(c->children[i])->digest;
	m->children = p->children;
	m->nchildren = c->nchildren;
	m->has_subject = c->subject != C_NONE;
	if (m->has_subject)
		m->subject = content_get(c->subject)->digest;
	for (i = 0; i < NTAGS; i++)
		if (op->tags & (1u << i))
			p->tags[m->ntags++] = world_tag(p->names[i],
			    (unsigned)i);
	m->tags = p->tags;
}

static enum store_result
each_tag(struct world *w, const struct op *op, bool retry)
{
	const struct digest *d = &content_get(op->what)->digest;
	const char *repo = world_repo(op->repo), *tag;
	enum store_result r = STORE_OK;
	char text[16];
	unsigned i;

	for (i = 0; i < NTAGS && r == STORE_OK; i++) {
		if (!(op->tags & (1u << i)))
			continue;
		tag = world_tag(text, i);
		r = op->kind == OP_TAG_DELETE ? repo_delete_tag(w->store, repo,
		    tag) : tag_delete_if(w->store, repo, tag, d);
		if (retry && r == STORE_NOTFOUND)
			r = STORE_OK;
	}
	if (op->mismatch)
		return r == STORE_MISMATCH ? STORE_OK :
		    r == STORE_OK ? STORE_INVALID : r;
	return r;
}

/* ---- what others do ---- */

/* As a scrub that ended before it knew whose bytes they are. */
static enum store_result
mislay(struct world *w, const struct content *c)
{
	char from[LAYOUT_PATH_SIZE], to[LAYOUT_PATH_SIZE];
	char digest[DIGEST_STR_SIZE];

	snprintf(to, sizeof(to), LAYOUT_QUARANTINE "/%s.1",
	    digest_format(digest, &c->digest));
	return store_move(w->store, layout_blob(from, &c->digest), to, 0);
}

static enum store_result
damage(struct world *w, const struct op *op)
{
	const struct content *c = content_get(op->what);
	char path[LAYOUT_PATH_SIZE], *data;

	if (op->damage == DAMAGE_MISLAID)
		return mislay(w, c);
	if ((data = strdup(c->data)) == NULL)
		return STORE_NOMEM;
	if (op->damage == DAMAGE_BYTES)
		data[c->len / 2] ^= 1;
	world_write(w, layout_blob(path, &c->digest), data,
	    op->damage == DAMAGE_BYTES ? c->len :
	    op->damage == DAMAGE_CUT ? c->len / 2 : 0);
	free(data);
	return STORE_OK;
}

/* All that has no steps of its own. */
static enum store_result
do_at_once(struct world *w, const struct op *op, bool retry)
{
	const struct digest *d = &content_get(op->what)->digest;
	const char *repo = world_repo(op->repo);

	switch (op->kind) {
	case OP_MOUNT:
		return repo_mount_blob(w->store, repo, world_repo(op->from),
		    d);
	case OP_BLOB_DELETE:
		return repo_delete_blob(w->store, repo, d);
	case OP_TAG_DELETE:
	case OP_TAG_DELETE_IF:
		return each_tag(w, op, retry);
	case OP_MANIFEST_DELETE:
		return repo_delete_manifest(w->store, repo, d);
	case OP_DAMAGE:
		return damage(w, op);
	case OP_FOREIGN:
		return foreign_make(w, op->repo);
	default:
		return op_is_admin(op->kind) ? op_admin_do(w, op) :
		    STORE_INVALID;
	}
}

/* ---- from the request to the answer ---- */

struct running {
	struct world	*world;
	const struct op	*op;
	bool		 retry;
	enum store_result begun;	/* what to answer if it is not OK */
	bool		 made;		/* waits for the barrier only */
	struct op_upload upload;
	struct put	 put;
	struct manifest_commit *commit;
	struct scrub	*scrub;
};

struct running *
op_start(struct world *w, const struct op *op, bool retry)
{
	struct running *run;

	if ((run = calloc(1, sizeof(*run))) == NULL)
		abort();
	run->world = w;
	run->op = op;
	run->retry = retry;
	if (op_is_upload(op->kind))
		run->begun = op_upload_begin(w, op, retry, &run->upload);
	else if (op->kind == OP_PUT) {
		put_fill(&run->put, op);
		run->commit = manifest_commit_new(w->store, &run->put.m, 0);
		run->begun = run->commit == NULL ? STORE_NOMEM : STORE_OK;
	} else if (op->kind == OP_SCRUB)
		run->begun = op_scrub_begin(w, op, &run->scrub);
	return run;
}

enum store_result
op_step(struct running *run)
{
	const struct op *op = run->op;
	enum store_result r;

	if (run->begun != STORE_OK)
		return run->begun;
	if (op_is_upload(op->kind))
		return op_upload_step(op, &run->upload);
	if (op->kind == OP_PUT)
		return manifest_commit_step(run->commit);
	if (op->kind == OP_SCRUB)
		return op_scrub_step(run->world, op, &run->scrub);
	if (run->made)
		return STORE_OK;
	r = do_at_once(run->world, op, run->retry);
	if (r != STORE_OK || !store_batched(run->world->store))
		return r;
	run->made = true;
	return STORE_AGAIN;
}

/* What is gone already need not be deleted again. */
static bool
op_deletes(enum op_kind kind)
{
	return kind == OP_BLOB_DELETE || kind == OP_MANIFEST_DELETE ||
	    kind == OP_CANCEL || kind == OP_REPO_REMOVE ||
	    kind == OP_TAG_REMOVE || kind == OP_UPLOAD_REMOVE;
}

/*
 * Has the session gone with the power, or by an answer that never came?
 * Bytes that were lost are found out by their digest at the latest.
 */
static bool
session_is_lost(const struct running *run, enum store_result r)
{
	const struct op *op = run->op;
	const struct session *s;

	if (!run->retry || (op->kind != OP_PATCH && op->kind != OP_ABORT &&
	    op->kind != OP_FINISH && op->kind != OP_REFUSED))
		return false;
	s = &run->world->expect.session[op->repo][op->session];
	return r == STORE_NOTFOUND && (run->world->power || !s->must_exist);
}

enum store_result
op_end(struct running *run, enum store_result r)
{
	const struct op *op = run->op;
	struct world *w = run->world;
	bool lost;

	if (op_is_upload(op->kind))
		r = op_upload_end(w, op, &run->upload, r);
	manifest_commit_free(run->commit);
	scrub_free(run->scrub);
	if (run->retry && r == STORE_NOTFOUND && op_deletes(op->kind))
		r = STORE_OK;
	lost = session_is_lost(run, r);
	free(run);
	if (!lost)
		return r;
	if ((r = op_upload_restart(w, op)) != STORE_OK)
		return r;
	run = op_start(w, op, false);
	while ((r = op_step(run)) == STORE_AGAIN)
		if ((r = store_barrier(w->store)) != STORE_OK)
			break;
	return op_end(run, r);
}
