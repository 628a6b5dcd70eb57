/* SPDX-License-Identifier: ISC */
/*
 * File system calls that differ between systems: openat2, renameat2, pipe
 * sizes, write-back, each with what stands in for it elsewhere.  Used by any
 * process; keeps no state but "this kernel has no openat2".
 */
#include "compat_fs.h"

#include <sys/stat.h>
#include <sys/types.h>
#include <sys/utsname.h>

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#ifdef __linux__
#include <sys/syscall.h>
#include <sys/xattr.h>
#include <linux/openat2.h>
#endif

#define COMPONENT_SIZE	256
#define OWN_PIPE_SIZE	(256 * 1024)

/* What is not a directory is a symbolic link: then that is the error. */
static int
explain(int dirfd, const char *name, int error)
{
	struct stat st;

	return error == ENOTDIR && fstatat(dirfd, name, &st,
	    AT_SYMLINK_NOFOLLOW) == 0 && S_ISLNK(st.st_mode) ? ELOOP : error;
}

int
compat_open_components(int dirfd, const char *path, int flags, mode_t mode)
{
	char name[COMPONENT_SIZE];
	const char *slash;
	size_t len;
	int fd = dirfd, next, saved;

	if (*path == '/') {
		errno = EXDEV;
		return -1;
	}
	for (;;) {
		slash = strchr(path, '/');
		len = slash != NULL ? (size_t)(slash - path) : strlen(path);
		if (len == 0 || len >= sizeof(name) ||
		    (len == 2 && path[0] == '.' && path[1] == '.')) {
			errno = len >= sizeof(name) ? ENAMETOOLONG : EINVAL;
			next = -1;
		} else {
			memcpy(name, path, len);
			name[len] = '\0';
			next = openat(fd, name, (slash != NULL ?
			    O_RDONLY | O_DIRECTORY : flags) | O_NOFOLLOW |
			    O_CLOEXEC, mode);
			if (next == -1)
				errno = explain(fd, name, errno);
		}
		saved = errno;
		if (fd != dirfd)
			close(fd);
		errno = saved;
		if (next == -1 || slash == NULL)
			return next;
		fd = next;
		path = slash + 1;
	}
}

#if defined(__linux__) && defined(SYS_openat2)
int
compat_open_beneath(int dirfd, const char *path, int flags, mode_t mode)
{
	static bool missing;
	struct open_how how;
	int fd;

	if (missing)
		return compat_open_components(dirfd, path, flags, mode);
	memset(&how, 0, sizeof(how));
	how.flags = (uint64_t)(unsigned)(flags | O_NOFOLLOW | O_CLOEXEC);
	how.mode = flags & O_CREAT ? mode : 0;
	how.resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS |
	    RESOLVE_NO_MAGICLINKS;
	do
		fd = (int)syscall(SYS_openat2, dirfd, path, &how,
		    sizeof(how));
	while (fd == -1 && errno == EAGAIN);
	/*
	 * Old kernels, and filters that do not know the call; with that flag
	 * it may be the file, and the caller tries without.
	 */
	if (fd == -1 && (errno == ENOSYS ||
	    (errno == EPERM && !(flags & COMPAT_O_NOATIME)))) {
		missing = errno == ENOSYS;
		return compat_open_components(dirfd, path, flags, mode);
	}
	return fd;
}
#else
int
compat_open_beneath(int dirfd, const char *path, int flags, mode_t mode)
{
	return compat_open_components(dirfd, path, flags, mode);
}
#endif

int
compat_rename_noreplace(int fromdir, const char *from, int todir,
    const char *to)
{
#ifdef RENAME_NOREPLACE
	return renameat2(fromdir, from, todir, to, RENAME_NOREPLACE);
#else
	(void)fromdir;
	(void)from;
	(void)todir;
	(void)to;
	errno = ENOSYS;
	return -1;
#endif
}

void
compat_pipe_grow(int fd, int size)
{
#ifdef F_SETPIPE_SZ
	(void)fcntl(fd, F_SETPIPE_SZ, size);
#else
	(void)fd;
	(void)size;
#endif
}

#ifdef SPLICE_F_NONBLOCK
/*
 * Only splice() takes "do not wait" with the call.  What it moves goes to a
 * pipe that nobody else has, which holds nothing between two calls.
 */
