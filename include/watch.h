/* SPDX-License-Identifier: ISC */
/*
 * Notices that a file has become another one: rewritten, replaced by
 * rename, or reached through a symbolic link that now points elsewhere.
 */
#ifndef WATCH_H
#define WATCH_H

#include <stdbool.h>
#include <sys/stat.h>

#include "loop.h"

struct watch;

/* The file's new content is there to be read; fd is the callee's. */
typedef void watch_fn(int fd, void *arg);

/*
 * In that callback: the content could not be taken and is to be handed out
 * again at the next look.  True for the first time in a row.
 */
bool		 watch_again(struct watch *);
/* "known" is what the file was when it was read.  NULL: out of memory. */
struct watch *watch_new(struct loop *, const char *path,
		    const struct stat *known, watch_fn *, void *arg);
void		 watch_free(struct watch *);

#endif
