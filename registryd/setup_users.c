/* SPDX-License-Identifier: ISC */
/*
 * Opens the htpasswd file, refuses one that verifiers could not use, and
 * notices when it changes.  Verifiers get a copy that nobody can write any
 * more: one that is restarted finds what was checked.  Runs in the parent,
 * which parses the file and forgets it again at once.
 */
#include "setup_users.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "frozen.h"
#include "htpasswd.h"
#include "log.h"
#include "messages.h"
#include "xmem.h"

#define KEY	"auth.htpasswd.path"

struct setup_users {
	char		*path;
	int		 fd;		/* a copy */
	struct stat	 from;		/* the file itself */
	struct watch	*watch;
	void		(*changed)(void *);
	void		*arg;
};

/* The number of users, or -1: what is wrong was logged. */
static long
check_users(int fd, const char *path)
{
	struct htpasswd *users;
	char *text = NULL;
	size_t len = 0;
	FILE *messages;
	long n;

	if ((messages = open_memstream(&text, &len)) == NULL) {
		log_warn(KEY ": %s", path);
		return -1;
	}
	users = htpasswd_load(fd, path, messages);
	fclose(messages);
	log_messages(text);
	free(text);
	n = users == NULL ? -1 : (long)htpasswd_count(users);
	htpasswd_free(users);
	return n;
}

static void
log_unusable(const char *path)
{
	if (errno == ENOENT)
		log_error(KEY ": %s: there is no such file: make it with "
		    "\"authctl passwd -p %s USER\"", path, path);
	else if (errno == EFBIG)
		log_error(KEY ": %s: larger than 128 MiB", path);
	else
		log_error(KEY ": %s: %s", path, strerror(errno));
}

struct setup_users *
setup_users_open(const char *path)
{
	struct setup_users *users = xcalloc(1, sizeof(*users));
	int fd;

	users->path = xstrdup(path);
	users->fd = -1;
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	if (fd == -1 || fstat(fd, &users->from) == -1 ||
	    (users->fd = frozen_copy(fd, HTPASSWD_MAX_SIZE)) == -1)
		log_unusable(path);
	else if ((users->from.st_mode & 07) != 0)
		log_warnx(KEY ": %s: everybody may read it; chmod 600 %s",
		    path, path);
	if (fd != -1)
		close(fd);
	if (users->fd == -1 || check_users(users->fd, path) == -1) {
		setup_users_free(users);
		return NULL;
	}
	return users;
}

void
setup_users_free(struct setup_users *users)
{
	if (users == NULL)
		return;
	watch_free(users->watch);
	if (users->fd != -1)
		close(users->fd);
	free(users->path);
	free(users);
}

static void
on_changed(int fd, void *arg)
{
	struct setup_users *users = arg;
	long n;
	int copy, error;

	copy = frozen_copy(fd, HTPASSWD_MAX_SIZE);
	error = errno;
	close(fd);
	if (copy == -1) {
		if (!frozen_may_succeed(error) || watch_again(users->watch))
			log_error("%s: %s: the users known so far stay",
			    users->path, strerror(error));
		return;
	}
	if ((n = check_users(copy, users->path)) == -1) {
		log_error("%s is refused: the users known so far stay",
		    users->path);
		close(copy);
		return;
	}
	log_info("%s has changed: %ld users", users->path, n);
	close(users->fd);
	users->fd = copy;
	users->changed(users->arg);
}

void
setup_users_watch(struct setup_users *users, struct loop *loop,
    void (*changed)(void *), void *arg)
{
	users->changed = changed;
	users->arg = arg;
	users->watch = watch_new(loop, users->path, &users->from, on_changed,
	    users);
	if (users->watch == NULL)
		log_warn("%s: its changes are not seen", users->path);
}

int
setup_users_send(const struct setup_users *users, struct msg_chan *chan)
{
	struct msg_out out;

	msg_begin(&out, MSG_CONF_FILE, 0);
	msg_put_u32(&out, CONF_FILE_HTPASSWD);
	msg_put_fd(&out, users->fd);
	return msg_send(chan, &out);
}
