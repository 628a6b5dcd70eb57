/* SPDX-License-Identifier: ISC */
/*
 * Builds the states of a disk after a cut from a trace.
 */
#include "model.h"

#include <sys/stat.h>

#include <err.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define MAX_NAMES	TRACE_MAX_OBJECTS
#define PATH_SIZE	2048

/* The state built last. */
static struct first_name names[MAX_NAMES];
static size_t nnames;
static struct {
	char		 data[TRACE_FILE_SIZE];
	size_t		 len;
	char		 path[PATH_SIZE];	/* where it was written first */
} files[TRACE_MAX_OBJECTS];

/* Is a change before the cut made durable by this one? */
static bool
covers(const struct change *sync, const struct change *c)
{
	if (sync->kind == CHANGE_SYNC_ALL)
		return true;
	if (sync->kind != CHANGE_SYNC)
		return false;
	return sync->object == (c->kind == CHANGE_WRITE ||
	    c->kind == CHANGE_TRUNCATE ? c->object : c->dir);
}

static bool
is_pending(const struct trace *t, size_t i, size_t n)
{
	size_t k;

	if (t->changes[i].kind >= CHANGE_SYNC)
		return false;
	for (k = i + 1; k < n; k++)
		if (covers(&t->changes[k], &t->changes[i]))
			return false;
	return true;
}

void
model_cut(struct cut *cut, const struct trace *t, size_t n)
{
	const struct change *c;
	size_t i;

	memset(cut, 0, sizeof(*cut));
	cut->trace = t;
	cut->n = n;
	for (i = 0; i < n; i++) {
		c = &t->changes[i];
		if (c->kind == CHANGE_MOMENT)
			cut->moment = c->moment;
		if (!is_pending(t, i, n))
			continue;
		if (cut->npending == MODEL_MAX_PENDING)
			errx(2, "too much is pending");
		cut->pending[cut->npending].change = i;
		cut->pending[cut->npending++].minor =
		    c->kind < CHANGE_WRITE && t->objects[c->dir].minor;
	}
}

unsigned
model_fates(const struct cut *cut, size_t pending)
{
	const struct change *c =
	    &cut->trace->changes[cut->pending[pending].change];

	return c->kind == CHANGE_WRITE && c->len > 0 ? NFATES : FATE_TORN;
}

/* ---- building ---- */

static struct first_name *
find(unsigned dir, unsigned name)
{
	size_t i;

	for (i = 0; i < nnames; i++)
		if (names[i].dir == dir && names[i].name == name)
			return &names[i];
	return NULL;
}

static void
unlink_name(unsigned dir, unsigned name)
{
	struct first_name *f = find(dir, name);

	if (f != NULL)
		*f = names[--nnames];
}

static void
link_name(unsigned dir, unsigned name, unsigned object)
{
	struct first_name f = { dir, name, object };

	unlink_name(dir, name);
	if (nnames == MAX_NAMES)
		errx(2, "too many names");
	names[nnames++] = f;
}

/* A gap before it reads as zeroes. */
static void
write_bytes(const struct change *c, enum fate fate)
{
	size_t len = c->len, end;

	if (fate == FATE_LOST)
		return;
	/* Up to a whole sector of the file; it need not be its first. */
	if (fate == FATE_TORN) {
		end = (size_t)(c->offset + len / 2) / MODEL_SECTOR *
		    MODEL_SECTOR;
		len = end > c->offset ? end - (size_t)c->offset : 0;
	}
	end = (size_t)c->offset + len;
	if (len > 0 && files[c->object].len < end) {
		memset(files[c->object].data + files[c->object].len, 0,
		    end - files[c->object].len);
		files[c->object].len = end;
	}
	if (fate == FATE_ZERO)
		memset(files[c->object].data + c->offset, 0, len);
	else
		memcpy(files[c->object].data + c->offset, c->data, len);
}

