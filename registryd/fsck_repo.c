/* SPDX-License-Identifier: ISC */
/*
 * The tree of repositories in a check.  Of each, first which blobs and
 * revisions it links, then what these and its tags need of that.
 */
#include <sys/stat.h>

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fsck_state.h"
#include "layout.h"
#include "str.h"
#include "sysfs.h"

/* What a directory of the tree holds. */
struct level {
	bool		 layers, manifests, uploads;
	bool		 any;
};

static void	 check_level(struct fsck *, int dirfd, const char *name);

/* ---- links ---- */

static void
mark_linked(struct fsck *f, const struct digest *target)
{
	struct fsck_entry *e = fsck_table_find(&f->blobs, target);

	if (e != NULL)
		e->flags |= FSCK_LINKED;
}

static void
on_layer(struct fsck *f, const struct digest *d, const struct digest *target,
    unsigned flags, void *arg)
{
	const struct fsck_entry *blob;
	struct fsck_entry *e;
	char text[DIGEST_STR_SIZE];

	(void)arg;
	f->report->layers++;
	blob = fsck_find_blob(f, target);
	mark_linked(f, target);
	if (blob == NULL && (flags & FSCK_LIVE) != 0)
		fsck_report(f, FSCK_LAYER_BLOB_MISSING, "%s",
		    digest_format(text, target));
	if ((e = fsck_table_add(&f->layers, d)) == NULL) {
		fsck_stop(f, STORE_NOMEM);
		return;
	}
	e->flags = flags;
	if (blob != NULL) {
		e->flags |= FSCK_HAS_BYTES;
		e->size = blob->size;
	}
}

static void
on_revision(struct fsck *f, const struct digest *d,
    const struct digest *target, unsigned flags, void *arg)
{
	struct fsck_entry *e;
	struct digest *grown;

	(void)arg;
	f->report->revisions++;
	mark_linked(f, target);
	if ((e = fsck_table_add(&f->revisions, d)) == NULL) {
		fsck_stop(f, STORE_NOMEM);
		return;
	}
	e->flags = flags;
	/* The link's content is what counts; a wrong one was reported. */
	if ((flags & FSCK_LIVE) == 0 || !digest_equal(d, target))
		return;
	if (f->ntodo == f->captodo) {
		f->captodo = f->captodo == 0 ? 64 : 2 * f->captodo;
		grown = reallocarray(f->todo, f->captodo, sizeof(*grown));
		if (grown == NULL) {
			fsck_stop(f, STORE_NOMEM);
			return;
		}
		f->todo = grown;
	}
	f->todo[f->ntodo++] = *d;
}

/* ---- one repository ---- */

static void
on_manifests_name(struct fsck *f, int dirfd, const char *name,
    unsigned char type, void *arg)
{
	(void)arg;
	if (strcmp(name, "revisions") == 0) {
		if (fsck_is(f, type, DT_DIR))
			fsck_link_tree(f, dirfd, name, on_revision, NULL);
	} else if (strcmp(name, "tags") == 0)
		fsck_is(f, type, DT_DIR);
	else
		fsck_unknown_name(f, name);
}

/* Tags come when all revisions are known. */
static void
on_tags_name(struct fsck *f, int dirfd, const char *name, unsigned char type,
    void *arg)
{
	(void)arg;
	if (strcmp(name, "tags") == 0 && type == DT_DIR)
		fsck_tags(f, dirfd);
}

static void
check_revisions(struct fsck *f)
{
	char path[LAYOUT_PATH_SIZE];
	size_t i;

	f->has_mediatypes = false;
	snprintf(path, sizeof(path), LAYOUT_OWN_REPOSITORIES "/%s/_mediatypes",
	    f->repo);
	f->has_mediatypes = fsck_exists(f, path);
	for (i = 0; i < f->ntodo && f->result == STORE_OK; i++) {
		fsck_pop(f, 0);
		fsck_push(f, layout_revision(path, f->repo, &f->todo[i]));
		fsck_manifest(f, &f->todo[i]);
	}
	fsck_pop(f, 0);
	fsck_push(f, layout_repo(path, f->repo));
}

static void
check_repo(struct fsck *f, int dirfd, const struct level *level)
{
	size_t old;

	f->report->repositories++;
	f->ntodo = 0;
	fsck_table_reset(&f->layers);
	fsck_table_reset(&f->revisions);
	if (level->layers) {
		old = fsck_push(f, "_layers");
		fsck_link_tree(f, dirfd, "_layers", on_layer, NULL);
		fsck_pop(f, old);
	}
	old = fsck_push(f, "_manifests");
	if (level->manifests)
		fsck_directory(f, dirfd, "_manifests", on_manifests_name,
		    NULL);
	fsck_pop(f, old);
	check_revisions(f);
	old = fsck_push(f, "_manifests");
	if (level->manifests && f->result == STORE_OK)
		fsck_again(f, dirfd, "_manifests", on_tags_name, NULL);
	fsck_pop(f, old);
	old = fsck_push(f, "_uploads");
	if (level->uploads)
		fsck_uploads(f, dirfd);
	fsck_pop(f, old);
}

/* ---- the tree ---- */

static void
on_level_name(struct fsck *f, int dirfd, const char *name,
    unsigned char type, void *arg)
{
	struct level *level = arg;

	(void)dirfd;
	level->any = true;
	if (strcmp(name, "_layers") == 0)
		level->layers = fsck_is(f, type, DT_DIR);
	else if (strcmp(name, "_manifests") == 0)
		level->manifests = fsck_is(f, type, DT_DIR);
	else if (strcmp(name, "_uploads") == 0)
		level->uploads = fsck_is(f, type, DT_DIR);
	else if (name[0] == '_' && type == DT_DIR)
		fsck_report(f, FSCK_FOREIGN, "%s", "");
	else if (type == DT_REG)
		fsck_unknown_name(f, name);
}

static void
on_child(struct fsck *f, int dirfd, const char *name, unsigned char type,
    void *arg)
{
	(void)arg;
	if (type != DT_DIR || name[0] == '_')
		return;
	if (!repo_name_ok(f->path + strlen(LAYOUT_REPOSITORIES "/"))) {
		fsck_report(f, FSCK_REPO_NAME, "%s", "");
		return;
	}
	check_level(f, dirfd, name);
}

static void
check_level(struct fsck *f, int dirfd, const char *name)
{
	const char *repo = f->len > strlen(LAYOUT_REPOSITORIES) ?
	    f->path + strlen(LAYOUT_REPOSITORIES "/") : "";
	struct level level = { false, false, false, false };
	int fd;

	str_copy(f->repo, sizeof(f->repo), repo);
	if (fsck_directory(f, dirfd, name, on_level_name, &level) != 0)
		return;
	if (!level.any && repo[0] != '\0')
		fsck_report(f, FSCK_REPO_EMPTY, "%s", "");
	fd = sysfs_open(dirfd, name, O_RDONLY | O_DIRECTORY, 0);
	if (fd == -1)
		return;
	if (repo[0] != '\0' && (level.layers || level.manifests ||
	    level.uploads))
		check_repo(f, fd, &level);
	f->repo[0] = '\0';
	sysfs_close(fd);
	if (f->result == STORE_OK)
		fsck_again(f, dirfd, name, on_child, NULL);
}

void
fsck_repositories(struct fsck *f)
{
	size_t old = fsck_push(f, LAYOUT_REPOSITORIES);

	check_level(f, f->root, LAYOUT_REPOSITORIES);
	f->repo[0] = '\0';
	fsck_pop(f, old);
}
