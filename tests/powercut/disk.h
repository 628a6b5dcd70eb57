/* SPDX-License-Identifier: ISC */
/*
 * A disk with a volatile write cache, served to qemu over a socket (NBD).
 * Every write and flush is kept with its times, so that the disk can tell
 * what a cut of power at any moment may have left on it: all that a
 * completed flush covers, and any part of the rest.  See README.
 */
#ifndef POWERCUT_DISK_H
#define POWERCUT_DISK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct disk;

/* What becomes of the writes that no flush covers. */
enum cut_cache {
	CUT_KEEPS,		/* all are there */
	CUT_LOSES,		/* none is */
	CUT_MIXES,		/* each by chance */
	CUT_DROPS_ONE,		/* all but one */
	CUT_CACHES
};

struct cut {
	uint64_t	 time;		/* CLOCK_MONOTONIC, nanoseconds */
	uint64_t	 seed;
	enum cut_cache	 cache;
	unsigned	 keep;		/* CUT_MIXES: percent */
	unsigned	 tear;		/* of a hundred kept ones, in part */
	unsigned	 sector;	/* the unit that is written or not */
};

struct cut_result {
	size_t	 durable, unsafe, kept, torn;	/* writes */
};

uint64_t	 disk_now(void);

/* The image file is mapped and not written until disk_settle(). */
struct disk	*disk_new(const char *image);
void		 disk_free(struct disk *);
/* Serve on a connected socket, in a thread, until the peer has gone. */
void		 disk_serve(struct disk *, int fd);
void		 disk_wait(struct disk *);
/* At any time: no answer from now on, and what comes is not written. */
void		 disk_freeze(struct disk *);

/* Writes that no flush covers yet, about; while it is being served. */
size_t		 disk_dirty(struct disk *);
size_t		 disk_events(const struct disk *);
uint64_t	 disk_event_time(const struct disk *, size_t n);

/* dst, which nobody may have mounted, becomes what a cut leaves of src. */
void		 disk_cut(struct disk *dst, const struct disk *src,
		    const struct cut *, struct cut_result *);
/* The image file and the disk become what a cut leaves; the log is empty. */
void		 disk_settle(struct disk *, const struct cut *,
		    struct cut_result *);
/* The image file has been replaced: begin with it. */
void		 disk_reload(struct disk *);
/* Write what is on the disk now to a file.  0 or -1. */
int		 disk_save(const struct disk *, const char *path);

#endif
