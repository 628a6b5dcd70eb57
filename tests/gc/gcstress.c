/* SPDX-License-Identifier: ISC */
/*
 * Random histories against an oracle: clients and collectors, each a process
 * of its own, on one directory, while this one stops, goes on with and kills
 * them, takes the collectors' lock away and turns the times of files.  An
 * epoch has one set of times and rules; between two of them nobody is at
 * work, and the store is checked.
 *
 *	gcstress [-n operations] [-s seed] [-c clients] [-d directory]
 *
 * Exits 1 when something that was acknowledged was not so.
 */
#include <sys/stat.h>
#include <sys/wait.h>

#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "collect.h"
#include "layout.h"
#include "oracle.h"

#define EPOCH_MS	4000
#define TURN_US		2000	/* between acts of the controller */
#define STOP_MAX_MS	120
#define STOP_LONG_MS	1500
#define END_MS		20000	/* for everybody to end by himself */

struct epoch {
	const char	*name;
	uint64_t	 grace_ms, delay_ms, untagged_ms;
	bool		 wild, policy, calm;
};

static const struct epoch epochs[] = {
	{ "no grace", 0, 0, 0, true, false, false },
	{ "timed", 2000, 500, 0, false, false, false },
	{ "untagged", 20, 10, 1500, true, true, false },
	{ "turned", 50, 20, 0, true, false, false },
	{ "calm", 1000, 250, 0, false, false, true }
};
#define NEPOCHS	(sizeof(epochs) / sizeof(epochs[0]))

static struct child {
	pid_t		 pid;
	bool		 stopped;
	uint64_t	 until;		/* ms, while stopped */
} children[NSLOTS];

static struct client me = { .slot = NSLOTS };
static char root[256];
static unsigned nclients = 6;
static uint64_t seed, generation, kills, stops;
static volatile sig_atomic_t interrupted;

/* ---- processes ---- */

static struct store *
open_store(uint64_t dice)
{
	static const enum store_durability modes[] = { STORE_NONE, STORE_BATCH,
	    STORE_NONE };
	struct store *s;
	int fd;

	if ((fd = open(root, O_RDONLY | O_DIRECTORY | O_CLOEXEC)) == -1 ||
	    (s = store_fs_new(fd, root, true, modes[dice % 3])) == NULL)
		err(1, "%s", root);
	return s;
}

static bool
has_child(unsigned slot)
{
	return slot >= NCLIENTS_MAX || slot < nclients;
}

static void
start(unsigned slot)
{
	struct client c = { .slot = slot };
	pid_t pid;

	c.random = seed * 1000003 + ++generation * 7919 + slot + 1;
	fflush(NULL);
	if ((pid = fork()) == -1)
		err(1, "fork");
	if (pid == 0) {
		signal(SIGINT, SIG_IGN);
		signal(SIGTERM, SIG_IGN);
		c.store = open_store(generation);
		if (slot < NCLIENTS_MAX)
			client_main(&c);
		collector_loop(&c);
	}
	children[slot] = (struct child){ .pid = pid };
}

static void
check_status(unsigned slot, int status)
{
	if (WIFSIGNALED(status) && WTERMSIG(status) != SIGKILL)
		oracle_violation("process %u: signal %d", slot,
		    WTERMSIG(status));
	if (WIFEXITED(status) && WEXITSTATUS(status) != 0)
		oracle_violation("process %u: status %d", slot,
		    WEXITSTATUS(status));
}

/* What has happened to the children; the dead are replaced. */
static void
look_after(bool replace)
{
	unsigned i;
	int status;

	for (i = 0; i < NSLOTS; i++) {
		if (children[i].pid == 0 || waitpid(children[i].pid, &status,
		    WNOHANG | WUNTRACED) <= 0)
			continue;
		if (WIFSTOPPED(status)) {
			children[i].stopped = true;
			children[i].until = client_now_ms() +
			    client_random(&me, client_random(&me, 10) == 0 ?
			    STOP_LONG_MS : STOP_MAX_MS);
			stops++;
			continue;
		}
		check_status(i, status);
		kills += WIFSIGNALED(status);
		change_bury(i);
		children[i].pid = 0;
		if (replace)
			start(i);
	}
}

static void
go_on(bool all)
{
	uint64_t now = client_now_ms();
	unsigned i;

	for (i = 0; i < NSLOTS; i++) {
		if (children[i].pid == 0 || !children[i].stopped ||
		    (!all && now < children[i].until))
			continue;
		children[i].stopped = false;
		kill(children[i].pid, SIGCONT);
	}
}

