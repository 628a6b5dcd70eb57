/* SPDX-License-Identifier: ISC */
/*
 * What each operation changes for the clients of a store: which values are
 * allowed while it is under way, and which when it has been acknowledged.
 */
#include "op.h"

/* Bytes of a digest are shared: a push heals them for all repositories. */
static void
blob_push(struct expect *e, const struct op *op, bool done)
{
	uint8_t *v;
	size_t i;

	for (i = 0; i < NREPOS; i++) {
		v = &e->blob[i][op->what];
		if (*v & IS_DAMAGED)
			*v = done ? (*v & ~IS_DAMAGED) | IS_PRESENT :
			    *v | IS_PRESENT;
	}
	v = &e->blob[op->repo][op->what];
	*v = done ? IS_PRESENT : *v | IS_PRESENT;
	if (done)
		e->taken[op->what] = e->mislaid[op->what] = false;
}

/* What collection has taken comes back, because it is referred to. */
static void
bring_back(struct expect *e, enum repo_id repo, enum content_id id, bool done)
{
	const struct content *c = content_get(id);
	size_t i;
	uint8_t *v;

	for (i = 0; i < c->nrefs; i++) {
		v = &e->blob[repo][c->refs[i]];
		if (e->blob_doubtful[repo][c->refs[i]])
			*v = done ? IS_PRESENT : *v | IS_PRESENT;
	}
	for (i = 0; i < c->nchildren; i++) {
		v = &e->manifest[repo][c->children[i]];
		if (e->manifest_doubtful[repo][c->children[i]])
			*v = done ? IS_PRESENT : *v | IS_PRESENT;
	}
}

static void
manifest_put(struct expect *e, const struct op *op, bool done)
{
	const struct content *c = content_get(op->what);
	uint8_t *m = &e->manifest[op->repo][op->what];
	uint8_t *r = &e->referrer[op->repo][op->what];
	uint16_t *t;
	size_t i;

	*m = done ? IS_PRESENT : *m | IS_PRESENT;
	if (c->subject != C_NONE)
		*r = done ? IS_PRESENT : *r | IS_PRESENT;
	for (i = 0; i < NTAGS; i++) {
		if (!(op->tags & (1u << i)))
			continue;
		t = &e->tag[op->repo][i];
		*t = done ? TAG_TO(op->what) : *t | TAG_TO(op->what);
	}
	bring_back(e, op->repo, op->what, done);
}

static void
manifest_delete(struct expect *e, const struct op *op, bool done)
{
	uint8_t *m = &e->manifest[op->repo][op->what];
	uint8_t *r = &e->referrer[op->repo][op->what];
	uint16_t *t;
	size_t i;

	*m = done ? IS_ABSENT : *m | IS_ABSENT;
	*r = done ? IS_ABSENT : *r | IS_ABSENT;
	for (i = 0; i < NTAGS; i++) {
		t = &e->tag[op->repo][i];
		if (!(*t & TAG_TO(op->what)))
			continue;
		*t |= TAG_ABSENT;
		if (done)
			*t &= (uint16_t)~TAG_TO(op->what);
	}
}

static void
tag_delete(struct expect *e, const struct op *op, bool done)
{
	size_t i;

	if (op->mismatch)
		return;
	for (i = 0; i < NTAGS; i++)
		if (op->tags & (1u << i)) {
			if (done)
				e->tag[op->repo][i] = TAG_ABSENT;
			else
				e->tag[op->repo][i] |= TAG_ABSENT;
		}
}

static void
session_start(struct expect *e, const struct op *op, bool done)
{
	struct session *s = &e->session[op->repo][op->session];

	if (!done) {
		s->may_exist = true;
		s->must_exist = false;
		s->low = s->high = 0;
		s->what = op->what;
	} else
		s->must_exist = true;
}

static void
session_patch(struct expect *e, const struct op *op, bool done)
{
	struct session *s = &e->session[op->repo][op->session];

	if (op->end > s->high)
		s->high = op->end;
	if (done && op->kind == OP_PATCH)
		s->low = s->high = op->end;
	else if (done)
		s->high = s->low;
}

static void
session_end(struct session *s, bool done)
{
	s->must_exist = false;
	if (done)
		s->may_exist = false;
}

