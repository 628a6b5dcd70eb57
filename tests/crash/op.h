/* SPDX-License-Identifier: ISC */
/*
 * What a client asks of the store, as keepers do it, and what a scenario
 * does to a store before.
 */
#ifndef OP_H
#define OP_H

#include "world.h"

enum op_kind {
	OP_END,
	/* a client's requests */
	OP_PUSH,			/* upload in one request */
	OP_START,
	OP_PATCH,			/* session up to "end" bytes */
	OP_ABORT,			/* the same, and all is taken back */
	OP_FINISH,			/* the rest of it, and its digest */
	OP_REFUSED,			/* finish with the wrong digest */
	OP_CANCEL,
	OP_MOUNT,
	OP_BLOB_DELETE,
	OP_PUT,				/* manifest, with tags */
	OP_TAG_DELETE,
	OP_TAG_DELETE_IF,		/* it still points to "what" */
	OP_MANIFEST_DELETE,
	/* the collector's work */
	OP_EXPIRE,
	OP_SWEEP,
	OP_COLLECT,			/* what is older than "end" seconds */
	OP_COLLECT_UNTAGGED,		/* the same, and manifests too */
	OP_SCRUB,			/* near "what"; "end": steps ahead */
	/* an administrator's wishes */
	OP_REPO_REMOVE,
	OP_TAG_REMOVE,			/* the first one */
	OP_UPLOAD_REMOVE,
	OP_READONLY,			/* "end": on */
	OP_IMPORT,			/* C_ONE, with the first tag */
	/* done by others, in preparation only */
	OP_DAMAGE,			/* bytes of "what": see damage */
	OP_FOREIGN			/* a repository by distribution */
};

enum damage {
	DAMAGE_CUT,
	DAMAGE_EMPTY,
	DAMAGE_BYTES,
	DAMAGE_MISLAID			/* right, and in quarantine */
};

struct op {
	enum op_kind	 kind;
	enum repo_id	 repo;
	enum content_id	 what;
	unsigned	 tags;		/* bits */
	unsigned	 session;	/* slot */
	size_t		 end;
	enum repo_id	 from;
	enum damage	 damage;
	bool		 with_next;	/* both are under way together */
	bool		 mismatch;	/* this is the right answer */
};

const char *op_name(enum op_kind);
/* The new values are allowed as well. */
void	 op_widen(struct expect *, const struct op *);
/* It was acknowledged: only they are. */
void	 op_settle(struct expect *, const struct op *);
/*
 * Do it as a keeper does, in steps between which barriers are passed.  With
 * "retry" it has been tried before, and what a client would not mind is no
 * error.
 */
struct running;
struct running *op_start(struct world *, const struct op *, bool retry);
enum store_result op_step(struct running *);	/* STORE_AGAIN: a barrier */
/* Just before the answer, which is r or what the client makes of it. */
enum store_result op_end(struct running *, enum store_result r);

#endif