ssize_t
compat_pipe_read(int fd, void *data, size_t len)
{
	static int own[2] = { -1, -1 };
	char *dst = data;
	ssize_t moved, n;
	size_t got = 0;

	if (own[0] == -1) {
		if (pipe2(own, O_CLOEXEC | O_NONBLOCK) == -1)
			return -1;
		compat_pipe_grow(own[1], OWN_PIPE_SIZE);
	}
	moved = splice(fd, NULL, own[1], NULL, len, SPLICE_F_NONBLOCK);
	if (moved <= 0)
		return moved;
	while (got < (size_t)moved) {
		n = read(own[0], dst + got, (size_t)moved - got);
		if (n == -1 && errno == EINTR)
			continue;
		if (n <= 0) {
			errno = EIO;
			return -1;
		}
		got += (size_t)n;
	}
	return moved;
}
#else
ssize_t
compat_pipe_read(int fd, void *data, size_t len)
{
	return read(fd, data, len);
}
#endif

int
compat_writeback_start(int fd, uint64_t offset, uint64_t len)
{
#ifdef SYNC_FILE_RANGE_WRITE
	return sync_file_range(fd, (off_t)offset, (off_t)len,
	    SYNC_FILE_RANGE_WRITE);
#else
	(void)fd;
	(void)offset;
	(void)len;
	return 0;
#endif
}

int
compat_writeback_wait(int fd, uint64_t offset, uint64_t len)
{
#ifdef SYNC_FILE_RANGE_WRITE
	return sync_file_range(fd, (off_t)offset, (off_t)len,
	    SYNC_FILE_RANGE_WAIT_BEFORE | SYNC_FILE_RANGE_WRITE |
	    SYNC_FILE_RANGE_WAIT_AFTER);
#else
	(void)fd;
	(void)offset;
	(void)len;
	return 0;
#endif
}

#ifdef __linux__
/* Since 5.8 it tells of bytes that were lost; before, it answers 0. */
bool
compat_has_syncfs(void)
{
	struct utsname u;
	char *end;
	long major, minor;

	if (uname(&u) == -1)
		return false;
	major = strtol(u.release, &end, 10);
	minor = *end == '.' ? strtol(end + 1, NULL, 10) : 0;
	return major > 5 || (major == 5 && minor >= 8);
}

int
compat_syncfs(int fd)
{
	return syncfs(fd);
}
#else
bool
compat_has_syncfs(void)
{
	return false;
}

int
compat_syncfs(int fd)
{
	(void)fd;
	errno = ENOSYS;
	return -1;
}
#endif

#ifdef STATX_BTIME
int
compat_birth(int fd, uint64_t *ns)
{
	struct statx st;

	if (statx(fd, "", AT_EMPTY_PATH, STATX_BTIME, &st) == -1)
		return -1;
	if (!(st.stx_mask & STATX_BTIME)) {
		errno = ENOTSUP;
		return -1;
	}
	*ns = (uint64_t)st.stx_btime.tv_sec * 1000000000u +
	    st.stx_btime.tv_nsec;
	return 0;
}
#else
int
compat_birth(int fd, uint64_t *ns)
{
	(void)fd;
	(void)ns;
	errno = ENOTSUP;
	return -1;
}
#endif

#ifdef __linux__
int
compat_set_attribute(int fd, const char *name, const char *text)
{
	return fsetxattr(fd, name, text, strlen(text), 0);
}

ssize_t
compat_get_attribute(int fd, const char *name, char *dst, size_t size)
{
	return fgetxattr(fd, name, dst, size);
}
#else
int
compat_set_attribute(int fd, const char *name, const char *text)
{
	(void)fd;
	(void)name;
	(void)text;
	errno = ENOTSUP;
	return -1;
}

ssize_t
compat_get_attribute(int fd, const char *name, char *dst, size_t size)
{
	(void)fd;
	(void)name;
	(void)dst;
	(void)size;
	errno = ENOTSUP;
	return -1;
}
#endif

#ifdef FALLOC_FL_KEEP_SIZE
int
compat_allocate(int fd, uint64_t size)
{
	/* Not posix_fallocate(), which would write it all instead. */
	return fallocate(fd, 0, 0, (off_t)size);
}
#else
int
compat_allocate(int fd, uint64_t size)
{
	(void)fd;
	(void)size;
	errno = ENOSYS;
	return -1;
}
#endif

#ifdef F_SETLEASE
int
compat_lease(int fd, bool take)
{
	static bool ignored;

	/* Who waits for the lease makes the system send this; it kills. */
	if (!ignored)
		(void)signal(SIGIO, SIG_IGN);
	ignored = true;
	return fcntl(fd, F_SETLEASE, take ? F_RDLCK : F_UNLCK);
}
#else
int
compat_lease(int fd, bool take)
{
	(void)fd;
	(void)take;
	errno = ENOSYS;
	return -1;
}
#endif

int
compat_forget(int fd)
{
#ifdef POSIX_FADV_DONTNEED
	int error = posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED);

	if (error == 0)
		return 0;
	errno = error;
	return -1;
#else
	(void)fd;
	errno = ENOSYS;
	return -1;
#endif
}