static void
expire(struct expect *e, const struct op *op, bool done)
{
	size_t i;

	for (i = 0; i < NSESSIONS; i++)
		session_end(&e->session[op->repo][i], done);
}

/* Mounting brings it back where it comes from, too. */
static void
blob_mount(struct expect *e, const struct op *op, bool done)
{
	uint8_t *from = &e->blob[op->from][op->what];
	uint8_t *to = &e->blob[op->repo][op->what];

	*to = done ? IS_PRESENT : *to | IS_PRESENT;
	if (e->blob_doubtful[op->from][op->what])
		*from |= IS_PRESENT;
}

static void
blob_delete(struct expect *e, const struct op *op, bool done)
{
	uint8_t *v = &e->blob[op->repo][op->what];

	*v = done ? IS_ABSENT : *v | IS_ABSENT;
	if (done)
		e->blob_doubtful[op->repo][op->what] = false;
}

/* ---- collection ---- */

static bool
is_tagged(const struct expect *e, enum repo_id repo, enum content_id id)
{
	size_t i;

	for (i = 0; i < NTAGS; i++)
		if (e->tag[repo][i] == TAG_TO(id))
			return true;
	return false;
}

/* For certain, also as part of an index or by its subject. */
static bool
is_kept(const struct expect *e, enum repo_id repo, enum content_id id,
    bool untagged)
{
	const struct content *c = content_get(id), *other;
	enum content_id m;
	size_t i;

	if (e->manifest[repo][id] != IS_PRESENT)
		return false;
	if (!untagged || is_tagged(e, repo, id))
		return true;
	if (c->subject != C_NONE &&
	    is_kept(e, repo, c->subject, untagged))
		return true;
	for (m = C_FIRST_MANIFEST; m < C_MAX; m++) {
		other = content_get(m);
		for (i = 0; i < other->nchildren; i++)
			if (other->children[i] == id &&
			    is_kept(e, repo, m, untagged))
				return true;
	}
	return false;
}

static bool
is_referred_to(const struct expect *e, enum repo_id repo, enum content_id id,
    bool untagged)
{
	const struct content *c;
	enum content_id m;
	size_t i;

	for (m = C_FIRST_MANIFEST; m < C_MAX; m++) {
		c = content_get(m);
		for (i = 0; i < c->nrefs; i++)
			if (c->refs[i] == id && is_kept(e, repo, m, untagged))
				return true;
	}
	return false;
}

static void
doubt(uint8_t *v, bool *doubtful, bool kept)
{
	if (*doubtful)
		*v |= IS_PRESENT;
	if (kept || !(*v & (IS_PRESENT | IS_DAMAGED)))
		return;
	*v |= IS_ABSENT;
	*doubtful = true;
}

/* Nothing is promised to be gone: only what nothing leads to may go. */
static void
collect(struct expect *e, const struct op *op)
{
	bool untagged = op->kind == OP_COLLECT_UNTAGGED;
	const struct expect before = *e;
	enum content_id c;
	enum repo_id r;

	for (r = 0; r < NREPOS && op->end == 0; r++)
		for (c = 0; c < C_MAX; c++) {
			doubt(&e->blob[r][c], &e->blob_doubtful[r][c],
			    is_referred_to(&before, r, c, untagged));
			doubt(&e->manifest[r][c], &e->manifest_doubtful[r][c],
			    !untagged || is_kept(&before, r, c, untagged));
			if (e->manifest_doubtful[r][c])
				e->referrer[r][c] |= IS_ABSENT;
		}
}

static void
repo_remove(struct expect *e, const struct op *op, bool done)
{
	enum repo_id r = op->repo;
	size_t i;

	for (i = 0; i < C_MAX; i++) {
		e->blob[r][i] = done ? IS_ABSENT : e->blob[r][i] | IS_ABSENT;
		e->manifest[r][i] = done ? IS_ABSENT :
		    e->manifest[r][i] | IS_ABSENT;
		e->referrer[r][i] = done ? IS_ABSENT :
		    e->referrer[r][i] | IS_ABSENT;
	}
	for (i = 0; i < NTAGS; i++)
		e->tag[r][i] = done ? TAG_ABSENT : e->tag[r][i] | TAG_ABSENT;
	expire(e, op, done);
}

