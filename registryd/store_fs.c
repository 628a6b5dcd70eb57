/* SPDX-License-Identifier: ISC */
/*
 * The store on a local directory, its reading half: open, stat, read, list.
 * Workers use only this.  Every path is opened beneath the root without
 * following links, and only regular files are opened.
 */
#include "store.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "random.h"
#include "str.h"
#include "store_fs.h"
#include "sysfs.h"

/* The n smallest names so far, as a heap with the greatest on top. */
struct names {
	int		 fd;
	const char	*after;
	size_t		 max;
	char		**items;
	size_t		 n, cap;
	bool		 more;
};

void
fs_stat_fill(struct store_stat *out, const struct stat *st)
{
	out->size = (uint64_t)st->st_size;
	out->mtime = st->st_mtim.tv_sec;
	out->mtime_nsec = (uint32_t)st->st_mtim.tv_nsec;
	out->ino = (uint64_t)st->st_ino;
	out->dev = (uint64_t)st->st_dev;
	out->is_dir = S_ISDIR(st->st_mode);
	out->shared = !out->is_dir && st->st_nlink > 1;
}

enum store_result
fs_open_parent(struct fs *fs, const char *path, int *fd, const char **name)
{
	char dir[LAYOUT_PATH_SIZE];
	const char *slash;
	size_t len;

	slash = strrchr(path, '/');
	len = slash != NULL ? (size_t)(slash - path) : 0;
	if (len == 0)
		str_copy(dir, sizeof(dir), ".");
	else {
		memcpy(dir, path, len);
		dir[len] = '\0';
	}
	*fd = sysfs_open(fs->root, dir, O_RDONLY | O_DIRECTORY, 0);
	if (*fd == -1)
		return store_result_errno(errno);
	*name = slash != NULL ? slash + 1 : path;
	return STORE_OK;
}

/* Regular files only; O_NONBLOCK, so that a planted FIFO does not hang. */
static enum store_result
open_regular(struct store *s, const char *path, int *fdp,
    struct store_stat *out)
{
	struct fs *fs = (struct fs *)s;
	struct stat st;
	enum store_result r = STORE_OK;
	int fd;

	fd = sysfs_open(fs->root, path, O_RDONLY | O_NONBLOCK | O_NOCTTY, 0);
	if (fd == -1)
		return store_result_errno(errno);
	if (sysfs_fstat(fd, &st) == -1)
		r = store_result_errno(errno);
	else if (!S_ISREG(st.st_mode))
		r = STORE_INVALID;
	if (r != STORE_OK) {
		sysfs_close(fd);
		return r;
	}
	if (out != NULL)
		fs_stat_fill(out, &st);
	*fdp = fd;
	return STORE_OK;
}

/* Files that others have written tell nothing of their size. */
static bool
size_is_right(int fd, uint64_t size)
{
	char text[FS_MARK_TEXT_SIZE], want[FS_MARK_TEXT_SIZE];
	ssize_t n;

	n = sysfs_marked(fd, FS_MARK, text, sizeof(text) - 1);
	if (n == -1)
		return true;
	text[n] = '\0';
	snprintf(want, sizeof(want), "%" PRIu64, size);
	return strcmp(text, want) == 0;
}

static enum store_result
fs_open(struct store *s, const char *path, int *fd, struct store_stat *out)
{
	struct store_stat st;
	enum store_result r;

	if ((r = open_regular(s, path, fd, &st)) != STORE_OK)
		return r;
	if (!size_is_right(*fd, st.size)) {
		sysfs_close(*fd);
		return STORE_INVALID;
	}
	if (out != NULL)
		*out = st;
	return STORE_OK;
}

static enum store_result
fs_stat(struct store *s, const char *path, struct store_stat *out)
{
	struct fs *fs = (struct fs *)s;
	const char *name;
	struct stat st;
	enum store_result r;
	int dirfd;

	if ((r = fs_open_parent(fs, path, &dirfd, &name)) != STORE_OK)
		return r;
	if (sysfs_stat(dirfd, name, &st) == -1)
		r = store_result_errno(errno);
	else if (!S_ISREG(st.st_mode) && !S_ISDIR(st.st_mode))
		r = STORE_INVALID;
	sysfs_close(dirfd);
	if (r == STORE_OK && out != NULL)
		fs_stat_fill(out, &st);
	return r;
}

