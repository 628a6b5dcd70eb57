/* SPDX-License-Identifier: ISC */
/*
 * Copies of files that nobody can change any more.
 */
#ifndef FROZEN_H
#define FROZEN_H

#include <stdbool.h>
#include <sys/types.h>

/*
 * Copy what "fd" (not closed) has into a file without a name, in memory
 * where the system can do that.  A descriptor for reading, or -1 with errno;
 * EFBIG when it has more than "max" bytes.
 */
int	 frozen_copy(int fd, off_t max);
/* Is this errno of it one that may go, with the file as it is? */
bool	 frozen_may_succeed(int error);

#endif
