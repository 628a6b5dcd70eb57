/* SPDX-License-Identifier: ISC */
/*
 * What is wrong with a registry that still serves: each kind with a name for
 * programs, what it means here and now, and what an administrator can do.
 */
#ifndef TROUBLE_H
#define TROUBLE_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "store.h"

enum trouble {
	TROUBLE_SYNC,			/* a sync of the store failed */
	TROUBLE_DISK_READONLY,		/* the file system is */
	TROUBLE_DISK_FULL,		/* less is free than the reserve */
	TROUBLE_MARK,			/* an administrator's read-only mark */
	TROUBLE_COLLECT,		/* the last collection failed */
	TROUBLE_EXPIRE,			/* the last expiry of uploads did */
	TROUBLE_SCRUB,			/* the last scrub did */
	TROUBLE_BAD_BLOBS,		/* or it found wrong bytes */
	TROUBLE_RESTARTS,		/* processes end again and again */
	TROUBLE_N
};

struct trouble_list {
	bool		 has[TROUBLE_N];
	json_t		*items;		/* or NULL: only has[] is wanted */
};

/* "disk-full" */
const char	*trouble_name(enum trouble);
/* {"reason", "text", "do"}; the text says what was found. */
void		 trouble_add(struct trouble_list *, enum trouble,
		    const char *fmt, ...)
		    __attribute__((__format__(printf, 3, 4)));

struct trouble_space {			/* of the file system, in bytes */
	uint64_t	 total, left;
	bool		 readonly;
};
/*
 * What the directory shows: the mark, the file system (NULL: not known) and
 * the reserve, which is "reserve" bytes by the configuration.
 */
void		 trouble_look(struct trouble_list *, struct store *,
		    uint64_t reserve, const struct trouble_space *);

#endif
