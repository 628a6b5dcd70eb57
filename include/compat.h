/* SPDX-License-Identifier: ISC */
/*
 * What every system can do, but each in its own way (common/compat/).
 */
#ifndef COMPAT_H
#define COMPAT_H

#include <stddef.h>
#include <sys/types.h>

/* Close every descriptor from "low" upwards. */
void	 compat_close_from(int low);
/*
 * Be killed when the parent dies, where the system can do that.  Changing
 * the user undoes it.
 */
void	 compat_die_with_parent(void);
/*
 * No new privilege by exec, no tracing by others of the same user, no core
 * file.  -1 with errno where the system has it but refused.
 */
int	 compat_lock_process(void);
/*
 * Execute what "fd" has open, so that children are of their parent's version
 * even when the file was replaced meanwhile; "path" where the system cannot.
 */
void	 compat_exec(int fd, const char *path, char *const argv[],
	    char *const envp[]);
/* Show argv[0] as the name of the process after compat_exec(). */
void	 compat_set_name(void);
/*
 * Become the parent of whatever our children's children leave behind, where
 * the system can do that: so that compat_kill_children() finds them.
 */
void	 compat_adopt_orphans(void);
/* Children that run or wait to be reaped; 0 where the system does not say. */
size_t	 compat_count_children(void);
/* Kill every child, with what it leaves behind, and reap them all. */
void	 compat_kill_children(void);
/*
 * The hash of a user's password, for who may read it; -1: not known.  It may
 * say as well that there is none.
 */
int	 compat_password_hash(const char *user, char *hash, size_t size);
/* Path of the running binary into dst; -1 when the system does not say. */
int	 compat_self_path(char *dst, size_t size);
/* Effective user at the other end of a Unix stream socket. -1: errno. */
int	 compat_peer_uid(int fd, uid_t *);

#endif
