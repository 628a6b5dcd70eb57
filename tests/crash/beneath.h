/* SPDX-License-Identifier: ISC */
/*
 * The calls of the system that the store makes, seen from beneath its
 * wrapper: the linker sends them here (--wrap), so that a test can watch
 * each one with its data and result, make it fail, or end the process at it.
 * Nothing in the store knows of this.
 */
#ifndef BENEATH_H
#define BENEATH_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

enum call_kind {
	CALL_OPEN,
	CALL_CREATE,			/* open with O_CREAT */
	CALL_CLOSE,
	CALL_READ,
	CALL_WRITE,
	CALL_SYNC,
	CALL_SYNCFS,
	CALL_FLUSH,			/* sync_file_range */
	CALL_RENAME,
	CALL_LINK,
	CALL_UNLINK,
	CALL_RMDIR,
	CALL_MKDIR,
	CALL_TRUNCATE,
	CALL_ALLOCATE,
	CALL_STAT,
	CALL_LIST,			/* fdopendir, readdir */
	CALL_LOCK,
	CALL_TIMES,			/* utimensat, futimens */
	CALL_MODE,
	CALL_ATTRIBUTE,			/* fgetxattr, fsetxattr */
	CALL_NKINDS
};

struct call {
	enum call_kind	 kind;
	int		 fd;		/* file, or directory of "name" */
	const char	*name;		/* NULL: the file itself */
	int		 to_fd;		/* rename, link */
	const char	*to_name;
	const void	*data;		/* write */
	size_t		 len;
	uint64_t	 offset;	/* write; truncate: the size */
	int		 flags;		/* open */
};

#define BENEATH_SKIP	(-1)	/* not done, but success is reported */
/* Before a call: 0 to go on, an errno to fail with, or BENEATH_SKIP. */
typedef int beneath_before_fn(const struct call *, void *arg);
/* After one that was made; result as the system gave it. */
typedef void beneath_after_fn(const struct call *, long result, void *arg);

const char *call_kind_name(enum call_kind);
/* Watch all calls until beneath_stop(); "after" may be NULL. */
void	 beneath_watch(beneath_before_fn *, beneath_after_fn *, void *arg);
void	 beneath_stop(void);

#endif
