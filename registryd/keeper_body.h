/* SPDX-License-Identifier: ISC */
/*
 * One request body on its way into the store; private to keeper_body.c and
 * keeper_manifest.c.
 */
#ifndef KEEPER_BODY_H
#define KEEPER_BODY_H

#include "digest.h"
#include "keeper_commit.h"
#include "keeper_worker.h"
#include "reference.h"

struct upload;
struct keeper_manifest;			/* keeper_manifest.c */

enum keeper_body_kind { BODY_APPEND, BODY_FINISH, BODY_MANIFEST };

struct keeper_body {
	struct keeper	*keeper;
	struct keeper_worker *worker;		/* NULL: it has gone */
	uint64_t	 id;
	enum keeper_body_kind kind;
	char		 repo[REPO_NAME_SIZE];
	int		 fd;			/* of the pipe */
	struct loop_io	*io;
	struct loop_timer *timer;		/* next slice of hashing */
	uint64_t	 progress_ms;		/* when it was told last */
	uint64_t	 length;		/* promised, or KEEPER_ANY */
	uint64_t	 got;
	uint64_t	 total;			/* when "ended" */
	bool		 ended;			/* KEEPER_BODY_END has come */
	bool		 eof;
	struct keeper_job job;			/* when the bytes are there */
	bool		 muted;			/* nobody waits for it */
	enum store_result result;		/* why it has ended */

	/* APPEND, FINISH */
	char		 upload_id[UPLOAD_ID_SIZE];
	struct upload	*upload;
	uint64_t	 start;			/* its offset at opening */
	bool		 created;		/* session is of this request */
	struct digest	 digest;

	/* MANIFEST */
	struct keeper_manifest *manifest;
	LIST_ENTRY(keeper_body) entry;
};

/* Fields after the repository.  0; -1: nonsense; else *r says what failed. */
int	 keeper_manifest_get(struct keeper_body *, struct msg *,
	    enum store_result *r);
/* Bytes of the body: references, then the manifest. */
enum store_result keeper_manifest_add(struct keeper_manifest *, const void *,
	    size_t);
/* All bytes are there.  INVALID: nonsense; or NOMEM. */
enum store_result keeper_manifest_ready(struct keeper_body *);
/* A step of storing it (store.h), and what the worker is told. */
enum store_result keeper_manifest_step(struct keeper_body *);
void	 keeper_manifest_answer(struct keeper_body *, enum store_result);
/* NULL is fine. */
void	 keeper_manifest_free(struct keeper *, struct keeper_manifest *);

#endif
