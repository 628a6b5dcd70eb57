/* SPDX-License-Identifier: ISC */
/*
 * The store on a local directory: what makes names durable.  Runs in keepers
 * and the collector.
 *
 * A name is on the disk only when its directory has been synced, and so has
 * the name of that directory in the one above, up to the root: nothing here
 * relies on a file system's ordering between objects.  In mode batch one
 * sync of the whole file system, the barrier, stands for all of them.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "store_fs.h"
#include "sysfs.h"

/*
 * A second try may succeed because the system has forgotten what it could
 * not write: so there is none, and this process writes no more.
 */
enum store_result
fs_sync_failed(struct fs *fs, int error)
{
	fs->base.failure = error;
	return error == ENOSPC || error == EDQUOT ? STORE_NOSPACE :
	    STORE_READONLY;
}

/* Not of this one: the file system cannot sync any directory. */
static bool
is_incapable(int error)
{
	return error == EINVAL || error == ENOTSUP;
}

/*
 * What was done in a directory that is removed before it is synced is on the
 * disk only with the removal: some file systems sync nothing of it then.
 * Then, and where no directory can be synced, all is synced; where not even
 * that can be done, names are left to the system (store_name_sync()).
 */
int
fs_sync_fd(struct fs *fs, int fd)
{
	struct stat st;
	int error = 0;

	if (sysfs_sync(fd) == -1 && !is_incapable(error = errno))
		return -1;
	if (sysfs_fstat(fd, &st) == -1)
		return -1;
	if (!S_ISDIR(st.st_mode)) {
		errno = error;
		return error == 0 ? 0 : -1;
	}
	if ((error == 0 && st.st_nlink > 0) || fs->syncfd == -1)
		return 0;
	return sysfs_syncfs(fs->syncfd);
}

enum store_name_sync
fs_name_sync(struct store *s)
{
	const struct fs *fs = (const struct fs *)s;
	bool can;
	int fd;

	if (fs->durability == STORE_NONE)
		return STORE_NAME_ALONE;
	fd = sysfs_open(fs->root, ".", O_RDONLY | O_DIRECTORY, 0);
	if (fd == -1)
		return STORE_NAME_ALONE;
	/* Other errors are told by who has written something. */
	can = sysfs_sync(fd) == 0 || !is_incapable(errno);
	sysfs_close(fd);
	if (can)
		return STORE_NAME_ALONE;
	return fs->syncfd != -1 ? STORE_NAME_WITH_ALL : STORE_NAME_NOT;
}

enum store_result
fs_sync_dir(struct fs *fs, int dirfd)
{
	switch (fs->durability) {
	case STORE_FULL:
		break;
	case STORE_BATCH:
		fs->unsynced = true;
		fs_barrier_add(fs->barrier, dirfd);
		return STORE_OK;
	case STORE_NONE:
		return STORE_OK;
	}
	if (fs_sync_fd(fs, dirfd) == -1)
		return fs_sync_failed(fs, errno);
	return STORE_OK;
}

/*
 * FNV-1a over path, inode and time of birth: inodes are used again, and then
 * the name is a new one, which another process may have made.  0: unknown.
 */
static uint64_t
durable_key(const struct fs *fs, const char *path, int fd)
{
	uint64_t h = 0xcbf29ce484222325u ^ fs->seed, birth;
	struct stat st;

	if (sysfs_fstat(fd, &st) == -1 || sysfs_birth(fd, &birth) == -1)
		return 0;
	for (; *path != '\0'; path++)
		h = (h ^ (unsigned char)*path) * 0x100000001b3u;
	h = (h ^ (uint64_t)st.st_ino) * 0x100000001b3u;
	h = (h ^ birth) * 0x100000001b3u;
	return h ^ h >> 32;
}

static bool
durable_has(const struct fs *fs, uint64_t key)
{
	return key != 0 && fs->durable[key % FS_DURABLE_SLOTS] == key;
}

void
fs_durable_add(struct fs *fs, uint64_t key)
{
	if (key != 0)
		fs->durable[key % FS_DURABLE_SLOTS] = key;
}

/* Once all that has been done about it is on the disk. */
static void
durable_soon(struct fs *fs, uint64_t key)
{
	if (fs->durability == STORE_BATCH)
		fs_barrier_add_key(fs->barrier, key);
	else
		fs_durable_add(fs, key);
}

/*
 * Is the name of directory "dir" (up to the root) on the disk?  If not, sync
 * the directory above it; *key is what to remember when all is done.
 */
static enum store_result
sync_name(struct fs *fs, const char *dir, int fd, uint64_t *key, bool *known)
{
	const char *name;
	enum store_result r;
	int up;

	*key = durable_key(fs, dir, fd);
	if ((*known = durable_has(fs, *key)))
		return STORE_OK;
	if ((r = fs_open_parent(fs, dir, &up, &name)) != STORE_OK)
		return r;
	r = fs_sync_dir(fs, up);
	sysfs_close(up);
	return r;
}

