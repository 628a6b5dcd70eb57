/* SPDX-License-Identifier: ISC */
/*
 * The store on a local directory: locks by name, and the proof that nobody
 * writes to a file any more.  Runs in keepers and the collector.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <time.h>

#include "clock.h"
#include "store_fs.h"
#include "sysfs.h"

#define LOCK_PAUSE_NS	(250 * 1000)
#define LOCK_PAUSE_MAX_NS	(16 * 1000 * 1000)
/* One that was refused the lock has the file open for a moment. */
#define SEAL_PAUSE_NS	(1000 * 1000)
#define SEAL_TRIES	20

static enum store_result
open_lock(struct fs *fs, const char *name, int *fd)
{
	char path[LAYOUT_PATH_SIZE];
	const char *file, *set = name[0] == '@' ? "m" : "";
	uint32_t h = 0x811c9dc5u;
	enum store_result r;
	int dirfd;

	/* Every process must come to the same file: no seed here. */
	for (; *name != '\0'; name++)
		h = (h ^ (unsigned char)*name) * 0x01000193u;
	h ^= h >> 16;
	snprintf(path, sizeof(path), LAYOUT_LOCKS "/%s%02x", set,
	    (h ^ h >> 8) & 255);
	if ((r = fs_make_parent(fs, path, &dirfd, &file)) != STORE_OK)
		return r;
	*fd = sysfs_open(dirfd, file, O_RDWR | O_CREAT | O_NONBLOCK,
	    FS_FILE_MODE);
	if (*fd == -1)
		r = store_result_errno(errno);
	sysfs_close(dirfd);
	return r;
}

enum store_result
fs_lock(struct store *s, const char *name, int *fdp)
{
	uint64_t end = clock_monotonic_ms() + STORE_LOCK_MS;
	struct timespec pause = { .tv_nsec = LOCK_PAUSE_NS };
	enum store_result r;
	int fd;

	if ((r = open_lock((struct fs *)s, name, &fd)) != STORE_OK)
		return r;
	while (sysfs_lock(fd) == -1) {
		r = store_result_errno(errno);
		if (r != STORE_BUSY || clock_monotonic_ms() >= end) {
			sysfs_close(fd);
			return r;
		}
		nanosleep(&pause, NULL);
		if (pause.tv_nsec < LOCK_PAUSE_MAX_NS)
			pause.tv_nsec *= 2;
	}
	*fdp = fd;
	return STORE_OK;
}

/* ---- sealing ---- */

/* Does a file that nobody else can know get a lease? */
static void
probe_leases(struct fs *fs)
{
	char path[LAYOUT_PATH_SIZE];
	const char *name;
	int dirfd, fd;

	fs_random_path(path, LAYOUT_TMP);
	if (fs_make_parent(fs, path, &dirfd, &name) != STORE_OK)
		return;
	fd = sysfs_open(dirfd, name, O_WRONLY | O_CREAT | O_EXCL,
	    FS_FILE_MODE);
	if (fd != -1) {
		sysfs_close(fd);
		fd = sysfs_open(dirfd, name, O_RDONLY, 0);
		(void)sysfs_unlink(dirfd, name);
	}
	if (fd != -1) {
		fs->leases = sysfs_lease(fd, true) == 0 ? FS_LEASES_WORK :
		    FS_LEASES_FAIL;
		sysfs_close(fd);
	}
	sysfs_close(dirfd);
}

/* The same file open for reading only, instead of *fd, and locked. */
static enum store_result
reopen_for_reading(struct fs *fs, const char *path, int *fd)
{
	struct stat was, is;
	enum store_result r = STORE_OK;
	int ro;

	if (sysfs_fstat(*fd, &was) == -1)
		return store_result_errno(errno);
	ro = sysfs_open(fs->root, path, O_RDONLY | O_NONBLOCK | O_NOCTTY, 0);
	if (ro == -1)
		return store_result_errno(errno);
	if (sysfs_fstat(ro, &is) == -1)
		r = store_result_errno(errno);
	else if (is.st_ino != was.st_ino || is.st_dev != was.st_dev)
		r = STORE_NOTFOUND;
	if (r != STORE_OK) {
		sysfs_close(ro);
		return r;
	}
	/* Its lock goes with it: another may be quicker now, and may go on. */
	sysfs_close(*fd);
	*fd = -1;
	if (sysfs_lock(ro) == -1) {
		r = store_result_errno(errno);
		sysfs_close(ro);
		return r;
	}
	*fd = ro;
	return STORE_OK;
}

enum store_result
fs_seal(struct store *s, const char *path, int *fd)
{
	struct timespec pause = { .tv_nsec = SEAL_PAUSE_NS };
	struct fs *fs = (struct fs *)s;
	struct store_stat st;
	enum store_result r;
	int tries = 0;

	if (fs->leases == FS_LEASES_UNKNOWN)
		probe_leases(fs);
	if (fs->leases != FS_LEASES_WORK)
		return STORE_OK;
	if ((r = reopen_for_reading(fs, path, fd)) != STORE_OK)
		return r;
	while (sysfs_lease(*fd, true) == -1) {
		/* A file of another owner, say: then the lock has to do. */
		if (errno != EAGAIN)
			return STORE_OK;
		if (++tries == SEAL_TRIES) {
			sysfs_close(*fd);
			if (fs_open_append(s, path, fd, &st) != STORE_OK)
				*fd = -1;
			return STORE_BUSY;
		}
		nanosleep(&pause, NULL);
	}
	return STORE_OK;
}
