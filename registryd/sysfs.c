/* SPDX-License-Identifier: ISC */
/*
 * The only file of the store that calls the file system.  Runs wherever the
 * store does; decides nothing: one function, one call, which is made again
 * where the system refuses only how it was made.
 */
#include "sysfs.h"

#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statvfs.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "compat_fs.h"

#define STALE_TRIES	2

static uint64_t counts[SYSFS_NKINDS];
static sysfs_hook_fn *hook;
static void *hook_arg;
static bool remote;		/* see sysfs_asks() */
static bool keep_atimes;

static const char *const kind_names[SYSFS_NKINDS] = {
	"open", "create", "close", "read", "write", "sync", "flush", "rename",
	"link", "unlink", "rmdir", "mkdir", "truncate", "stat", "list", "lock",
	"syncfs", "touch", "lease", "allocate", "space",
	"mark"
};

const char *
sysfs_kind_name(enum sysfs_kind kind)
{
	return kind_names[kind];
}

uint64_t
sysfs_count(enum sysfs_kind kind)
{
	return counts[kind];
}

void
sysfs_set_hook(sysfs_hook_fn *fn, void *arg)
{
	hook = fn;
	hook_arg = arg;
}

/* Count the call and let the hook look at it: 0, or -1 with errno. */
static int
enter2(enum sysfs_kind kind, int fd, const char *name, int to_fd,
    const char *to_name)
{
	struct sysfs_call call;
	int error;

	counts[kind]++;
	if (hook == NULL)
		return 0;
	call.kind = kind;
	call.fd = fd;
	call.name = name;
	call.to_fd = to_fd;
	call.to_name = to_name;
	if ((error = hook(&call, hook_arg)) == 0)
		return 0;
	errno = error;
	return -1;
}

static int
enter(enum sysfs_kind kind, int fd, const char *name)
{
	return enter2(kind, fd, name, -1, NULL);
}

bool
sysfs_asks(int fd)
{
	remote = compat_is_remote(fd);
	return remote;
}

/*
 * A directory that is opened by its own name is asked for, and so what is
 * remembered of the names in it holds or is forgotten.  The first one has
 * been open for long.
 */
static int
open_asking(int dirfd, const char *path, int flags, mode_t mode)
{
	if (strchr(path, '/') != NULL || strcmp(path, ".") == 0)
		(void)compat_ask(dirfd, "");
	return compat_open_components(dirfd, path, flags, mode);
}

static int
open_again(int dirfd, const char *path, int flags, mode_t mode)
{
	int fd, tries = 0;

	/* ESTALE: another host has changed a name that was remembered here. */
	do
		fd = remote ? open_asking(dirfd, path, flags, mode) :
		    compat_open_beneath(dirfd, path, flags, mode);
	while (fd == -1 && (errno == EINTR ||
	    (errno == ESTALE && ++tries < STALE_TRIES)));
	return fd;
}

void
sysfs_keep_atimes(void)
{
	keep_atimes = true;
}

int
sysfs_open(int dirfd, const char *path, int flags, mode_t mode)
{
	bool reads = (flags & (O_ACCMODE | O_CREAT)) == O_RDONLY;
	int fd;

	if (enter(flags & O_CREAT ? SYSFS_CREATE : SYSFS_OPEN, dirfd,
	    path) == -1)
		return -1;
	if (reads && keep_atimes && !remote) {
		fd = open_again(dirfd, path, flags | COMPAT_O_NOATIME, mode);
		/* EPERM: of another user. */
		if (fd != -1 || errno != EPERM)
			return fd;
	}
	return open_again(dirfd, path, flags, mode);
}

int
sysfs_close(int fd)
{
	int r, fail = enter(SYSFS_CLOSE, fd, NULL);
	int saved = errno;

	/* Closed in any case; after EINTR the descriptor is gone too. */
	r = close(fd);
	if (fail == -1) {
		errno = saved;
		return -1;
	}
	return r == -1 && errno != EINTR ? -1 : 0;
}

int
sysfs_dup(int fd)
{
	if (enter(SYSFS_OPEN, fd, NULL) == -1)
		return -1;
	return fcntl(fd, F_DUPFD_CLOEXEC, 0);
}

