/* SPDX-License-Identifier: ISC */
/*
 * File system calls that differ between systems.  Only the store's sysfs.c
 * and the ends of pipes use them.
 */
#ifndef COMPAT_FS_H
#define COMPAT_FS_H

#include <fcntl.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/*
 * openat() that never leaves dirfd and never follows a symbolic link in any
 * component; ELOOP (or EXDEV) when one is met.  O_CLOEXEC is added.
 */
int	 compat_open_beneath(int dirfd, const char *path, int flags, mode_t);
/* The same, without help from the system: one component after the other. */
int	 compat_open_components(int dirfd, const char *path, int flags,
	    mode_t);
/*
 * Opens for reading with this flag leave the time of access as it is; EPERM
 * for files of other users, and perhaps for all: then try without it.  0 where
 * the system has no such flag.
 */
#ifdef O_NOATIME
#define COMPAT_O_NOATIME	O_NOATIME
#else
#define COMPAT_O_NOATIME	0
#endif
/*
 * The names in a directory, "." and ".." among them, with their types, DT_*.
 * Takes ownership of fd, also when it fails.  next: 1, 0 at the end, -1; the
 * name is good until the next call.
 */
#define COMPAT_NAMES_SIZE	8192	/* directories lie on the stack */
struct compat_names {
	int	 fd;
	void	*dir;
	size_t	 next, len;
	_Alignas(8) char buffer[COMPAT_NAMES_SIZE];
};
int	 compat_names_open(struct compat_names *, int fd);
int	 compat_names_next(struct compat_names *, const char **name,
	    unsigned char *type);
void	 compat_names_close(struct compat_names *);
/* rename that refuses an existing target; ENOSYS where the system cannot. */
int	 compat_rename_noreplace(int fromdir, const char *from, int todir,
	    const char *to);
/*
 * read() from a pipe that never waits, even if its other end shares the file
 * description and says that reading waits.  0 at the end; EAGAIN.
 */
ssize_t	 compat_pipe_read(int fd, void *, size_t);
/* Ask for a larger pipe; a refusal is no error. */
void	 compat_pipe_grow(int fd, int size);
/*
 * Start writing dirty pages of a range back without waiting, or wait for
 * them: an error then is one that a later fsync() need not report again.
 * Either may do nothing.  0 or -1.
 */
int	 compat_writeback_start(int fd, uint64_t offset, uint64_t len);
int	 compat_writeback_wait(int fd, uint64_t offset, uint64_t len);
/* When the file was made, in ns; -1 with ENOTSUP where nobody knows. */
int	 compat_birth(int fd, uint64_t *ns);
/*
 * A short text kept with a file, under a name that begins with "user.": 0 or
 * its length, or -1; ENOTSUP where files have none, ENODATA when this one.
 */
int	 compat_set_attribute(int fd, const char *name, const char *text);
ssize_t	 compat_get_attribute(int fd, const char *name, char *dst,
	    size_t size);
/* Blocks for all of a file of that size; ENOSYS, EOPNOTSUPP: it cannot. */
int	 compat_allocate(int fd, uint64_t size);
/*
 * Everything of the file system that holds fd on the disk, and an error when
 * anything of it was lost; ENOSYS where the system cannot, or would not tell.
 */
int	 compat_syncfs(int fd);
bool	 compat_has_syncfs(void);
/*
 * A lease on a file open for reading: EAGAIN while anybody on this host has
 * it open for writing, and whoever wants to waits until it is given back.
 * Other errors, ENOSYS among them: leases do not work there.
 */
int	 compat_lease(int fd, bool take);
/*
 * Drop what is cached of a file and is on the disk: advice only, -1 where it
 * cannot be given.
 */
int	 compat_forget(int fd);
/*
 * Other hosts change it too, and names and what is known of files come from
 * memory for a while: NFS.  There a directory is sure to be as the server has
 * it when it has just been opened by its own name, or asked for.
 */
bool	 compat_is_remote(int fd);
/* Ask the server for a file, or for dirfd itself when "name" is "". */
int	 compat_ask(int dirfd, const char *name);

#endif
