/* SPDX-License-Identifier: ISC */
/*
 * The file systems whose power is cut, and how the host makes them.
 */
#include <sys/types.h>
#include <sys/wait.h>

#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <string.h>
#include <unistd.h>

#include "run.h"

extern char	**environ;

/* Small, but not so small that the file system behaves otherwise. */
static const struct filesystem filesystems[] = {
	{ "ext4", "ext4", 192 << 20,
	    { "mkfs.ext4", "-q", "-F", "-E", "lazy_itable_init=0", NULL },
	    { "rw", "commit=1", "noatime", "nodelalloc" } },
	{ "ext4fc", "ext4", 192 << 20,
	    { "mkfs.ext4", "-q", "-F", "-O", "fast_commit", "-E",
	    "lazy_itable_init=0", NULL },
	    { "rw", "commit=1", "noatime", "rw" } },
	{ "xfs", "xfs", 384 << 20,
	    { "mkfs.xfs", "-q", "-f", "-K", NULL },
	    { "rw", "rw", "noatime", "logbsize=256k" } },
	{ "btrfs", "btrfs", 320 << 20,
	    { "mkfs.btrfs", "-q", "-f", "-K", NULL },
	    { "rw", "commit=1", "notreelog", "noatime" } },
};

const struct filesystem *
filesystem_find(const char *name)
{
	size_t	 i;

	for (i = 0; i < sizeof(filesystems) / sizeof(*filesystems); i++)
		if (strcmp(filesystems[i].name, name) == 0)
			return &filesystems[i];
	errx(2, "unknown file system %s", name);
}

static void
run_program(const char *const argv[])
{
	posix_spawn_file_actions_t	 actions;
	pid_t				 pid;
	int				 status;

	/* mkfs.btrfs has advice even with -q. */
	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, "/dev/null",
	    O_WRONLY, 0);
	posix_spawn_file_actions_adddup2(&actions, STDOUT_FILENO,
	    STDERR_FILENO);
	errno = posix_spawnp(&pid, argv[0], &actions, NULL,
	    (char **)(uintptr_t)argv, environ);
	if (errno != 0)
		err(1, "%s", argv[0]);
	posix_spawn_file_actions_destroy(&actions);
	if (waitpid(pid, &status, 0) == -1 || status != 0)
		errx(1, "%s failed", argv[0]);
}

void
filesystem_make(const struct filesystem *fs, const char *image)
{
	const char	*argv[10];
	size_t		 n;
	int		 fd;

	fd = open(image, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	if (fd == -1 || ftruncate(fd, fs->size) == -1)
		err(1, "%s", image);
	close(fd);
	for (n = 0; fs->mkfs[n] != NULL; n++)
		argv[n] = fs->mkfs[n];
	argv[n++] = image;
	argv[n] = NULL;
	run_program(argv);
}
