/* SPDX-License-Identifier: ISC */
/*
 * What is none of a store: symbolic links, sockets and devices, files where
 * directories belong, names that nobody gives.  Runs in the collector.  All
 * of it is passed over and told, nothing is followed, and nothing of it is
 * removed; an error on what does belong there still ends the run.
 *
 * Other registries follow symbolic links.  One beneath the repositories may
 * lead to manifests that name any blob, so while there is one, no blob and
 * no note of ours is removed, and of the repository that it is in nothing is.
 * A tag names manifests of its own repository alone: for one in place of a
 * tag that repository is enough.  Where one takes the place of blobs, what
 * cannot be seen counts as damaged, see gc_manifest.c.
 */
#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "gc_state.h"
#include "store_root.h"
#include "str.h"
#include "sysfs.h"

enum kind {
	KIND_NOTHING,
	KIND_DIR,
	KIND_FILE,
	KIND_SYMLINK,
	KIND_OTHER
};

/* ---- told once ---- */

static bool
note(struct gc *gc, const char *path)
{
	struct gc_report *report = &gc->report;
	bool failed = false;

	/* Each is met in several phases. */
	if (!gc_map_add(&gc->strange, gc_print64(&gc->key, path,
	    strlen(path)), &failed) && !failed)
		return false;
	if (report->strange < GC_STRANGE_PATHS)
		(void)str_copy(report->strange_paths[report->strange],
		    sizeof(report->strange_paths[0]), path);
	report->strange++;
	return true;
}

void
gc_strange(struct gc *gc, const char *path)
{
	(void)note(gc, path);
}

/* A symbolic link: see above. */
static void
note_hiding(struct gc *gc, const char *path)
{
	bool first = note(gc, path);

	if (strncmp(path, LAYOUT_REPOSITORIES "/",
	    sizeof(LAYOUT_REPOSITORIES)) != 0)
		return;
	gc->repo_damaged = true;
	if (strstr(path, "/_manifests/tags") != NULL)
		return;
	gc->blind = true;
	if (first)
		gc->report.hiding++;
}

/* ---- what is it? ---- */

static enum kind
kind_of(mode_t mode)
{
	if (S_ISDIR(mode))
		return KIND_DIR;
	if (S_ISREG(mode))
		return KIND_FILE;
	return S_ISLNK(mode) ? KIND_SYMLINK : KIND_OTHER;
}

/* What is above it is all there; or -1 with errno. */
static int
look_at(struct gc *gc, const char *path, enum kind *kind)
{
	char dir[LAYOUT_PATH_SIZE];
	struct stat st;
	char *name;
	int fd, r, saved;

	(void)str_copy(dir, sizeof(dir), path);
	if ((name = strrchr(dir, '/')) != NULL)
		*name++ = '\0';
	fd = sysfs_open(store_root_fd(gc->store), name != NULL ? dir : ".",
	    O_RDONLY | O_DIRECTORY, 0);
	*kind = KIND_NOTHING;
	if (fd == -1)
		return errno == ENOENT ? 0 : -1;
	r = sysfs_stat(fd, name != NULL ? name : dir, &st);
	saved = errno;
	sysfs_close(fd);
	if (r == 0)
		*kind = kind_of(st.st_mode);
	else if (saved != ENOENT) {
		errno = saved;
		return -1;
	}
	return 0;
}

/* The first part of the path that is no directory, or all of it. */
static enum store_result
find_odd(struct gc *gc, const char *path, char part[LAYOUT_PATH_SIZE],
    enum kind *kind)
{
	size_t end = 0;

	(void)str_copy(part, LAYOUT_PATH_SIZE, path);
	/* Most often all is well above it. */
	if (look_at(gc, path, kind) == 0)
		return STORE_OK;
	do {
		end += strcspn(path + end, "/");
		memcpy(part, path, end);
		part[end] = '\0';
		if (look_at(gc, part, kind) == -1)
			return store_result_errno(errno);
	} while (*kind == KIND_DIR && path[end++] == '/');
	return STORE_OK;
}

/* ---- passed over ---- */

enum store_result
gc_pass(struct gc *gc, const char *path, enum store_result r)
{
	char part[LAYOUT_PATH_SIZE];
	enum store_result found;
	enum kind kind;

	if (r != STORE_NOTFOUND && r != STORE_INVALID &&
	    !store_result_is_io(r))
		return gc_stop(gc, path, r);
	if ((found = find_odd(gc, path, part, &kind)) != STORE_OK)
		return gc_stop(gc, path, store_result_is_io(r) ? r : found);
	switch (kind) {
	case KIND_SYMLINK:
		note_hiding(gc, part);
		return STORE_OK;
	case KIND_OTHER:
		gc_strange(gc, part);
		return STORE_OK;
	case KIND_FILE:
		if (r != STORE_NOTFOUND)
			break;
		gc_strange(gc, part);
		return STORE_OK;
	case KIND_NOTHING:
	case KIND_DIR:
		/* It has gone, or has just come. */
		if (r == STORE_NOTFOUND)
			return STORE_OK;
	}
	return gc_stop(gc, path, r);
}

enum store_result
gc_pass_file(struct gc *gc, const char *path, enum store_result r)
{
	char part[LAYOUT_PATH_SIZE];
	enum store_result found;
	enum kind kind;

	if (r != STORE_INVALID && !store_result_is_io(r))
		return gc_stop(gc, path, r);
	if ((found = find_odd(gc, path, part, &kind)) != STORE_OK)
		return gc_stop(gc, path, store_result_is_io(r) ? r : found);
	if (kind == KIND_SYMLINK)
		note_hiding(gc, part);
	else if (kind == KIND_OTHER || kind == KIND_DIR)
		gc_strange(gc, part);
	else if (store_result_is_io(r))
		return gc_stop(gc, path, r);
	return STORE_OK;
}

bool
gc_is_lost(const char *name)
{
	return strcmp(name, "lost+found") == 0;
}
