/* SPDX-License-Identifier: ISC */
/*
 * What the files of the disk share: disk.c has its contents and the log of
 * what was written, disk_cut.c what a cut makes of them, disk_nbd.c serves
 * them.
 */
#ifndef POWERCUT_DISK_LOCAL_H
#define POWERCUT_DISK_LOCAL_H

#include <pthread.h>
#include <stdatomic.h>

#include "disk.h"

#define FLUSH_MAX	64		/* flushes under way */

struct event {
	uint64_t	 received, done;	/* done 0: never answered */
	uint64_t	 offset;
	uint32_t	 len;
	bool		 is_flush;
	uint8_t		*data;
};

/* A flush that takes its time. */
struct flush {
	uint64_t	 handle, due;
	size_t		 event;
	size_t		 covered;	/* writes before it */
};

struct disk {
	char		*path;
	int		 image;
	size_t		 size;
	uint8_t		*contents;
	struct event	*events;
	size_t		 n_events, max_events, logged;
	size_t		 n_writes, n_covered;
	atomic_size_t	 dirty;		/* for other threads */
	int		 fd;
	pthread_t	 thread;
	bool		 serving;
	atomic_bool	 frozen;
	uint8_t		*in;
	size_t		 in_len, in_max;
	struct flush	 flushes[FLUSH_MAX];
	size_t		 n_flushes;
	uint64_t	 dice;
};

/* The contents are a private mapping of the image; ends the program. */
void	 disk_map(struct disk *);
void	 disk_log_clear(struct disk *);
/* Carry out a write, or note a flush.  The event's number. */
size_t	 disk_log_add(struct disk *, bool is_flush, uint64_t offset,
	    uint32_t len, const uint8_t *data);
/* All writes up to the first "covered" ones are on the medium. */
void	 disk_log_covered(struct disk *, size_t covered);
/* Random numbers; the state goes on. */
uint64_t disk_chance(uint64_t *state);

#endif
