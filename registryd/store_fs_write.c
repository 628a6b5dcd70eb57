/* SPDX-License-Identifier: ISC */
/*
 * The store on a local directory, its writing half: small files that appear
 * whole, files that grow under a lock, and moves.  Runs in keepers and the
 * collector.  An edge is durable before the call that makes it returns; the
 * order of edges is the caller's.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "store_fs.h"
#include "sysfs.h"

#define FILE_MODE	0666
#define RACE_TRIES	4	/* a directory vanished between two calls */
#define FLUSH_STEP	(8u * 1024 * 1024)
#define FLUSH_BEHIND	(8 * FLUSH_STEP)

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

	if (last == first || fs->durability == STORE_NONE)
		return STORE_OK;
	if (sysfs_flush(fd, first, last - first, false) == -1)
		return store_result_errno(errno);
	if (last > FLUSH_BEHIND) {
		first = first > FLUSH_BEHIND ? first - FLUSH_BEHIND : 0;
		last -= FLUSH_BEHIND;
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
	const struct fs *fs = (const struct fs *)s;

	if (fs->durability != STORE_NONE && sysfs_sync(fd) == -1)
		return store_result_errno(errno);
	return STORE_OK;
}

/* A whole file under a name that no listing shows; *dirfd is its place. */
static enum store_result
write_temporary(struct fs *fs, char path[LAYOUT_PATH_SIZE], const void *data,
    size_t len, unsigned flags, int *dirfd, const char **name)
{
	enum store_result r;
	int fd, tries = 0;

	do {
		fs_random_path(path, LAYOUT_TMP);
		r = fs_make_parent(fs, path, dirfd, name);
		if (r != STORE_OK)
			return r;
		fd = sysfs_open(*dirfd, *name, O_WRONLY | O_CREAT | O_EXCL,
		    FILE_MODE);
		if (fd == -1) {
			r = store_result_errno(errno);
			sysfs_close(*dirfd);
		}
	} while (fd == -1 && r == STORE_NOTFOUND && ++tries < RACE_TRIES);
	if (fd == -1)
		return r == STORE_NOTFOUND ? STORE_IO : r;
	r = fs_write(&fs->base, fd, data, len, 0);
	if (r == STORE_OK && !(flags & STORE_NOSYNC))
		r = fs_sync(&fs->base, fd);
	/* Some file systems tell of a full disk only here. */
	if (sysfs_close(fd) == -1 && r == STORE_OK)
		r = store_result_errno(errno);
	if (r != STORE_OK) {
		(void)sysfs_unlink(*dirfd, *name);
		sysfs_close(*dirfd);
	}
	return r;
}

/* Rename to "path", with its directories; then the edge is made durable. */
static enum store_result
publish(struct fs *fs, int fromdir, const char *from, const char *path,
    unsigned flags)
{
	const char *name;
	enum store_result r, rs;
	int dirfd, tries = 0;

	for (;;) {
		r = fs_make_parent(fs, path, &dirfd, &name);
		if (r == STORE_OK) {
			if (sysfs_rename(fromdir, from, dirfd, name,
			    !(flags & STORE_REPLACE)) == 0)
				break;
			r = store_result_errno(errno);
			if (r == STORE_EXISTS)
				break;
			sysfs_close(dirfd);
		}
		if (r != STORE_NOTFOUND || ++tries == RACE_TRIES)
			return r;
	}
	/* A name that was there already may not be on the disk yet. */
	if (!(flags & STORE_NOSYNC)) {
		rs = fs_sync_parents(fs, path, dirfd);
		if (rs != STORE_OK)
			r = rs;
	}
	sysfs_close(dirfd);
	return r;
}

enum store_result
fs_put(struct store *s, const char *path, const void *data, size_t len,
    unsigned flags)
{
	struct fs *fs = (struct fs *)s;
	char tmp[LAYOUT_PATH_SIZE];
	const char *name;
	enum store_result r;
	int dirfd;

	r = write_temporary(fs, tmp, data, len, flags, &dirfd, &name);
	if (r != STORE_OK)
		return r;
	r = publish(fs, dirfd, name, path, flags);
	if (r != STORE_OK)
		(void)sysfs_unlink(dirfd, name);
	sysfs_close(dirfd);
	return r == STORE_NOTFOUND ? STORE_IO : r;
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
		    FILE_MODE);
		if (fd == -1)
			r = store_result_errno(errno);
		sysfs_close(dirfd);
	} while (r == STORE_NOTFOUND && ++tries < RACE_TRIES);
	if (r != STORE_OK)
		return r == STORE_NOTFOUND ? STORE_IO : r;
	if (sysfs_lock(fd) == -1) {
		r = store_result_errno(errno);
		sysfs_close(fd);
		return r;
	}
	*fdp = fd;
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
fs_move(struct store *s, const char *from, const char *to, unsigned flags)
{
	struct fs *fs = (struct fs *)s;
	const char *name;
	enum store_result r;
	int dirfd;

	if ((r = fs_open_parent(fs, from, &dirfd, &name)) != STORE_OK)
		return r;
	r = publish(fs, dirfd, name, to, flags);
	sysfs_close(dirfd);
	return r;
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
	else if (fs->durability != STORE_NONE && sysfs_sync(dirfd) == -1)
		r = store_result_errno(errno);
	sysfs_close(dirfd);
	return r;
}
