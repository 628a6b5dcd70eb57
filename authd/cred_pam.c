/* SPDX-License-Identifier: ISC */
/*
 * The PAM driver.  Modules are anybody's code, so they run in a helper, a
 * child in a process group of its own: it is killed with all that it has
 * started when it does not answer in time, when it has left processes
 * behind, and after a number of checks.  The next check gets a new one.
 * Runs in the verifier, which itself never calls a module.
 */
#include "cred_pam.h"

#include <sys/socket.h>
#include <sys/wait.h>

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "clock.h"
#include "compat.h"
#include "privdrop.h"
#include "str.h"

#define HELPER_FD	3
#define END_MS		5000	/* for the end of a killed helper */

struct pam {
	const struct conf_pam	*conf;		/* the verifier's */
	pid_t			 helper;	/* 0: none */
	int			 fd;		/* to it */
	uint64_t		 nchecks;	/* that it has done */
};

/* ---- the helper's start and end ---- */

static _Noreturn void
run_helper(const struct conf_pam *conf, int fd, pid_t verifier)
{
	int	 signo;

	setpgid(0, 0);
	compat_die_with_parent();
	if (getppid() != verifier)
		_exit(1);
	for (signo = 1; signo < NSIG; signo++)
		signal(signo, SIG_DFL);
	/* What modules print is nothing for our log: it may be a secret. */
	if (dup2(STDIN_FILENO, STDERR_FILENO) == -1 ||
	    (fd != HELPER_FD && dup2(fd, HELPER_FD) == -1))
		_exit(1);
	compat_close_from(HELPER_FD + 1);
	cred_pam_helper(conf, HELPER_FD);
}

static int
start_helper(struct pam *pam)
{
	pid_t	 self = getpid();
	int	 fds[2];

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, fds) == -1)
		return -1;
	pam->helper = fork();
	if (pam->helper == 0)
		run_helper(pam->conf, fds[1], self);
	close(fds[1]);
	if (pam->helper == -1) {
		pam->helper = 0;
		close(fds[0]);
		return -1;
	}
	/* Here as well: it may be killed before it gets there. */
	setpgid(pam->helper, pam->helper);
	pam->fd = fds[0];
	pam->nchecks = 0;
	return 0;
}

/*
 * Kill the helper with its process group, then what has left the group.
 * Returns its wait status, that of its own end if it has ended before.
 */
static int
stop_helper(struct pam *pam)
{
	int	 status = 0;

	if (pam->helper == 0)
		return 0;
	/* Its number is not given to others before it is waited for. */
	kill(pam->helper, SIGKILL);
	kill(-pam->helper, SIGKILL);
	while (waitpid(pam->helper, &status, 0) == -1 && errno == EINTR)
		continue;
	compat_kill_children();
	close(pam->fd);
	pam->fd = -1;
	pam->helper = 0;
	return status;
}

/* ---- checking ---- */

/* Anything to read before it is asked, even its end, is out of place. */
static bool
is_usable(const struct pam *pam)
{
	struct pollfd	 pfd = { .fd = pam->fd, .events = POLLIN };

	return pam->helper != 0 && pam->nchecks < pam->conf->recycle &&
	    poll(&pfd, 1, 0) == 0;
}

/* 1: there is something to read, 0: not in time. */
static int
wait_answer(const struct pam *pam)
{
	struct pollfd	 pfd = { .fd = pam->fd, .events = POLLIN };
	uint64_t	 end, now;
	int		 n;

	now = clock_monotonic_ms();
	end = now + pam->conf->timeout_ms;
	do {
		n = poll(&pfd, 1, (int)(end - now));
		now = clock_monotonic_ms();
	} while (n == -1 && errno == EINTR && now < end);
	return n > 0;
}

static void
describe_end(char *text, size_t size, int status)
{
	if (WIFSIGNALED(status))
		snprintf(text, size, "a module was ended by signal %d",
		    WTERMSIG(status));
	else
		snprintf(text, size, "a module exited with status %d",
		    WEXITSTATUS(status));
}

/* No answer that could be used; the reason is the caller's. */
static enum cred_verdict
give_up(struct pam *pam, struct cred_answer *answer, bool ended,
    const char *reason)
{
	int	 status = stop_helper(pam);

	if (ended)
		describe_end(answer->reason, sizeof(answer->reason), status);
	else
		str_copy(answer->reason, sizeof(answer->reason), reason);
	return CRED_UNAVAILABLE;
}

