/* SPDX-License-Identifier: ISC */
/*
 * Collection while the store is in use: what nothing refers to any more is
 * condemned (renamed), and removed by a later run, unless somebody wanted it
 * meanwhile.  Runs in the collector, or in registryctl while no registryd
 * runs.  What it rests on is said in gc.c.
 */
#ifndef GC_H
#define GC_H

#include <stdbool.h>
#include <stdint.h>

#include "store.h"

#define GC_UNTAGGED_KEEP	UINT64_MAX
#define GC_STRANGE_PATHS	5

struct gc_options {
	/* younger than this is left alone, and so is what was asked for */
	uint64_t	 grace_ms;
	/* between condemning and removing, for readers that are under way */
	uint64_t	 delay_ms;
	/* age at which a manifest without a tag goes, or GC_UNTAGGED_KEEP */
	uint64_t	 untagged_ms;
	bool		 dryrun;		/* change nothing, count all */
	/*
	 * Bytes for what a run remembers, 0 without a limit: some 20 for each
	 * blob and for each layer of each repository, 16 for each reference
	 * in a manifest, 60 for each manifest, 43 for each name that is
	 * condemned; up to twice that while a set grows.
	 */
	uint64_t	 memory;
};

enum gc_class {
	GC_BLOBS,
	GC_LAYERS,				/* links of blobs */
	GC_REVISIONS,				/* links of manifests */
	GC_NOTES,				/* our own, of manifests */
	GC_NCLASSES
};

struct gc_count {
	uint64_t	 live;			/* wanted, or young */
	uint64_t	 young;			/* of these: not wanted */
	uint64_t	 condemned;		/* by this run */
	uint64_t	 waiting;		/* of earlier runs */
	uint64_t	 restored;
	uint64_t	 deleted;
};

struct gc_report {
	const char	*phase;			/* for a person */
	unsigned	 phase_number, phases;
	uint64_t	 done, total;		/* total grows at first */
	struct gc_count	 counts[GC_NCLASSES];
	uint64_t	 condemned_bytes;	/* of blobs */
	uint64_t	 waiting_bytes;
	uint64_t	 young_bytes;
	uint64_t	 deleted_bytes;
	uint64_t	 repositories;		/* found */
	uint64_t	 tag_entries_deleted;	/* history of collected ones */
	uint64_t	 leftovers_deleted;	/* pending, temporary */
	uint64_t	 damaged;		/* links that say nothing */
	uint64_t	 strange;		/* found, and passed over */
	/* symbolic links among them that may lead to manifests */
	uint64_t	 hiding;
	uint64_t	 manifests_read;
	uint64_t	 bytes_read;
	uint64_t	 memory;		/* bytes of its sets, at most */
	bool		 memory_over;	/* more than there may be: stopped */
	/* where a run was stopped, or the damage found first; "" */
	char		 path[256];
	char		 strange_paths[GC_STRANGE_PATHS][256];	/* first ones */
};

struct gc;

/*
 * The store is best in mode batch (or none): nothing needs to be durable but
 * before the first removal, where a barrier is passed.  NULL: ENOMEM.
 */
struct gc	*gc_new(struct store *, const struct gc_options *);
/*
 * Work for about budget_us.  OK: go on, or *done.  BUSY: another collection
 * is running.  Other results end the run: an error while marking before any
 * name has been changed.  LIMIT with memory_over: the store has too many
 * objects for gc_options.memory.
 */
enum store_result gc_step(struct gc *, unsigned budget_us, bool *done);
const struct gc_report *gc_report(const struct gc *);
const char	*gc_class_name(enum gc_class);
void		 gc_free(struct gc *);			/* NULL is fine */

#endif
