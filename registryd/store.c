/* SPDX-License-Identifier: ISC */
/*
 * The store as everyone above it sees it: checks paths and the right to
 * write, then hands over to the driver.  Runs in workers, keepers and the
 * collector; touches no file itself.
 */
#include "store.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "layout.h"
#include "store_driver.h"

#define SWEEP_US	1000000

static const char *const result_texts[] = {
	[STORE_OK] = "ok",
	[STORE_NOTFOUND] = "not found",
	[STORE_EXISTS] = "exists",
	[STORE_MISMATCH] = "digest, size or offset differs",
	[STORE_BUSY] = "held by another request",
	[STORE_INVALID] = "stored data makes no sense",
	[STORE_TOOBIG] = "too big",
	[STORE_NOSPACE] = "no space left",
	[STORE_READONLY] = "read-only",
	[STORE_NOMEM] = "out of memory",
	[STORE_LIMIT] = "limit reached",
	[STORE_MISSING] = "a referenced object is absent",
	[STORE_GONE] = "keeper does not answer",
	[STORE_UNAVAILABLE] = "storage not available",
	[STORE_REMOVED] = "removed before it was finished",
	[STORE_DENIED] = "permission denied",
	[STORE_IO] = "input/output error",
	[STORE_AGAIN] = "not yet durable",
	[STORE_MORE] = "not yet done",
	[STORE_LOCKED] = "locked"
};

const char *
store_result_text(enum store_result r)
{
	if ((unsigned)r > STORE_LOCKED)
		return "unknown result";
	return result_texts[r];
}

enum store_result
store_result_errno(int error)
{
	switch (error) {
	case ENOENT:
	case ENOTDIR:
	case ENAMETOOLONG:
		return STORE_NOTFOUND;
	case EEXIST:
		return STORE_EXISTS;
	case EWOULDBLOCK:
		return STORE_BUSY;
	case ELOOP:
	case EXDEV:
	case EISDIR:
		return STORE_INVALID;
	case EFBIG:
		return STORE_TOOBIG;
	case ENOSPC:
	case EDQUOT:
		return STORE_NOSPACE;
	case EROFS:
		return STORE_READONLY;
	case ENOMEM:
		return STORE_NOMEM;
	case EMFILE:
	case ENFILE:
	case EMLINK:
		return STORE_LIMIT;
	/* Another host has changed it twice, or the server is away. */
	case ESTALE:
	case ETIMEDOUT:
	case EHOSTDOWN:
	case ENOTCONN:
		return STORE_UNAVAILABLE;
	case EACCES:
	case EPERM:
		return STORE_DENIED;
	default:
		return STORE_IO;
	}
}

bool
store_result_is_io(enum store_result r)
{
	return r == STORE_IO || r == STORE_DENIED;
}

/* Relative, without empty, "." and ".." components, and not too long. */
static bool
path_ok(const char *path)
{
	size_t len;

	if (strnlen(path, LAYOUT_PATH_SIZE) == LAYOUT_PATH_SIZE)
		return false;
	for (;;) {
		len = strcspn(path, "/");
		if (len == 0 || (len == 1 && path[0] == '.') ||
		    (len == 2 && path[0] == '.' && path[1] == '.'))
			return false;
		if (path[len] == '\0')
			return true;
		path += len + 1;
	}
}

static bool
can_write(const struct store *s)
{
	return s->writable && s->failure == 0;
}

static enum store_result
check_write(const struct store *s, const char *path)
{
	if (!can_write(s))
		return STORE_READONLY;
	return path_ok(path) ? STORE_OK : STORE_INVALID;
}

void
store_free(struct store *s)
{
	if (s != NULL)
		s->ops->free(s);
}

const char *
store_path(const struct store *s)
{
	return s->path;
}

enum store_result
store_open(struct store *s, const char *path, int *fd, struct store_stat *st)
{
	if (!path_ok(path))
		return STORE_INVALID;
	return s->ops->open(s, path, fd, st);
}

enum store_result
store_stat(struct store *s, const char *path, struct store_stat *st)
{
	if (!path_ok(path))
		return STORE_INVALID;
	return s->ops->stat(s, path, st);
}

