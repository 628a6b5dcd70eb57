/* SPDX-License-Identifier: ISC */
/*
 * The store on a local directory, its writing half: files that grow under a
 * lock, and what is removed.  Runs in keepers and the collector.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "store_fs.h"
#include "sysfs.h"

#define FLUSH_STEP	(8u * 1024 * 1024)
#define FLUSH_BEHIND	(8 * FLUSH_STEP)
#define BATCH_BEHIND	(2 * FLUSH_STEP)	/* a barrier waits for all */

enum store_result
fs_write(struct store *s, int fd, const void *data, size_t len,
    uint64_t offset)
{
	const char *src = data;
	size_t done = 0;
	ssize_t n;

	(void)s;
	while (done < len) {
		n = sysfs_pwrite(fd, src + done, len - done, offset + done);
		if (n == -1)
			return store_result_errno(errno);
		done += (size_t)n;
	}
	return STORE_OK;
}

/*
 * Whenever another step is full: start writing it, and wait for what lies
 * further back.  A slow disk then slows the writer down at once, and the
 * sync at the end of a large file finds little to do.
 */
enum store_result
fs_flush(struct store *s, int fd, uint64_t from, uint64_t to)
{
	const struct fs *fs = (const struct fs *)s;
	uint64_t first = from / FLUSH_STEP * FLUSH_STEP;
	uint64_t last = to / FLUSH_STEP * FLUSH_STEP;
	uint64_t behind = fs->base.batched ? BATCH_BEHIND : FLUSH_BEHIND;

	if (last == first || fs->durability == STORE_NONE)
		return STORE_OK;
	if (sysfs_flush(fd, first, last - first, false) == -1)
		return store_result_errno(errno);
	if (last > behind) {
		first = first > behind ? first - behind : 0;
		last -= behind;
		if (sysfs_flush(fd, first, last - first, true) == -1)
			return store_result_errno(errno);
	}
	return STORE_OK;
}

enum store_result
fs_truncate(struct store *s, int fd, uint64_t size)
{
	(void)s;
	if (sysfs_truncate(fd, size) == -1)
		return store_result_errno(errno);
	return STORE_OK;
}

enum store_result
fs_sync(struct store *s, int fd)
{
	struct fs *fs = (struct fs *)s;

	switch (fs->durability) {
	case STORE_FULL:
		if (sysfs_sync(fd) == -1)
			return store_result_errno(errno);
		break;
	case STORE_BATCH:
		fs->unsynced = true;
		fs_barrier_add(fs->barrier, fd);
		if (sysfs_flush(fd, 0, 0, false) == -1)
			return store_result_errno(errno);
		break;
	case STORE_NONE:
		break;
	}
	return STORE_OK;
}

enum store_result
fs_create(struct store *s, const char *path, int *fdp)
{
	struct fs *fs = (struct fs *)s;
	const char *name;
	enum store_result r;
	int dirfd, fd = -1, tries = 0;

	do {
		r = fs_make_parent(fs, path, &dirfd, &name);
		if (r != STORE_OK)
			return r;
		fd = sysfs_open(dirfd, name, O_RDWR | O_CREAT | O_EXCL,
		    FS_FILE_MODE);
		if (fd == -1)
			r = store_result_errno(errno);
		else if (sysfs_lock(fd) == -1) {
			r = store_result_errno(errno);
			(void)sysfs_unlink(dirfd, name);
			sysfs_close(fd);
		}
		sysfs_close(dirfd);
	} while (r == STORE_NOTFOUND && ++tries < FS_RACE_TRIES);
	if (r != STORE_OK)
		return r == STORE_NOTFOUND ? STORE_IO : r;
	*fdp = fd;
	return STORE_OK;
}

enum store_result
fs_mark(struct store *s, int fd, uint64_t size)
{
	char text[FS_MARK_TEXT_SIZE];

	(void)s;
	snprintf(text, sizeof(text), "%" PRIu64, size);
	/* One that failed may have an older one that is wrong by now. */
	if (sysfs_mark(fd, FS_MARK, text) == -1 && errno != ENOTSUP &&
	    errno != EPERM)
		return store_result_errno(errno);
	return STORE_OK;
}

enum store_result
fs_written(struct store *s, int fd)
{
	const struct fs *fs = (const struct fs *)s;

	/* Nothing is left to be written; so this only asks. */
	if (fs->durability == STORE_BATCH &&
	    sysfs_flush(fd, 0, 0, true) == -1)
		return store_result_errno(errno);
	return STORE_OK;
}

/*
 * Whoever moves or removes the file holds its lock; so after locking, the
 * path must still name what was opened.
 */
static enum store_result
lock_current(int fd, int dirfd, const char *name, struct stat *st)
{
	struct stat now;

	if (sysfs_fstat(fd, st) == -1)
		return store_result_errno(errno);
	if (!S_ISREG(st->st_mode))
		return STORE_INVALID;
	if (sysfs_lock(fd) == -1)
		return store_result_errno(errno);
	if (sysfs_stat(dirfd, name, &now) == -1)
		return store_result_errno(errno);
	if (now.st_ino != st->st_ino || now.st_dev != st->st_dev)
		return STORE_NOTFOUND;
	/*
	 * A cut in the middle of a move may leave both names, and one of
	 * them is a blob's: what has two is not to be written to.
	 */
	if (now.st_nlink != 1)
		return STORE_NOTFOUND;
	/* The one who held the lock before may have written. */
	*st = now;
	return STORE_OK;
}

enum store_result
fs_open_append(struct store *s, const char *path, int *fdp,
    struct store_stat *out)
{
	struct fs *fs = (struct fs *)s;
	const char *name;
	struct stat st;
	enum store_result r;
	int dirfd, fd;

	if ((r = fs_open_parent(fs, path, &dirfd, &name)) != STORE_OK)
		return r;
	fd = sysfs_open(dirfd, name, O_RDWR | O_NONBLOCK | O_NOCTTY, 0);
	if (fd == -1)
		r = store_result_errno(errno);
	else if ((r = lock_current(fd, dirfd, name, &st)) != STORE_OK)
		sysfs_close(fd);
	sysfs_close(dirfd);
	if (r != STORE_OK)
		return r;
	fs_stat_fill(out, &st);
	*fdp = fd;
	return STORE_OK;
}

enum store_result
fs_unlink(struct store *s, const char *path)
{
	struct fs *fs = (struct fs *)s;
	const char *name;
	enum store_result r;
	int dirfd;

	if ((r = fs_open_parent(fs, path, &dirfd, &name)) != STORE_OK)
		return r;
	if (sysfs_unlink(dirfd, name) == -1)
		r = store_result_errno(errno);
	else
		r = fs_sync_dir(fs, dirfd);
	sysfs_close(dirfd);
	return r;
}

enum store_result
fs_touch(struct store *s, const char *path, const struct timespec *when)
{
	struct fs *fs = (struct fs *)s;
	const char *name;
	enum store_result r;
	int dirfd;

	if ((r = fs_open_parent(fs, path, &dirfd, &name)) != STORE_OK)
		return r;
	if (sysfs_touch(dirfd, name, when) == -1)
		r = store_result_errno(errno);
	sysfs_close(dirfd);
	return r;
}
