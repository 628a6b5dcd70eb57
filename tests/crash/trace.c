/* SPDX-License-Identifier: ISC */
/*
 * Records a scenario from the calls beneath the store.  Keeps a picture of
 * the names as they are, to know what each call was about.
 */
#include "trace.h"

#include <sys/stat.h>

#include <dirent.h>
#include <err.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "beneath.h"

#define SLOW_SYNC_US	50000

struct recorder {
	struct trace	*trace;
	struct world	*world;
	struct first_name live[TRACE_MAX_OBJECTS];
	size_t		 nlive;
	unsigned	 skip;
	bool		 slow;
};

/* ---- names and objects ---- */

static unsigned
name_id(struct trace *t, const char *name)
{
	unsigned i;

	for (i = 0; i < t->nnames; i++)
		if (strcmp(t->names[i], name) == 0)
			return i;
	if (t->nnames == TRACE_MAX_NAMES ||
	    (t->names[t->nnames] = strdup(name)) == NULL)
		errx(2, "too many names");
	return t->nnames++;
}

static unsigned
object_new(struct trace *t, const struct stat *st)
{
	struct object *o;

	if (t->nobjects == TRACE_MAX_OBJECTS)
		errx(2, "too many objects");
	o = &t->objects[t->nobjects];
	o->is_dir = S_ISDIR(st->st_mode);
	o->ino = (uint64_t)st->st_ino;
	return t->nobjects++;
}

/* The one made last, should an inode have been used again. */
static unsigned
object_of_fd(const struct trace *t, int fd)
{
	struct stat st;
	unsigned i;

	if (fstat(fd, &st) == -1)
		err(2, "fstat");
	for (i = t->nobjects; i-- > 0;)
		if (t->objects[i].ino == (uint64_t)st.st_ino)
			return i;
	errx(2, "a file that was never seen");
}

static struct first_name *
live_find(struct recorder *rec, unsigned dir, unsigned name)
{
	size_t i;

	for (i = 0; i < rec->nlive; i++)
		if (rec->live[i].dir == dir && rec->live[i].name == name)
			return &rec->live[i];
	return NULL;
}

static void
live_remove(struct recorder *rec, unsigned dir, unsigned name)
{
	struct first_name *f = live_find(rec, dir, name);

	if (f != NULL)
		*f = rec->live[--rec->nlive];
}

static void
live_add(struct recorder *rec, unsigned dir, unsigned name, unsigned object)
{
	struct first_name f = { dir, name, object };

	live_remove(rec, dir, name);
	if (rec->nlive == TRACE_MAX_OBJECTS)
		errx(2, "too many names");
	rec->live[rec->nlive++] = f;
}

/* The directory of a path from there, and its last component. */
static unsigned
parent_of(struct recorder *rec, int dirfd, const char *path,
    const char **last)
{
	unsigned dir = object_of_fd(rec->trace, dirfd);
	char name[256];
	const struct first_name *f;
	const char *slash;

	while ((slash = strchr(path, '/')) != NULL) {
		snprintf(name, sizeof(name), "%.*s", (int)(slash - path),
		    path);
		path = slash + 1;
		if (strcmp(name, ".") == 0)
			continue;
		f = live_find(rec, dir, name_id(rec->trace, name));
		if (f == NULL)
			errx(2, "a path that was never seen");
		dir = f->object;
	}
	*last = path;
	return dir;
}

/* ---- the picture at first ---- */

static void
read_file(struct object *o, int dirfd, const char *name, size_t size)
{
	int fd;

	if (size > TRACE_FILE_SIZE || (o->data = malloc(size + 1)) == NULL)
		errx(2, "%s: too large", name);
	fd = openat(dirfd, name, O_RDONLY | O_CLOEXEC);
	if (fd == -1 || read(fd, o->data, size) != (ssize_t)size)
		err(2, "%s", name);
	close(fd);
	o->len = size;
}