enum store_result
store_read(struct store *s, const char *path, size_t max, char **data,
    size_t *len)
{
	if (!path_ok(path))
		return STORE_INVALID;
	return s->ops->read(s, path, max, data, len);
}

enum store_result
store_list(struct store *s, const char *path, const char *after, size_t n,
    char ***names, size_t *nnames, bool *more)
{
	if (!path_ok(path))
		return STORE_INVALID;
	return s->ops->list(s, path, after, n, names, nnames, more);
}

void
store_names_free(char **names, size_t n)
{
	size_t i;

	if (names == NULL)
		return;
	for (i = 0; i < n; i++)
		free(names[i]);
	free(names);
}

enum store_result
store_put(struct store *s, const char *path, const void *data, size_t len,
    unsigned flags)
{
	enum store_result r;

	if ((r = check_write(s, path)) != STORE_OK)
		return r;
	return s->ops->put(s, path, data, len, flags);
}

enum store_result
store_stage(struct store *s, const void *data, size_t len,
    struct store_staged *staged)
{
	staged->path[0] = '\0';
	if (!can_write(s))
		return STORE_READONLY;
	return s->ops->stage(s, data, len, staged);
}

enum store_result
store_publish(struct store *s, struct store_staged *staged, const char *path,
    unsigned flags)
{
	enum store_result r;

	if ((r = check_write(s, path)) != STORE_OK)
		return r;
	if (staged->path[0] == '\0')
		return STORE_NOTFOUND;
	return s->ops->publish(s, staged, path, flags);
}

void
store_unstage(struct store *s, struct store_staged *staged)
{
	if (staged->path[0] != '\0')
		s->ops->unstage(s, staged);
	staged->path[0] = '\0';
}

bool
store_promises(const struct store *s)
{
	return s->promises;
}

bool
store_batched(const struct store *s)
{
	return s->batched;
}

int
store_failure(const struct store *s)
{
	return s->failure;
}

enum store_result
store_barrier(struct store *s)
{
	if (!can_write(s))
		return STORE_READONLY;
	return s->ops->barrier(s);
}

enum store_result
store_sync_all(struct store *s)
{
	if (!can_write(s))
		return STORE_READONLY;
	return s->ops->sync_all(s);
}

enum store_name_sync
store_name_sync(struct store *s)
{
	return can_write(s) ? s->ops->name_sync(s) : STORE_NAME_ALONE;
}

enum store_result
store_settle(struct store *s, const char *path)
{
	enum store_result r;

	if ((r = check_write(s, path)) != STORE_OK)
		return r;
	return s->ops->settle(s, path);
}

enum store_result
store_touch(struct store *s, const char *path)
{
	return store_touch_at(s, path, NULL);
}

enum store_result
store_touch_at(struct store *s, const char *path,
    const struct timespec *when)
{
	enum store_result r;

	if ((r = check_write(s, path)) != STORE_OK)
		return r;
	return s->ops->touch(s, path, when);
}

enum store_result
store_lock(struct store *s, const char *name, struct store_lock *lock)
{
	enum store_result r;

	lock->fd = -1;
	if (!can_write(s))
		return STORE_READONLY;
	r = s->ops->lock(s, name, &lock->fd);
	return r == STORE_BUSY && s->nowait ? STORE_LOCKED : r;
}

enum store_result
store_lock_pass(struct store *s)
{
	/* Nobody could say how far it had come. */
	assert(!s->nowait);
	if (!can_write(s))
		return STORE_READONLY;
	return s->ops->lock_pass(s);
}

void
store_lock_nowait(struct store *s)
{
	s->nowait = true;
}

enum store_result
store_lock_file(struct store *s, const char *path, struct store_lock *lock)
{
	enum store_result r;

	lock->fd = -1;
	if ((r = check_write(s, path)) != STORE_OK)
		return r;
	return s->ops->lock_file(s, path, &lock->fd);
}

void
store_unlock(struct store *s, struct store_lock *lock)
{
	s->ops->close(s, lock->fd);
	lock->fd = -1;
}

enum store_result
store_create(struct store *s, const char *path, int *fd)
{
	enum store_result r;

	if ((r = check_write(s, path)) != STORE_OK)
		return r;
	return s->ops->create(s, path, fd);
}

