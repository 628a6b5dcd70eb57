/* SPDX-License-Identifier: ISC */
/*
 * Opens the files with the keys that sign tokens, refuses what workers could
 * not use, and notices when they change.  Workers get copies that nobody can
 * write any more: one that is restarted finds what was checked.  Runs in the
 * parent.
 */
#include "setup_keys.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "frozen.h"
#include "log.h"
#include "messages.h"
#include "token_keys.h"
#include "watch.h"
#include "xmem.h"

struct key_file {
	struct setup_keys *keys;
	enum conf_file	 kind;
	const char	*key;		/* of the configuration */
	char		*path;		/* NULL: not configured */
	int		 fd;		/* a copy */
	struct stat	 from;		/* the file itself */
	struct watch	*watch;
};

struct setup_keys {
	struct key_file	 files[2];
	void		(*changed)(void *);
	void		*arg;
};
#define NFILES	2

/* What is wrong with a copy, beside the other file; NULL when it is fine. */
static const char *
check_copy(const struct key_file *file, int fd, char *error, size_t size)
{
	const struct key_file *other = &file->keys->files[
	    file == &file->keys->files[0] ? 1 : 0];
	struct jwks *set;
	const char *wrong = NULL;

	if ((set = jwks_new()) == NULL)
		return "out of memory";
	if ((other->fd != -1 && token_keys_add(set, other->kind, other->fd,
	    error, size) == -1) ||
	    token_keys_add(set, file->kind, fd, error, size) == -1)
		wrong = error;
	jwks_free(set);
	return wrong;
}

/* The copy, or -1 after a message, and it is closed. */
static int
take_copy(const struct key_file *file, int copy)
{
	const char *wrong;
	char error[256];

	wrong = check_copy(file, copy, error, sizeof(error));
	if (wrong == NULL)
		return copy;
	log_error("%s: %s: %s", file->key, file->path, wrong);
	close(copy);
	return -1;
}

static int
open_file(struct key_file *file)
{
	int fd, copy;

	if (file->path == NULL)
		return 0;
	fd = open(file->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	if (fd == -1 || fstat(fd, &file->from) == -1)
		log_error("%s: %s: %s", file->key, file->path,
		    strerror(errno));
	else if (!S_ISREG(file->from.st_mode))
		log_error("%s: %s: %s", file->key, file->path,
		    S_ISDIR(file->from.st_mode) ? strerror(EISDIR) :
		    "not a regular file");
	else if ((copy = frozen_copy(fd, TOKEN_KEYS_MAX_FILE)) == -1)
		log_error("%s: %s: %s", file->key, file->path,
		    strerror(errno));
	else
		file->fd = take_copy(file, copy);
	if (fd != -1)
		close(fd);
	return file->fd == -1 ? -1 : 0;
}

static void
set_file(struct key_file *file, struct setup_keys *keys, enum conf_file kind,
    const char *key, const char *path)
{
	file->keys = keys;
	file->kind = kind;
	file->key = key;
	file->path = path == NULL ? NULL : xstrdup(path);
	file->fd = -1;
}

struct setup_keys *
setup_keys_open(const struct registry_conf *conf)
{
	struct setup_keys *keys = xcalloc(1, sizeof(*keys));
	int failed = 0;

	set_file(&keys->files[0], keys, CONF_FILE_TOKEN_ROOTS,
	    "auth.token.rootcertbundle", conf->token_roots);
	set_file(&keys->files[1], keys, CONF_FILE_TOKEN_JWKS,
	    "auth.token.jwks", conf->token_jwks);
	failed |= open_file(&keys->files[0]);
	failed |= open_file(&keys->files[1]);
	if (failed != 0) {
		setup_keys_free(keys);
		return NULL;
	}
	return keys;
}

void
setup_keys_free(struct setup_keys *keys)
{
	size_t i;

	if (keys == NULL)
		return;
	for (i = 0; i < NFILES; i++) {
		watch_free(keys->files[i].watch);
		if (keys->files[i].fd != -1)
			close(keys->files[i].fd);
		free(keys->files[i].path);
	}
	free(keys);
}

static void
on_changed(int fd, void *arg)
{
	struct key_file *file = arg;
	int copy, error;

	copy = frozen_copy(fd, TOKEN_KEYS_MAX_FILE);
	error = errno;
	close(fd);
	if (copy == -1) {
		if (!frozen_may_succeed(error) || watch_again(file->watch))
			log_error("%s: %s: the keys known so far stay",
			    file->path, strerror(error));
		return;
	}
	if ((copy = take_copy(file, copy)) == -1) {
		log_error("%s is refused: the keys known so far stay",
		    file->path);
		return;
	}
	log_info("%s has changed", file->path);
	close(file->fd);
	file->fd = copy;
	file->keys->changed(file->keys->arg);
}

void
setup_keys_watch(struct setup_keys *keys, struct loop *loop,
    void (*changed)(void *), void *arg)
{
	struct key_file *file;
	size_t i;

	keys->changed = changed;
	keys->arg = arg;
	for (i = 0; i < NFILES; i++) {
		file = &keys->files[i];
		if (file->path == NULL)
			continue;
		file->watch = watch_new(loop, file->path, &file->from,
		    on_changed, file);
		if (file->watch == NULL)
			log_warn("%s: its changes are not seen", file->path);
	}
}

int
setup_keys_send(const struct setup_keys *keys, struct msg_chan *chan)
{
	struct msg_out out;
	size_t i;

	for (i = 0; i < NFILES; i++) {
		if (keys->files[i].fd == -1)
			continue;
		msg_begin(&out, MSG_CONF_FILE, 0);
		msg_put_u32(&out, keys->files[i].kind);
		msg_put_fd(&out, keys->files[i].fd);
		if (msg_send(chan, &out) == -1)
			return -1;
	}
	return 0;
}
