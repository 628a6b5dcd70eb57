/* SPDX-License-Identifier: ISC */
/*
 * Our own notes on a manifest that is being put: its media type, where the
 * bytes do not tell it, and its subject.
 */
#ifndef REPO_NOTE_H
#define REPO_NOTE_H

#include "repo.h"

struct note_staged {			/* all zero at first */
	struct store_staged mediatype;
	struct store_staged subject;
};

enum store_result note_stage(struct store *, const struct manifest_put *,
		    struct note_staged *);
enum store_result note_publish(struct store *, const struct manifest_put *,
		    struct note_staged *);
void		 note_unstage(struct store *, struct note_staged *);
/*
 * Put those again, and the referrer entry, that collection or a DELETE took
 * just before the manifest's link came.
 */
enum store_result note_check(struct store *, const struct manifest_put *);

#endif