ssize_t
sysfs_pread(int fd, void *data, size_t len, uint64_t offset)
{
	ssize_t n;

	if (enter(SYSFS_READ, fd, NULL) == -1)
		return -1;
	do
		n = pread(fd, data, len, (off_t)offset);
	while (n == -1 && errno == EINTR);
	return n;
}

int
sysfs_forget(int fd)
{
	if (enter(SYSFS_READ, fd, NULL) == -1)
		return -1;
	return compat_forget(fd);
}

ssize_t
sysfs_pwrite(int fd, const void *data, size_t len, uint64_t offset)
{
	ssize_t n;

	if (enter(SYSFS_WRITE, fd, NULL) == -1)
		return -1;
	do
		n = pwrite(fd, data, len, (off_t)offset);
	while (n == -1 && errno == EINTR);
	return n;
}

int
sysfs_sync(int fd)
{
	int r;

	if (enter(SYSFS_SYNC, fd, NULL) == -1)
		return -1;
	do
		r = fsync(fd);
	while (r == -1 && errno == EINTR);
	return r;
}

int
sysfs_syncfs(int fd)
{
	int r;

	if (enter(SYSFS_SYNCFS, fd, NULL) == -1)
		return -1;
	do
		r = compat_syncfs(fd);
	while (r == -1 && errno == EINTR);
	return r;
}

bool
sysfs_has_syncfs(void)
{
	return compat_has_syncfs();
}

int
sysfs_flush(int fd, uint64_t offset, uint64_t len, bool wait)
{
	int r;

	if (enter(SYSFS_FLUSH, fd, NULL) == -1)
		return -1;
	do
		r = wait ? compat_writeback_wait(fd, offset, len) :
		    compat_writeback_start(fd, offset, len);
	while (r == -1 && errno == EINTR);
	/* Not every file system can: then the sync at the end does it all. */
	return r == -1 && (errno == EINVAL || errno == ESPIPE ||
	    errno == ENOSYS || errno == EPERM) ? 0 : r;
}

int
sysfs_link(int fromdir, const char *from, int todir, const char *to)
{
	if (enter2(SYSFS_LINK, fromdir, from, todir, to) == -1)
		return -1;
	return linkat(fromdir, from, todir, to, 0);
}

/* Where rename cannot refuse: a second name, then the first one away. */
static int
link_over(int fromdir, const char *from, int todir, const char *to)
{
	if (sysfs_link(fromdir, from, todir, to) == -1)
		return -1;
	return sysfs_unlink(fromdir, from);
}

int
sysfs_rename(int fromdir, const char *from, int todir, const char *to,
    bool noreplace)
{
	int r;

	if ((r = enter2(SYSFS_RENAME, fromdir, from, todir, to)) == 0)
		r = noreplace ? compat_rename_noreplace(fromdir, from, todir,
		    to) : renameat(fromdir, from, todir, to);
	/* EINVAL: this file system does not take the flag. */
	if (r == -1 && noreplace && (errno == ENOSYS || errno == EINVAL))
		return link_over(fromdir, from, todir, to);
	return r;
}

int
sysfs_unlink(int dirfd, const char *name)
{
	if (enter(SYSFS_UNLINK, dirfd, name) == -1)
		return -1;
	return unlinkat(dirfd, name, 0);
}

int
sysfs_rmdir(int dirfd, const char *name)
{
	if (enter(SYSFS_RMDIR, dirfd, name) == -1)
		return -1;
	return unlinkat(dirfd, name, AT_REMOVEDIR);
}

int
sysfs_mkdir(int dirfd, const char *name, mode_t mode)
{
	if (enter(SYSFS_MKDIR, dirfd, name) == -1)
		return -1;
	return mkdirat(dirfd, name, mode);
}

int
sysfs_truncate(int fd, uint64_t size)
{
	int r;

	if (enter(SYSFS_TRUNCATE, fd, NULL) == -1)
		return -1;
	do
		r = ftruncate(fd, (off_t)size);
	while (r == -1 && errno == EINTR);
	return r;
}

