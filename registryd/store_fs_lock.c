/* SPDX-License-Identifier: ISC */
/*
 * The store on a local directory: locks by name, and the proof that nobody
 * writes to a file any more.  Runs in keepers and the collector.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>

#include "clock.h"
#include "store_fs.h"
#include "sysfs.h"

#define NLOCKS		256		/* of each set */
#define LOCK_PAUSE_US	250
#define LOCK_PAUSE_MAX_US	16000
/* One that was refused the lock has the file open for a moment. */
#define SEAL_PAUSE_US	1000
#define SEAL_TRIES	20

/* ---- lock files ---- */

static enum store_result
open_lock(struct fs *fs, const char *path, int *fd)
{
	const char *file;
	enum store_result r;
	int dirfd;

	if ((r = fs_make_parent(fs, path, &dirfd, &file)) != STORE_OK)
		return r;
	*fd = sysfs_open(dirfd, file, O_RDWR | O_CREAT | O_NONBLOCK |
	    O_NOCTTY, FS_FILE_MODE);
	if (*fd == -1)
		r = store_result_errno(errno);
	sysfs_close(dirfd);
	return r;
}

/* What is locked must be what the path names, or others lock another file. */
static enum store_result
stat_lock(struct fs *fs, const char *path, int fd, struct stat *st)
{
	const char *file;
	enum store_result r;
	struct stat now;
	int dirfd;

	if (sysfs_fstat(fd, st) == -1)
		return store_result_errno(errno);
	if (!S_ISREG(st->st_mode))
		return STORE_INVALID;
	if ((r = fs_open_parent(fs, path, &dirfd, &file)) != STORE_OK)
		return r;
	if (sysfs_stat(dirfd, file, &now) == -1)
		r = store_result_errno(errno);
	else if (now.st_ino != st->st_ino || now.st_dev != st->st_dev)
		r = STORE_NOTFOUND;
	sysfs_close(dirfd);
	return r;
}

/*
 * A copy of the store made of hard links shares the file, and would wait for
 * locks of this one.  With its lock held, a new file takes its place, locked
 * before it has the name; whoever waits for the old one sees that it is not
 * what the path names any more.  Should it fail, the old one is as good.
 */
static void
part_lock(struct fs *fs, const char *path, int *fd)
{
	char tmp[LAYOUT_PATH_SIZE];
	const char *name, *file;
	int tmpdir, dirfd, own;

	fs_random_path(tmp, LAYOUT_TMP);
	if (fs_make_parent(fs, tmp, &tmpdir, &name) != STORE_OK)
		return;
	if (fs_open_parent(fs, path, &dirfd, &file) != STORE_OK) {
		sysfs_close(tmpdir);
		return;
	}
	own = sysfs_open(tmpdir, name, O_RDWR | O_CREAT | O_EXCL,
	    FS_FILE_MODE);
	if (own != -1 && (sysfs_lock(own) == -1 ||
	    sysfs_rename(tmpdir, name, dirfd, file, false) == -1)) {
		(void)sysfs_unlink(tmpdir, name);
		sysfs_close(own);
		own = -1;
	}
	sysfs_close(tmpdir);
	sysfs_close(dirfd);
	if (own == -1)
		return;
	sysfs_close(*fd);
	*fd = own;
}

/* Without waiting; *fd, if it is one, is the file from an earlier try. */
static enum store_result
try_lock(struct fs *fs, const char *path, int *fd)
{
	enum store_result r = STORE_NOTFOUND;
	struct stat st;
	int tries;

	for (tries = 0; r == STORE_NOTFOUND && tries < FS_RACE_TRIES;
	    tries++) {
		if (*fd == -1 && (r = open_lock(fs, path, fd)) != STORE_OK)
			return r;
		if (sysfs_lock(*fd) == -1)
			return store_result_errno(errno);
		if ((r = stat_lock(fs, path, *fd, &st)) == STORE_OK) {
			if (st.st_nlink > 1)
				part_lock(fs, path, fd);
			return STORE_OK;
		}
		sysfs_close(*fd);
		*fd = -1;
	}
	return r == STORE_NOTFOUND ? STORE_BUSY : r;
}

enum store_result
fs_lock_file(struct store *s, const char *path, int *fdp)
{
	enum store_result r;
	int fd = -1;

	r = try_lock((struct fs *)s, path, &fd);
	if (r == STORE_OK)
		*fdp = fd;
	else if (fd != -1)
		sysfs_close(fd);
	return r;
}

static void
lock_path(char path[LAYOUT_PATH_SIZE], bool inside, unsigned n)
{
	snprintf(path, LAYOUT_PATH_SIZE, LAYOUT_LOCKS "/%s%02x",
	    inside ? "" : "m", n);
}

/* Every process must come to the same file: no seed here. */
static unsigned
lock_number(const char *name)
{
	uint32_t h = 0x811c9dc5u;

	for (; *name != '\0'; name++)
		h = (h ^ (unsigned char)*name) * 0x01000193u;
	h ^= h >> 16;
	return (h ^ h >> 8) & (NLOCKS - 1);
}

static enum store_result
wait_lock(struct fs *fs, const char *path, uint64_t end, int *fdp)
{
	enum store_result r;
	unsigned pause_us = LOCK_PAUSE_US;
	int fd = -1;

	for (;;) {
		r = try_lock(fs, path, &fd);
		if (r != STORE_BUSY || fs->base.nowait ||
		    clock_monotonic_ms() >= end)
			break;
		clock_pause_us(pause_us);
		if (pause_us < LOCK_PAUSE_MAX_US)
			pause_us *= 2;
	}
	if (r == STORE_OK)
		*fdp = fd;
	else if (fd != -1)
		sysfs_close(fd);
	return r;
}

enum store_result
fs_lock(struct store *s, const char *name, int *fdp)
{
	char path[LAYOUT_PATH_SIZE];

	lock_path(path, name[0] != '@', lock_number(name));
	return wait_lock((struct fs *)s, path, clock_monotonic_ms() +
	    STORE_LOCK_MS, fdp);
}

static enum store_result
pass_lock(struct fs *fs, const char *path, uint64_t end)
{
	enum store_result r;
	int fd;

	if ((r = wait_lock(fs, path, end, &fd)) == STORE_OK)
		sysfs_close(fd);
	return r;
}

/* A file that is not there is not held: none is ever removed. */
enum store_result
fs_lock_pass(struct store *s)
{
	uint64_t end = clock_monotonic_ms() + STORE_LOCK_MS;
	struct fs *fs = (struct fs *)s;
	char path[LAYOUT_PATH_SIZE];
	const char *file;
	enum store_result r;
	struct stat st;
	int dirfd;
	unsigned n;

	lock_path(path, false, 0);
	if ((r = fs_open_parent(fs, path, &dirfd, &file)) != STORE_OK)
		return r == STORE_NOTFOUND ? STORE_OK : r;
	for (n = 0; n < NLOCKS && r == STORE_OK; n++) {
		/* All are as long, so "file" is the name of each. */
		lock_path(path, false, n);
		if (sysfs_stat(dirfd, file, &st) == 0)
			r = pass_lock(fs, path, end);
		else if (errno != ENOENT)
			r = store_result_errno(errno);
	}
	sysfs_close(dirfd);
	return r;
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
		clock_pause_us(SEAL_PAUSE_US);
	}
	return STORE_OK;
}
