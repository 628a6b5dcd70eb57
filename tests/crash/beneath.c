/* SPDX-License-Identifier: ISC */
/*
 * One function for each call of the system that the store may make.  Runs in
 * tests only; what the callbacks themselves call is not watched.
 */
#include "beneath.h"

#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <sys/xattr.h>
#include <linux/openat2.h>

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdbool.h>
#include <unistd.h>

/* What the linker makes of "--wrap=name": ours, and the system's. */
#define WRAP(type, name, ...) \
	type __real_##name(__VA_ARGS__); \
	type __wrap_##name(__VA_ARGS__)

WRAP(long, syscall, long, ...);
WRAP(int, openat, int, const char *, int, ...);
WRAP(int, fcntl, int, int, ...);
WRAP(int, close, int);
WRAP(ssize_t, pread, int, void *, size_t, off_t);
WRAP(ssize_t, pwrite, int, const void *, size_t, off_t);
WRAP(int, fsync, int);
WRAP(int, fdatasync, int);
WRAP(int, syncfs, int);
WRAP(int, sync_file_range, int, off_t, off_t, unsigned);
WRAP(int, renameat, int, const char *, int, const char *);
WRAP(int, renameat2, int, const char *, int, const char *, unsigned);
WRAP(int, linkat, int, const char *, int, const char *, int);
WRAP(int, unlinkat, int, const char *, int);
WRAP(int, mkdirat, int, const char *, mode_t);
WRAP(int, ftruncate, int, off_t);
WRAP(int, fallocate, int, int, off_t, off_t);
WRAP(int, posix_fallocate, int, off_t, off_t);
WRAP(int, fstat, int, struct stat *);
WRAP(int, fstatat, int, const char *, struct stat *, int);
WRAP(int, statx, int, const char *, int, unsigned, struct statx *);
WRAP(int, fstatvfs, int, struct statvfs *);
WRAP(ssize_t, fgetxattr, int, const char *, void *, size_t);
WRAP(int, fsetxattr, int, const char *, const void *, size_t, int);
WRAP(int, flock, int, int);
WRAP(int, futimens, int, const struct timespec *);
WRAP(int, utimensat, int, const char *, const struct timespec *, int);
WRAP(int, fchmod, int, mode_t);

static beneath_before_fn *before;
static beneath_after_fn *after;
static void *watch_arg;
static bool inside;

static const char *const kind_names[CALL_NKINDS] = {
	"open", "create", "close", "read", "write", "sync", "syncfs", "flush",
	"rename", "link", "unlink", "rmdir", "mkdir", "truncate", "allocate",
	"stat", "list", "lock", "times", "mode", "attribute"
};

const char *
call_kind_name(enum call_kind kind)
{
	return kind_names[kind];
}

void
beneath_watch(beneath_before_fn *fn, beneath_after_fn *after_fn, void *arg)
{
	before = fn;
	after = after_fn;
	watch_arg = arg;
}

void
beneath_stop(void)
{
	before = NULL;
	after = NULL;
}

/* 0: make the call; 1: it counts as done; -1 with errno: it fails. */
static int
enter(const struct call *call)
{
	int r;

	if (before == NULL || inside)
		return 0;
	inside = true;
	r = before(call, watch_arg);
	inside = false;
	if (r == BENEATH_SKIP)
		return 1;
	if (r == 0)
		return 0;
	errno = r;
	return -1;
}

static long
leave(const struct call *call, long result)
{
	int saved = errno;

	if (after != NULL && !inside) {
		inside = true;
		after(call, result, watch_arg);
		inside = false;
	}
	errno = saved;
	return result;
}

/* The body of most of them. */
#define THROUGH(call, expression) do { \
	int entered_ = enter(call); \
	if (entered_ != 0) \
		return entered_ == 1 ? 0 : -1; \
	return leave(call, expression); \
} while (0)

static struct call
call_on(enum call_kind kind, int fd, const char *name)
{
	struct call call = { .kind = kind, .fd = fd, .name = name,
	    .to_fd = -1 };

	return call;
}

static struct call
call_to(enum call_kind kind, int fd, const char *name, int to_fd,
    const char *to_name)
{
	struct call call = call_on(kind, fd, name);

	call.to_fd = to_fd;
	call.to_name = to_name;
	return call;
}

