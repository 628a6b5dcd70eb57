/* SPDX-License-Identifier: ISC */
/*
 * The store on a local directory: making directories, and removing trees.
 * Runs in keepers and the collector.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "clock.h"
#include "random.h"
#include "store_fs.h"
#include "sysfs.h"

#define TREE_MAX_DEPTH	32
#define DIR_MODE	0777

/* How long a sweep may work at a time. */
struct slice {
	uint64_t	 end_us;
	uint64_t	 tried, removed;
	bool		 over;
};

/* A tree being emptied. */
struct removal {
	int		 fd;
	unsigned	 depth;
	time_t		 before;	/* files younger than that stay; 0 */
	struct slice	*slice;		/* NULL: until it is done */
	/* of a sweep, in its own directory: names that have stayed */
	uint64_t	 skip, kept;
};

void
fs_random_path(char *dst, const char *dir)
{
	char name[33];

	random_hex(name, 16);
	snprintf(dst, LAYOUT_PATH_SIZE, "%s/%s", dir, name);
}

/* Open or make the directory path[0..len), whose parent is open as "up". */
static int
open_or_make(const char *path, size_t len, int up)
{
	char dir[LAYOUT_PATH_SIZE];
	const char *name;
	int fd;

	memcpy(dir, path, len);
	dir[len] = '\0';
	name = strrchr(dir, '/');
	name = name != NULL ? name + 1 : dir;
	fd = sysfs_open(up, name, O_RDONLY | O_DIRECTORY, 0);
	if (fd != -1 || errno != ENOENT)
		return fd;
	if (sysfs_mkdir(up, name, DIR_MODE) == -1 && errno != EEXIST)
		return -1;
	return sysfs_open(up, name, O_RDONLY | O_DIRECTORY, 0);
}

/* From the root down, making what is missing. */
static int
make_dirs(struct fs *fs, const char *path, size_t len)
{
	size_t end = 0;
	int fd, next;

	if ((fd = sysfs_open(fs->root, ".", O_RDONLY | O_DIRECTORY, 0)) == -1)
		return -1;
	while (end < len) {
		end += strcspn(path + end, "/");
		next = open_or_make(path, end, fd);
		if (next == -1) {
			int saved = errno;

			sysfs_close(fd);
			errno = saved;
			return -1;
		}
		sysfs_close(fd);
		fd = next;
		end++;
	}
	return fd;
}

enum store_result
fs_make_parent(struct fs *fs, const char *path, int *fd, const char **name)
{
	enum store_result r;
	const char *slash = NULL;
	int tries = 0;

	r = fs_open_parent(fs, path, fd, name);
	if (r != STORE_NOTFOUND)
		return r;
	/* Others may remove what is empty as soon as it is made. */
	if (errno == ENOENT && (slash = strrchr(path, '/')) != NULL)
		do
			*fd = make_dirs(fs, path, (size_t)(slash - path));
		while (*fd == -1 && errno == ENOENT &&
		    ++tries < FS_RACE_TRIES);
	/* NOTFOUND is left to a race; a file in the way is not one. */
	if (*fd == -1)
		return errno == ENOTDIR || errno == ENAMETOOLONG ?
		    STORE_INVALID : store_result_errno(errno);
	*name = slash + 1;
	return STORE_OK;
}

static int	 remove_entry(const char *, unsigned char, void *);

/* Remove what is in the directory "name"; errors leave things behind. */
static void
remove_inside(int dirfd, const char *name, unsigned depth,
    struct slice *slice)
{
	struct removal r = { .depth = depth, .slice = slice };

	if (depth > TREE_MAX_DEPTH)
		return;
	r.fd = sysfs_open(dirfd, name, O_RDONLY | O_DIRECTORY, 0);
	if (r.fd != -1)
		(void)sysfs_list(r.fd, remove_entry, &r);
}

/* Something is tried in every slice, however long it takes to get there. */
static bool
slice_over(struct slice *slice)
{
	if (slice != NULL && slice->tried > 0 && !slice->over)
		slice->over = clock_monotonic_us() >= slice->end_us;
	return slice != NULL && slice->over;
}

static bool
remove_name(const struct removal *r, const char *name, unsigned char type)
{
	if (type != DT_DIR) {
		if (r->slice != NULL)
			r->slice->tried++;
		if (sysfs_unlink(r->fd, name) == 0)
			return true;
		if (errno != EISDIR && errno != EPERM)
			return false;
	}
	remove_inside(r->fd, name, r->depth + 1, r->slice);
	if (slice_over(r->slice))
		return false;
	if (r->slice != NULL)
		r->slice->tried++;
	return sysfs_rmdir(r->fd, name) == 0;
}

