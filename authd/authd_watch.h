/* SPDX-License-Identifier: ISC */
/*
 * Notices that a file has become another one: rewritten, replaced by
 * rename, or reached through a symbolic link that now points elsewhere.
 */
#ifndef AUTHD_WATCH_H
#define AUTHD_WATCH_H

#include <sys/stat.h>

#include "loop.h"

struct authd_watch;

/* The file's new content is there to be read; fd is the callee's. */
typedef void authd_watch_fn(int fd, void *arg);

/* "known" is what the file was when it was read.  NULL: out of memory. */
struct authd_watch *authd_watch_new(struct loop *, const char *path,
		    const struct stat *known, authd_watch_fn *, void *arg);
void		 authd_watch_free(struct authd_watch *);

#endif
