/* SPDX-License-Identifier: ISC */
/*
 * The store on a local directory: the barrier of mode batch.  Runs in keepers
 * and the collector.
 *
 * One sync of the whole file system serves everybody, but it also waits for
 * what other programs have written there.  Where that is slow, what was
 * written since the last barrier is remembered, and synced one by one when
 * that is quicker: as for a client that is alone.  Either way the same things
 * are durable when the barrier has been passed.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>

#include "clock.h"
#include "store_fs.h"
#include "sysfs.h"

#define MAX_FDS		64	/* more than that are not synced one by one */
#define MAX_KEYS	256
#define SLOW_US		5000	/* a sync of all: below, nothing beats it */
#define ALL_EVERY	64	/* barriers; so that its time is known */

struct fs_barrier {
	bool		 remember;	/* since the last barrier */
	bool		 too_many;
	struct {
		int		 fd;
		uint64_t	 ino, dev;
	}		 files[MAX_FDS];
	size_t		 nfiles;
	/* directories whose names are durable then */
	uint64_t	 keys[MAX_KEYS];
	size_t		 nkeys;
	uint64_t	 all_us;	/* means of what they took */
	uint64_t	 one_us;
	unsigned	 turn;
};

struct fs_barrier *
fs_barrier_new(void)
{
	return calloc(1, sizeof(struct fs_barrier));
}

static void
forget(struct fs_barrier *b)
{
	while (b->nfiles > 0)
		sysfs_close(b->files[--b->nfiles].fd);
	b->nkeys = 0;
	b->too_many = false;
}

void
fs_barrier_free(struct fs_barrier *b)
{
	if (b != NULL)
		forget(b);
	free(b);
}

bool
fs_barrier_remembers(const struct fs_barrier *b)
{
	return b->remember;
}

void
fs_barrier_add(struct fs_barrier *b, int fd)
{
	struct stat st;
	size_t i;

	if (!b->remember || b->too_many)
		return;
	/* Whatever cannot be remembered is left to the sync of all. */
	if (b->nfiles == MAX_FDS || sysfs_fstat(fd, &st) == -1) {
		b->too_many = true;
		return;
	}
	for (i = 0; i < b->nfiles; i++)
		if (b->files[i].ino == (uint64_t)st.st_ino &&
		    b->files[i].dev == (uint64_t)st.st_dev)
			return;
	if ((fd = sysfs_dup(fd)) == -1) {
		b->too_many = true;
		return;
	}
	b->files[b->nfiles].fd = fd;
	b->files[b->nfiles].ino = (uint64_t)st.st_ino;
	b->files[b->nfiles++].dev = (uint64_t)st.st_dev;
}

void
fs_barrier_add_key(struct fs_barrier *b, uint64_t key)
{
	if (b->remember && b->nkeys < MAX_KEYS)
		b->keys[b->nkeys++] = key;
}

static uint64_t
mean(uint64_t old, uint64_t now)
{
	return old == 0 ? now : (3 * old + now) / 4;
}

static int
sync_all(struct fs *fs, struct fs_barrier *b)
{
	uint64_t begin = clock_monotonic_us();

	if (sysfs_syncfs(fs->syncfd) == -1)
		return -1;
	b->all_us = mean(b->all_us, clock_monotonic_us() - begin);
	return 0;
}

static int
sync_each(struct fs *fs, struct fs_barrier *b)
{
	uint64_t begin = clock_monotonic_us();
	size_t i;

	for (i = 0; i < b->nfiles; i++)
		if (fs_sync_fd(fs, b->files[i].fd) == -1)
			return -1;
	if (b->nfiles > 0)
		b->one_us = mean(b->one_us, (clock_monotonic_us() - begin) /
		    b->nfiles);
	return 0;
}

static bool
each_is_quicker(struct fs_barrier *b)
{
	return b->remember && !b->too_many && ++b->turn % ALL_EVERY != 0 &&
	    b->nfiles * b->one_us < b->all_us;
}

enum store_result
fs_barrier(struct store *s)
{
	struct fs *fs = (struct fs *)s;
	struct fs_barrier *b = fs->barrier;
	int r;

	if (!fs->unsynced)
		return STORE_OK;
	r = each_is_quicker(b) ? sync_each(fs, b) : sync_all(fs, b);
	if (r == -1) {
		r = errno;
		forget(b);
		return fs_sync_failed(fs, r);
	}
	while (b->nkeys > 0)
		fs_durable_add(fs, b->keys[--b->nkeys]);
	forget(b);
	fs->unsynced = false;
	b->remember = b->all_us > SLOW_US;
	return STORE_OK;
}
