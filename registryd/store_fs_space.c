/* SPDX-License-Identifier: ISC */
/*
 * The store on a local directory: a full disk.  Runs in keepers and the
 * collector.
 *
 * The reserve is a file with blocks of its own.  When it is given out it
 * stays, empty, and tells every process of every host that what is free now
 * is for deletion and collection only, until there is enough for both again.
 */
#include <errno.h>
#include <fcntl.h>

#include "store_fs.h"
#include "sysfs.h"

#define SHARE		64	/* of the file system: no more than one part */
#define LEAST		(64u * 1024)	/* less would be of no use */

/* NOTFOUND: there is none. */
static enum store_result
open_reserve(struct fs *fs, int flags, int *fd, uint64_t *size)
{
	const char *name;
	struct stat st;
	enum store_result r;
	int dirfd;

	r = flags & O_CREAT ?
	    fs_make_parent(fs, LAYOUT_RESERVE, &dirfd, &name) :
	    fs_open_parent(fs, LAYOUT_RESERVE, &dirfd, &name);
	if (r != STORE_OK)
		return r;
	*fd = sysfs_open(dirfd, name, O_RDWR | O_NONBLOCK | O_NOCTTY | flags,
	    FS_FILE_MODE);
	if (*fd == -1)
		r = store_result_errno(errno);
	sysfs_close(dirfd);
	if (r != STORE_OK)
		return r;
	if (sysfs_fstat(*fd, &st) == -1)
		r = store_result_errno(errno);
	else if (!S_ISREG(st.st_mode))
		r = STORE_INVALID;
	if (r != STORE_OK)
		sysfs_close(*fd);
	else
		*size = (uint64_t)st.st_size;
	return r;
}

/* Only where twice as much is free: others need some of it too. */
static enum store_result
fill_reserve(struct fs *fs, int fd, uint64_t left)
{
	if (left / 2 < fs->reserve)
		return STORE_NOSPACE;
	if (sysfs_allocate(fd, fs->reserve) == 0)
		return STORE_OK;
	/* Half a reserve would look like a whole one. */
	(void)sysfs_truncate(fd, 0);
	if (errno == ENOSPC || errno == EDQUOT)
		return STORE_NOSPACE;
	fs->reserve = 0;
	return STORE_OK;
}

static void
remove_reserve(struct fs *fs)
{
	const char *name;
	int dirfd;

	if (fs_open_parent(fs, LAYOUT_RESERVE, &dirfd, &name) != STORE_OK)
		return;
	(void)sysfs_unlink(dirfd, name);
	sysfs_close(dirfd);
}

void
fs_reserve(struct store *s, uint64_t size)
{
	struct fs *fs = (struct fs *)s;
	uint64_t total, left, has;
	int fd;

	fs->reserve = 0;
	if (size == 0) {
		remove_reserve(fs);
		return;
	}
	if (sysfs_space(fs->root, &total, &left) == -1)
		return;
	if (size > total / SHARE)
		size = total / SHARE;
	if (size < LEAST)
		return;
	fs->reserve = size;
	if (open_reserve(fs, 0, &fd, &has) == STORE_OK) {
		/* Empty ones wait for who asks for room. */
		sysfs_close(fd);
		return;
	}
	if (left / 2 < size || open_reserve(fs, O_CREAT, &fd, &has) !=
	    STORE_OK)
		return;
	if (has == 0 && (fill_reserve(fs, fd, left) != STORE_OK ||
	    fs->reserve == 0))
		remove_reserve(fs);
	sysfs_close(fd);
}

enum store_result
fs_room(struct store *s, uint64_t bytes)
{
	struct fs *fs = (struct fs *)s;
	uint64_t total, left, has;
	enum store_result r = STORE_OK;
	int fd;

	if (sysfs_space(fs->root, &total, &left) == -1)
		return store_result_errno(errno);
	if (bytes > left)
		return STORE_NOSPACE;
	if (fs->reserve == 0 || open_reserve(fs, 0, &fd, &has) != STORE_OK)
		return STORE_OK;
	if (has == 0)
		r = fill_reserve(fs, fd, left);
	sysfs_close(fd);
	return r;
}

bool
fs_release(struct store *s)
{
	struct fs *fs = (struct fs *)s;
	uint64_t has;
	bool given;
	int fd;

	if (fs->reserve == 0 || open_reserve(fs, 0, &fd, &has) != STORE_OK)
		return false;
	given = has > 0 && sysfs_truncate(fd, 0) == 0;
	sysfs_close(fd);
	return given;
}