enum store_result
fs_sync_parents(struct fs *fs, const char *path, int dirfd)
{
	char dir[LAYOUT_PATH_SIZE];
	uint64_t keys[LAYOUT_PATH_SIZE / 2];
	size_t nkeys = 0;
	enum store_result r = STORE_OK;
	bool known;
	char *slash;
	int fd = dirfd;

	/* A server has a name on its disk when it answers. */
	if ((r = fs_sync_dir(fs, dirfd)) != STORE_OK || fs->remote ||
	    fs->durability == STORE_NONE || (fs->durability == STORE_BATCH &&
	    !fs_barrier_remembers(fs->barrier)))
		return r;
	snprintf(dir, sizeof(dir), "%s", path);
	while ((slash = strrchr(dir, '/')) != NULL) {
		*slash = '\0';
		if (fd == -1) {
			fd = sysfs_open(fs->root, dir, O_RDONLY | O_DIRECTORY,
			    0);
			if (fd == -1)
				return store_result_errno(errno);
		}
		r = sync_name(fs, dir, fd, &keys[nkeys], &known);
		if (fd != dirfd)
			sysfs_close(fd);
		fd = -1;
		if (r != STORE_OK)
			return r;
		if (known)
			break;
		nkeys++;
	}
	/* Only now: a key says that all names above are there too. */
	while (nkeys > 0)
		durable_soon(fs, keys[--nkeys]);
	return STORE_OK;
}

/*
 * What a file says of itself, so that no copy says it as well that takes
 * attributes along: a copy has another inode or time of birth.  A second name
 * may be in a copy, too, and on no disk: then nothing is said.
 */
static int
mark_text(int fd, char text[FS_MARK_TEXT_SIZE])
{
	uint64_t h = 0xcbf29ce484222325u, birth;
	struct stat st;

	if (sysfs_fstat(fd, &st) == -1 || sysfs_birth(fd, &birth) == -1)
		return -1;
	if (st.st_nlink != 1) {
		errno = ENOTSUP;
		return -1;
	}
	h = (h ^ (uint64_t)st.st_ino) * 0x100000001b3u;
	h = (h ^ h >> 32 ^ birth) * 0x100000001b3u;
	snprintf(text, FS_MARK_TEXT_SIZE, "%016" PRIx64, h ^ h >> 32);
	return 0;
}

/*
 * The mark needs no sync: whoever sees it before a power cut sees what was
 * true, and what is there after one is on the disk by itself.
 */
int
fs_tell(int fd)
{
	char text[FS_MARK_TEXT_SIZE];

	if (mark_text(fd, text) == -1)
		return -1;
	return sysfs_mark(fd, FS_DURABLE_MARK, text);
}

static bool
is_told(int fd)
{
	char text[FS_MARK_TEXT_SIZE], want[FS_MARK_TEXT_SIZE];
	int n;

	n = sysfs_marked(fd, FS_DURABLE_MARK, text, sizeof(text));
	return n > 0 && mark_text(fd, want) == 0 &&
	    (size_t)n == strlen(want) && memcmp(text, want, (size_t)n) == 0;
}

/*
 * No clock tells here what must have been written by now: another host's is
 * another, and the writer may have been stopped.
 */
static enum store_result
settle_file(struct fs *fs, const char *path, int dirfd, int fd)
{
	enum store_result r;
	uint64_t key;

	if (is_told(fd))
		return STORE_OK;
	key = durable_key(fs, path, fd);
	if (durable_has(fs, key))
		return STORE_OK;
	/* Whoever made it may have promised nothing, not even of its bytes. */
	if ((r = fs_sync(&fs->base, fd)) != STORE_OK ||
	    (r = fs_sync_parents(fs, path, dirfd)) != STORE_OK)
		return r;
	if (fs->durability != STORE_FULL || fs_tell(fd) == -1)
		durable_soon(fs, key);
	return STORE_OK;
}

enum store_result
fs_settle(struct store *s, const char *path)
{
	struct fs *fs = (struct fs *)s;
	const char *name;
	struct stat st;
	enum store_result r;
	int dirfd, fd = -1;

	if ((r = fs_open_parent(fs, path, &dirfd, &name)) != STORE_OK)
		return r;
	if (fs->durability == STORE_NONE) {
		if (sysfs_stat(dirfd, name, &st) == -1)
			r = store_result_errno(errno);
	} else {
		fd = sysfs_open(dirfd, name, O_RDONLY | O_NONBLOCK | O_NOCTTY,
		    0);
		r = fd == -1 ? store_result_errno(errno) :
		    settle_file(fs, path, dirfd, fd);
	}
	if (fd != -1)
		sysfs_close(fd);
	sysfs_close(dirfd);
	return r;
}

enum store_result
fs_sync_all(struct store *s)
{
	struct fs *fs = (struct fs *)s;

	if (fs->syncfd != -1 && sysfs_syncfs(fs->syncfd) == -1)
		return fs_sync_failed(fs, errno);
	return STORE_OK;
}
