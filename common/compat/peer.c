/* SPDX-License-Identifier: ISC */
/*
 * Who is at the other end of a Unix socket, as each system tells it.
 */
#include "compat.h"

#include <sys/types.h>
#include <sys/socket.h>

#include <unistd.h>

int
compat_peer_uid(int fd, uid_t *uid)
{
#if defined(__linux__)
	struct ucred cred;
	socklen_t len = sizeof(cred);

	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &cred, &len) == -1)
		return -1;
	*uid = cred.uid;
	return 0;
#else
	gid_t gid;

	return getpeereid(fd, uid, &gid);
#endif
}
