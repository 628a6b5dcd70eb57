/* SPDX-License-Identifier: ISC */
/*
 * Our own tree in a check, .registryd/: notes by repository, and what waits
 * to be put in place or to go.
 */
#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "fsck_state.h"
#include "layout.h"
#include "str.h"
#include "sysfs.h"

static void
on_leftover(struct fsck *f, int dirfd, const char *name, unsigned char type,
    void *arg)
{
	const enum fsck_kind *kind = arg;

	(void)dirfd;
	(void)name;
	(void)type;
	fsck_report(f, *kind, "%s", "");
}

static void
on_anything(struct fsck *f, int dirfd, const char *name, unsigned char type,
    void *arg)
{
	(void)f;
	(void)dirfd;
	(void)name;
	(void)type;
	(void)arg;
}

/* What lacks the note beside it has been moved by a scrub that ended early. */
static void
on_quarantined(struct fsck *f, int dirfd, const char *name,
    unsigned char type, void *arg)
{
	char note[NAME_MAX + sizeof(".note")];
	struct stat st;

	(void)type;
	(void)arg;
	snprintf(note, sizeof(note), "%s.note", name);
	fsck_report(f, FSCK_QUARANTINED, "%s", str_ends(name, ".note") ||
	    sysfs_stat(dirfd, note, &st) == 0 ? "" :
	    "the next scrub looks at it again");
}

/* ---- names ---- */

struct count {
	const struct stat *st;
	int		 fd;
	nlink_t		 n;
};

static int
on_same_name(const char *name, unsigned char type, void *arg)
{
	struct count *count = arg;
	struct stat st;

	if (type == DT_DIR || sysfs_stat(count->fd, name, &st) == -1)
		return 0;
	if (st.st_ino == count->st->st_ino && st.st_dev == count->st->st_dev)
		count->n++;
	return 0;
}

/* Not those that a crash leaves where files come from. */
bool
fsck_has_other_names(struct fsck *f, const struct stat *st)
{
	static const char *const dirs[] = { LAYOUT_TMP, LAYOUT_QUARANTINE };
	struct count count = { st, -1, 1 };
	size_t i;

	for (i = 0; i < sizeof(dirs) / sizeof(dirs[0]) &&
	    count.n < st->st_nlink; i++) {
		count.fd = sysfs_open(f->root, dirs[i], O_RDONLY |
		    O_DIRECTORY, 0);
		if (count.fd != -1)
			sysfs_list(count.fd, on_same_name, &count);
	}
	return count.n < st->st_nlink;
}

/* ---- repositories ---- */

static void
on_repo_name(struct fsck *f, int dirfd, const char *name, unsigned char type,
    void *arg)
{
	const char *repo = f->path + strlen(LAYOUT_OWN_REPOSITORIES "/");
	bool *any = arg, inner = false;
	size_t len;

	*any = true;
	if (type == DT_REG)
		fsck_unknown_name(f, name);
	else if (fsck_is_note_tree(name)) {
		len = strlen(repo) - strlen(name);
		if (len == 0 || len > REPO_NAME_MAX + 1)
			return;
		memcpy(f->repo, repo, len - 1);
		f->repo[len - 1] = '\0';
		fsck_notes(f, dirfd, name);
		f->repo[0] = '\0';
	} else if (!repo_name_ok(repo))
		fsck_report(f, FSCK_REPO_NAME, "%s", "");
	else if (fsck_directory(f, dirfd, name, on_repo_name, &inner) == 0 &&
	    !inner)
		fsck_report(f, FSCK_REPO_EMPTY, "%s", "");
}

/* ---- the tree ---- */

static void
on_own_name(struct fsck *f, int dirfd, const char *name, unsigned char type,
    void *arg)
{
	static const struct {
		const char	*name;
		fsck_name_fn	*fn;
		enum fsck_kind	 kind;
		unsigned char	 type;
	} known[] = {
		{ "repositories", NULL, FSCK_NKINDS, DT_DIR },
		{ "tmp", on_leftover, FSCK_TEMPORARY, DT_DIR },
		{ "trash", on_leftover, FSCK_TRASH, DT_DIR },
		{ "quarantine", on_quarantined, FSCK_NKINDS, DT_DIR },
		{ "locks", on_anything, FSCK_NKINDS, DT_DIR },
		{ "control", NULL, FSCK_NKINDS, DT_DIR },
		{ "readonly", NULL, FSCK_NKINDS, DT_REG },
		{ "clock", NULL, FSCK_NKINDS, DT_REG },
		{ "scrub", NULL, FSCK_NKINDS, DT_REG },
		{ "reserve", NULL, FSCK_NKINDS, DT_REG }
	};
	enum fsck_kind kind;
	bool any = false;
	size_t i;

	(void)arg;
	for (i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
		if (strcmp(name, known[i].name) != 0)
			continue;
		kind = known[i].kind;
		if (!fsck_is(f, type, known[i].type))
			return;
		if (known[i].fn != NULL)
			fsck_directory(f, dirfd, name, known[i].fn, &kind);
		else if (i == 0)
			fsck_directory(f, dirfd, name, on_repo_name, &any);
		return;
	}
	/* Of a newer registryd, or of somebody else. */
	fsck_report(f, FSCK_FOREIGN, "%s", "");
}

void
fsck_own(struct fsck *f)
{
	size_t old = fsck_push(f, LAYOUT_OWN);

	fsck_directory(f, f->root, LAYOUT_OWN, on_own_name, NULL);
	fsck_pop(f, old);
}