enum store_result
store_open_append(struct store *s, const char *path, int *fd,
    struct store_stat *st)
{
	enum store_result r;

	if ((r = check_write(s, path)) != STORE_OK)
		return r;
	return s->ops->open_append(s, path, fd, st);
}

enum store_result
store_pread(struct store *s, int fd, void *data, size_t len, uint64_t offset,
    size_t *n)
{
	return s->ops->pread(s, fd, data, len, offset, n);
}

enum store_result
store_write(struct store *s, int fd, const void *data, size_t len,
    uint64_t offset)
{
	if (!can_write(s))
		return STORE_READONLY;
	return s->ops->write(s, fd, data, len, offset);
}

enum store_result
store_flush(struct store *s, int fd, uint64_t from, uint64_t to)
{
	if (!can_write(s))
		return STORE_READONLY;
	return s->ops->flush(s, fd, from, to);
}

enum store_result
store_truncate(struct store *s, int fd, uint64_t size)
{
	if (!can_write(s))
		return STORE_READONLY;
	return s->ops->truncate(s, fd, size);
}

enum store_result
store_sync(struct store *s, int fd)
{
	if (!can_write(s))
		return STORE_READONLY;
	return s->ops->sync(s, fd);
}

enum store_result
store_written(struct store *s, int fd)
{
	return s->ops->written(s, fd);
}

enum store_result
store_mark(struct store *s, int fd, uint64_t size)
{
	if (!can_write(s))
		return STORE_READONLY;
	return s->ops->mark(s, fd, size);
}

enum store_result
store_seal(struct store *s, const char *path, int *fd)
{
	enum store_result r;

	if ((r = check_write(s, path)) != STORE_OK)
		return r;
	return s->ops->seal(s, path, fd);
}

void
store_forget(struct store *s, int fd)
{
	s->ops->forget(s, fd);
}

enum store_result
store_fstat(struct store *s, int fd, struct store_stat *st)
{
	return s->ops->fstat(s, fd, st);
}

void
store_close(struct store *s, int fd)
{
	s->ops->close(s, fd);
}

enum store_result
store_link(struct store *s, const char *from, const char *to)
{
	enum store_result r;

	if ((r = check_write(s, from)) != STORE_OK ||
	    (r = check_write(s, to)) != STORE_OK)
		return r;
	return s->ops->link(s, from, to);
}

enum store_result
store_move(struct store *s, const char *from, const char *to, unsigned flags)
{
	enum store_result r;

	if ((r = check_write(s, from)) != STORE_OK ||
	    (r = check_write(s, to)) != STORE_OK)
		return r;
	return s->ops->move(s, from, to, flags);
}

enum store_result
store_unlink(struct store *s, const char *path)
{
	enum store_result r;

	if ((r = check_write(s, path)) != STORE_OK)
		return r;
	return s->ops->unlink(s, path);
}

enum store_result
store_remove_tree(struct store *s, const char *path, unsigned flags)
{
	enum store_result r;

	if ((r = check_write(s, path)) != STORE_OK)
		return r;
	return s->ops->remove_tree(s, path, flags);
}

void
store_prune(struct store *s, const char *path, const char *stop)
{
	if (check_write(s, path) == STORE_OK)
		s->ops->prune(s, path, stop);
}

enum store_result
store_sweep_step(struct store *s, struct store_sweep *sweep, time_t before,
    unsigned budget_us, bool *done)
{
	*done = false;
	if (!can_write(s))
		return STORE_READONLY;
	return s->ops->sweep(s, sweep, before, budget_us, done);
}

enum store_result
store_sweep(struct store *s, time_t before)
{
	struct store_sweep sweep = { 0, 0 };
	enum store_result r;
	bool done;

	do
		r = store_sweep_step(s, &sweep, before, SWEEP_US, &done);
	while (r == STORE_OK && !done);
	return r;
}

void
store_reserve(struct store *s, uint64_t size)
{
	if (can_write(s))
		s->ops->reserve(s, size);
}

enum store_result
store_room(struct store *s, uint64_t bytes)
{
	if (!can_write(s))
		return STORE_READONLY;
	return s->ops->room(s, bytes);
}

bool
store_release(struct store *s)
{
	return can_write(s) && s->ops->release(s);
}
