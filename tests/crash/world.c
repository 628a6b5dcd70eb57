/* SPDX-License-Identifier: ISC */
/*
 * Stores of the crash tests: their directories, their names, and the memory
 * in which expectations survive a killed child.
 */
#include "world.h"

#include <sys/mman.h>
#include <sys/stat.h>

#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "layout.h"

#define REMOVE_FDS	16

static const char *const repos[NREPOS] = { "a/b", "c" };

struct world *
world_new(void)
{
	struct world *w;

	w = mmap(NULL, sizeof(*w), PROT_READ | PROT_WRITE,
	    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (w == MAP_FAILED)
		err(2, "mmap");
	return w;
}

void
world_mkdir(char dst[WORLD_DIR_SIZE])
{
	const char *base = getenv("TMPDIR");

	if (base == NULL)
		base = access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp";
	snprintf(dst, WORLD_DIR_SIZE, "%s/registryd-crash.XXXXXX", base);
	if (mkdtemp(dst) == NULL)
		err(2, "%s", dst);
}

void
world_begin(struct world *w, enum store_durability mode)
{
	size_t i, j;

	memset(w, 0, sizeof(*w));
	w->mode = mode;
	for (i = 0; i < NREPOS; i++) {
		for (j = 0; j < C_MAX; j++)
			w->expect.blob[i][j] = w->expect.manifest[i][j] =
			    w->expect.referrer[i][j] = IS_ABSENT;
		for (j = 0; j < NTAGS; j++)
			w->expect.tag[i][j] = TAG_ABSENT;
	}
	w->expect.readonly = IS_ABSENT;
	world_mkdir(w->dir);
}

static int
remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st;
	(void)type;
	(void)ftw;
	return remove(path);
}

void
world_remove(const char *dir)
{
	if (nftw(dir, remove_one, REMOVE_FDS, FTW_DEPTH | FTW_PHYS) == -1)
		err(2, "remove %s", dir);
}

void
world_end(struct world *w)
{
	world_remove(w->dir);
}

void
world_open(struct world *w, bool writable)
{
	int fd;

	world_close(w);
	fd = open(w->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd == -1 || (w->store = store_fs_new(fd, w->dir, writable,
	    w->mode)) == NULL)
		err(2, "%s", w->dir);
}

void
world_close(struct world *w)
{
	store_free(w->store);
	w->store = NULL;
}

bool
world_fail(struct world *w, const char *fmt, ...)
{
	va_list ap;

	if (w->why[0] != '\0')
		return false;
	va_start(ap, fmt);
	vsnprintf(w->why, sizeof(w->why), fmt, ap);
	va_end(ap);
	return false;
}

const char *
world_repo(enum repo_id repo)
{
	return repos[repo];
}

const char *
world_tag(char dst[16], unsigned tag)
{
	snprintf(dst, 16, "t%u", tag);
	return dst;
}

char *
world_session(char dst[SESSION_ID_SIZE], const struct world *w,
    enum repo_id repo, unsigned slot)
{
	snprintf(dst, SESSION_ID_SIZE, "s%u-%u-%u", (unsigned)repo, slot,
	    w->expect.session[repo][slot].generation);
	return dst;
}

const char *
world_path(const struct world *w, const char *path)
{
	static char full[WORLD_DIR_SIZE + LAYOUT_PATH_SIZE];

	snprintf(full, sizeof(full), "%s/%s", w->dir, path);
	return full;
}

void
world_write(const struct world *w, const char *path, const void *data,
    size_t len)
{
	char full[WORLD_DIR_SIZE + LAYOUT_PATH_SIZE], *slash;
	int fd;

	snprintf(full, sizeof(full), "%s/%s", w->dir, path);
	for (slash = full + strlen(w->dir) + 1;
	    (slash = strchr(slash, '/')) != NULL; slash++) {
		*slash = '\0';
		if (mkdir(full, 0777) == -1 && errno != EEXIST)
			err(2, "%s", full);
		*slash = '/';
	}
	fd = open(full, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
	if (fd == -1 || write(fd, data, len) != (ssize_t)len || close(fd) == -1)
		err(2, "%s", full);
}
