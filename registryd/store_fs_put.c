/* SPDX-License-Identifier: ISC */
/*
 * The store on a local directory: small files that appear whole, and moves.
 * Runs in keepers and the collector.  The bytes are durable before the name
 * is there; in which order names come is the caller's.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "store_fs.h"
#include "str.h"
#include "sysfs.h"

/* A new file under a name that no listing shows; *dirfd is its place. */
static enum store_result
open_temporary(struct fs *fs, char path[LAYOUT_PATH_SIZE], int *dirfd,
    const char **name, int *fdp)
{
	enum store_result r;
	int fd, tries = 0;

	do {
		fs_random_path(path, LAYOUT_TMP);
		r = fs_make_parent(fs, path, dirfd, name);
		if (r != STORE_OK)
			return r;
		fd = sysfs_open(*dirfd, *name, O_WRONLY | O_CREAT | O_EXCL,
		    FS_FILE_MODE);
		if (fd == -1) {
			r = store_result_errno(errno);
			sysfs_close(*dirfd);
		}
	} while (fd == -1 && r == STORE_NOTFOUND && ++tries < FS_RACE_TRIES);
	if (fd == -1)
		return r == STORE_NOTFOUND ? STORE_IO : r;
	*fdp = fd;
	return STORE_OK;
}

/* later: in mode batch a barrier comes before the name. */
static enum store_result
sync_temporary(struct fs *fs, int fd, bool later)
{
	if (fs->durability != STORE_BATCH || later)
		return fs_sync(&fs->base, fd);
	return sysfs_sync(fd) == -1 ? store_result_errno(errno) : STORE_OK;
}

/* The whole file; its directory stays open for what is to follow. */
static enum store_result
write_temporary(struct fs *fs, char path[LAYOUT_PATH_SIZE], const void *data,
    size_t len, unsigned flags, bool later, int *dirfd, const char **name)
{
	enum store_result r;
	int fd = -1;

	if ((r = open_temporary(fs, path, dirfd, name, &fd)) != STORE_OK)
		return r;
	r = fs_write(&fs->base, fd, data, len, 0);
	if (r == STORE_OK && !(flags & STORE_NOSYNC))
		r = sync_temporary(fs, fd, later);
	/* Some file systems tell of a full disk only here. */
	if (sysfs_close(fd) == -1 && r == STORE_OK)
		r = store_result_errno(errno);
	if (r != STORE_OK) {
		(void)sysfs_unlink(*dirfd, *name);
		sysfs_close(*dirfd);
	}
	return r;
}

/* What is to be told of (STORE_TELL), or -1. */
static int
open_told(const struct fs *fs, int dirfd, const char *name, unsigned flags)
{
	if (!(flags & STORE_TELL) || fs->durability != STORE_FULL)
		return -1;
	return sysfs_open(dirfd, name, O_RDONLY | O_NONBLOCK | O_NOCTTY, 0);
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
		if (r != STORE_NOTFOUND || ++tries == FS_RACE_TRIES)
			return r;
	}
	/* A name that was there already may not be on the disk yet. */
	if (!(flags & (STORE_NOSYNC | STORE_NONAME))) {
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

	r = write_temporary(fs, tmp, data, len, flags, false, &dirfd, &name);
	if (r != STORE_OK)
		return r;
	r = publish(fs, dirfd, name, path, flags);
	if (r != STORE_OK)
		(void)sysfs_unlink(dirfd, name);
	sysfs_close(dirfd);
	/* Somebody removes the directory as often as it is made. */
	return r == STORE_NOTFOUND ? STORE_BUSY : r;
}

enum store_result
fs_stage(struct store *s, const void *data, size_t len,
    struct store_staged *staged)
{
	struct fs *fs = (struct fs *)s;
	char tmp[LAYOUT_PATH_SIZE];
	const char *name;
	enum store_result r;
	int dirfd;

	r = write_temporary(fs, tmp, data, len, 0, true, &dirfd, &name);
	if (r != STORE_OK)
		return r;
	sysfs_close(dirfd);
	if (str_copy(staged->path, sizeof(staged->path), tmp) == -1)
		return STORE_INVALID;
	return STORE_OK;
}

enum store_result
fs_publish(struct store *s, struct store_staged *staged, const char *path,
    unsigned flags)
{
	enum store_result r;

	r = fs_move(s, staged->path, path, flags);
	if (r == STORE_OK)
		staged->path[0] = '\0';
	/* Removed as above, or a sweep has taken what was staged. */
	return r == STORE_NOTFOUND ? STORE_BUSY : r;
}

void
fs_unstage(struct store *s, struct store_staged *staged)
{
	struct fs *fs = (struct fs *)s;
	const char *name;
	int dirfd;

	if (fs_open_parent(fs, staged->path, &dirfd, &name) != STORE_OK)
		return;
	(void)sysfs_unlink(dirfd, name);
	sysfs_close(dirfd);
}

enum store_result
fs_move(struct store *s, const char *from, const char *to, unsigned flags)
{
	struct fs *fs = (struct fs *)s;
	const char *name;
	enum store_result r;
	int dirfd, fd;

	if ((r = fs_open_parent(fs, from, &dirfd, &name)) != STORE_OK)
		return r;
	/* Before it has a name that others may put something else under. */
	fd = open_told(fs, dirfd, name, flags);
	r = publish(fs, dirfd, name, to, flags);
	if (r == STORE_OK && flags & STORE_LEFT)
		r = fs_sync_dir(fs, dirfd);
	sysfs_close(dirfd);
	if (fd != -1) {
		if (r == STORE_OK)
			(void)fs_tell(fd);
		sysfs_close(fd);
	}
	return r;
}

enum store_result
fs_link(struct store *s, const char *from, const char *to)
{
	struct fs *fs = (struct fs *)s;
	const char *fromname, *name;
	enum store_result r;
	int fromdir, dirfd;

	if ((r = fs_open_parent(fs, from, &fromdir, &fromname)) != STORE_OK)
		return r;
	if ((r = fs_make_parent(fs, to, &dirfd, &name)) == STORE_OK) {
		r = sysfs_link(fromdir, fromname, dirfd, name) == -1 ?
		    store_result_errno(errno) :
		    fs_sync_parents(fs, to, dirfd);
		sysfs_close(dirfd);
	}
	sysfs_close(fromdir);
	return r;
}