static void
scan(struct recorder *rec, int fd, unsigned dir)
{
	struct trace *t = rec->trace;
	struct dirent *entry;
	struct stat st;
	unsigned o;
	DIR *d;
	int sub;

	if ((d = fdopendir(fd)) == NULL)
		err(2, "fdopendir");
	while ((entry = readdir(d)) != NULL) {
		if (strcmp(entry->d_name, ".") == 0 ||
		    strcmp(entry->d_name, "..") == 0)
			continue;
		if (fstatat(fd, entry->d_name, &st, AT_SYMLINK_NOFOLLOW) == -1)
			err(2, "%s", entry->d_name);
		o = object_new(t, &st);
		live_add(rec, dir, name_id(t, entry->d_name), o);
		if (!S_ISDIR(st.st_mode)) {
			read_file(&t->objects[o], fd, entry->d_name,
			    (size_t)st.st_size);
			continue;
		}
		sub = openat(fd, entry->d_name, O_RDONLY | O_DIRECTORY);
		if (sub == -1)
			err(2, "%s", entry->d_name);
		scan(rec, sub, o);
	}
	closedir(d);
}

static void
scan_all(struct recorder *rec)
{
	struct trace *t = rec->trace;
	struct stat st;
	int fd;

	fd = open(rec->world->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd == -1 || fstat(fd, &st) == -1)
		err(2, "%s", rec->world->dir);
	scan(rec, fd, object_new(t, &st));
	memcpy(t->first, rec->live, sizeof(t->first));
	t->nfirst = rec->nlive;
}

/* ---- each call ---- */

static struct change *
change_add(struct recorder *rec, enum change_kind kind)
{
	struct trace *t = rec->trace;
	struct change *c;

	if (t->nchanges == TRACE_MAX_CHANGES)
		errx(2, "too many changes");
	c = &t->changes[t->nchanges++];
	c->kind = kind;
	return c;
}

/* Has an operation begun or been answered since? */
static void
look_at_moment(struct recorder *rec)
{
	struct trace *t = rec->trace;
	const struct world *w = rec->world;
	struct moment *m = &t->moments[t->nmoments];

	m->expect = w->expect;
	m->op = w->op;
	m->serial = w->serial;
	if (t->nmoments > 0 && memcmp(m, m - 1, sizeof(*m)) == 0)
		return;
	if (t->nmoments + 1 == TRACE_MAX_MOMENTS)
		errx(2, "too many moments");
	change_add(rec, CHANGE_MOMENT)->moment = t->nmoments++;
}

static void
add_link(struct recorder *rec, unsigned dir, const char *name, unsigned object)
{
	struct change *c = change_add(rec, CHANGE_LINK);

	c->dir = dir;
	c->name = name_id(rec->trace, name);
	c->object = object;
	live_add(rec, dir, c->name, object);
}

static void
add_unlink(struct recorder *rec, unsigned dir, const char *name)
{
	struct change *c = change_add(rec, CHANGE_UNLINK);

	c->dir = dir;
	c->name = name_id(rec->trace, name);
	live_remove(rec, dir, c->name);
}

static void
add_new(struct recorder *rec, const struct call *call)
{
	struct trace *t = rec->trace;
	const char *name;
	unsigned dir = parent_of(rec, call->fd, call->name, &name);
	struct stat st;
	unsigned object;

	if (live_find(rec, dir, name_id(t, name)) != NULL)
		return;
	if (fstatat(call->fd, call->name, &st, AT_SYMLINK_NOFOLLOW) == -1)
		err(2, "%s", call->name);
	object = object_new(t, &st);
	/* Files on their way in or out, and locks. */
	t->objects[object].minor = dir != 0 && (t->objects[dir].minor ||
	    strcmp(name, "tmp") == 0 || strcmp(name, "trash") == 0 ||
	    strcmp(name, "locks") == 0);
	add_link(rec, dir, name, object);
}

/* In two directories these are two changes, of which one may be lost. */
static void
add_rename(struct recorder *rec, const struct call *call)
{
	struct trace *t = rec->trace;
	const char *name, *to_name;
	unsigned dir = parent_of(rec, call->fd, call->name, &name);
	unsigned to = parent_of(rec, call->to_fd, call->to_name, &to_name);
	const struct first_name *f = live_find(rec, dir, name_id(t, name));
	struct change *c;
	unsigned object;

	if (f == NULL)
		errx(2, "%s: never seen", name);
	object = f->object;
	if (dir != to || call->kind == CALL_LINK) {
		add_link(rec, to, to_name, object);
		if (call->kind == CALL_RENAME)
			add_unlink(rec, dir, name);
		return;
	}
	c = change_add(rec, CHANGE_RENAME);
	c->dir = dir;
	c->name = name_id(t, name);
	c->to_name = name_id(t, to_name);
	c->object = object;
	live_remove(rec, dir, c->name);
	live_add(rec, dir, c->to_name, object);
}

