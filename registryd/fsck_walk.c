/* SPDX-License-Identifier: ISC */
/*
 * Directories and files as a check of the store sees them: each name with
 * its type, mode and owner, nothing followed, nothing changed.
 */
#include <sys/stat.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "fsck_state.h"
#include "layout.h"
#include "str.h"
#include "sysfs.h"

struct walk {
	struct fsck	*f;
	int		 fd;
	fsck_name_fn	*fn;
	void		*arg;
	bool		 again;		/* has been reported */
};

size_t
fsck_push(struct fsck *f, const char *name)
{
	size_t old = f->len, n = strlen(name);

	/* A path that does not fit is shown as far as it does. */
	if (old + n + 2 > sizeof(f->path))
		return old;
	if (old > 0)
		f->path[f->len++] = '/';
	memcpy(f->path + f->len, name, n + 1);
	f->len += n;
	return old;
}

void
fsck_pop(struct fsck *f, size_t len)
{
	f->len = len;
	f->path[len] = '\0';
}

void
fsck_check_mode(struct fsck *f, const struct stat *st)
{
	mode_t need = S_ISDIR(st->st_mode) ? S_IRWXU : S_IRUSR;

	if ((st->st_mode & need) != need)
		fsck_report(f, FSCK_MODE, "mode %04o",
		    (unsigned)st->st_mode & 07777);
	if ((st->st_mode & S_IWOTH) != 0)
		fsck_report(f, FSCK_WORLD_WRITABLE, "mode %04o",
		    (unsigned)st->st_mode & 07777);
	if (st->st_uid != f->owner)
		fsck_report(f, FSCK_OWNER, "user %u, not %u",
		    (unsigned)st->st_uid, (unsigned)f->owner);
}

static unsigned char
type_of_mode(mode_t mode)
{
	if (S_ISREG(mode))
		return DT_REG;
	if (S_ISDIR(mode))
		return DT_DIR;
	return S_ISLNK(mode) ? DT_LNK : DT_UNKNOWN;
}

static const char *
type_name(unsigned char type)
{
	switch (type) {
	case DT_DIR:
		return "a directory";
	case DT_REG:
		return "a file";
	case DT_LNK:
		return "a symbolic link";
	case DT_FIFO:
		return "a FIFO";
	case DT_SOCK:
		return "a socket";
	case DT_BLK:
	case DT_CHR:
		return "a device";
	default:
		return "something else";
	}
}

bool
fsck_is(struct fsck *f, unsigned char type, unsigned char want)
{
	if (type == want)
		return true;
	fsck_report(f, FSCK_FILE_TYPE, "%s where %s belongs",
	    type_name(type), type_name(want));
	return false;
}

static int
on_name(const char *name, unsigned char type, void *arg)
{
	struct walk *w = arg;
	struct fsck *f = w->f;
	struct stat st;
	size_t old = fsck_push(f, name);

	if (type == DT_UNKNOWN) {
		if (sysfs_stat(w->fd, name, &st) == -1)
			goto out;	/* it has just gone */
		type = type_of_mode(st.st_mode);
	}
	if (type != DT_DIR && type != DT_REG && w->again)
		goto out;
	if (type == DT_LNK)
		fsck_report(f, FSCK_SYMLINK, "%s", "");
	else if (type != DT_DIR && type != DT_REG)
		fsck_report(f, FSCK_FILE_TYPE, "%s", type_name(type));
	else
		w->fn(f, w->fd, name, type, w->arg);
out:
	fsck_pop(f, old);
	return f->result != STORE_OK;
}

static int
walk(struct walk *w, int dirfd, const char *name)
{
	struct fsck *f = w->f;
	struct stat st;
	int r;

	w->fd = sysfs_open(dirfd, name, O_RDONLY | O_DIRECTORY, 0);
	if (w->fd == -1)
		return -1;
	if (!w->again && sysfs_fstat(w->fd, &st) == 0)
		fsck_check_mode(f, &st);
	f->depth++;
	r = sysfs_list(w->fd, on_name, w);
	f->depth--;
	return r;
}

int
fsck_directory(struct fsck *f, int dirfd, const char *name, fsck_name_fn *fn,
    void *arg)
{
	struct walk w = { f, -1, fn, arg, false };

	if (f->depth == FSCK_DEPTH_MAX) {
		fsck_report(f, FSCK_TOO_DEEP, "%s", "");
		return -1;
	}
	if (walk(&w, dirfd, name) != -1)
		return f->result == STORE_OK ? 0 : -1;
	switch (errno) {
	case EMFILE:
	case ENFILE:
	case ENOMEM:
		fsck_stop(f, store_result_errno(errno));
		break;
	case ENOENT:		/* gone, or not there at all */
	case ENOTDIR:
	case ELOOP:
		break;
	default:
		fsck_report(f, FSCK_UNREADABLE, "%s", strerror(errno));
	}
	return -1;
}

int
fsck_again(struct fsck *f, int dirfd, const char *name, fsck_name_fn *fn,
    void *arg)
{
	struct walk w = { f, -1, fn, arg, true };

	return f->depth < FSCK_DEPTH_MAX ? walk(&w, dirfd, name) : -1;
}

char *
fsck_read_file(struct fsck *f, int dirfd, const char *name, size_t max,
    struct stat *st, size_t *len)
{
	char *data = NULL;
	ssize_t n;
	int fd;

	/* Directories are opened too, and refused by the type below. */
	fd = sysfs_open(dirfd, name, O_RDONLY | O_NONBLOCK | O_NOCTTY, 0);
	if (fd == -1) {
		if (errno != ENOENT && errno != ELOOP)
			fsck_report(f, FSCK_UNREADABLE, "%s",
			    strerror(errno));
		return NULL;
	}
	if (sysfs_fstat(fd, st) == -1)
		fsck_report(f, FSCK_UNREADABLE, "%s", strerror(errno));
	else if (fsck_is(f, type_of_mode(st->st_mode), DT_REG)) {
		fsck_check_mode(f, st);
		if ((data = malloc(max + 2)) == NULL)
			fsck_stop(f, STORE_NOMEM);
	}
	if (data != NULL) {
		if ((n = sysfs_pread(fd, data, max + 1, 0)) == -1) {
			fsck_report(f, FSCK_UNREADABLE, "%s",
			    strerror(errno));
			free(data);
			data = NULL;
		} else {
			data[n] = '\0';
			*len = (size_t)n;
		}
	}
	sysfs_close(fd);
	return data;
}

bool
fsck_is_condemned(const char *name, const char *base)
{
	size_t len;
	uint64_t run;

	return layout_condemned_parse(name, &len, &run) &&
	    strlen(base) == len && strncmp(name, base, len) == 0;
}

void
fsck_unknown_name(struct fsck *f, const char *name)
{
	/* What distribution leaves of a file that it was writing. */
	if (str_ends(name, ".tmp"))
		fsck_report(f, FSCK_TEMPORARY, "%s", "");
	else
		fsck_report(f, FSCK_STRAY, "%s", "");
}

bool
fsck_exists(struct fsck *f, const char *path)
{
	return store_stat(f->store, path, NULL) == STORE_OK;
}
