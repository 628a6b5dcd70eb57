/* SPDX-License-Identifier: ISC */
/*
 * A session that somebody works on; private to the upload*.c files.
 */
#ifndef UPLOAD_SESSION_H
#define UPLOAD_SESSION_H

#include "reference.h"
#include "upload.h"

/* How far a session has come on its way to be a blob. */
enum upload_stage {
	UPLOAD_OPEN,
	UPLOAD_SYNCED,		/* its bytes are, with the next barrier */
	UPLOAD_PLACED,		/* the blob has its name */
	UPLOAD_LINKED,		/* so has the link in the repository */
	UPLOAD_FINISHED
};

struct upload {
	struct store	*store;
	char		 repo[REPO_NAME_SIZE];
	char		 id[UPLOAD_ID_SIZE];
	int		 fd;
	uint64_t	 size;
	uint64_t	 saved;		/* of them survive a power cut */
	bool		 loose;		/* or not: by one in mode none */
	bool		 saving;	/* synced, waits for its note */
	struct digest_ctx *hash;	/* of the first "hashed" bytes */
	uint64_t	 hashed;
	struct digest_ctx *base;	/* as found at opening */
	uint64_t	 base_size;
	enum upload_stage stage;
	struct digest	 digest;	/* that it was checked for */
	struct store_stat checked;	/* the file whose digest is right */
	struct store_staged link;
	bool		 frozen;	/* the file is, or may be, a blob */
};

/* Its file is gone, or of no use: nothing can go on from here. */
void		 upload_discard(struct upload *);
void		 upload_drop_hash(struct upload *);

/*
 * upload_note.c: how much of a session may be believed.  A note that is
 * lost, torn or of another session says nothing.  "loose": some of it was
 * never synced, and must be before it is acknowledged.
 */
enum store_result upload_note_get(struct store *, const char *repo,
		    const char *id, uint64_t *size, bool *loose);
enum store_result upload_note_put(struct store *, const char *repo,
		    const char *id, uint64_t size, bool loose,
		    unsigned flags);

#endif
