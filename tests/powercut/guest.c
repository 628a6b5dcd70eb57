/* SPDX-License-Identifier: ISC */
/*
 * qemu gets its disk, the line for commands and its monitor as connected
 * sockets, and one TCP port of the loopback address.
 */
#include "guest.h"

#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include <arpa/inet.h>
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "disk.h"
#include "random.h"
#include "xmem.h"

#define SAID_MAX	16384
#define START_TRIES	5		/* another may take the port */
#define RESTORE_TIME	60		/* seconds */

struct guest {
	char		*dir, *name;
	struct disk	*disk;
	pid_t		 pid;
	int		 control, monitor;
	uint16_t	 port;
	char		 said[SAID_MAX];
};

bool
guest_uses_kvm(void)
{
	char	 line[4096];
	FILE	*f;
	bool	 can = false;

	/* There are machines whose /dev/kvm runs no usual guest. */
	if (access("/dev/kvm", R_OK | W_OK) == -1 ||
	    (f = fopen("/proc/cpuinfo", "re")) == NULL)
		return false;
	while (!can && fgets(line, sizeof(line), f) != NULL)
		can = strncmp(line, "flags", 5) == 0 &&
		    (strstr(line, " vmx ") != NULL ||
		    strstr(line, " svm ") != NULL);
	fclose(f);
	return can;
}

struct guest *
guest_new(const char *dir, const char *name, struct disk *disk)
{
	struct guest	*g = xcalloc(1, sizeof(*g));

	g->dir = xstrdup(dir);
	g->name = xstrdup(name);
	g->disk = disk;
	g->control = g->monitor = -1;
	return g;
}

void
guest_free(struct guest *g)
{
	if (g == NULL)
		return;
	guest_kill(g);
	free(g->dir);
	free(g->name);
	free(g);
}

const char *
guest_said(const struct guest *g)
{
	return g->said;
}

uint16_t
guest_port(const struct guest *g)
{
	return g->port;
}

/* ---- start --------------------------------------------------------------- */

static uint16_t
free_port(void)
{
	struct sockaddr_in	 sin = { .sin_family = AF_INET };
	socklen_t		 len = sizeof(sin);
	int			 fd;

	sin.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if ((fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) == -1 ||
	    bind(fd, (struct sockaddr *)&sin, sizeof(sin)) == -1 ||
	    getsockname(fd, (struct sockaddr *)&sin, &len) == -1)
		err(1, "no port");
	close(fd);
	return ntohs(sin.sin_port);
}

static void
pair(int fds[2])
{
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds) == -1)
		err(1, "socketpair");
}

struct arguments {
	const char	*argv[64];
	size_t		 n;
};

static void
add(struct arguments *a, const char *name, char *value)
{
	if (a->n + 3 > sizeof(a->argv) / sizeof(a->argv[0]))
		errx(1, "too many arguments");
	a->argv[a->n++] = name;
	if (value != NULL)
		a->argv[a->n++] = value;
}

static void
add_machine(struct arguments *a, const struct guest *g)
{
	bool	 kvm = guest_uses_kvm();

	add(a, "qemu-system-x86_64", NULL);
	add(a, "-nodefaults", NULL);
	add(a, "-no-user-config", NULL);
	add(a, "-no-reboot", NULL);
	add(a, "-display", xstrdup("none"));
	add(a, "-machine", xstrdup("q35"));
	add(a, "-accel", xstrdup(kvm ? "kvm" :
	    "tcg,thread=multi,tb-size=128"));
	if (kvm)
		add(a, "-cpu", xstrdup("host"));
	add(a, "-smp", xstrdup(kvm ? "2" : "1"));
	add(a, "-m", xstrdup("320"));
	add(a, "-kernel", xasprintf("%s/kernel/vmlinuz", g->dir));
	add(a, "-initrd", xasprintf("%s/initrd", g->dir));
	/* The check of the timer fails when the host is too busy. */
	add(a, "-append", xstrdup("console=ttyS0 quiet panic=-1 "
	    "no_timer_check"));
}

