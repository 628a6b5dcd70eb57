/* SPDX-License-Identifier: ISC */
/*
 * Giving up privilege, for good.
 */
#ifndef PRIVDROP_H
#define PRIVDROP_H

#include <stddef.h>
#include <sys/types.h>

#include "proc.h"

/*
 * As args say: change root into an empty directory that no longer has a
 * name, then to the user and exactly the groups given; verify that there is
 * no way back.  Without args->drop only no_new_privs, core size 0, not
 * dumpable.  Exits on failure.
 */
void	 privdrop(const struct proc_args *);
/*
 * The same without changing root, for children whose libraries open files by
 * name.
 */
void	 privdrop_keep_root(const struct proc_args *);

/*
 * A user as the configuration names it: a name, or "uid" or "uid:gid" in
 * digits (no account needed).  0, or -1 with errno ENOENT (no such user),
 * EINVAL (root is refused).
 */
int	 privdrop_lookup(const char *user, uid_t *, gid_t *);
/*
 * The groups that the system gives to such a user, his primary one first; in
 * digits, he has no others.  0, or -1 with errno ENOSPC (too many), ENOENT.
 */
int	 privdrop_groups(const char *user, gid_t gids[PROC_MAX_GROUPS],
	    size_t *ngids);

#endif