static enum store_result
fs_pread(struct store *s, int fd, void *data, size_t len, uint64_t offset,
    size_t *np)
{
	char *dst = data;
	size_t done = 0;
	ssize_t n;

	(void)s;
	while (done < len) {
		n = sysfs_pread(fd, dst + done, len - done, offset + done);
		if (n == -1)
			return store_result_errno(errno);
		if (n == 0)
			break;
		done += (size_t)n;
	}
	*np = done;
	return STORE_OK;
}

static void
fs_forget(struct store *s, int fd)
{
	(void)s;
	(void)sysfs_forget(fd);
}

static enum store_result
fs_fstat(struct store *s, int fd, struct store_stat *out)
{
	struct stat st;

	(void)s;
	if (sysfs_fstat(fd, &st) == -1)
		return store_result_errno(errno);
	fs_stat_fill(out, &st);
	return STORE_OK;
}

static void
fs_close(struct store *s, int fd)
{
	(void)s;
	if (fd != -1)
		sysfs_close(fd);
}

static enum store_result
fs_read(struct store *s, const char *path, size_t max, char **datap,
    size_t *lenp)
{
	struct store_stat st;
	enum store_result r;
	char *data = NULL;
	size_t n;
	int fd;

	if ((r = open_regular(s, path, &fd, &st)) != STORE_OK)
		return r;
	if (st.size > max)
		r = STORE_TOOBIG;
	else if ((data = malloc((size_t)st.size + 1)) == NULL)
		r = STORE_NOMEM;
	else
		r = fs_pread(s, fd, data, (size_t)st.size, 0, &n);
	sysfs_close(fd);
	if (r != STORE_OK) {
		free(data);
		return r;
	}
	data[n] = '\0';
	*datap = data;
	*lenp = n;
	return STORE_OK;
}

/* ---- listing ---- */

static void
names_sift_down(struct names *h, size_t n)
{
	size_t i = 0, child;
	char *tmp;

	while ((child = 2 * i + 1) < n) {
		if (child + 1 < n &&
		    strcmp(h->items[child + 1], h->items[child]) > 0)
			child++;
		if (strcmp(h->items[i], h->items[child]) >= 0)
			return;
		tmp = h->items[i];
		h->items[i] = h->items[child];
		h->items[child] = tmp;
		i = child;
	}
}

static void
names_sift_up(struct names *h)
{
	size_t i = h->n - 1, parent;
	char *tmp;

	while (i > 0) {
		parent = (i - 1) / 2;
		if (strcmp(h->items[parent], h->items[i]) >= 0)
			return;
		tmp = h->items[i];
		h->items[i] = h->items[parent];
		h->items[parent] = tmp;
		i = parent;
	}
}

/* A file on its way in by distribution; other things may well end so. */
static bool
names_is_temporary(const struct names *h, const char *name, unsigned char type)
{
	struct stat st;

	if (!str_ends(name, ".tmp"))
		return false;
	if (type != DT_UNKNOWN)
		return type == DT_REG;
	return sysfs_stat(h->fd, name, &st) == -1 || S_ISREG(st.st_mode);
}

static int
names_on_name(const char *name, unsigned char type, void *arg)
{
	struct names *h = arg;
	char **items, *copy;
	size_t cap;

	if (name[0] == '.' || (h->after != NULL && strcmp(name, h->after) <= 0))
		return 0;
	if (h->n == h->max && (h->max == 0 || strcmp(name, h->items[0]) > 0)) {
		if (!h->more && !names_is_temporary(h, name, type))
			h->more = true;
		return 0;
	}
	if (names_is_temporary(h, name, type))
		return 0;
	if ((copy = strdup(name)) == NULL)
		return -1;
	if (h->n == h->max) {
		h->more = true;
		free(h->items[0]);
		h->items[0] = copy;
		names_sift_down(h, h->n);
		return 0;
	}
	if (h->n == h->cap) {
		cap = h->cap == 0 ? 64 : 2 * h->cap;
		items = reallocarray(h->items, cap, sizeof(*items));
		if (items == NULL) {
			free(copy);
			return -1;
		}
		h->items = items;
		h->cap = cap;
	}
	h->items[h->n++] = copy;
	names_sift_up(h);
	return 0;
}