static void
add_devices(struct arguments *a, const struct guest *g, int disk, int control,
    int monitor)
{
	add(a, "-chardev", xasprintf("file,id=console,path=%s/%s.console",
	    g->dir, g->name));
	add(a, "-serial", xstrdup("chardev:console"));
	add(a, "-chardev", xasprintf("socket,id=control,fd=%d", control));
	add(a, "-serial", xstrdup("chardev:control"));
	add(a, "-chardev", xasprintf("socket,id=monitor,fd=%d", monitor));
	add(a, "-mon", xstrdup("chardev=monitor,mode=control"));
	add(a, "-blockdev", xasprintf("driver=nbd,node-name=disk,"
	    "server.type=fd,server.str=%d", disk));
	/* One block is written whole or not, as disks promise today. */
	add(a, "-device", xstrdup("virtio-blk-pci,drive=disk,"
	    "physical_block_size=4096"));
	add(a, "-netdev", xasprintf("user,id=net,restrict=on,"
	    "hostfwd=tcp:127.0.0.1:%u-:5000", g->port));
	add(a, "-device", xstrdup("virtio-net-pci,netdev=net,romfile="));
}

static void
keep_open(int fd)
{
	if (fcntl(fd, F_SETFD, 0) == -1)
		_exit(126);
}

static void
child_run(const struct guest *g, struct arguments *a, const int fds[3])
{
	char	*log = xasprintf("%s/%s.qemu", g->dir, g->name);
	int	 fd, i;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if ((fd = open(log, O_WRONLY | O_CREAT | O_TRUNC, 0644)) == -1)
		_exit(126);
	dup2(fd, STDOUT_FILENO);
	dup2(fd, STDERR_FILENO);
	for (i = 0; i < 3; i++)
		keep_open(fds[i]);
	execvp(a->argv[0], (char **)(uintptr_t)a->argv);
	warn("%s", a->argv[0]);
	_exit(127);
}

static void
guest_start(struct guest *g, const char *state)
{
	struct arguments	 a = { .n = 0 };
	int			 disk[2], control[2], monitor[2], fds[3];

	guest_kill(g);
	pair(disk);
	pair(control);
	pair(monitor);
	g->port = free_port();
	add_machine(&a, g);
	add_devices(&a, g, disk[1], control[1], monitor[1]);
	if (state != NULL)
		add(&a, "-incoming", xasprintf("exec:cat <'%s'", state));
	fds[0] = disk[1];
	fds[1] = control[1];
	fds[2] = monitor[1];
	disk_serve(g->disk, disk[0]);
	if ((g->pid = fork()) == -1)
		err(1, "fork");
	if (g->pid == 0)
		child_run(g, &a, fds);
	close(disk[1]);
	close(control[1]);
	close(monitor[1]);
	g->control = control[0];
	g->monitor = monitor[0];
}

void
guest_kill(struct guest *g)
{
	if (g->pid > 0) {
		kill(g->pid, SIGKILL);
		while (waitpid(g->pid, NULL, 0) == -1 && errno == EINTR)
			;
	}
	g->pid = 0;
	disk_wait(g->disk);
	if (g->control != -1)
		close(g->control);
	if (g->monitor != -1)
		close(g->monitor);
	g->control = g->monitor = -1;
}

/* ---- commands ------------------------------------------------------------ */

/* A line without its end; false on end of file or deadline. */
static bool
read_line(int fd, char *line, size_t size, uint64_t deadline)
{
	struct pollfd	 pfd = { .fd = fd, .events = POLLIN };
	size_t		 n = 0;
	uint64_t	 now;
	char		 c;

	for (;;) {
		if ((now = disk_now()) >= deadline)
			return false;
		if (poll(&pfd, 1, (int)((deadline - now) / 1000000 + 1)) < 1)
			continue;
		if (read(fd, &c, 1) != 1)
			return false;
		if (c == '\n')
			break;
		if (c != '\r' && n + 1 < size)
			line[n++] = c;
	}
	line[n] = '\0';
	return true;
}

static uint64_t
in_seconds(unsigned seconds)
{
	return disk_now() + (uint64_t)seconds * 1000000000U;
}

static void
remember(struct guest *g, const char *line)
{
	size_t	 used = strlen(g->said);

	snprintf(g->said + used, sizeof(g->said) - used, "%s\n", line);
}