static void
truncate_bytes(const struct change *c)
{
	size_t size = (size_t)c->offset, len = files[c->object].len;

	if (size > len)
		memset(files[c->object].data + len, 0, size - len);
	files[c->object].len = size;
}

static void
apply(const struct change *c, enum fate fate)
{
	if (c->kind == CHANGE_WRITE) {
		write_bytes(c, fate);
		return;
	}
	if (fate != FATE_DONE)
		return;
	switch (c->kind) {
	case CHANGE_LINK:
		link_name(c->dir, c->name, c->object);
		break;
	case CHANGE_UNLINK:
		unlink_name(c->dir, c->name);
		break;
	case CHANGE_RENAME:
		unlink_name(c->dir, c->name);
		link_name(c->dir, c->to_name, c->object);
		break;
	case CHANGE_TRUNCATE:
		truncate_bytes(c);
		break;
	default:
		break;
	}
}

static uint64_t
mix(uint64_t h, uint64_t v)
{
	h ^= v + 0x9e3779b97f4a7c15u + (h << 6) + (h >> 2);
	h ^= h >> 31;
	return h * 0xbf58476d1ce4e5b9u;
}

/* The order of names in a directory does not count. */
static uint64_t
hash_object(const struct trace *t, unsigned object)
{
	uint64_t h = object + 1;
	size_t i;

	if (!t->objects[object].is_dir) {
		for (i = 0; i < files[object].len; i++)
			h = (h ^ (unsigned char)files[object].data[i]) *
			    0x100000001b3u;
		return mix(h, files[object].len);
	}
	for (i = 0; i < nnames; i++)
		if (names[i].dir == object)
			h += mix(names[i].name + 1,
			    hash_object(t, names[i].object));
	return mix(h, 1);
}

uint64_t
model_build(const struct cut *cut, const uint8_t *fates)
{
	const struct trace *t = cut->trace;
	const struct object *o;
	size_t i, next = 0;
	enum fate fate;

	memcpy(names, t->first, t->nfirst * sizeof(names[0]));
	nnames = t->nfirst;
	for (i = 0; i < t->nobjects; i++) {
		o = &t->objects[i];
		if (o->len > 0)
			memcpy(files[i].data, o->data, o->len);
		files[i].len = o->len;
		files[i].path[0] = '\0';
	}
	for (i = 0; i < cut->n; i++) {
		fate = FATE_DONE;
		if (next < cut->npending && cut->pending[next].change == i)
			fate = (enum fate)fates[next++];
		apply(&t->changes[i], fate);
	}
	return mix(hash_object(t, 0), cut->moment);
}

/* ---- writing it out ---- */

static void
write_file(unsigned object, const char *path)
{
	int fd;

	/* Two names of one file stay two names of one file. */
	if (files[object].path[0] != '\0') {
		if (link(files[object].path, path) == -1)
			err(2, "link %s", path);
		return;
	}
	snprintf(files[object].path, PATH_SIZE, "%s", path);
	fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
	if (fd == -1 || write(fd, files[object].data, files[object].len) !=
	    (ssize_t)files[object].len)
		err(2, "%s", path);
	close(fd);
}

static void
write_dir(const struct trace *t, unsigned dir, const char *path)
{
	char sub[PATH_SIZE];
	unsigned object;
	size_t i;

	for (i = 0; i < nnames; i++) {
		if (names[i].dir != dir)
			continue;
		object = names[i].object;
		if ((size_t)snprintf(sub, sizeof(sub), "%s/%s", path,
		    t->names[names[i].name]) >= sizeof(sub))
			errx(2, "%s: too long", path);
		if (!t->objects[object].is_dir)
			write_file(object, sub);
		else if (mkdir(sub, 0777) == -1)
			err(2, "%s", sub);
		else
			write_dir(t, object, sub);
	}
}

void
model_write(const struct cut *cut, const char *dir)
{
	write_dir(cut->trace, 0, dir);
}
