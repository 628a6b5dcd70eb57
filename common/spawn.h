/* SPDX-License-Identifier: ISC */
/*
 * Starting one child: fork, exec of the same binary with its role, and the
 * channel on descriptor 3.
 */
#ifndef SPAWN_H
#define SPAWN_H

#include <sys/types.h>

#include "supervise.h"

/*
 * The child's process id and, in *chan_fd, our end of its channel; or -1
 * with errno.  The child has descriptors 0 to 3 only, a minimal environment,
 * no blocked signals and every signal at its default.  program_fd is the
 * open binary, "program" its path.
 */
pid_t	 spawn_child(int program_fd, const char *program,
	    const struct supervise_role *, unsigned instance, int *chan_fd);
/* A pair for a channel between two children; -1 with errno. */
int	 spawn_pair(int fds[2]);

#endif
