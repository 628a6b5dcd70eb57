/* SPDX-License-Identifier: ISC */
/*
 * Opening the root directory of the store in the parent, and telling the
 * administrator which command helps when its rights do not fit.  Creates at
 * most the directory itself; never changes what is in it.
 */
#include "setup_root.h"

#include <sys/stat.h>
#include <sys/wait.h>

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "log.h"
#include "xmem.h"

#define KEY	"storage.filesystem.rootdirectory"

/*
 * Whether a child of this role could use a path beneath the directory.  A
 * process of its own asks, which has become that user: so every rule of the
 * system counts, not only those that we would think of.  An absent path is
 * fine.  0 or an errno.
 */
static int
access_as(const struct supervise_role *role, int dirfd, const char *path,
    int mode)
{
	int status;
	pid_t pid;

	if (!role->drop) {
		if (faccessat(dirfd, path, mode, AT_EACCESS) == 0 ||
		    errno == ENOENT)
			return 0;
		return errno;
	}
	if ((pid = fork()) == -1)
		return errno;
	if (pid == 0) {
		if (setgroups(role->ngids, role->gids) == -1 ||
		    setgid(role->gids[0]) == -1 || setuid(role->uid) == -1)
			_exit(errno);
		if (faccessat(dirfd, path, mode, 0) == 0 || errno == ENOENT)
			_exit(0);
		_exit(errno);
	}
	while (waitpid(pid, &status, 0) == -1)
		if (errno != EINTR)
			return errno;
	return WIFEXITED(status) ? WEXITSTATUS(status) : EIO;
}

/* The directory and its parents; 0, or -1 with errno. */
static int
make_directories(const char *path, mode_t mode)
{
	char *copy = xstrdup(path), *slash;

	for (slash = strchr(copy + 1, '/'); slash != NULL;
	    slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		if (mkdir(copy, 0755) == -1 && errno != EEXIST) {
			free(copy);
			return -1;
		}
		*slash = '/';
	}
	free(copy);
	if (mkdir(path, mode) == -1 && errno != EEXIST)
		return -1;
	return 0;
}

static int
make_root(const char *root, const struct supervise_role *keeper)
{
	if (make_directories(root, 0750) == -1) {
		log_error(KEY ": %s: cannot create it: %s", root,
		    strerror(errno));
		return -1;
	}
	if (keeper->drop && chown(root, keeper->uid, keeper->gids[0]) == -1) {
		log_error(KEY ": %s: chown: %s", root, strerror(errno));
		return -1;
	}
	log_info("created %s, which was not there", root);
	return 0;
}

/* Where a tree that another registry has made shows what it is like. */
static const char *const paths[] = {
	".", "docker/registry/v2", "docker/registry/v2/blobs",
	"docker/registry/v2/blobs/sha256", "docker/registry/v2/repositories",
	".registryd", ".registryd/tmp", ".registryd/trash"
};
#define NPATHS	(sizeof(paths) / sizeof(paths[0]))

/* Files are renamed between all of them. */
static int
check_device(const char *root, int fd)
{
	struct stat st, other;
	size_t i;

	if (fstat(fd, &st) == -1) {
		log_error(KEY ": %s: %s", root, strerror(errno));
		return -1;
	}
	for (i = 1; i < NPATHS; i++) {
		if (fstatat(fd, paths[i], &other, 0) == -1 ||
		    other.st_dev == st.st_dev)
			continue;
		log_error(KEY ": %s/%s is another file system than %s: all "
		    "of the store must be on one", root, paths[i], root);
		return -1;
	}
	return 0;
}

static int
check_keeper(const char *root, int fd, const struct supervise_role *keeper)
{
	size_t i;
	int error;

	for (i = 0; i < NPATHS; i++) {
		error = access_as(keeper, fd, paths[i], R_OK | W_OK | X_OK);
		if (error == 0)
			continue;
		if (error == EACCES && keeper->drop)
			log_error(KEY ": user %u (registryd.user) may not "
			    "write in %s/%s: run \"chown -R %u:%u %s\"",
			    (unsigned)keeper->uid, root, paths[i],
			    (unsigned)keeper->uid, (unsigned)keeper->gids[0],
			    root);
		else
			log_error(KEY ": %s/%s: cannot write there: %s%s",
			    root, paths[i], strerror(error), error == EROFS ?
			    ": to serve it as it is, set "
			    "storage.maintenance.readonly.enabled" : "");
		return -1;
	}
	return 0;
}

static int
check_worker(const char *root, int fd, const struct supervise_role *worker)
{
	int error;

	if ((error = access_as(worker, fd, ".", R_OK | X_OK)) == 0)
		return 0;
	log_error(KEY ": user %u (registryd.worker_user) may not read in %s: "
	    "%s: run \"chmod -R g+rX %s\"", (unsigned)worker->uid, root,
	    strerror(error), root);
	return -1;
}

int
setup_root_open(const struct registry_conf *conf,
    const struct supervise_role *keeper, const struct supervise_role *worker)
{
	const char *root = conf->root;
	int fd;

	fd = open(root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd == -1 && errno == ENOENT && !conf->readonly) {
		if (make_root(root, keeper) == -1)
			return -1;
		fd = open(root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	}
	if (fd == -1) {
		log_error(KEY ": %s: %s", root, strerror(errno));
		return -1;
	}
	if ((!conf->readonly && (check_keeper(root, fd, keeper) == -1 ||
	    check_device(root, fd) == -1)) ||
	    check_worker(root, fd, worker) == -1) {
		close(fd);
		return -1;
	}
	return fd;
}
