/* SPDX-License-Identifier: ISC */
/*
 * Watches a file by looking: file systems of networks and of
 * containers do not tell of every change.  Runs in the parent.
 */
#include "watch.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "log.h"

#define INTERVAL_MS	500

struct watch {
	char			*path;
	struct loop_timer	*timer;
	struct stat		 known;		/* what was handed out */
	struct stat		 seen;		/* at the last look */
	bool			 absent;	/* and that was logged */
	bool			 again, told;	/* see watch_again() */
	watch_fn		*changed;
	void			*arg;
};

static bool
is_same(const struct stat *a, const struct stat *b)
{
	return a->st_dev == b->st_dev && a->st_ino == b->st_ino &&
	    a->st_size == b->st_size &&
	    a->st_mtim.tv_sec == b->st_mtim.tv_sec &&
	    a->st_mtim.tv_nsec == b->st_mtim.tv_nsec &&
	    a->st_ctim.tv_sec == b->st_ctim.tv_sec &&
	    a->st_ctim.tv_nsec == b->st_ctim.tv_nsec;
}

static void
report_absent(struct watch *watch)
{
	if (!watch->absent)
		log_warn("%s: what it said before stays", watch->path);
	watch->absent = true;
}

/*
 * A change counts when two looks agree, so that a file that is just being
 * written is not taken half-way.
 */
static void
look(struct watch *watch)
{
	struct stat	 st;
	bool		 settled;
	int		 fd;

	if (stat(watch->path, &st) == -1) {
		report_absent(watch);
		return;
	}
	settled = is_same(&st, &watch->seen);
	watch->seen = st;
	if (!settled || is_same(&st, &watch->known))
		return;
	fd = open(watch->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	if (fd == -1 || fstat(fd, &watch->known) == -1) {
		report_absent(watch);
		if (fd != -1)
			close(fd);
		return;
	}
	watch->absent = false;
	watch->again = false;
	watch->changed(fd, watch->arg);
	if (watch->again)		/* no file is like this */
		memset(&watch->known, 0, sizeof(watch->known));
	else
		watch->told = false;
}

bool
watch_again(struct watch *watch)
{
	bool	 first = !watch->told;

	watch->again = watch->told = true;
	return first;
}

static void
on_timer(void *arg)
{
	struct watch	*watch = arg;

	look(watch);
	loop_timer_start(watch->timer, INTERVAL_MS);
}

struct watch *
watch_new(struct loop *loop, const char *path,
    const struct stat *known, watch_fn *changed, void *arg)
{
	struct watch	*watch;

	if ((watch = calloc(1, sizeof(*watch))) == NULL)
		return NULL;
	watch->changed = changed;
	watch->arg = arg;
	watch->known = watch->seen = *known;
	if ((watch->path = strdup(path)) == NULL ||
	    (watch->timer = loop_timer_new(loop, on_timer, watch)) == NULL) {
		watch_free(watch);
		return NULL;
	}
	loop_timer_start(watch->timer, INTERVAL_MS);
	return watch;
}

void
watch_free(struct watch *watch)
{
	if (watch == NULL)
		return;
	loop_timer_free(watch->timer);
	free(watch->path);
	free(watch);
}