/* It has closed its end: it is ending, unless a module has closed it. */
static enum cred_verdict
helper_ended(struct pam *pam, struct cred_answer *answer)
{
	struct timespec	 pause = { .tv_nsec = 1000000 };
	siginfo_t	 info;
	int		 tries;

	/* Its own end tells more than that we have killed it. */
	for (tries = 0; tries < 100; tries++) {
		memset(&info, 0, sizeof(info));
		if (waitid(P_PID, (id_t)pam->helper, &info,
		    WEXITED | WNOHANG | WNOWAIT) == 0 && info.si_pid != 0)
			return give_up(pam, answer, true, NULL);
		nanosleep(&pause, NULL);
	}
	return give_up(pam, answer, false, "a module closed its files");
}

static enum cred_verdict
take_answer(struct pam *pam, struct cred_answer *answer)
{
	struct cred_pam_result	 result;
	int			 error;

	memset(&result, 0, sizeof(result));
	if ((error = cred_pam_recv(pam->fd, &result)) != 0) {
		cred_answer_done(&result.answer);
		return error == 1 ? helper_ended(pam, answer) :
		    give_up(pam, answer, false, "a module broke the helper");
	}
	*answer = result.answer;
	pam->nchecks++;
	if (result.dirty || compat_count_children() > 1)
		stop_helper(pam);
	return result.verdict;
}

/* password NULL: a lookup */
static enum cred_verdict
ask_helper(void *state, const char *user, const char *password, size_t len,
    const char *peer, struct cred_answer *answer)
{
	struct pam	*pam = state;

	if (!is_usable(pam)) {
		stop_helper(pam);
		if (start_helper(pam) == -1) {
			str_copy(answer->reason, sizeof(answer->reason),
			    "no helper process");
			return CRED_UNAVAILABLE;
		}
	}
	if (cred_pam_send(pam->fd, user, password, len, peer) == -1)
		return give_up(pam, answer, false, "no helper process");
	if (wait_answer(pam) == 0)
		return give_up(pam, answer, false,
		    "modules did not finish in time");
	return take_answer(pam, answer);
}

static enum cred_verdict
pam_lookup(void *state, const char *user, const char *peer,
    struct cred_answer *answer)
{
	return ask_helper(state, user, NULL, 0, peer, answer);
}

/* ---- the driver ---- */

static void
pam_enter(const struct proc_args *args)
{
	privdrop_keep_root(args);
	compat_adopt_orphans();
}

/* Without a file of that name libpam would take "other" instead. */
static bool
has_service(const struct conf_pam *conf)
{
	static const char *const	 dirs[] = { "/etc/pam.d",
	    "/usr/lib/pam.d", "/usr/local/etc/pam.d" };
	char				 path[4096 + 256];
	size_t				 i;

	if (conf->confdir != NULL) {
		snprintf(path, sizeof(path), "%s/%s", conf->confdir,
		    conf->service);
		return access(path, R_OK) == 0;
	}
	for (i = 0; i < sizeof(dirs) / sizeof(dirs[0]); i++) {
		snprintf(path, sizeof(path), "%s/%s", dirs[i], conf->service);
		if (access(path, R_OK) == 0)
			return true;
	}
	/* The one file of all services is there only without /etc/pam.d. */
	return access(dirs[0], F_OK) == -1 &&
	    access("/etc/pam.conf", R_OK) == 0;
}

static void *
pam_start_driver(const struct authd_conf *conf, const int *files, char *error,
    size_t errsize)
{
	struct pam	*pam;

	(void)files;
	if (!has_service(&conf->pam)) {
		snprintf(error, errsize, "there is no readable %s/%s; "
		    "etc/pam.d/authd of the source is an example",
		    conf->pam.confdir != NULL ? conf->pam.confdir :
		    "/etc/pam.d", conf->pam.service);
		return NULL;
	}
	if ((pam = calloc(1, sizeof(*pam))) == NULL) {
		snprintf(error, errsize, "out of memory");
		return NULL;
	}
	pam->conf = &conf->pam;
	pam->fd = -1;
	return pam;
}

/* The driver keeps the deadline itself; the end of a helper comes on top. */
static uint64_t
pam_limit(const struct authd_conf *conf)
{
	return conf->pam.timeout_ms + END_MS;
}

static void
pam_free(void *state)
{
	stop_helper(state);
	free(state);
}

const struct cred_ops	cred_pam = {
	.name = "pam",
	.level = SANDBOX_VERIFIER_PAM,
	.enter = pam_enter,
	.start = pam_start_driver,
	.limit = pam_limit,
	.verify = ask_helper,
	.lookup = pam_lookup,
	.free = pam_free
};