int
sysfs_touch(int dirfd, const char *name, const struct timespec *when)
{
	struct timespec times[2];

	if (enter(SYSFS_TOUCH, dirfd, name) == -1)
		return -1;
	if (when != NULL) {
		times[0] = (struct timespec){ .tv_nsec = UTIME_OMIT };
		times[1] = *when;
	}
	return utimensat(dirfd, name, when != NULL ? times : NULL,
	    AT_SYMLINK_NOFOLLOW);
}

int
sysfs_birth(int fd, uint64_t *ns)
{
	if (enter(SYSFS_STAT, fd, NULL) == -1)
		return -1;
	return compat_birth(fd, ns);
}

int
sysfs_mark(int fd, const char *name, const char *text)
{
	if (enter(SYSFS_MARK, fd, NULL) == -1)
		return -1;
	return compat_set_attribute(fd, name, text);
}

ssize_t
sysfs_marked(int fd, const char *name, char *dst, size_t size)
{
	if (enter(SYSFS_MARK, fd, NULL) == -1)
		return -1;
	return compat_get_attribute(fd, name, dst, size);
}

int
sysfs_allocate(int fd, uint64_t size)
{
	int r;

	if (enter(SYSFS_ALLOCATE, fd, NULL) == -1)
		return -1;
	do
		r = compat_allocate(fd, size);
	while (r == -1 && errno == EINTR);
	return r;
}

int
sysfs_space(int fd, uint64_t *total, uint64_t *left)
{
	struct statvfs st;

	if (enter(SYSFS_SPACE, fd, NULL) == -1)
		return -1;
	if (fstatvfs(fd, &st) == -1)
		return -1;
	*total = (uint64_t)st.f_blocks * st.f_frsize;
	*left = (uint64_t)st.f_bavail * st.f_frsize;
	return 0;
}

bool
sysfs_is_readonly(int fd)
{
	struct statvfs st;

	return enter(SYSFS_SPACE, fd, NULL) == 0 &&
	    fstatvfs(fd, &st) == 0 && (st.f_flag & ST_RDONLY) != 0;
}

int
sysfs_fstat(int fd, struct stat *st)
{
	if (enter(SYSFS_STAT, fd, NULL) == -1)
		return -1;
	return fstat(fd, st);
}

/* The directory may have been open for a while, and a lock taken since. */
static int
ask(int dirfd, const char *name)
{
	if (compat_ask(dirfd, "") == 0)
		return compat_ask(dirfd, name);
	/* One that has been removed has no names. */
	if (errno == ESTALE)
		errno = ENOENT;
	return -1;
}

int
sysfs_stat(int dirfd, const char *name, struct stat *st)
{
	if (enter(SYSFS_STAT, dirfd, name) == -1)
		return -1;
	if (remote && ask(dirfd, name) == -1)
		return -1;
	return fstatat(dirfd, name, st, AT_SYMLINK_NOFOLLOW);
}

int
sysfs_list(int fd, sysfs_name_fn *fn, void *arg)
{
	struct compat_names names;
	unsigned char type;
	const char *name;
	int r, saved;

	if (enter(SYSFS_LIST, fd, NULL) == -1) {
		saved = errno;
		close(fd);
		errno = saved;
		return -1;
	}
	if (compat_names_open(&names, fd) == -1)
		return -1;
	while ((r = compat_names_next(&names, &name, &type)) == 1) {
		if (strcmp(name, ".") == 0 || strcmp(name, "..") == 0)
			continue;
		if ((r = fn(name, type, arg)) != 0)
			break;
	}
	saved = errno;
	compat_names_close(&names);
	errno = saved;
	return r;
}

int
sysfs_lock(int fd)
{
	int r;

	if (enter(SYSFS_LOCK, fd, NULL) == -1)
		return -1;
	do
		r = flock(fd, LOCK_EX | LOCK_NB);
	while (r == -1 && errno == EINTR);
	return r;
}

int
sysfs_lease(int fd, bool take)
{
	if (enter(SYSFS_LEASE, fd, NULL) == -1)
		return -1;
	return compat_lease(fd, take);
}
