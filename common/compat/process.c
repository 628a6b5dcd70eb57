/* SPDX-License-Identifier: ISC */
/*
 * Process attributes that each system sets in its own way.
 */
#include "compat.h"

#include <sys/types.h>
#include <sys/resource.h>
#include <sys/wait.h>
#if defined(__linux__)
#include <sys/prctl.h>
#include <sys/syscall.h>
#elif defined(__FreeBSD__)
#include <sys/procctl.h>
#include <sys/sysctl.h>
#endif

#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <unistd.h>

#define MAX_CHILDREN	256	/* looked at together */

/* The leak sanitizer traces the process that it looks at. */
#if defined(__SANITIZE_ADDRESS__)
#define TRACEABLE	1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define TRACEABLE	1
#endif
#endif
#ifndef TRACEABLE
#define TRACEABLE	0
#endif

#if defined(__linux__) && defined(SYS_close_range)

static int
close_range_from(int low)
{
	return (int)syscall(SYS_close_range, (unsigned)low, UINT_MAX, 0);
}

#elif defined(__FreeBSD__) || defined(__OpenBSD__) || defined(__NetBSD__)

static int
close_range_from(int low)
{
	closefrom(low);
	return 0;
}

#else

static int
close_range_from(int low)
{
	(void)low;
	return -1;
}

#endif

void
compat_close_from(int low)
{
	long max, fd;

	if (close_range_from(low) == 0)
		return;
	if ((max = sysconf(_SC_OPEN_MAX)) == -1 || max > 65536)
		max = 65536;
	for (fd = low; fd < max; fd++)
		close((int)fd);
}

void
compat_die_with_parent(void)
{
#if defined(__linux__)
	prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
#elif defined(__FreeBSD__)
	int sig = SIGKILL;

	procctl(P_PID, 0, PROC_PDEATHSIG_CTL, &sig);
#endif
}

void
compat_exec(int fd, const char *path, char *const argv[], char *const envp[])
{
#if defined(__linux__) || defined(__FreeBSD__)
	fexecve(fd, argv, envp);
#else
	(void)fd;
#endif
	execve(path, argv, envp);
}

void
compat_set_name(void)
{
#if defined(__linux__)
	prctl(PR_SET_NAME, program_invocation_short_name, 0, 0, 0);
#endif
}

int
compat_lock_process(void)
{
	struct rlimit none = { 0, 0 };

	if (setrlimit(RLIMIT_CORE, &none) == -1)
		return -1;
#if defined(__linux__)
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == -1 ||
	    prctl(PR_SET_DUMPABLE, TRACEABLE, 0, 0, 0) == -1)
		return -1;
#elif defined(__FreeBSD__)
	int off = PROC_TRACE_CTL_DISABLE;

	if (procctl(P_PID, 0, PROC_TRACE_CTL, &off) == -1)
		return -1;
#endif
	return 0;
}

void
compat_adopt_orphans(void)
{
#if defined(__linux__)
	prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
#elif defined(__FreeBSD__)
	procctl(P_PID, 0, PROC_REAP_ACQUIRE, NULL);
#endif
}

#if defined(__linux__)

/* Of a process with one thread; -1: cannot be told. */
static ssize_t
list_children(pid_t *pids, size_t max)
{
	FILE *file;
	char path[64];
	size_t n = 0;
	int pid;

	snprintf(path, sizeof(path), "/proc/self/task/%d/children",
	    (int)getpid());
	if ((file = fopen(path, "re")) == NULL)
		return -1;
	while (n < max && fscanf(file, "%d", &pid) == 1)
		pids[n++] = (pid_t)pid;
	fclose(file);
	return (ssize_t)n;
}

#endif

size_t
compat_count_children(void)
{
#if defined(__linux__)
	pid_t pids[MAX_CHILDREN];
	ssize_t n;

	n = list_children(pids, MAX_CHILDREN);
	return n == -1 ? 0 : (size_t)n;
#elif defined(__FreeBSD__)
	struct procctl_reaper_status status;

	if (procctl(P_PID, 0, PROC_REAP_STATUS, &status) == -1)
		return 0;
	return status.rs_descendants;
#else
	return 0;
#endif
}

/* -1: there is nobody, or no way. */
static int
kill_children(void)
{
#if defined(__linux__)
	pid_t pids[MAX_CHILDREN];
	ssize_t i, n;

	if ((n = list_children(pids, MAX_CHILDREN)) <= 0)
		return -1;
	for (i = 0; i < n; i++)
		kill(pids[i], SIGKILL);
	return 0;
#elif defined(__FreeBSD__)
	struct procctl_reaper_kill all = { .rk_sig = SIGKILL };

	return procctl(P_PID, 0, PROC_REAP_KILL, &all);
#else
	return -1;
#endif
}

void
compat_kill_children(void)
{
	pid_t pid;

	/* The end of each may give us more. */
	for (;;) {
		pid = waitpid(-1, NULL, WNOHANG);
		if (pid > 0 || (pid == -1 && errno == EINTR))
			continue;
		if (pid == -1 || kill_children() == -1)
			return;
		waitpid(-1, NULL, 0);
	}
}

int
compat_self_path(char *dst, size_t size)
{
#if defined(__linux__)
	ssize_t n;

	if ((n = readlink("/proc/self/exe", dst, size)) == -1)
		return -1;
	if ((size_t)n >= size) {
		errno = ENAMETOOLONG;
		return -1;
	}
	dst[n] = '\0';
	return 0;
#elif defined(__FreeBSD__)
	int mib[] = { CTL_KERN, KERN_PROC, KERN_PROC_PATHNAME, -1 };

	return sysctl(mib, 4, dst, &size, NULL, 0);
#else
	(void)dst;
	(void)size;
	errno = ENOSYS;
	return -1;
#endif
}