static bool __attribute__((__format__(printf, 2, 0)))
send_line(struct guest *g, const char *fmt, va_list ap)
{
	char	 line[1024];
	int	 n;

	g->said[0] = '\0';
	n = vsnprintf(line, sizeof(line) - 1, fmt, ap);
	if (n < 0 || (size_t)n >= sizeof(line) - 1)
		return false;
	line[n] = '\n';
	if (send(g->control, line, (size_t)n + 1, MSG_NOSIGNAL) == n + 1)
		return true;
	remember(g, "# the guest has gone");
	return false;
}

void
guest_begin(struct guest *g, const char *fmt, ...)
{
	va_list	 ap;

	va_start(ap, fmt);
	send_line(g, fmt, ap);
	va_end(ap);
}

bool
guest_command(struct guest *g, unsigned seconds, const char *fmt, ...)
{
	char		 line[1024];
	va_list		 ap;
	uint64_t	 deadline = in_seconds(seconds);
	bool		 sent;

	va_start(ap, fmt);
	sent = send_line(g, fmt, ap);
	va_end(ap);
	if (!sent)
		return false;
	while (read_line(g->control, line, sizeof(line), deadline)) {
		if (line[0] == '#')
			remember(g, line);
		else if (strncmp(line, "ok ", 3) == 0)
			return true;
		else if (strncmp(line, "fail ", 5) == 0)
			return false;
	}
	remember(g, "# no answer");
	return false;
}

/* ---- saved states -------------------------------------------------------- */

/* A command to the monitor, and its answer. */
static bool
monitor_command(struct guest *g, const char *command, char *line, size_t size)
{
	uint64_t	 deadline = in_seconds(10);
	size_t		 len = strlen(command);

	if (send(g->monitor, command, len, MSG_NOSIGNAL) != (ssize_t)len)
		return false;
	while (read_line(g->monitor, line, size, deadline))
		if (strstr(line, "\"return\"") != NULL)
			return true;
		else if (strstr(line, "\"error\"") != NULL)
			break;
	warnx("monitor: %s", line);
	return false;
}

int
guest_boot(struct guest *g, unsigned seconds)
{
	uint64_t	 deadline = in_seconds(seconds);
	char		 line[1024];
	int		 i;

	for (i = 0; i < START_TRIES; i++) {
		guest_start(g, NULL);
		if (read_line(g->control, line, sizeof(line), deadline))
			return 0;
		if (disk_now() >= deadline)
			break;
	}
	warnx("the guest does not start: %s/%s.qemu, .console", g->dir,
	    g->name);
	return -1;
}

int
guest_save(struct guest *g, const char *path)
{
	char		 line[4096], *command;
	uint64_t	 deadline = in_seconds(RESTORE_TIME);
	bool		 done;

	command = xasprintf("{\"execute\": \"migrate\", \"arguments\": "
	    "{\"uri\": \"exec:cat >'%s'\"}}\n", path);
	done = monitor_command(g, "{\"execute\": \"qmp_capabilities\"}\n",
	    line, sizeof(line)) &&
	    monitor_command(g, "{\"execute\": \"migrate-set-parameters\", "
	    "\"arguments\": {\"max-bandwidth\": 10000000000}}\n", line,
	    sizeof(line)) &&
	    monitor_command(g, command, line, sizeof(line));
	free(command);
	if (!done)
		return -1;
	do {
		usleep(20000);
		if (!monitor_command(g, "{\"execute\": \"query-migrate\"}\n",
		    line, sizeof(line)) || strstr(line, "failed") != NULL ||
		    disk_now() > deadline) {
			warnx("the guest's state cannot be saved: %s", line);
			return -1;
		}
	} while (strstr(line, "completed") == NULL);
	return monitor_command(g, "{\"execute\": \"cont\"}\n", line,
	    sizeof(line)) ? 0 : -1;
}

/* Whatever the guest did last before it was saved is lost from the line. */
static bool
wake(struct guest *g)
{
	char	 seed[65];

	random_hex(seed, 32);
	return send(g->control, "\n\n", 2, MSG_NOSIGNAL) == 2 &&
	    guest_command(g, RESTORE_TIME, "clock %lld",
	    (long long)time(NULL)) && guest_command(g, 10, "seed %s", seed);
}

int
guest_restore(struct guest *g, const char *path)
{
	int	 i;

	for (i = 0; i < START_TRIES; i++) {
		guest_start(g, path);
		if (wake(g))
			return 0;
	}
	warnx("the guest does not start again: %s/%s.qemu", g->dir, g->name);
	return -1;
}
