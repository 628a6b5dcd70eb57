/* SPDX-License-Identifier: ISC */
/*
 * Names in a directory.  Used by the store's sysfs.c in any process; keeps no
 * state.
 *
 * Where the system hands them out as they are, opendir(3) would only add
 * three calls and an allocation for each directory, and the store's are many
 * and small: most of them hold one name.
 */
#include "compat_fs.h"

#include <dirent.h>
#include <errno.h>
#include <string.h>
#include <unistd.h>

#ifdef __linux__
#include <sys/syscall.h>
#endif

#if defined(__linux__) && defined(SYS_getdents64)
/* As in getdents64(2). */
struct entry {
	uint64_t	 ino;
	int64_t		 offset;
	uint16_t	 len;
	uint8_t		 type;
	char		 name[];
};

int
compat_names_open(struct compat_names *d, int fd)
{
	d->fd = fd;
	d->next = d->len = 0;
	return 0;
}

int
compat_names_next(struct compat_names *d, const char **name,
    unsigned char *type)
{
	const struct entry *entry;
	long n;

	if (d->next == d->len) {
		n = syscall(SYS_getdents64, d->fd, d->buffer,
		    sizeof(d->buffer));
		/* One that has been removed is empty. */
		if (n == 0 || (n == -1 && errno == ENOENT))
			return 0;
		if (n == -1)
			return -1;
		d->len = (size_t)n;
		d->next = 0;
	}
	entry = (const void *)(d->buffer + d->next);
	d->next += entry->len;
	*name = entry->name;
	*type = entry->type;
	return 1;
}

void
compat_names_close(struct compat_names *d)
{
	close(d->fd);
}
#else
int
compat_names_open(struct compat_names *d, int fd)
{
	int saved;

	if ((d->dir = fdopendir(fd)) != NULL)
		return 0;
	saved = errno;
	close(fd);
	errno = saved;
	return -1;
}

int
compat_names_next(struct compat_names *d, const char **name,
    unsigned char *type)
{
	const struct dirent *entry;

	errno = 0;
	if ((entry = readdir(d->dir)) == NULL)
		return errno != 0 ? -1 : 0;
	*name = entry->d_name;
	*type = entry->d_type;
	return 1;
}

void
compat_names_close(struct compat_names *d)
{
	closedir(d->dir);
}
#endif
