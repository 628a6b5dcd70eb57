/* SPDX-License-Identifier: ISC */
/*
 * The two ways in which registryctl writes an image layout.  Not the store's
 * files: these are the caller's own.
 */
#include "export_sink.h"

#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "tar.h"

static int
write_all(int fd, const void *data, size_t len)
{
	const char *p = data;
	ssize_t n;

	while (len > 0) {
		n = write(fd, p, len);
		if (n == -1 && errno == EINTR)
			continue;
		if (n == -1)
			return -1;
		p += n;
		len -= (size_t)n;
	}
	return 0;
}

int
export_sink_begin(struct export_sink *sink, const char *name, uint64_t size)
{
	unsigned char block[TAR_BLOCK];
	size_t len = strlen(name);

	sink->size = size;
	if (sink->tarfd != -1) {
		sink->fd = sink->tarfd;
		if (tar_format(block, name, size) == -1) {
			errno = ENAMETOOLONG;
			return -1;
		}
		return write_all(sink->tarfd, block, sizeof(block));
	}
	if (name[len - 1] == '/')
		return mkdirat(sink->dirfd, name, 0777);
	sink->fd = openat(sink->dirfd, name,
	    O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0666);
	return sink->fd == -1 ? -1 : 0;
}

int
export_sink_write(struct export_sink *sink, const void *data, size_t len)
{
	return write_all(sink->fd, data, len);
}

int
export_sink_end(struct export_sink *sink)
{
	static const unsigned char zeros[TAR_BLOCK];
	int r;

	if (sink->tarfd != -1)
		return write_all(sink->tarfd, zeros, tar_padding(sink->size));
	r = fsync(sink->fd);
	if (close(sink->fd) == -1)
		r = -1;
	sink->fd = -1;
	return r;
}

int
export_sink_put(struct export_sink *sink, const char *name, const void *data,
    size_t len)
{
	if (export_sink_begin(sink, name, len) == -1 ||
	    export_sink_write(sink, data, len) == -1)
		return -1;
	return export_sink_end(sink);
}

/* A directory that is not there needs none. */
static int
sync_directory(int dirfd, const char *name)
{
	int fd, r;

	fd = openat(dirfd, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC |
	    O_NOFOLLOW);
	if (fd == -1)
		return errno == ENOENT ? 0 : -1;
	r = fsync(fd);
	close(fd);
	return r;
}

int
export_sink_finish(struct export_sink *sink)
{
	static const unsigned char zeros[2 * TAR_BLOCK];
	static const char *const names[] = { "blobs/sha256", "blobs/sha512",
	    "blobs", "." };
	size_t i;

	if (sink->tarfd != -1)
		return write_all(sink->tarfd, zeros, sizeof(zeros));
	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (sync_directory(sink->dirfd, names[i]) == -1)
			return -1;
	return 0;
}