static struct call
call_open(int dirfd, const char *name, int flags)
{
	struct call call = call_on(flags & O_CREAT ? CALL_CREATE : CALL_OPEN,
	    dirfd, name);

	call.flags = flags;
	return call;
}

static long
open_beneath(int dirfd, const char *name, struct open_how *how, size_t size)
{
	struct call call = call_open(dirfd, name, (int)how->flags);

	THROUGH(&call, __real_syscall(SYS_openat2, dirfd, name, how, size));
}

static long
list(int fd, void *names, size_t size)
{
	struct call call = call_on(CALL_LIST, fd, NULL);

	THROUGH(&call, __real_syscall(SYS_getdents64, fd, names, size));
}

long
__wrap_syscall(long number, ...)
{
	long a[6];
	va_list ap;
	int i;

	va_start(ap, number);
	for (i = 0; i < 6; i++)
		a[i] = va_arg(ap, long);
	va_end(ap);
	if (number == SYS_openat2)
		return open_beneath((int)a[0], (const char *)a[1],
		    (struct open_how *)a[2], (size_t)a[3]);
	if (number == SYS_getdents64)
		return list((int)a[0], (void *)a[1], (size_t)a[2]);
	return __real_syscall(number, a[0], a[1], a[2], a[3], a[4], a[5]);
}

int
__wrap_openat(int dirfd, const char *name, int flags, ...)
{
	struct call call = call_open(dirfd, name, flags);
	mode_t mode = 0;
	va_list ap;

	va_start(ap, flags);
	if (flags & O_CREAT)
		mode = (mode_t)va_arg(ap, int);
	va_end(ap);
	THROUGH(&call, __real_openat(dirfd, name, flags, mode));
}

/* Locks of an open file are watched; other commands are not. */
int
__wrap_fcntl(int fd, int command, ...)
{
	struct call call = call_on(CALL_LOCK, fd, NULL);
	va_list ap;
	void *arg;

	va_start(ap, command);
	arg = va_arg(ap, void *);
	va_end(ap);
	if (command == F_OFD_SETLK || command == F_OFD_SETLKW ||
	    command == F_SETLK || command == F_SETLKW ||
	    command == F_SETLEASE)
		THROUGH(&call, __real_fcntl(fd, command, arg));
	return __real_fcntl(fd, command, arg);
}

/* A failed close has closed all the same. */
int
__wrap_close(int fd)
{
	struct call call = call_on(CALL_CLOSE, fd, NULL);
	int r, saved, entered = enter(&call);

	saved = errno;
	r = __real_close(fd);
	if (entered == -1) {
		errno = saved;
		return -1;
	}
	return (int)leave(&call, r);
}

ssize_t
__wrap_pread(int fd, void *data, size_t len, off_t offset)
{
	struct call call = call_on(CALL_READ, fd, NULL);

	THROUGH(&call, __real_pread(fd, data, len, offset));
}

ssize_t
__wrap_pwrite(int fd, const void *data, size_t len, off_t offset)
{
	struct call call = call_on(CALL_WRITE, fd, NULL);

	call.data = data;
	call.len = len;
	call.offset = (uint64_t)offset;
	THROUGH(&call, __real_pwrite(fd, data, len, offset));
}

int
__wrap_fsync(int fd)
{
	struct call call = call_on(CALL_SYNC, fd, NULL);

	THROUGH(&call, __real_fsync(fd));
}

int
__wrap_fdatasync(int fd)
{
	struct call call = call_on(CALL_SYNC, fd, NULL);

	THROUGH(&call, __real_fdatasync(fd));
}

int
__wrap_syncfs(int fd)
{
	struct call call = call_on(CALL_SYNCFS, fd, NULL);

	THROUGH(&call, __real_syncfs(fd));
}

int
__wrap_sync_file_range(int fd, off_t offset, off_t len, unsigned flags)
{
	struct call call = call_on(CALL_FLUSH, fd, NULL);

	THROUGH(&call, __real_sync_file_range(fd, offset, len, flags));
}

int
__wrap_renameat(int from, const char *name, int to, const char *to_name)
{
	struct call call = call_to(CALL_RENAME, from, name, to, to_name);

	THROUGH(&call, __real_renameat(from, name, to, to_name));
}

