/* SPDX-License-Identifier: ISC */
/*
 * Changing one user of an htpasswd file.  A reader of the file, authd or any
 * other, sees the old one or the new one, never half of it; what the file
 * holds besides that user stays as it is, byte by byte.
 */
#include "authctl.h"

#include <sys/file.h>
#include <sys/stat.h>

#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "buf.h"
#include "htpasswd.h"

#include "messages.h"

#define HTPASSWD_MAX	((size_t)128 << 20)

struct edit {
	char		 path[PATH_MAX];	/* without symbolic links */
	char		 temp[PATH_MAX + 8];
	int		 dir;			/* locked */
	int		 fd;			/* of temp */
	bool		 exists;
	struct stat	 old;
	struct buf	 text;			/* what temp gets */
};

const char *
htpasswd_user_wrong(const char *user)
{
	const char	*p;

	if (*user == '\0')
		return "the name is empty";
	if (strlen(user) > MAX_USER)
		return "the name is longer than 255 bytes";
	if (*user == '#')
		return "a line that begins with '#' is a comment";
	if (*user == ' ' || user[strlen(user) - 1] == ' ')
		return "a space at either end would be lost";
	for (p = user; *p != '\0'; p++) {
		if (*p == ':')
			return "':' ends the name in the file and in HTTP";
		if ((unsigned char)*p < 0x20 || *p == 0x7f)
			return "there is a control character in the name";
	}
	return NULL;
}

/* The file behind all links: a rename must not replace a link. */
static int
edit_open(struct edit *edit, const char *path)
{
	char	 copy[PATH_MAX];

	memset(edit, 0, sizeof(*edit));
	edit->dir = edit->fd = -1;
	buf_init(&edit->text, HTPASSWD_MAX);
	if (strlen(path) >= sizeof(copy)) {
		errno = ENAMETOOLONG;
		return -1;
	}
	if (realpath(path, edit->path) == NULL) {
		if (errno != ENOENT)
			return -1;
		snprintf(edit->path, sizeof(edit->path), "%s", path);
	}
	snprintf(copy, sizeof(copy), "%s", edit->path);
	edit->dir = open(dirname(copy), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	/* Two commands at once must not undo each other. */
	if (edit->dir == -1 || flock(edit->dir, LOCK_EX) == -1)
		return -1;
	snprintf(edit->temp, sizeof(edit->temp), "%s.XXXXXX", edit->path);
	edit->fd = mkostemp(edit->temp, O_CLOEXEC);
	if (edit->fd == -1)
		edit->temp[0] = '\0';
	return edit->fd == -1 ? -1 : 0;
}

static void
edit_close(struct edit *edit)
{
	if (edit->temp[0] != '\0')
		unlink(edit->temp);
	if (edit->fd != -1)
		close(edit->fd);
	if (edit->dir != -1)
		close(edit->dir);
	buf_wipe(&edit->text);
}

/* The old file into "old", and whose it is. */
static int
read_old(struct edit *edit, struct buf *old)
{
	char	*room;
	ssize_t	 n = -1;
	int	 fd;

	fd = open(edit->path, O_RDONLY | O_CLOEXEC);
	if (fd == -1)
		return errno == ENOENT ? 0 : -1;
	edit->exists = true;
	if (fstat(fd, &edit->old) == 0 && !S_ISREG(edit->old.st_mode))
		errno = EINVAL;
	else {
		while ((room = buf_reserve(old, 4096)) != NULL &&
		    (n = read(fd, room, 4096)) > 0)
			buf_commit(old, (size_t)n);
		if (room == NULL)
			n = -1;
	}
	close(fd);
	return n == -1 ? -1 : 0;
}

static bool
line_is_of(const char *line, size_t len, const char *user)
{
	size_t	 n = strlen(user);

	return len > n && memcmp(line, user, n) == 0 && line[n] == ':';
}

/* Copy the lines, with the user's new one in the place of the old one. */
static enum htpasswd_edit
edit_text(struct edit *edit, const struct buf *old, const char *user,
    const char *hash)
{
	const char	*p, *end, *eol;
	bool		 found = false;

	p = buf_str(old);
	end = p + old->len;
	for (; p < end; p = eol) {
		eol = memchr(p, '\n', (size_t)(end - p));
		eol = eol == NULL ? end : eol + 1;
		if (!line_is_of(p, (size_t)(eol - p), user)) {
			buf_add(&edit->text, p, (size_t)(eol - p));
			continue;
		}
		/* A second line of the same user makes the file invalid. */
		if (!found && hash != NULL)
			buf_addf(&edit->text, "%s:%s\n", user, hash);
		found = true;
	}
	if (hash == NULL)
		return found ? HTPASSWD_DELETED : HTPASSWD_NO_USER;
	if (found)
		return HTPASSWD_CHANGED;
	if (edit->text.len > 0 &&
	    edit->text.data[edit->text.len - 1] != '\n')
		buf_addc(&edit->text, '\n');
	buf_addf(&edit->text, "%s:%s\n", user, hash);
	return HTPASSWD_ADDED;
}

/* Would authd take the new file? */
static void
check_new(struct edit *edit)
{
	struct htpasswd	*state;

	if (lseek(edit->fd, 0, SEEK_SET) == -1)
		return;
	state = htpasswd_load(edit->fd, edit->path, stderr);
	if (state == NULL)
		warnx("%s: authd refuses this file until the errors "
		    "above are corrected", edit->path);
	else
		htpasswd_free(state);
}

/* Write the text, give it the old one's mode and owner, and its name. */
static int
edit_commit(struct edit *edit)
{
	const char	*p = buf_str(&edit->text);
	size_t		 left = edit->text.len;
	ssize_t		 n;

	for (; left > 0; p += n, left -= (size_t)n) {
		n = write(edit->fd, p, left);
		if (n == -1)
			return -1;
	}
	if (edit->exists) {
		if (fchown(edit->fd, edit->old.st_uid,
		    edit->old.st_gid) == -1 ||
		    fchmod(edit->fd, edit->old.st_mode & 07777) == -1)
			return -1;
	}
	check_new(edit);
	if (fsync(edit->fd) == -1 || rename(edit->temp, edit->path) == -1)
		return -1;
	edit->temp[0] = '\0';
	return fsync(edit->dir);
}

enum htpasswd_edit
htpasswd_set(const char *path, const char *user, const char *hash)
{
	enum htpasswd_edit	 result = HTPASSWD_FAILED;
	struct edit		 edit;
	struct buf		 old;

	buf_init(&old, HTPASSWD_MAX);
	if (edit_open(&edit, path) == -1 || read_old(&edit, &old) == -1)
		warn("%s", path);
	else {
		result = edit_text(&edit, &old, user, hash);
		if (result != HTPASSWD_NO_USER &&
		    (buf_failed(&edit.text) || edit_commit(&edit) == -1)) {
			warn("%s", path);
			result = HTPASSWD_FAILED;
		}
	}
	buf_wipe(&old);
	edit_close(&edit);
	return result;
}