/* Every repository that has it, whatever kind of thing it is there. */
static void
damage(struct expect *e, const struct op *op)
{
	size_t i;

	if (op->damage == DAMAGE_MISLAID)
		e->taken[op->what] = e->mislaid[op->what] = true;
	for (i = 0; i < NREPOS; i++) {
		if (e->blob[i][op->what] & IS_PRESENT)
			e->blob[i][op->what] = op->damage == DAMAGE_MISLAID ?
			    IS_ABSENT : IS_DAMAGED;
		if (e->manifest[i][op->what] & IS_PRESENT)
			e->manifest[i][op->what] = IS_DAMAGED;
	}
}

/* As op.c makes it. */
static void
foreign(struct expect *e, const struct op *op)
{
	e->blob[op->repo][C_CONFIG] = IS_PRESENT;
	e->blob[op->repo][C_LAYER] = IS_PRESENT;
	e->manifest[op->repo][C_ONE] = IS_PRESENT;
	e->tag[op->repo][0] = TAG_TO(C_ONE);
	e->tag[op->repo][1] = TAG_BROKEN;
}

/* Wrong bytes go, right ones come back. */
static void
scrub(struct expect *e, const struct op *op, bool done)
{
	uint8_t *v = &e->blob[op->repo][op->what];

	if (*v & IS_DAMAGED) {
		*v |= IS_ABSENT;
		e->taken[op->what] = true;
		if (done)
			*v &= (uint8_t)~IS_DAMAGED;
	}
	if (e->mislaid[op->what]) {
		*v = done ? IS_PRESENT : *v | IS_PRESENT;
		if (done)
			e->taken[op->what] = e->mislaid[op->what] = false;
	}
}

static void
import(struct expect *e, const struct op *op, bool done)
{
	struct op part = { .repo = op->repo, .tags = 1 };

	part.what = C_CONFIG;
	blob_push(e, &part, done);
	part.what = C_LAYER;
	blob_push(e, &part, done);
	part.what = C_ONE;
	manifest_put(e, &part, done);
}

static void
readonly(struct expect *e, const struct op *op, bool done)
{
	uint8_t now = op->end != 0 ? IS_PRESENT : IS_ABSENT;

	e->readonly = done ? now : e->readonly | now;
}

static void
change(struct expect *e, const struct op *op, bool done)
{
	struct session *s = &e->session[op->repo][op->session];

	switch (op->kind) {
	case OP_PUSH:
		blob_push(e, op, done);
		break;
	case OP_FINISH:
		s->high = content_get(op->what)->len;
		session_end(s, done);
		blob_push(e, op, done);
		break;
	case OP_MOUNT:
		blob_mount(e, op, done);
		break;
	case OP_BLOB_DELETE:
		blob_delete(e, op, done);
		break;
	case OP_START:
		session_start(e, op, done);
		break;
	case OP_PATCH:
	case OP_ABORT:
		session_patch(e, op, done);
		break;
	case OP_CANCEL:
	case OP_UPLOAD_REMOVE:
		session_end(s, done);
		break;
	case OP_EXPIRE:
		expire(e, op, done);
		break;
	case OP_PUT:
		manifest_put(e, op, done);
		break;
	case OP_MANIFEST_DELETE:
		manifest_delete(e, op, done);
		break;
	case OP_TAG_DELETE:
	case OP_TAG_DELETE_IF:
	case OP_TAG_REMOVE:
		tag_delete(e, op, done);
		break;
	case OP_DAMAGE:
		damage(e, op);
		break;
	case OP_FOREIGN:
		foreign(e, op);
		break;
	case OP_COLLECT:
	case OP_COLLECT_UNTAGGED:
		collect(e, op);
		break;
	case OP_REPO_REMOVE:
		repo_remove(e, op, done);
		break;
	case OP_SCRUB:
		scrub(e, op, done);
		break;
	case OP_IMPORT:
		import(e, op, done);
		break;
	case OP_READONLY:
		readonly(e, op, done);
		break;
	case OP_REFUSED:
	case OP_SWEEP:
	case OP_END:
		break;
	}
}

void
op_widen(struct expect *e, const struct op *op)
{
	change(e, op, false);
}

void
op_settle(struct expect *e, const struct op *op)
{
	change(e, op, true);
}