/* ---- acts ---- */

static void
act_on_times(void)
{
	char path[LAYOUT_PATH_SIZE];
	struct timespec times[2];
	unsigned repo = (unsigned)client_random(&me, NREPOS);
	const struct digest *blob =
	    &world_blobs[client_random(&me, NBLOBS)].digest;
	int fd;

	clock_gettime(CLOCK_REALTIME, &times[0]);
	times[0].tv_sec += (time_t)client_random(&me, 7200) - 3600;
	times[1] = times[0];
	switch (client_random(&me, 3)) {
	case 0:
		layout_layer(path, world_repo(repo), blob);
		break;
	case 1:
		layout_blob(path, blob);
		break;
	default:
		layout_revision(path, world_repo(repo), &world_manifests[
		    client_random(&me, NMANIFESTS)].digest);
	}
	if ((fd = open(root, O_RDONLY | O_DIRECTORY)) == -1)
		err(1, "%s", root);
	(void)utimensat(fd, path, times, 0);
	close(fd);
}

/* Two collectors at once, as where locks do not hold. */
static void
act_on_lock(void)
{
	char path[512];

	snprintf(path, sizeof(path), "%s/%s", root, LAYOUT_COLLECT_LOCK);
	(void)unlink(path);
}

static void
act(const struct epoch *e)
{
	unsigned slot = (unsigned)client_random(&me, NSLOTS);
	uint64_t dice = client_random(&me, 1000);

	if (dice < 60)
		act_on_lock();
	if (e->calm || !has_child(slot) || children[slot].pid == 0)
		return;
	if (dice < 30)
		kill(children[slot].pid, SIGKILL);
	else if (dice < 130)
		kill(children[slot].pid, SIGSTOP);
	if (dice >= 500 && strcmp(e->name, "turned") == 0)
		act_on_times();
}

/* ---- epochs ---- */

static uint64_t
operations(void)
{
	uint64_t n = 0;
	unsigned i;

	for (i = 0; i < NOPS; i++)
		n += atomic_load(&oracle->done[i]);
	return n;
}

static bool
anybody(void)
{
	unsigned i;

	for (i = 0; i < NSLOTS; i++)
		if (children[i].pid != 0)
			return true;
	return false;
}

static void
end_all(void)
{
	uint64_t end = client_now_ms() + END_MS;
	unsigned i;

	atomic_store(&oracle->stop, true);
	while (anybody()) {
		look_after(false);
		go_on(true);
		usleep(TURN_US);
		if (client_now_ms() < end)
			continue;
		for (i = 0; i < NSLOTS; i++)
			if (children[i].pid != 0)
				kill(children[i].pid, SIGKILL);
		oracle_violation("somebody did not end within %d ms", END_MS);
		end += END_MS;
	}
}

/*
 * What nobody wants is condemned by one run and removed by the next; before
 * that, one takes what dead clients have left pending, which counts as wanted.
 */
static void
collect_rest(struct store *s)
{
	struct gc_options options = { .untagged_ms = GC_UNTAGGED_KEEP };
	int i;

	for (i = 0; i < 3; i++)
		if (collect_once(s, &options) != STORE_OK)
			oracle_violation("a collection of its own did not "
			    "end well");
}

static void
forget_acknowledged(void)
{
	unsigned r, m;

	for (r = 0; r < NREPOS; r++)
		for (m = 0; m < NMANIFESTS; m++)
			atomic_store(&oracle->revisions[r][m].acked, 0);
}

static void
begin_epoch(const struct epoch *e)
{
	unsigned i;

	oracle->grace_ms = e->grace_ms;
	oracle->delay_ms = e->delay_ms;
	oracle->untagged_ms = e->untagged_ms;
	oracle->wild = e->wild;
	oracle->policy = e->policy;
	oracle->calm = e->calm;
	atomic_store(&oracle->stop, false);
	/* What has no tag may go: nothing can be said of it. */
	if (e->policy)
		forget_acknowledged();
	for (i = 0; i < NSLOTS; i++)
		if (has_child(i))
			start(i);
}

