/* SPDX-License-Identifier: ISC */
/*
 * A store under test and what a client may expect of it: for each object the
 * values that are allowed.  Before an operation its new value is allowed as
 * well; when it is acknowledged, only the new one is.
 *
 * Lies in memory that parent and children share, so that it survives the
 * child that is killed; "store" is each process's own.
 */
#ifndef WORLD_H
#define WORLD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "content.h"
#include "store.h"

enum repo_id { REPO_A, REPO_C, NREPOS };
#define NTAGS		12
#define NSESSIONS	2
#define SESSION_ID_SIZE	32
#define WORLD_DIR_SIZE	256
#define WORLD_WHY_SIZE	512

#define IS_ABSENT	0x1u
#define IS_PRESENT	0x2u
#define IS_DAMAGED	0x4u

/* A tag: one bit for each manifest that it may point to, and these. */
#define TAG_TO(content)	((uint16_t)(1u << (content)))
#define TAG_ABSENT	((uint16_t)0x4000u)
#define TAG_BROKEN	((uint16_t)0x8000u)	/* its link makes no sense */

struct session {
	bool		 may_exist;
	bool		 must_exist;	/* 202 has said so */
	unsigned	 generation;	/* of its id */
	enum content_id	 what;
	size_t		 low, high;	/* offset */
};

struct expect {
	uint8_t		 blob[NREPOS][C_MAX];
	uint8_t		 manifest[NREPOS][C_MAX];
	uint8_t		 referrer[NREPOS][C_MAX];	/* of its subject */
	uint16_t	 tag[NREPOS][NTAGS];
	/* May have been collected, and may come back when it is wanted. */
	bool		 blob_doubtful[NREPOS][C_MAX];
	bool		 manifest_doubtful[NREPOS][C_MAX];
	/* Wrong bytes may be in quarantine, and links lead nowhere; */
	bool		 taken[C_MAX];
	bool		 mislaid[C_MAX];	/* right ones are there */
	uint8_t		 readonly;	/* is the mark there? */
	struct session	 session[NREPOS][NSESSIONS];
};

struct world {
	char		 dir[WORLD_DIR_SIZE];
	enum store_durability mode;
	bool		 power;		/* was cut: more than a process died */
	struct store	*store;
	struct expect	 expect;
	size_t		 op;		/* of the scenario, in progress */
	unsigned	 serial;	/* of uploads that have no slot */
	char		 why[WORLD_WHY_SIZE];	/* first violation */
};

/* In shared memory; for the life of the program. */
struct world *world_new(void);
/* A new empty directory, where nothing is expected. */
void	 world_begin(struct world *, enum store_durability);
/* Remove the directory. */
void	 world_end(struct world *);
/* As a process that has just started; the store open before is freed. */
void	 world_open(struct world *, bool writable);
void	 world_close(struct world *);
/* Say what is wrong, unless something was before.  Returns false. */
bool	 world_fail(struct world *, const char *fmt, ...)
    __attribute__((__format__(printf, 2, 3)));
const char *world_repo(enum repo_id);
const char *world_tag(char dst[16], unsigned tag);
char	*world_session(char dst[SESSION_ID_SIZE], const struct world *,
    enum repo_id, unsigned slot);
/* Full path of a path of the store; static buffer. */
const char *world_path(const struct world *, const char *path);
/* Behind the store's back, with directories. */
void	 world_write(const struct world *, const char *path, const void *,
    size_t);
/* Everything beneath a directory, and itself. */
void	 world_remove(const char *dir);
/* An empty directory in memory, or where TMPDIR says. */
void	 world_mkdir(char dst[WORLD_DIR_SIZE]);

#endif