static void
add_write(struct recorder *rec, const struct call *call, long result)
{
	struct change *c = change_add(rec, CHANGE_WRITE);

	c->object = object_of_fd(rec->trace, call->fd);
	c->offset = call->offset;
	c->len = (size_t)result;
	if (c->offset + c->len > TRACE_FILE_SIZE ||
	    (c->data = malloc(c->len + 1)) == NULL)
		errx(2, "a file is too large");
	memcpy(c->data, call->data, c->len);
}

static void
note_skipped(struct recorder *rec, const struct call *call)
{
	char link[64], path[sizeof(rec->trace->skipped)];
	size_t root = strlen(rec->world->dir);
	ssize_t n;

	snprintf(path, sizeof(path), SKIPPED_ALL);
	if (call->kind == CALL_SYNC) {
		snprintf(link, sizeof(link), "/proc/self/fd/%d", call->fd);
		n = readlink(link, path, sizeof(path) - 1);
		path[n > 0 ? n : 0] = '\0';
	}
	snprintf(rec->trace->skipped, sizeof(path), "%s",
	    strncmp(path, rec->world->dir, root) == 0 && path[root] == '/' ?
	    path + root + 1 : path);
}

static int
on_before(const struct call *call, void *arg)
{
	struct recorder *rec = arg;
	struct trace *t = rec->trace;

	look_at_moment(rec);
	if (call->kind != CALL_SYNC && call->kind != CALL_SYNCFS)
		return 0;
	t->syncs++;
	if (rec->slow && call->kind == CALL_SYNCFS)
		usleep(SLOW_SYNC_US);
	if (rec->skip == t->syncs)
		note_skipped(rec, call);
	return rec->skip == TRACE_SKIP_ALL || rec->skip == t->syncs ?
	    BENEATH_SKIP : 0;
}

static void
on_after(const struct call *call, long result, void *arg)
{
	struct recorder *rec = arg;
	const char *name;
	unsigned dir;

	if (result == -1)
		return;
	switch (call->kind) {
	case CALL_CREATE:
	case CALL_MKDIR:
		add_new(rec, call);
		break;
	case CALL_RENAME:
	case CALL_LINK:
		add_rename(rec, call);
		break;
	case CALL_UNLINK:
	case CALL_RMDIR:
		dir = parent_of(rec, call->fd, call->name, &name);
		add_unlink(rec, dir, name);
		break;
	case CALL_WRITE:
		add_write(rec, call, result);
		break;
	case CALL_TRUNCATE:
		change_add(rec, CHANGE_TRUNCATE)->offset = call->offset;
		rec->trace->changes[rec->trace->nchanges - 1].object =
		    object_of_fd(rec->trace, call->fd);
		break;
	case CALL_SYNC:
		change_add(rec, CHANGE_SYNC)->object =
		    object_of_fd(rec->trace, call->fd);
		break;
	case CALL_SYNCFS:
		change_add(rec, CHANGE_SYNC_ALL);
		break;
	default:
		break;
	}
}

struct trace *
trace_record(struct world *w, const struct scenario *s, unsigned skip,
    bool slow)
{
	struct recorder *rec;
	enum store_result r;
	struct trace *t;

	if ((t = calloc(1, sizeof(*t))) == NULL ||
	    (rec = calloc(1, sizeof(*rec))) == NULL)
		err(2, NULL);
	rec->trace = t;
	rec->world = w;
	rec->skip = skip;
	rec->slow = slow;
	scenario_prepare(w, s);
	scan_all(rec);
	beneath_watch(on_before, on_after, rec);
	r = scenario_play(w, s, false, NULL, NULL);
	beneath_stop();
	if (r != STORE_OK)
		errx(2, "%s: failed by itself: %s", s->name,
		    store_result_text(r));
	look_at_moment(rec);
	world_close(w);
	free(rec);
	return t;
}

void
trace_free(struct trace *t)
{
	size_t i;

	for (i = 0; i < t->nchanges; i++)
		free(t->changes[i].data);
	for (i = 0; i < t->nobjects; i++)
		free(t->objects[i].data);
	for (i = 0; i < t->nnames; i++)
		free(t->names[i]);
	free(t);
}
