/* SPDX-License-Identifier: ISC */
/*
 * Freezes the files of a configuration: a child that is restarted days later
 * must find what was checked at the start, whatever was written into the
 * file meanwhile.  Runs in the parent.
 */
#include "frozen.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "random.h"
#include "secret.h"

/* Two descriptors of one unnamed file; -1 with errno. */
static int
open_unnamed(int *out, int *in)
{
	char	 name[32] = "/frozen.", path[] = "/tmp/frozen.XXXXXXXXXX";

	random_hex(name + 8, 8);
	*out = shm_open(name, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (*out != -1) {
		*in = shm_open(name, O_RDONLY | O_CLOEXEC, 0);
		shm_unlink(name);
	} else {
		if ((*out = mkostemp(path, O_CLOEXEC)) == -1)
			return -1;
		*in = open(path, O_RDONLY | O_CLOEXEC);
		unlink(path);
	}
	if (*in != -1)
		return 0;
	close(*out);
	return -1;
}

static int
write_all(int fd, const char *data, size_t len)
{
	ssize_t	 n;

	while (len > 0) {
		n = write(fd, data, len);
		if (n == -1 && errno == EINTR)
			continue;
		if (n == -1)
			return -1;
		data += n;
		len -= (size_t)n;
	}
	return 0;
}

static int
copy_bytes(int from, int to, off_t max)
{
	char	 buf[16384];
	off_t	 at = 0;
	ssize_t	 n;
	int	 error = 0;

	for (;;) {
		n = pread(from, buf, sizeof(buf), at);
		if (n == -1 && errno == EINTR)
			continue;
		if (n <= 0)
			break;
		at += n;
		if (at > max || write_all(to, buf, (size_t)n) == -1) {
			error = at > max ? EFBIG : errno;
			break;
		}
	}
	if (n == -1)
		error = errno;
	secret_wipe(buf, sizeof(buf));
	errno = error;
	return error == 0 ? 0 : -1;
}

bool
frozen_may_succeed(int error)
{
	switch (error) {
	case EAGAIN:
	case EDQUOT:
	case EIO:
	case EMFILE:
	case ENFILE:
	case ENOMEM:
	case ENOSPC:
	case ESTALE:
		return true;
	default:
		return false;
	}
}

int
frozen_copy(int fd, off_t max)
{
	int	 in, out, error;

	if (open_unnamed(&out, &in) == -1)
		return -1;
	if (copy_bytes(fd, out, max) == -1) {
		error = errno;
		close(out);
		close(in);
		errno = error;
		return -1;
	}
	close(out);
	return in;
}
