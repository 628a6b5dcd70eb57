/* SPDX-License-Identifier: ISC */
/*
 * Sending a part of a file to a socket without copying it, where the system
 * can.
 */
#ifndef COMPAT_SENDFILE_H
#define COMPAT_SENDFILE_H

#include <sys/types.h>

#include <stddef.h>
#include <stdint.h>

/* Flags of send(2) that not every system has; 0 there. */
extern const int compat_msg_more;
extern const int compat_msg_nosignal;

/*
 * Bytes sent from the file's "offset" on, 0 at the end of the file, or -1
 * with errno (EAGAIN: the socket is full).  The file's position is not used.
 */
ssize_t	 compat_sendfile(int sock, int fd, uint64_t offset, size_t len);

#endif