static void
run_epoch(struct store *s, const struct epoch *e, uint64_t until_ops)
{
	uint64_t end = client_now_ms() + EPOCH_MS;

	begin_epoch(e);
	while (client_now_ms() < end && operations() < until_ops &&
	    !interrupted && atomic_load(&oracle->violations) == 0) {
		look_after(true);
		go_on(false);
		act(e);
		usleep(TURN_US);
	}
	end_all();
	if (atomic_load(&oracle->violations) != 0)
		return;
	store_check(s, false);
	collect_rest(s);
	store_check(s, true);
}

/* ---- the whole ---- */

static void
on_signal(int sig)
{
	(void)sig;
	interrupted = 1;
}

static void
report(uint64_t started)
{
	static const char *const names[NOPS] = { NULL, "puts", "deletes",
	    "tag deletes", "blob deletes", "heads", "uploads", "mounts",
	    "pulls", "pulls by tag" };
	unsigned i;

	printf("%llu operations in %llu s:",
	    (unsigned long long)operations(),
	    (unsigned long long)(client_now_ms() - started) / 1000);
	for (i = 1; i < NOPS; i++)
		printf(" %llu %s,", (unsigned long long)
		    atomic_load(&oracle->done[i]), names[i]);
	printf(" %llu refused, %llu absent, %llu busy\n",
	    (unsigned long long)atomic_load(&oracle->refused),
	    (unsigned long long)atomic_load(&oracle->absent),
	    (unsigned long long)atomic_load(&oracle->busy));
	printf("%llu collections: %llu condemned, %llu restored, %llu "
	    "deleted; %llu scrubs; %llu killed, %llu stopped\n",
	    (unsigned long long)atomic_load(&oracle->runs),
	    (unsigned long long)atomic_load(&oracle->condemned),
	    (unsigned long long)atomic_load(&oracle->restored),
	    (unsigned long long)atomic_load(&oracle->deleted),
	    (unsigned long long)atomic_load(&oracle->scrubs),
	    (unsigned long long)kills, (unsigned long long)stops);
	printf("seed %llu: %llu violations\n", (unsigned long long)seed,
	    (unsigned long long)atomic_load(&oracle->violations));
	if (atomic_load(&oracle->violations) != 0)
		printf("first: %s\n", oracle->text);
}

static int
remove_one(const char *path, const struct stat *st, int flag, struct FTW *ftw)
{
	(void)st;
	(void)flag;
	(void)ftw;
	return remove(path);
}

static void
make_root(const char *dir)
{
	if (dir == NULL)
		dir = access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp";
	snprintf(root, sizeof(root), "%s/gcstress.XXXXXX", dir);
	if (mkdtemp(root) == NULL)
		err(1, "%s", root);
}

static uint64_t
number(const char *text)
{
	unsigned long long v;
	char *end;

	errno = 0;
	v = strtoull(text, &end, 10);
	if (errno != 0 || end == text || *end != '\0')
		errx(2, "%s: not a number", text);
	return v;
}

static void
usage(void)
{
	fprintf(stderr, "usage: gcstress [-n operations] [-s seed] "
	    "[-c clients] [-d directory]\n");
	exit(2);
}

int
main(int argc, char **argv)
{
	uint64_t wanted = 20000, started;
	const char *dir = NULL;
	struct store *s;
	size_t i;
	int ch;

	seed = (uint64_t)time(NULL) * 1000 + (uint64_t)getpid() % 1000;
	while ((ch = getopt(argc, argv, "n:s:c:d:")) != -1)
		switch (ch) {
		case 'n':
			wanted = number(optarg);
			break;
		case 's':
			seed = number(optarg);
			break;
		case 'c':
			nclients = (unsigned)number(optarg);
			break;
		case 'd':
			dir = optarg;
			break;
		default:
			usage();
		}
	if (optind != argc || nclients == 0 || nclients > NCLIENTS_MAX)
		usage();
	umask(027);
	me.random = seed * 31 + 17;
	world_make();
	oracle_make();
	make_root(dir);
	s = open_store(0);
	started = client_now_ms();
	printf("seed %llu in %s\n", (unsigned long long)seed, root);
	/* To be told what was counted so far. */
	signal(SIGINT, on_signal);
	signal(SIGTERM, on_signal);
	for (i = 0; operations() < wanted && !interrupted &&
	    atomic_load(&oracle->violations) == 0; i++)
		run_epoch(s, &epochs[i % NEPOCHS], wanted);
	report(started);
	store_free(s);
	if (atomic_load(&oracle->violations) != 0)
		return 1;
	nftw(root, remove_one, 64, FTW_DEPTH | FTW_PHYS);
	return 0;
}