static int
remove_entry(const char *name, unsigned char type, void *arg)
{
	struct removal *r = arg;
	struct stat st;

	if (slice_over(r->slice))
		return 1;
	if (r->skip > 0) {
		r->skip--;
		return 0;
	}
	if (r->before != 0 && (sysfs_stat(r->fd, name, &st) == -1 ||
	    st.st_mtime >= r->before)) {
		r->kept++;
		return 0;
	}
	if (remove_name(r, name, type)) {
		if (r->slice != NULL)
			r->slice->removed++;
		return 0;
	}
	/* A tree that is not done yet, unless nothing of it can be removed. */
	if (slice_over(r->slice) && r->slice->removed > 0)
		return 1;
	r->kept++;
	return 0;
}

/* Out of sight in one step, then emptied; the rest is the sweep's. */
enum store_result
fs_remove_tree(struct store *s, const char *path, unsigned flags)
{
	struct fs *fs = (struct fs *)s;
	char trash[LAYOUT_PATH_SIZE];
	const char *name, *trash_name;
	enum store_result r;
	int dirfd, trashfd;

	if ((r = fs_open_parent(fs, path, &dirfd, &name)) != STORE_OK)
		return r;
	fs_random_path(trash, LAYOUT_TRASH);
	r = fs_make_parent(fs, trash, &trashfd, &trash_name);
	if (r != STORE_OK) {
		sysfs_close(dirfd);
		return r;
	}
	if (sysfs_rename(dirfd, name, trashfd, trash_name, false) == -1)
		r = store_result_errno(errno);
	else if (!(flags & STORE_NOSYNC))
		r = fs_sync_dir(fs, dirfd);
	sysfs_close(dirfd);
	if (r == STORE_OK && flags & STORE_SETTLED)
		r = fs_barrier(s);
	if (r == STORE_OK && !(flags & STORE_LATER)) {
		remove_inside(trashfd, trash_name, 0, NULL);
		(void)sysfs_rmdir(trashfd, trash_name);
	}
	sysfs_close(trashfd);
	return r;
}

void
fs_prune(struct store *s, const char *path, const char *stop)
{
	struct fs *fs = (struct fs *)s;
	char dir[LAYOUT_PATH_SIZE];
	const char *name;
	char *slash;
	int up, r;

	snprintf(dir, sizeof(dir), "%s", path);
	while (strcmp(dir, stop) != 0) {
		if (fs_open_parent(fs, dir, &up, &name) != STORE_OK)
			return;
		r = sysfs_rmdir(up, name);
		/* A sync of what is removed may be nothing (btrfs). */
		if (r == 0 && fs->durability == STORE_BATCH) {
			fs->unsynced = true;
			fs_barrier_add(fs->barrier, up);
		}
		sysfs_close(up);
		if (r == -1 || (slash = strrchr(dir, '/')) == NULL)
			return;
		*slash = '\0';
	}
}

/* One of the two directories, for a slice; *done: all of it. */
static enum store_result
sweep_dir(struct fs *fs, const char *path, time_t before,
    struct slice *slice, uint64_t *kept, bool *done)
{
	struct removal r = { .before = before, .slice = slice,
	    .skip = *kept, .kept = *kept };
	int n;

	*done = true;
	r.fd = sysfs_open(fs->root, path, O_RDONLY | O_DIRECTORY, 0);
	if (r.fd == -1)
		return errno == ENOENT ? STORE_OK : store_result_errno(errno);
	if ((n = sysfs_list(r.fd, remove_entry, &r)) == -1)
		return store_result_errno(errno);
	*done = n == 0;
	*kept = r.kept;
	return STORE_OK;
}

enum store_result
fs_sweep(struct store *s, struct store_sweep *sweep, time_t before,
    unsigned budget_us, bool *done)
{
	struct slice slice = {
		.end_us = clock_monotonic_us() + budget_us
	};
	struct fs *fs = (struct fs *)s;
	enum store_result r;

	if (sweep->part == 0)
		r = sweep_dir(fs, LAYOUT_TRASH, 0, &slice, &sweep->kept,
		    done);
	else
		r = sweep_dir(fs, LAYOUT_TMP, before, &slice, &sweep->kept,
		    done);
	if (r != STORE_OK || !*done)
		return r;
	sweep->kept = 0;
	*done = sweep->part++ > 0;
	return STORE_OK;
}
