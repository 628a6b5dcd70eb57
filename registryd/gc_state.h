/* SPDX-License-Identifier: ISC */
/*
 * One collection; private to the gc*.c files.
 */
#ifndef GC_STATE_H
#define GC_STATE_H

#include "digest.h"
#include "gc.h"
#include "gc_set.h"
#include "layout.h"

#define GC_NAME_SIZE	256		/* of a directory entry */
#define GC_LEVELS	3		/* directories from a part to an item */

/* ---- gc_walk.c: directories, a page of names at a time ---- */
struct gc_names {
	char		 path[LAYOUT_PATH_SIZE];
	char		**names;
	size_t		 n, next;
	bool		 more;
	char		 after[GC_NAME_SIZE];
};
void		 gc_names_open(struct gc_names *, const char *path);
/* *name NULL: no more, or the directory has gone. */
enum store_result gc_names_next(struct gc *, struct gc_names *,
		    const char **name);
void		 gc_names_close(struct gc_names *);

/* Every name of a small directory, temporary ones too; to be freed. */
enum store_result gc_scan(struct gc *, const char *path, char ***names,
		    size_t *n);

struct gc_item {
	const char	*path;		/* of the item itself */
	const char	*names[GC_LEVELS];	/* from the part to it */
	const char	*dir;		/* above it */
};
typedef enum store_result gc_item_fn(struct gc *, const struct gc_item *);
typedef enum store_result gc_fn(struct gc *);

struct gc_part {			/* of a repository, or of the blobs */
	const char	*base;		/* "": the repository itself */
	unsigned	 levels;	/* 0: the base is the one item */
	gc_item_fn	*item;
};

struct gc_phase {
	const char	*name;
	const char	*root;
	bool		 repos;		/* repositories beneath the root */
	const struct gc_part *parts;
	size_t		 nparts;
	gc_fn		*enter;		/* a repository; or NULL */
	gc_fn		*begin;		/* the phase; or NULL */
};

#define GC_TREE_DEPTH	(LAYOUT_PATH_SIZE / 2)
struct gc_walk {
	struct gc_names	*tree[GC_TREE_DEPTH];	/* open directories */
	size_t		 depth;
	bool		 started;
	bool		 inside;	/* of a repository, at a part */
	char		 repo[LAYOUT_PATH_SIZE];	/* its path */
	size_t		 part;
	struct gc_names	 levels[GC_LEVELS];
	char		 names[GC_LEVELS][GC_NAME_SIZE];
	unsigned	 level;		/* open levels */
	bool		 open;		/* the part */
};
/* One item, or one step towards it; *done: the phase is over. */
enum store_result gc_walk_step(struct gc *, const struct gc_phase *,
		    bool *done);
void		 gc_walk_done(struct gc_walk *);

/* ---- what has been read ---- */
struct gc_manifest {
	size_t		 first;		/* of its edges */
	uint32_t	 nedges;
	bool		 subject;	/* it may name one */
	bool		 damaged;	/* bytes absent or wrong */
};

struct gc_node {			/* revision of this repository */
	uint64_t	 print;
	uint32_t	 manifest;
	bool		 live;
};

struct gc {
	struct store	*store;
	struct gc_options options;
	struct gc_report report;
	struct gc_key	 key;
	struct store_lock lock;
	bool		 locked;
	size_t		 phase;
	bool		 begun;		/* the phase */
	bool		 sweeping;	/* names may go */
	bool		 blind;		/* not all marks can be had: all blobs
					   and notes are wanted */
	struct gc_walk	 walk;

	/* time, as the file system tells it, in nanoseconds */
	int64_t		 now;
	int64_t		 first_now;
	uint64_t	 first_ms;	/* and our own at that moment */

	struct gc_budget budget;	/* of all that follows */
	struct gc_map	 marks;
	struct gc_names_set condemned;	/* names there before marking */
	struct gc_map	 strange;	/* paths that have been told */

	struct gc_map	 read;		/* print of a manifest: its number */
	struct gc_manifest *manifests;
	size_t		 nmanifests, manifests_size;
	uint64_t	*edges;		/* prints of digests */
	size_t		 nedges, edges_size;

	/* the repository at hand */
	const char	*repo;		/* its name */
	uint64_t	 prints[GC_NCLASSES];	/* of it, for each class */
	bool		 repo_damaged;	/* what it needs is not known */
	struct gc_node	*nodes;
	size_t		 nnodes, nodes_size;
	struct gc_map	 node_of;
};

/* ---- gc.c ---- */
/* Mark, or ask for, a thing of a class in the repository at hand. */
enum store_result gc_mark(struct gc *, enum gc_class, uint64_t print);
bool		 gc_marked(const struct gc *, enum gc_class, uint64_t print);
/* "alg" and "hex" to a digest; false: the path is strange. */
bool		 gc_digest(struct gc *, const char *path, const char *alg,
		    const char *hex, struct digest *);
void		 gc_damaged(struct gc *, const char *path);
/* Age in milliseconds; what comes from the future is young. */
uint64_t	 gc_age(const struct gc *, const struct store_stat *);
enum store_result gc_enter_repo(struct gc *);
/* Keep of "what", which stopped the run, the path. */
enum store_result gc_stop(struct gc *, const char *path, enum store_result);

/* ---- gc_odd.c: what is none of a store ---- */
/* Count it, once in a run. */
void		 gc_strange(struct gc *, const char *path);
/*
 * Listing or looking at path had the result r.  OK: because of what is none
 * of a store, there or above it, or because nothing is there; go on.  Else
 * the run ends with the result.
 */
enum store_result gc_pass(struct gc *, const char *path,
		    enum store_result r);
/* The same of a file's content; OK also where the file says nothing. */
enum store_result gc_pass_file(struct gc *, const char *path,
		    enum store_result r);
/* A directory of the file system's own: never entered. */
bool		 gc_is_lost(const char *name);

/* ---- gc_list.c: what is condemned already ---- */
extern const struct gc_part gc_list_blobs[1], gc_list_repos[2],
    gc_list_notes[3];

/* ---- gc_mark.c: what is in use ---- */
extern const struct gc_part gc_mark_repos[4];
enum store_result gc_mark_enter(struct gc *);

/* ---- gc_manifest.c: what a manifest refers to ---- */
/* Read, unless it has been, and mark its references in this repository. */
enum store_result gc_manifest_mark(struct gc *, const struct digest *,
		    uint32_t *number);

/* ---- gc_live.c: manifests without a tag ---- */
enum store_result gc_live_add(struct gc *, const struct digest *,
		    uint32_t manifest, bool root);
enum store_result gc_live_root(struct gc *, const struct digest *);
enum store_result gc_live_spread(struct gc *, const struct gc_item *);
void		 gc_live_reset(struct gc *);

/* ---- gc_sweep.c: condemn, restore, remove ---- */
struct gc_object {
	enum gc_class	 class;
	const char	*dir;
	const char	*base;		/* X, without its directory */
	bool		 wanted;
	uint64_t	 age_ms;	/* younger is left alone */
	bool		 condemn;	/* may be condemned at all */
};
/* Name "name" of dir, which stands for base. */
enum store_result gc_sweep_name(struct gc *, const struct gc_object *,
		    const char *name);
/* Names removed so far. */
uint64_t	 gc_changes(const struct gc *);
/* Gone when it is empty, and those above it, and old or our doing. */
void		 gc_prune(struct gc *, const char *dir, const char *stop,
		    bool ours);

/* ---- gc_sweep_parts.c ---- */
extern const struct gc_part gc_sweep_repos[4], gc_sweep_notes[3],
    gc_sweep_blobs[1];

#endif
