/* SPDX-License-Identifier: ISC */
/*
 * What has been acknowledged, kept in memory that all processes of gcstress
 * share, and what must therefore be true.  Every operation is an interval
 * between two ticks of one counter; whoever dies in the middle leaves its
 * slot behind, which the controller closes.  Nothing here takes a lock.
 */
#ifndef ORACLE_H
#define ORACLE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "world.h"

#define NCLIENTS_MAX	12
#define NCOLLECTORS	2
#define NSLOTS		(NCLIENTS_MAX + NCOLLECTORS)
#define TEXT_SIZE	400

enum op {
	OP_NONE,
	OP_PUT,				/* of a manifest, with or without tag */
	OP_DELETE,			/* of a manifest */
	OP_TAG_DELETE,
	OP_BLOB_DELETE,
	OP_HEAD,
	OP_UPLOAD,
	OP_MOUNT,
	OP_PULL,			/* of a manifest with all it names */
	OP_PULL_TAG,
	NOPS
};

#define NO_TAG		0xffu

typedef atomic_uint_fast64_t counter;

struct revision_cell {
	counter	 acked;			/* start of the last acknowledged put */
	counter	 put_end;		/* end of the last put of any fate */
	counter	 deleted;		/* start of the last acked delete */
	counter	 delete_end;
};

/*
 * The last operation on a tag counts when no other was under way with it:
 * stable = attempts at that time * 256 + manifest, or 255 without the tag.
 */
struct tag_cell {
	counter	 attempts;
	counter	 stable;
	counter	 start;			/* tick of that operation */
};

struct link_cell {
	counter	 delete_end;
};

struct shared {
	counter	 tick;
	counter	 done[NOPS];		/* operations, by kind */
	counter	 refused, absent, busy;
	counter	 runs, condemned, restored, deleted;	/* of collectors */
	counter	 scrubs;
	counter	 errors;		/* of collections, by the store */
	counter	 violations;
	atomic_bool first;		/* somebody has written the text */
	char	 text[TEXT_SIZE];
	atomic_bool stop;
	/* of this epoch; written while nobody runs */
	uint64_t grace_ms, delay_ms, untagged_ms;
	bool	 wild;			/* clocks and ages mean nothing */
	bool	 policy;		/* untagged manifests go */
	bool	 calm;			/* nobody is stopped or killed */
	counter	 slots[NSLOTS];		/* op, repository, object, tag */
	struct revision_cell revisions[NREPOS][NMANIFESTS];
	struct tag_cell tags[NREPOS][NTAGS];
	struct link_cell links[NREPOS][NBLOBS];
};

extern struct shared *oracle;

void	 oracle_make(void);
void	 oracle_violation(const char *fmt, ...)
	    __attribute__((__format__(printf, 1, 2)));

/* ---- operations that change something ---- */
struct change {
	unsigned	 slot;
	enum op		 op;
	unsigned	 repo, object, tag;	/* tag: or NO_TAG */
	uint64_t	 start;
	uint64_t	 attempt;
	bool		 solo;
};
void	 change_begin(struct change *, unsigned slot, enum op, unsigned repo,
	    unsigned object, unsigned tag);
void	 change_end(struct change *, bool acknowledged);
/* Whoever had that slot is dead: what it did may have happened. */
void	 change_bury(unsigned slot);
void	 read_begin(unsigned slot, enum op);
void	 read_end(unsigned slot, enum op);

/* ---- what must be so from here to there ---- */
enum expect { EXPECT_ANY, EXPECT_PRESENT, EXPECT_ABSENT };

struct watch {				/* of a revision */
	unsigned	 repo, manifest;
	uint64_t	 put_end, delete_end, acked;
	enum expect	 expect;
};
void	 watch_begin(struct watch *, unsigned repo, unsigned manifest);
/* What had to be so all the time since. */
enum expect watch_end(const struct watch *);
/* Has nobody deleted or put it since, or is doing so? */
bool	 watch_quiet(const struct watch *);
bool	 watch_undeleted(const struct watch *, uint64_t since);

struct tag_watch {
	unsigned	 repo, tag;
	uint64_t	 stable;
	unsigned	 manifest;	/* or 255: none */
	uint64_t	 delete_end;	/* of the manifest */
};
/* false: nothing can be said of the tag. */
bool	 tag_watch_begin(struct tag_watch *, unsigned repo, unsigned tag);
bool	 tag_watch_end(const struct tag_watch *);

#endif
