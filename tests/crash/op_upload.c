/* SPDX-License-Identifier: ISC */
/*
 * Uploads as keepers make them.  A client believes what the server says
 * about the offset, and begins anew when its session is lost.
 */
#include "op_upload.h"

#include <stdio.h>
#include <string.h>

#include "upload.h"

#define PIECE	700	/* bytes that arrive at a time */

bool
op_is_upload(enum op_kind kind)
{
	switch (kind) {
	case OP_PUSH:
	case OP_START:
	case OP_PATCH:
	case OP_ABORT:
	case OP_FINISH:
	case OP_REFUSED:
	case OP_CANCEL:
		return true;
	default:
		return false;
	}
}

static enum store_result
append(struct upload *u, const struct content *c, size_t end)
{
	enum store_result r = STORE_OK;
	size_t at, len;

	if (upload_offset(u) > c->len)
		return STORE_INVALID;
	while (r == STORE_OK && (at = upload_offset(u)) < end) {
		len = end - at < PIECE ? end - at : PIECE;
		r = upload_append(u, c->data + at, len);
	}
	return r;
}

static enum store_result
hash(struct upload *u, enum digest_alg alg)
{
	enum store_result r;
	bool done = false;

	do
		r = upload_hash_step(u, alg, PIECE, &done);
	while (r == STORE_OK && !done);
	return r;
}

static enum store_result
start(struct world *w, const struct op *op)
{
	const struct content *c = content_get(op->what);
	char id[SESSION_ID_SIZE];
	enum store_result r;
	struct upload *u;

	r = upload_start(w->store, world_repo(op->repo), world_session(id, w,
	    op->repo, op->session), c->digest.alg, &u);
	if (r == STORE_OK)
		upload_close(u);
	return r;
}

enum store_result
op_upload_restart(struct world *w, const struct op *op)
{
	struct session *s = &w->expect.session[op->repo][op->session];

	s->generation++;
	/* Where the client goes on from, if it had been further. */
	s->low = 0;
	return start(w, op);
}

/* The bytes of the request, and their hash when it is the last one. */
static enum store_result
take_body(const struct op *op, struct upload *u)
{
	const struct content *c = content_get(op->what);
	enum store_result r = STORE_OK;

	if (op->kind == OP_PATCH || op->kind == OP_ABORT)
		return append(u, c, op->end);
	if (op->kind != OP_REFUSED)
		r = append(u, c, c->len);
	return r == STORE_OK ? hash(u, c->digest.alg) : r;
}

enum store_result
op_upload_begin(struct world *w, const struct op *op, bool retry,
    struct op_upload *o)
{
	const char *repo = world_repo(op->repo);
	enum store_result r;

	memset(o, 0, sizeof(*o));
	if (op->kind == OP_START)
		return retry ? op_upload_restart(w, op) : start(w, op);
	world_session(o->id, w, op->repo, op->session);
	if (op->kind == OP_CANCEL)
		return upload_cancel(w->store, repo, o->id);
	if (op->kind == OP_PUSH) {
		snprintf(o->id, sizeof(o->id), "push-%u", w->serial++);
		r = upload_start(w->store, repo, o->id,
		    content_get(op->what)->digest.alg, &o->upload);
	} else
		r = upload_open(w->store, repo, o->id, &o->upload);
	if (r != STORE_OK) {
		o->upload = NULL;
		return r;
	}
	o->begin = upload_offset(o->upload);
	return take_body(op, o->upload);
}

enum store_result
op_upload_step(const struct op *op, struct op_upload *o)
{
	struct digest d = content_get(op->what)->digest;

	switch (op->kind) {
	case OP_PATCH:
		return upload_save_step(o->upload);
	case OP_REFUSED:
		d.bytes[0] ^= 1;
		return upload_finish_step(o->upload, &d);
	case OP_PUSH:
	case OP_FINISH:
		return upload_finish_step(o->upload, &d);
	default:
		return STORE_OK;
	}
}

enum store_result
op_upload_end(struct world *w, const struct op *op, struct op_upload *o,
    enum store_result r)
{
	bool gone = op->kind == OP_PUSH && o->upload != NULL && r != STORE_OK;

	if (o->upload != NULL) {
		/* What has arrived of a PATCH is kept if it can be. */
		if (op->kind == OP_PATCH && r != STORE_OK)
			(void)upload_save(o->upload);
		else if (op->kind == OP_ABORT && r == STORE_OK)
			r = upload_rewind(o->upload, o->begin);
		else if (r != STORE_OK)
			(void)upload_rewind(o->upload, o->begin);
		upload_close(o->upload);
		o->upload = NULL;
	}
	if (gone)
		(void)upload_cancel(w->store, world_repo(op->repo), o->id);
	if (op->kind == OP_REFUSED)
		return r == STORE_MISMATCH ? STORE_OK :
		    r == STORE_OK ? STORE_INVALID : r;
	return r;
}