/* Heap into ascending order, in place. */
static void
names_sort(struct names *h)
{
	size_t n;
	char *tmp;

	for (n = h->n; n > 1; n--) {
		tmp = h->items[0];
		h->items[0] = h->items[n - 1];
		h->items[n - 1] = tmp;
		names_sift_down(h, n - 1);
	}
}

static enum store_result
fs_list(struct store *s, const char *path, const char *after, size_t n,
    char ***namesp, size_t *nnames, bool *more)
{
	struct fs *fs = (struct fs *)s;
	struct names h = { .after = after, .max = n };

	h.fd = sysfs_open(fs->root, path, O_RDONLY | O_DIRECTORY, 0);
	if (h.fd == -1 || sysfs_list(h.fd, names_on_name, &h) != 0) {
		store_names_free(h.items, h.n);
		return store_result_errno(errno);
	}
	names_sort(&h);
	*namesp = h.items;
	*nnames = h.n;
	*more = h.more;
	return STORE_OK;
}

static void
fs_free(struct store *s)
{
	struct fs *fs = (struct fs *)s;

	close(fs->root);
	if (fs->syncfd != -1)
		close(fs->syncfd);
	fs_barrier_free(fs->barrier);
	free(fs->durable);
	free(s->path);
	free(fs);
}

static const struct store_ops fs_ops = {
	.free = fs_free,
	.open = fs_open,
	.stat = fs_stat,
	.read = fs_read,
	.list = fs_list,
	.put = fs_put,
	.stage = fs_stage,
	.publish = fs_publish,
	.unstage = fs_unstage,
	.barrier = fs_barrier,
	.sync_all = fs_sync_all,
	.name_sync = fs_name_sync,
	.settle = fs_settle,
	.touch = fs_touch,
	.lock = fs_lock,
	.lock_pass = fs_lock_pass,
	.lock_file = fs_lock_file,
	.create = fs_create,
	.open_append = fs_open_append,
	.pread = fs_pread,
	.write = fs_write,
	.flush = fs_flush,
	.truncate = fs_truncate,
	.sync = fs_sync,
	.written = fs_written,
	.mark = fs_mark,
	.seal = fs_seal,
	.forget = fs_forget,
	.fstat = fs_fstat,
	.close = fs_close,
	.move = fs_move,
	.link = fs_link,
	.unlink = fs_unlink,
	.remove_tree = fs_remove_tree,
	.prune = fs_prune,
	.reserve = fs_reserve,
	.room = fs_room,
	.release = fs_release,
	.sweep = fs_sweep
};

struct store *
store_fs_new(int rootfd, const char *path, bool writable,
    enum store_durability durability)
{
	struct fs *fs;

	/* Where no barrier can be had, the same is kept one by one. */
	if (durability == STORE_BATCH && !sysfs_has_syncfs())
		durability = STORE_FULL;
	if ((fs = calloc(1, sizeof(*fs))) == NULL) {
		close(rootfd);
		return NULL;
	}
	/* What others have open there cannot be told. */
	if ((fs->remote = sysfs_asks(rootfd)))
		fs->leases = FS_LEASES_FAIL;
	fs->base.ops = &fs_ops;
	fs->base.writable = writable;
	fs->base.batched = writable && durability == STORE_BATCH;
	fs->base.promises = writable && durability != STORE_NONE;
	fs->root = rootfd;
	fs->syncfd = -1;
	fs->durability = durability;
	random_bytes(&fs->seed, sizeof(fs->seed));
	if ((fs->base.path = strdup(path)) == NULL ||
	    (writable && (fs->durable = calloc(FS_DURABLE_SLOTS,
	    sizeof(*fs->durable))) == NULL) ||
	    (fs->base.batched && (fs->barrier = fs_barrier_new()) == NULL) ||
	    (writable && durability != STORE_NONE && sysfs_has_syncfs() &&
	    (fs->syncfd = sysfs_open(rootfd, ".", O_RDONLY | O_DIRECTORY,
	    0)) == -1)) {
		fs_free(&fs->base);
		return NULL;
	}
	return &fs->base;
}
