/* SPDX-License-Identifier: ISC */
/*
 * The file system calls of the store: one thin wrapper, so that every call is
 * counted in one place and a test can watch each call or make it fail.
 *
 * Results and errno are the system's; EINTR is handled here.  Names are one
 * component, except for sysfs_open(), which stays beneath its directory.
 */
#ifndef SYSFS_H
#define SYSFS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <time.h>

enum sysfs_kind {
	SYSFS_OPEN,
	SYSFS_CREATE,			/* open with O_CREAT */
	SYSFS_CLOSE,
	SYSFS_READ,
	SYSFS_WRITE,
	SYSFS_SYNC,
	SYSFS_FLUSH,			/* part of a file, data only */
	SYSFS_RENAME,
	SYSFS_LINK,
	SYSFS_UNLINK,
	SYSFS_RMDIR,
	SYSFS_MKDIR,
	SYSFS_TRUNCATE,
	SYSFS_STAT,
	SYSFS_LIST,
	SYSFS_LOCK,
	SYSFS_SYNCFS,			/* all of the file system */
	SYSFS_TOUCH,
	SYSFS_LEASE,
	SYSFS_ALLOCATE,
	SYSFS_SPACE,
	SYSFS_MARK,			/* an attribute, set or asked */
	SYSFS_NKINDS
};

struct sysfs_call {
	enum sysfs_kind	 kind;
	int		 fd;		/* file, or directory of "name" */
	const char	*name;		/* NULL: the file itself */
	int		 to_fd;		/* rename, link */
	const char	*to_name;
};
/* Before each call: 0 to go on, or the errno to fail with. */
typedef int sysfs_hook_fn(const struct sysfs_call *, void *arg);
typedef int sysfs_name_fn(const char *name, unsigned char type, void *arg);

const char *sysfs_kind_name(enum sysfs_kind);
uint64_t sysfs_count(enum sysfs_kind);		/* calls so far */
void	 sysfs_set_hook(sysfs_hook_fn *, void *arg);	/* NULL: none */

/*
 * The store's root is fd.  Where other hosts change names that this system
 * remembers (NFS), each name of a path is opened by itself from now on, which
 * asks the server, and a file is asked for before its stat: then it is true.
 */
bool	 sysfs_asks(int fd);
/*
 * For housekeeping: what this process opens for reading only from now on
 * keeps its time of access, which costs no write then.  Not what belongs to
 * other users, for which only root may, nor what a server keeps (NFS).
 */
void	 sysfs_keep_atimes(void);
int	 sysfs_open(int dirfd, const char *path, int flags, mode_t);
int	 sysfs_close(int fd);
/* The same file description once more. */
int	 sysfs_dup(int fd);
ssize_t	 sysfs_pread(int fd, void *, size_t, uint64_t offset);
/* See compat_forget(). */
int	 sysfs_forget(int fd);
ssize_t	 sysfs_pwrite(int fd, const void *, size_t, uint64_t offset);
int	 sysfs_sync(int fd);
/* All of the file system that holds fd; see compat_syncfs(). */
int	 sysfs_syncfs(int fd);
bool	 sysfs_has_syncfs(void);
/* Start writing a range to the disk, or wait until it is there. */
int	 sysfs_flush(int fd, uint64_t offset, uint64_t len, bool wait);
/* noreplace: EEXIST when the new name is taken. */
int	 sysfs_rename(int fromdir, const char *from, int todir,
	    const char *to, bool noreplace);
/* A second name of the file itself; EEXIST. */
int	 sysfs_link(int fromdir, const char *from, int todir,
	    const char *to);
int	 sysfs_unlink(int dirfd, const char *name);
int	 sysfs_rmdir(int dirfd, const char *name);
int	 sysfs_mkdir(int dirfd, const char *name, mode_t);
int	 sysfs_truncate(int fd, uint64_t size);
/* Modified then; NULL: now, by the clock of the file system. */
int	 sysfs_touch(int dirfd, const char *name, const struct timespec *);
/* See compat_birth(). */
int	 sysfs_birth(int fd, uint64_t *ns);
/* See compat_set_attribute(). */
int	 sysfs_mark(int fd, const char *name, const char *text);
ssize_t	 sysfs_marked(int fd, const char *name, char *dst, size_t size);
/* See compat_allocate(). */
int	 sysfs_allocate(int fd, uint64_t size);
/* Bytes of the file system: all, and those that we may still use. */
int	 sysfs_space(int fd, uint64_t *total, uint64_t *left);
/* Is the file system mounted so?  false too when nobody can tell. */
bool	 sysfs_is_readonly(int fd);
int	 sysfs_fstat(int fd, struct stat *);
int	 sysfs_stat(int dirfd, const char *name, struct stat *);
/*
 * Call fn for each name but "." and ".."; type is DT_*.  Takes ownership of
 * fd.  fn's non-zero result ends the walk and is returned; -1: errno.
 */
int	 sysfs_list(int fd, sysfs_name_fn *, void *arg);
/* Exclusive and without waiting: EWOULDBLOCK when it is held. */
int	 sysfs_lock(int fd);
/* See compat_lease(). */
int	 sysfs_lease(int fd, bool take);

#endif
