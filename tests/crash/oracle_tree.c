/* SPDX-License-Identifier: ISC */
/*
 * Walks the files of a store and takes none of its code's word for what they
 * mean.
 */
#include "oracle_tree.h"

#include <sys/stat.h>

#include <dirent.h>
#include <fcntl.h>
#include <ftw.h>
#include <glob.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "layout.h"
#include "str.h"

#define WALK_FDS	16
#define FILE_MAX	65536	/* more than any content */
#define DISTANT		1000

static struct world *world;		/* nftw() hands nothing on */

/* Path in the store, as of its root. */
static const char *
inner(const char *path)
{
	return path + strlen(world->dir) + 1;
}

static ssize_t
read_file(const char *path, char data[FILE_MAX])
{
	ssize_t n;
	int fd;

	if ((fd = open(path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC)) == -1)
		return -1;
	n = read(fd, data, FILE_MAX);
	close(fd);
	return n;
}

/* .../<alg>/<hh>/<hex>/data or .../<alg>/<hex>/link */
static bool
digest_of_path(const char *path, struct digest *d)
{
	char copy[LAYOUT_PATH_SIZE], text[DIGEST_STR_SIZE], *hex, *alg;
	int n;

	if (str_copy(copy, sizeof(copy), path) == -1 ||
	    (hex = strrchr(copy, '/')) == NULL)
		return false;
	*hex = '\0';
	if ((hex = strrchr(copy, '/')) == NULL)
		return false;
	*hex++ = '\0';
	if ((alg = strrchr(copy, '/')) != NULL && strlen(alg) == 3) {
		*alg = '\0';
		alg = strrchr(copy, '/');
	}
	if (alg == NULL)
		return false;
	n = snprintf(text, sizeof(text), "%s:%s", alg + 1, hex);
	return n > 0 && (size_t)n < sizeof(text) &&
	    digest_parse(d, text) == 0;
}

static bool
may_be_damaged(const struct digest *d)
{
	enum content_id id = content_find(d);
	size_t i;

	if (id == C_NONE)
		return false;
	for (i = 0; i < NREPOS; i++)
		if ((world->expect.blob[i][id] |
		    world->expect.manifest[i][id]) & IS_DAMAGED)
			return true;
	return false;
}

static bool
may_be_taken(const struct digest *d)
{
	enum content_id id = content_find(d);

	return id != C_NONE && world->expect.taken[id];
}

static bool
check_bytes(const char *path)
{
	static char data[FILE_MAX];
	struct digest want, have;
	ssize_t n;

	if (!digest_of_path(path, &want))
		return world_fail(world, "%s: no digest", inner(path));
	if ((n = read_file(path, data)) == -1 ||
	    digest_of(&have, want.alg, data, (size_t)n) == -1)
		return world_fail(world, "%s: unreadable", inner(path));
	return digest_equal(&have, &want) || may_be_damaged(&want) ||
	    world_fail(world, "%s: wrong bytes (%zd)", inner(path), n);
}

bool
oracle_can_return(const struct world *w, const char *path)
{
	char full[WORLD_DIR_SIZE + LAYOUT_PATH_SIZE + 8];
	struct stat st;
	glob_t found;
	bool yes;

	if (stat(world_path(w, path), &st) == 0)
		return true;
	snprintf(full, sizeof(full), "%s" LAYOUT_CONDEMNED "*",
	    world_path(w, path));
	yes = glob(full, GLOB_NOSORT, NULL, &found) == 0;
	globfree(&found);
	return yes;
}

static bool
exists(const char *path)
{
	struct stat st;

	return stat(world_path(world, path), &st) == 0 &&
	    S_ISREG(st.st_mode);
}

/* What the link stands for is there, and for a tag its revision. */
static bool
check_link(const char *path)
{
	char text[FILE_MAX], target[LAYOUT_PATH_SIZE];
	char repo[LAYOUT_PATH_SIZE], *end;
	struct digest d;
	ssize_t n;

	if ((n = read_file(path, text)) < 0)
		return world_fail(world, "%s: unreadable", inner(path));
	text[n < FILE_MAX ? n : 0] = '\0';
	if (digest_parse(&d, text) == -1)
		return (n == 0 && strstr(path, "/current/") != NULL) ||
		    world_fail(world, "%s: no link", inner(path));
	if (strstr(path, "/index/") != NULL)
		return true;
	if (strstr(path, "/_layers/") != NULL && may_be_taken(&d))
		return true;
	if (strstr(path, "/_layers/") != NULL &&
	    oracle_can_return(world, layout_blob(target, &d)))
		return true;
	if (!exists(layout_blob(target, &d)))
		return world_fail(world, "%s: without its bytes", inner(path));
	if (strstr(path, "/current/") == NULL)
		return true;
	str_copy(repo, sizeof(repo), inner(path) +
	    strlen(LAYOUT_REPOSITORIES) + 1);
	if ((end = strstr(repo, "/_manifests/")) != NULL)
		*end = '\0';
	return exists(layout_revision(target, repo, &d)) ||
	    world_fail(world, "%s: without its revision", inner(path));
}

static int
check_file(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	const char *name = path + ftw->base, *in = inner(path);
	bool ok = true;

	(void)st;
	if (type != FTW_F)
		return 0;
	if (str_starts(in, LAYOUT_BLOBS "/") && strcmp(name, "data") == 0)
		ok = check_bytes(path);
	else if (strcmp(name, "link") == 0)
		ok = check_link(path);
	return ok ? 0 : 1;
}

bool
oracle_tree(struct world *w)
{
	char root[WORLD_DIR_SIZE + 32];
	struct stat st;

	world = w;
	snprintf(root, sizeof(root), "%s/docker", w->dir);
	if (stat(root, &st) == -1)
		return true;
	if (nftw(root, check_file, WALK_FDS, FTW_PHYS) == -1)
		return world_fail(w, "walk of %s failed", root);
	return w->why[0] == '\0';
}

static bool
check_empty(struct world *w, const char *path)
{
	struct dirent *entry;
	DIR *dir;

	if ((dir = opendir(world_path(w, path))) == NULL)
		return true;
	while ((entry = readdir(dir)) != NULL)
		if (entry->d_name[0] != '.') {
			world_fail(w, "%s/%s is left over", path,
			    entry->d_name);
			break;
		}
	closedir(dir);
	return w->why[0] == '\0';
}

bool
oracle_sweep(struct world *w)
{
	enum store_result r;

	world_open(w, true);
	r = store_sweep(w->store, time(NULL) + DISTANT);
	if (r != STORE_OK)
		return world_fail(w, "sweep: %s", store_result_text(r));
	return check_empty(w, LAYOUT_TMP) && check_empty(w, LAYOUT_TRASH);
}
