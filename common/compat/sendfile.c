/* SPDX-License-Identifier: ISC */
/*
 * sendfile(2), which Linux and FreeBSD have in different forms and OpenBSD
 * has not at all; and the flags of send(2) that differ.  Used by workers.
 */
#include "sendfile.h"

#include <sys/socket.h>

#include <errno.h>
#include <unistd.h>

#ifdef __linux__
#include <sys/sendfile.h>
#endif
#ifdef __FreeBSD__
#include <sys/uio.h>
#endif

#ifdef MSG_MORE
const int compat_msg_more = MSG_MORE;
#else
const int compat_msg_more = 0;
#endif

#ifdef MSG_NOSIGNAL
const int compat_msg_nosignal = MSG_NOSIGNAL;
#else
const int compat_msg_nosignal = 0;
#endif

#if defined(__linux__)

ssize_t
compat_sendfile(int sock, int fd, uint64_t offset, size_t len)
{
	off_t pos = (off_t)offset;

	return sendfile(sock, fd, &pos, len);
}

#elif defined(__FreeBSD__)

ssize_t
compat_sendfile(int sock, int fd, uint64_t offset, size_t len)
{
	off_t sent = 0;

	if (sendfile(fd, sock, (off_t)offset, len, NULL, &sent, 0) == -1 &&
	    sent == 0)
		return -1;
	return (ssize_t)sent;
}

#else

#define COPY_SIZE	32768

ssize_t
compat_sendfile(int sock, int fd, uint64_t offset, size_t len)
{
	char copy[COPY_SIZE];
	ssize_t n;

	n = pread(fd, copy, len < sizeof(copy) ? len : sizeof(copy),
	    (off_t)offset);
	if (n <= 0)
		return n;
	return send(sock, copy, (size_t)n, compat_msg_nosignal);
}

#endif
