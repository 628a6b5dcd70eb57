/* SPDX-License-Identifier: ISC */
/*
 * What a scenario did to its files, as a list of single changes and of the
 * syncs between them.  Objects are files and directories; names lead to
 * them.  Object 0 is the root.
 */
#ifndef TRACE_H
#define TRACE_H

#include "scenario.h"

#define TRACE_MAX_CHANGES	8192
#define TRACE_MAX_OBJECTS	1024
#define TRACE_MAX_NAMES		2048
#define TRACE_MAX_MOMENTS	256
#define TRACE_FILE_SIZE		8192	/* of the largest file */

enum change_kind {
	CHANGE_LINK,			/* name in dir leads to object */
	CHANGE_UNLINK,
	CHANGE_RENAME,			/* both at once: in one directory */
	CHANGE_WRITE,
	CHANGE_TRUNCATE,
	CHANGE_SYNC,			/* of object, a directory or a file */
	CHANGE_SYNC_ALL,
	CHANGE_MOMENT			/* what is expected is another */
};

struct change {
	enum change_kind kind;
	unsigned	 object;
	unsigned	 dir;
	unsigned	 name, to_name;
	uint64_t	 offset;
	size_t		 len;
	char		*data;
	unsigned	 moment;
};

struct object {
	bool		 is_dir;
	bool		 minor;		/* a directory that clients never see */
	uint64_t	 ino;
	char		*data;		/* as it was at first */
	size_t		 len;
};

/* A name that was there at first. */
struct first_name {
	unsigned	 dir, name, object;
};

/* What a client knows, and how far the scenario is. */
struct moment {
	struct expect	 expect;
	size_t		 op;
	unsigned	 serial;
};

struct trace {
	struct change	 changes[TRACE_MAX_CHANGES];
	size_t		 nchanges;
	struct object	 objects[TRACE_MAX_OBJECTS];
	unsigned	 nobjects;
	char		*names[TRACE_MAX_NAMES];
	unsigned	 nnames;
	struct first_name first[TRACE_MAX_OBJECTS];
	size_t		 nfirst;
	struct moment	 moments[TRACE_MAX_MOMENTS];
	unsigned	 nmoments;
	unsigned	 syncs;		/* asked for, with those left out */
	char		 skipped[256];	/* of what that one was; "" */
};

#define TRACE_SKIP_NONE	0u
#define TRACE_SKIP_ALL	UINT32_MAX
#define SKIPPED_ALL	"the file system"
/*
 * Play the scenario and record it.  "skip": the sync of that number, from 1,
 * is left out, though it reports success; "skipped" is what it was for, a path
 * beneath the root, or SKIPPED_ALL.  "slow": syncs of the whole file
 * system take long.
 */
struct trace	*trace_record(struct world *, const struct scenario *,
		    unsigned skip, bool slow);
void		 trace_free(struct trace *);

#endif
