/* SPDX-License-Identifier: ISC */
/*
 * File systems that other hosts change as well, and that answer from what
 * they remember.  Used by the store's sysfs.c in any process; keeps no state.
 */
#include "compat_fs.h"

#include <errno.h>
#include <fcntl.h>

#ifdef __linux__
#include <sys/stat.h>
#include <sys/vfs.h>
#include <linux/magic.h>

bool
compat_is_remote(int fd)
{
	struct statfs st;

	return fstatfs(fd, &st) == 0 && st.f_type == NFS_SUPER_MAGIC;
}

int
compat_ask(int dirfd, const char *name)
{
	struct statx st;

	return statx(dirfd, name, AT_STATX_FORCE_SYNC | AT_SYMLINK_NOFOLLOW |
	    (*name == '\0' ? AT_EMPTY_PATH : 0), STATX_BASIC_STATS, &st);
}
#else
bool
compat_is_remote(int fd)
{
	(void)fd;
	return false;
}

int
compat_ask(int dirfd, const char *name)
{
	(void)dirfd;
	(void)name;
	errno = ENOSYS;
	return -1;
}
#endif
