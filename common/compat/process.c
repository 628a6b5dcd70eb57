/* SPDX-License-Identifier: ISC */
/*
 * Process attributes that each system sets in its own way.
 */
#include "compat.h"

#include <sys/types.h>
#include <sys/resource.h>
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
#include <unistd.h>

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
