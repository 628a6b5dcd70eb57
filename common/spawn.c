/* SPDX-License-Identifier: ISC */
/*
 * Starting one child of the supervisor.  Runs in the parent, and for a
 * moment in the child between fork and exec.
 */
#include "spawn.h"

#include <sys/socket.h>

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "compat.h"

#define ENV_MAX		4
#define PROGRAM_FD	(PROC_CHANNEL_FD + 1)	/* closed by exec */
#define GIDS_SIZE	(PROC_MAX_GROUPS * 11 + 1)

int
spawn_pair(int fds[2])
{
	return socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC |
	    SOCK_NONBLOCK, 0, fds);
}

static void
format_gids(char *dst, size_t size, const struct supervise_role *role)
{
	size_t i, len = 0;

	dst[0] = '\0';
	for (i = 0; i < role->ngids && len < size; i++)
		len += (size_t)snprintf(dst + len, size - len, "%s%u",
		    i == 0 ? "" : ",", (unsigned)role->gids[i]);
}

/* What a child may know of our environment. */
static void
make_environment(char *envp[ENV_MAX + 1])
{
	static const char *const kept[] = { "TZ", "ASAN_OPTIONS",
	    "LSAN_OPTIONS", "UBSAN_OPTIONS" };
	const char *value;
	size_t i, n = 0;

	for (i = 0; i < sizeof(kept) / sizeof(kept[0]); i++) {
		if ((value = getenv(kept[i])) == NULL)
			continue;
		if (asprintf(&envp[n], "%s=%s", kept[i], value) == -1)
			break;
		n++;
	}
	envp[n] = NULL;
}

static void
reset_signals(void)
{
	sigset_t none;
	int signo;

	for (signo = 1; signo < NSIG; signo++)
		signal(signo, SIG_DFL);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
}

/* dup2() onto itself would leave close-on-exec set. */
static int
move_fd(int from, int to)
{
	if (from == to)
		return fcntl(from, F_SETFD, 0);
	return dup2(from, to);
}

static _Noreturn void
exec_child(int program_fd, const char *program,
    const struct supervise_role *role, unsigned instance, int fd)
{
	char number[16], uid[16], gids[GIDS_SIZE], *name;
	char *argv[10], *envp[ENV_MAX + 1];
	int null, n = 0;

	/* Out of the way of the numbers that are filled here. */
	if ((fd = fcntl(fd, F_DUPFD, PROGRAM_FD + 1)) == -1 ||
	    (program_fd = fcntl(program_fd, F_DUPFD, PROGRAM_FD + 1)) == -1 ||
	    (null = open("/dev/null", O_RDWR)) == -1 ||
	    move_fd(null, STDIN_FILENO) == -1 ||
	    move_fd(null, STDOUT_FILENO) == -1 ||
	    move_fd(fd, PROC_CHANNEL_FD) == -1 ||
	    move_fd(program_fd, PROGRAM_FD) == -1 ||
	    fcntl(PROGRAM_FD, F_SETFD, FD_CLOEXEC) == -1)
		_exit(126);
	compat_close_from(PROGRAM_FD + 1);
	reset_signals();
	make_environment(envp);
	snprintf(number, sizeof(number), "%u", instance);
	snprintf(uid, sizeof(uid), "%u", (unsigned)role->uid);
	format_gids(gids, sizeof(gids), role);
	if ((name = strdup(program)) == NULL)
		_exit(126);
	argv[n++] = basename(name);
	argv[n++] = strdup("-P");
	argv[n++] = strdup(role->name);
	argv[n++] = strdup("-I");
	argv[n++] = number;
	if (role->drop) {
		argv[n++] = strdup("-U");
		argv[n++] = uid;
		argv[n++] = strdup("-G");
		argv[n++] = gids;
	}
	argv[n] = NULL;
	compat_exec(PROGRAM_FD, program, argv, envp);
	dprintf(STDERR_FILENO, "%s: exec: %s\n", program, strerror(errno));
	_exit(127);
}

pid_t
spawn_child(int program_fd, const char *program,
    const struct supervise_role *role, unsigned instance, int *chan_fd)
{
	sigset_t all, old;
	int fds[2], saved;
	pid_t pid;

	if (spawn_pair(fds) == -1)
		return -1;
	/* No handler of ours may run in the child. */
	sigfillset(&all);
	sigprocmask(SIG_SETMASK, &all, &old);
	if ((pid = fork()) == 0)
		exec_child(program_fd, program, role, instance, fds[1]);
	saved = errno;
	sigprocmask(SIG_SETMASK, &old, NULL);
	close(fds[1]);
	if (pid == -1) {
		close(fds[0]);
		errno = saved;
		return -1;
	}
	*chan_fd = fds[0];
	return pid;
}