int
__wrap_renameat2(int from, const char *name, int to, const char *to_name,
    unsigned flags)
{
	struct call call = call_to(CALL_RENAME, from, name, to, to_name);

	THROUGH(&call, __real_renameat2(from, name, to, to_name, flags));
}

int
__wrap_linkat(int from, const char *name, int to, const char *to_name,
    int flags)
{
	struct call call = call_to(CALL_LINK, from, name, to, to_name);

	THROUGH(&call, __real_linkat(from, name, to, to_name, flags));
}

int
__wrap_unlinkat(int dirfd, const char *name, int flags)
{
	struct call call = call_on(flags & AT_REMOVEDIR ? CALL_RMDIR :
	    CALL_UNLINK, dirfd, name);

	THROUGH(&call, __real_unlinkat(dirfd, name, flags));
}

int
__wrap_mkdirat(int dirfd, const char *name, mode_t mode)
{
	struct call call = call_on(CALL_MKDIR, dirfd, name);

	THROUGH(&call, __real_mkdirat(dirfd, name, mode));
}

int
__wrap_ftruncate(int fd, off_t size)
{
	struct call call = call_on(CALL_TRUNCATE, fd, NULL);

	call.offset = (uint64_t)size;
	THROUGH(&call, __real_ftruncate(fd, size));
}

int
__wrap_fallocate(int fd, int mode, off_t offset, off_t len)
{
	struct call call = call_on(CALL_ALLOCATE, fd, NULL);

	THROUGH(&call, __real_fallocate(fd, mode, offset, len));
}

/* This one returns its error. */
int
__wrap_posix_fallocate(int fd, off_t offset, off_t len)
{
	struct call call = call_on(CALL_ALLOCATE, fd, NULL);
	int r, saved = errno;

	if ((r = enter(&call)) == -1) {
		r = errno;
		errno = saved;
		return r;
	}
	return r == 1 ? 0 : __real_posix_fallocate(fd, offset, len);
}

int
__wrap_fstat(int fd, struct stat *st)
{
	struct call call = call_on(CALL_STAT, fd, NULL);

	THROUGH(&call, __real_fstat(fd, st));
}

int
__wrap_fstatat(int dirfd, const char *name, struct stat *st, int flags)
{
	struct call call = call_on(CALL_STAT, dirfd, name);

	THROUGH(&call, __real_fstatat(dirfd, name, st, flags));
}

int
__wrap_statx(int dirfd, const char *name, int flags, unsigned mask,
    struct statx *st)
{
	struct call call = call_on(CALL_STAT, dirfd, name);

	THROUGH(&call, __real_statx(dirfd, name, flags, mask, st));
}

int
__wrap_fstatvfs(int fd, struct statvfs *st)
{
	struct call call = call_on(CALL_STAT, fd, NULL);

	THROUGH(&call, __real_fstatvfs(fd, st));
}

ssize_t
__wrap_fgetxattr(int fd, const char *name, void *value, size_t size)
{
	struct call call = call_on(CALL_ATTRIBUTE, fd, NULL);

	THROUGH(&call, __real_fgetxattr(fd, name, value, size));
}

int
__wrap_fsetxattr(int fd, const char *name, const void *value, size_t size,
    int flags)
{
	struct call call = call_on(CALL_ATTRIBUTE, fd, NULL);

	THROUGH(&call, __real_fsetxattr(fd, name, value, size, flags));
}

int
__wrap_flock(int fd, int operation)
{
	struct call call = call_on(CALL_LOCK, fd, NULL);

	THROUGH(&call, __real_flock(fd, operation));
}

int
__wrap_futimens(int fd, const struct timespec *times)
{
	struct call call = call_on(CALL_TIMES, fd, NULL);

	THROUGH(&call, __real_futimens(fd, times));
}

int
__wrap_utimensat(int dirfd, const char *name, const struct timespec *times,
    int flags)
{
	struct call call = call_on(CALL_TIMES, dirfd, name);

	THROUGH(&call, __real_utimensat(dirfd, name, times, flags));
}

int
__wrap_fchmod(int fd, mode_t mode)
{
	struct call call = call_on(CALL_MODE, fd, NULL);

	THROUGH(&call, __real_fchmod(fd, mode));
}
