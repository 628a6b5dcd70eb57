/* SPDX-License-Identifier: ISC */
/*
 * Shared by the store_fs*.c files only: the driver's struct and what its
 * reading half, its directories and its writing half use of each other.
 */
#ifndef STORE_FS_H
#define STORE_FS_H

#include <sys/stat.h>

#include "layout.h"
#include "store_driver.h"

#define FS_DURABLE_SLOTS	4096
#define FS_MARK			"user.registryd.size"
#define FS_DURABLE_MARK		"user.registryd.durable"
#define FS_MARK_TEXT_SIZE	32
#define FS_FILE_MODE		0666
#define FS_RACE_TRIES		16	/* a directory vanished between calls */

struct fs {
	struct store	 base;
	int		 root;
	bool		 remote;	/* others change it: sysfs_asks() */
	enum store_durability durability;
	bool		 unsynced;	/* batch: since the last barrier */
	struct fs_barrier *barrier;	/* batch; else NULL */
	/*
	 * Of this process alone: errors are told once to each file
	 * description, and processes share that of the root.
	 */
	int		 syncfd;	/* -1: not needed, or of no use */
	uint64_t	 reserve;	/* bytes to keep back, 0: none */
	enum { FS_LEASES_UNKNOWN, FS_LEASES_WORK, FS_LEASES_FAIL } leases;
	/*
	 * Directories whose own names, up to the root, are known to be on
	 * the disk, and files whose bytes are as well: hashes of what tells
	 * them from all that are or were of the same path.  A miss costs one
	 * sync.
	 */
	uint64_t	*durable;
	uint64_t	 seed;
};

/* store_fs.c */
void		 fs_stat_fill(struct store_stat *, const struct stat *);
/*
 * Open the directory that holds the last component of path; *name points
 * into path.
 */
enum store_result fs_open_parent(struct fs *, const char *path, int *fd,
		    const char **name);

/* store_fs_dir.c: directories */
/* The same, and make what is missing. */
enum store_result fs_make_parent(struct fs *, const char *path, int *fd,
		    const char **name);
enum store_result fs_remove_tree(struct store *, const char *, unsigned);
void		 fs_prune(struct store *, const char *, const char *);
enum store_result fs_sweep(struct store *, struct store_sweep *,
		    time_t before, unsigned budget_us, bool *done);
/* ".../<32 random digits>" beneath dir, size LAYOUT_PATH_SIZE. */
void		 fs_random_path(char *dst, const char *dir);

/* store_fs_sync.c: the durability of names */
/* In mode full; in mode batch it is left to the next barrier. */
enum store_result fs_sync_dir(struct fs *, int dirfd);
/*
 * Make a name in a directory durable: sync the directory, and those above it
 * whose names are not known to be on the disk.
 */
enum store_result fs_sync_parents(struct fs *, const char *path, int dirfd);
/* sysfs_sync() of a file or directory, also of one that is removed. */
int		 fs_sync_fd(struct fs *, int fd);
/* What is on the disk is unknown: no more writing, and why. */
enum store_result fs_sync_failed(struct fs *, int error);
/* The names of a directory and of those above it are on the disk. */
void		 fs_durable_add(struct fs *, uint64_t key);
enum store_result fs_settle(struct store *, const char *);
/*
 * The file says of itself that it is durable, bytes and name.  By descriptor:
 * what has its name meanwhile may be another's, and on no disk yet.  -1: it
 * cannot.
 */
int		 fs_tell(int fd);
enum store_result fs_sync_all(struct store *);
enum store_name_sync fs_name_sync(struct store *);

/* store_fs_barrier.c: what the next barrier has to make durable */
struct fs_barrier *fs_barrier_new(void);
void		 fs_barrier_free(struct fs_barrier *);
/* Is there any use in saying what was written? */
bool		 fs_barrier_remembers(const struct fs_barrier *);
void		 fs_barrier_add(struct fs_barrier *, int fd);
void		 fs_barrier_add_key(struct fs_barrier *, uint64_t);
enum store_result fs_barrier(struct store *);

/* store_fs_put.c */
enum store_result fs_put(struct store *, const char *, const void *, size_t,
		    unsigned);
enum store_result fs_stage(struct store *, const void *, size_t,
		    struct store_staged *);
enum store_result fs_publish(struct store *, struct store_staged *,
		    const char *, unsigned);
void		 fs_unstage(struct store *, struct store_staged *);
enum store_result fs_link(struct store *, const char *, const char *);
enum store_result fs_move(struct store *, const char *, const char *,
		    unsigned);

/* store_fs_write.c */
enum store_result fs_create(struct store *, const char *, int *);
enum store_result fs_open_append(struct store *, const char *, int *,
		    struct store_stat *);
enum store_result fs_write(struct store *, int, const void *, size_t,
		    uint64_t);
enum store_result fs_flush(struct store *, int, uint64_t from, uint64_t to);
enum store_result fs_truncate(struct store *, int, uint64_t);
enum store_result fs_sync(struct store *, int);
enum store_result fs_written(struct store *, int);
enum store_result fs_mark(struct store *, int, uint64_t);
enum store_result fs_unlink(struct store *, const char *);
enum store_result fs_touch(struct store *, const char *,
		    const struct timespec *);

/* store_fs_space.c */
void		 fs_reserve(struct store *, uint64_t);
enum store_result fs_room(struct store *, uint64_t);
bool		 fs_release(struct store *);

/* store_fs_lock.c */
enum store_result fs_lock(struct store *, const char *name, int *fd);
enum store_result fs_lock_pass(struct store *);
enum store_result fs_lock_file(struct store *, const char *path, int *fd);
enum store_result fs_seal(struct store *, const char *path, int *fd);

#endif
