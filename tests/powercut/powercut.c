/* SPDX-License-Identifier: ISC */
/*
 * usage: powercut [-CD] [-c cuts] [-d durability] [-f fs] [-i images]
 *	    [-s seed] [-t ms] directory
 *
 * Runs registryd (-D: distribution) in a virtual machine on a disk whose
 * write cache is volatile, under load, and kills the machine.  After each
 * such cut the disk is left with what had been flushed and some of the rest;
 * the same machine is started on it again, everything that was acknowledged
 * is read back, and the load goes on.  For each cut, "images" more cuts at
 * other moments of the same load are looked at in a second machine.
 *
 * With -C garbage is collected all the time, beside the load.
 *
 * What is found is printed, and kept in directory/found-*.  Exits 1 then.
 */
#include <sys/stat.h>
#include <sys/wait.h>

#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "check.h"
#include "disk.h"
#include "guest.h"
#include "load.h"
#include "random.h"
#include "xmem.h"

#define BOOT_TIME	120		/* seconds, on a busy host */
#define COMMAND_TIME	120
#define FRESH		8		/* cuts on one file system */
/* The check asks for everything in each round, which is as good as a push. */
#define COLLECT		"collect: {interval: 200ms, grace: 1s, delay: 200ms}"
#define GRACE		700000000U	/* nanoseconds; clocks differ */
#define STEPS_MAX	32		/* of all clients, before a cut */
#define AFTER_STEPS	100000U		/* microseconds */
#define DIRTY_MAX	24		/* writes that are not flushed */
#define DIRTY_TIME	500000000U	/* nanoseconds */
#define RECOVERY_TIME	1500000U	/* microseconds */
#define KEPT_MAX	20		/* findings kept with their image */

extern char	**environ;

struct filesystem {
	const char	*name, *type;
	off_t		 size;
	const char	*mkfs[8];
	const char	*options[4];	/* to mount with; one of them */
};

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

struct run {
	const char			*dir, *durability, *lines;
	char				*name;
	const struct filesystem		*fs;
	bool				 is_distribution;
	unsigned			 cuts, images, load_ms;
	uint64_t			 dice;
	struct cut			 cut;		/* the last one */
	bool				 at_image;	/* in the spare disk */
	const char			*options;	/* mounted with */
	char				*image, *state;
	struct disk			*disk, *spare;
	struct guest			*guest, *checker;
	struct load			*load;
	struct check			*check;
	size_t				 n_cuts, n_images, n_acks, n_acked;
	size_t				 n_objects, n_collected, n_findings;
	size_t				 n_kept;
	size_t				 findings[FINDING_KINDS];
	size_t				 n_fsck, n_failed, n_odd;
	size_t				 durable, unsafe;
};

/* ---- the disk ------------------------------------------------------------ */

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

static void
make_image(const struct run *r)
{
	const char	*argv[10];
	size_t		 n;
	int		 fd;

	fd = open(r->image, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	if (fd == -1 || ftruncate(fd, r->fs->size) == -1)
		err(1, "%s", r->image);
	close(fd);
	for (n = 0; r->fs->mkfs[n] != NULL; n++)
		argv[n] = r->fs->mkfs[n];
	argv[n++] = r->image;
	argv[n] = NULL;
	run_program(argv);
}

/*
 * It keeps its options: xfs reads the whole log by the size of log buffers
 * in its oldest record, and takes records behind it for torn when
 * "logbsize" was another after a recovery.
 */
static void
make_fresh(struct run *r)
{
	make_image(r);
	r->options = r->fs->options[dice(&r->dice) % 4];
	disk_reload(r->disk);
	load_reset(r->load);
}

/* ---- findings ------------------------------------------------------------ */

/* The disk as it was before anybody mounted it after the last cut. */
static void
save_image(const struct run *r, const char *path)
{
	struct disk		*d = disk_new(r->image);
	struct cut_result	 left;

	if (r->at_image)
		disk_cut(d, r->disk, &r->cut, &left);
	disk_save(d, path);
	disk_free(d);
}

static void
describe(const struct run *r, FILE *f, const char *what, const char *text)
{
	static const char *const	 names[CUT_CACHES] = {
		[CUT_KEEPS] = "keeps all", [CUT_LOSES] = "loses all",
		[CUT_MIXES] = "mixes", [CUT_DROPS_ONE] = "drops one",
	};

	fprintf(f, "%s: FOUND %s cut %zu: %s\n%s: the cache %s, %u%% kept, "
	    "%u%% torn, mounted with %s\n%s", r->name,
	    r->at_image ? "at another moment of" : "after", r->n_cuts, what,
	    r->name, names[r->cut.cache], r->cut.keep, r->cut.tear,
	    r->options, text);
}

static void
keep(struct run *r, const char *what, const char *text)
{
	char	*path, *file;
	FILE	*f;

	describe(r, stdout, what, text);
	if (r->n_kept++ >= KEPT_MAX)
		return;
	path = xasprintf("%s/found-%s-%d-%zu", r->dir, r->name,
	    (int)getpid(), r->n_kept);
	if (mkdir(path, 0755) == -1 && errno != EEXIST)
		err(1, "%s", path);
	file = xasprintf("%s/text", path);
	if ((f = fopen(file, "we")) == NULL)
		err(1, "%s", file);
	describe(r, f, what, text);
	fclose(f);
	free(file);
	file = xasprintf("%s/image", path);
	save_image(r, file);
	free(file);
	printf("kept: %s\n", path);
	free(path);
}

static void
count(struct run *r)
{
	int	 i;

	r->n_objects += r->check->objects;
	r->n_acked += r->check->acked;
	r->n_collected += r->check->collected;
	r->n_findings += check_findings(r->check);
	for (i = 0; i < FINDING_KINDS; i++)
		r->findings[i] += r->check->findings[i];
}

/* ---- one guest on one disk ----------------------------------------------- */

/* The guest cannot do it: the harness or the file system has failed. */
static bool
failed(struct run *r, const struct guest *g, const char *what)
{
	r->n_failed++;
	keep(r, what, guest_said(g));
	return false;
}

static bool
serve(struct run *r, struct guest *g)
{
	bool	 done;

	if (r->is_distribution)
		done = guest_command(g, COMMAND_TIME, "distribution");
	else
		done = guest_command(g, COMMAND_TIME, "serve");
	return done || failed(r, g, "the registry does not start");
}

static void
fsck(struct run *r, struct guest *g)
{
	if (!guest_command(g, COMMAND_TIME, "fsck")) {
		r->n_fsck++;
		keep(r, "fsck", guest_said(g));
	} else if (guest_said(g)[0] != '\0') {
		if (r->n_odd++ == 0)
			printf("%s: odd after cut %zu:\n%s", r->name,
			    r->n_cuts, guest_said(g));
	}
}

/*
 * Mount, check the directory, and serve it.  What the file system or
 * registryctl does not like is a finding by itself.
 */
static bool
begin(struct run *r, struct guest *g, bool fresh)
{
	if (!guest_command(g, COMMAND_TIME, "configure %s %s", r->durability,
	    r->lines) ||
	    !guest_command(g, COMMAND_TIME, "mount %s %s", r->fs->type,
	    r->options))
		return failed(r, g, "mount");
	if (!fresh && !r->is_distribution)
		fsck(r, g);
	return serve(r, g);
}

static void
look(struct run *r, struct guest *g)
{
	check_run(r->load, guest_port(g), r->cut.time, !r->at_image,
	    r->check);
	count(r);
	if (check_findings(r->check) == 0)
		return;
	keep(r, "what was promised is not there", r->check->text);
	guest_command(g, COMMAND_TIME, "log 20");
	fputs(guest_said(g), stdout);
}

/* ---- cuts ---------------------------------------------------------------- */

static void
choose_cut(struct run *r)
{
	struct cut	*cut = &r->cut;

	memset(cut, 0, sizeof(*cut));
	cut->time = UINT64_MAX;
	cut->seed = dice(&r->dice);
	cut->cache = dice(&r->dice) % CUT_CACHES;
	cut->keep = 5 + dice(&r->dice) % 91;
	cut->tear = dice(&r->dice) % 40;
	cut->sector = 4096;
}

/* Just behind an acknowledgement, where a promise is youngest. */
static uint64_t
choose_ack(struct run *r)
{
	const struct object	*o;
	const struct client	*c;
	uint64_t		 time = 0, n = 0;
	size_t			 i;

	for (c = r->load->clients; c < r->load->clients + CLIENTS; c++)
		for (o = c->model.objects; o != NULL; o = o->next)
			for (i = 0; i < o->n_ops; i++)
				if (o->ops[i].ack > 1 &&
				    dice(&r->dice) % ++n == 0)
					time = o->ops[i].ack;
	return time;
}

static uint64_t
choose_time(struct run *r)
{
	size_t	 n = disk_events(r->disk);

	if (n == 0)
		return UINT64_MAX;
	if (dice(&r->dice) % 2 == 0)
		return choose_ack(r);
	return disk_event_time(r->disk, dice(&r->dice) % n);
}

/* Another cut of the same load, in the second guest. */
static bool
image_check(struct run *r)
{
	struct cut_result	 left;

	choose_cut(r);
	r->cut.time = choose_time(r);
	if (disk_events(r->disk) == 0 ||
	    r->cut.time < disk_event_time(r->disk, 0))
		return true;
	disk_cut(r->spare, r->disk, &r->cut, &left);
	r->n_images++;
	if (!begin(r, r->checker, false))
		return false;
	look(r, r->checker);
	if (!guest_command(r->checker, COMMAND_TIME, "stop") ||
	    !guest_command(r->checker, COMMAND_TIME, "umount"))
		return failed(r, r->checker, "umount");
	return true;
}

/* How often the guest writes back what nobody has asked it to. */
static void
vary(struct run *r, struct guest *g)
{
	unsigned	 n = dice(&r->dice) % 3;

	if (n == 0)
		return;
	guest_command(g, COMMAND_TIME, "set vm.dirty_writeback_centisecs=%u",
	    n * n * 5);
	guest_command(g, COMMAND_TIME, "set vm.dirty_expire_centisecs=%u",
	    n * 10);
}

/* Until the disk has much in its cache; after a while, less. */
static void
wait_for_dirt(struct run *r)
{
	uint64_t	 start = disk_now(), time = 0;
	size_t		 want = dice(&r->dice) % DIRTY_MAX;

	while (time < DIRTY_TIME && load_odd(r->load) == NULL &&
	    disk_dirty(r->disk) < 1 + want * (DIRTY_TIME - time) / DIRTY_TIME) {
		usleep(200);
		time = disk_now() - start;
	}
}

/*
 * Some steps of the clients and a little more, at any time or while the disk
 * is at work; or, on a slow machine, less.
 */
static void
wait_for_moment(struct run *r)
{
	uint64_t	 end = disk_now() + r->load_ms * 1000000ULL;
	unsigned	 steps = dice(&r->dice) % STEPS_MAX;

	while (load_steps(r->load) < steps && load_odd(r->load) == NULL &&
	    disk_now() < end)
		usleep(2000);
	usleep((useconds_t)(dice(&r->dice) % AFTER_STEPS));
	if (dice(&r->dice) % 4 != 0)
		wait_for_dirt(r);
}

static void
load_and_cut(struct run *r)
{
	const char	*odd;

	vary(r, r->guest);
	load_start(r->load, guest_port(r->guest));
	wait_for_moment(r);
	if ((odd = load_odd(r->load)) != NULL) {
		r->n_findings++;
		r->findings[FINDING_ANSWER]++;
		printf("%s: FOUND in the load: %s\n", r->name, odd);
		guest_command(r->guest, COMMAND_TIME, "log 30");
		fputs(guest_said(r->guest), stdout);
	}
	load_stop(r->load);
	/* The machine takes a while to die. */
	disk_freeze(r->disk);
	guest_kill(r->guest);
	load_wait(r->load);
	r->n_cuts++;
}

static void
settle(struct run *r)
{
	struct cut_result	 left;

	r->at_image = false;
	choose_cut(r);
	disk_settle(r->disk, &r->cut, &left);
	r->durable += left.durable;
	r->unsafe += left.unsafe;
}

/* The next cut comes while the file system or registryd still recovers. */
static void
cut_again(struct run *r)
{
	if (guest_restore(r->guest, r->state) == -1)
		errx(1, "no guest");
	if (!guest_command(r->guest, COMMAND_TIME, "configure %s %s",
	    r->durability, r->lines)) {
		failed(r, r->guest, "configure");
		return;
	}
	guest_begin(r->guest, "recover %s %s", r->fs->type, r->options);
	usleep((useconds_t)(dice(&r->dice) % RECOVERY_TIME));
	disk_freeze(r->disk);
	guest_kill(r->guest);
	r->n_cuts++;
	settle(r);
}

/* Load, cut, and look at what is left.  False: begin with a fresh disk. */
static bool
cycle(struct run *r)
{
	size_t		 findings = r->n_findings + r->n_fsck;
	unsigned	 i;

	load_and_cut(r);
	r->at_image = true;
	for (i = 0; i < r->images; i++)
		if (!image_check(r)) {
			/* It may hold the file system still. */
			guest_restore(r->checker, r->state);
			return false;
		}
	settle(r);
	if (!r->is_distribution && r->n_cuts < r->cuts &&
	    dice(&r->dice) % 6 == 0)
		cut_again(r);
	if (guest_restore(r->guest, r->state) == -1)
		errx(1, "no guest");
	if (!begin(r, r->guest, false))
		return false;
	look(r, r->guest);
	return findings == r->n_findings + r->n_fsck;
}

static void
progress(const struct run *r, uint64_t start)
{
	printf("%s: cut %zu of %u, %zu images, %zu acknowledged, "
	    "%zu of %zu writes not flushed, %zu found, %llu s\n", r->name,
	    r->n_cuts, r->cuts, r->n_images, load_acks(r->load), r->unsafe,
	    r->durable + r->unsafe,
	    r->n_findings + r->n_fsck + r->n_failed,
	    (unsigned long long)((disk_now() - start) / 1000000000));
	fflush(stdout);
}

static void
run_cuts(struct run *r)
{
	uint64_t	 start = disk_now();
	bool		 fresh = true;
	unsigned	 on_this = 0;

	while (r->n_cuts < r->cuts) {
		if (fresh) {
			r->n_acks += load_acks(r->load);
			guest_kill(r->guest);
			make_fresh(r);
			r->at_image = false;
			if (guest_restore(r->guest, r->state) == -1 ||
			    !begin(r, r->guest, true))
				errx(1, "a fresh file system is no good");
			on_this = 0;
		}
		fresh = !cycle(r) || ++on_this == FRESH;
		progress(r, start);
	}
	r->n_acks += load_acks(r->load);
}

/* ---- start --------------------------------------------------------------- */

static const struct filesystem *
filesystem_find(const char *name)
{
	size_t	 i;

	for (i = 0; i < sizeof(filesystems) / sizeof(*filesystems); i++)
		if (strcmp(filesystems[i].name, name) == 0)
			return &filesystems[i];
	errx(2, "unknown file system %s", name);
}

static void
usage(void)
{
	fprintf(stderr, "usage: powercut [-CD] [-c cuts] [-d durability] "
	    "[-f fs] [-i images]\n\t[-s seed] [-t ms] directory\n");
	exit(2);
}

static unsigned
number(const char *text, unsigned most)
{
	char		*end;
	unsigned long	 n = strtoul(text, &end, 10);

	if (*text == '\0' || *end != '\0' || n > most)
		errx(2, "%s: not a number up to %u", text, most);
	return (unsigned)n;
}

static void
options(struct run *r, int argc, char *argv[])
{
	int	 c;

	while ((c = getopt(argc, argv, "CDc:d:f:i:s:t:")) != -1)
		switch (c) {
		case 'C':
			r->lines = COLLECT;
			break;
		case 'D':
			r->is_distribution = true;
			break;
		case 'c':
			r->cuts = number(optarg, 1000000);
			break;
		case 'd':
			r->durability = optarg;
			break;
		case 'f':
			r->fs = filesystem_find(optarg);
			break;
		case 'i':
			r->images = number(optarg, 1000);
			break;
		case 's':
			r->dice = strtoull(optarg, NULL, 0);
			break;
		case 't':
			r->load_ms = number(optarg, 600000);
			break;
		default:
			usage();
		}
	if (argc - optind != 1 || r->load_ms < 10)
		usage();
	r->dir = argv[optind];
}

/* The first guest's state is the start of all others'. */
static void
prepare(struct run *r)
{
	char	*spare;

	r->image = xasprintf("%s/%s-%d.image", r->dir, r->name,
	    (int)getpid());
	r->state = xasprintf("%s/%s-%d.state", r->dir, r->name,
	    (int)getpid());
	make_image(r);
	r->disk = disk_new(r->image);
	r->spare = disk_new(r->image);
	r->guest = guest_new(r->dir, r->name, r->disk);
	spare = xasprintf("%s-spare", r->name);
	r->checker = guest_new(r->dir, spare, r->spare);
	free(spare);
	r->load = xcalloc(1, sizeof(*r->load));
	load_init(r->load, dice(&r->dice));
	r->load->is_distribution = r->is_distribution;
	r->load->grace = r->lines[0] == '\0' ? 0 : GRACE;
	r->check = xcalloc(1, sizeof(*r->check));
	if (guest_boot(r->checker, BOOT_TIME) == -1 ||
	    guest_save(r->checker, r->state) == -1)
		exit(1);
}

static void
finish(struct run *r)
{
	guest_free(r->guest);
	guest_free(r->checker);
	disk_free(r->disk);
	disk_free(r->spare);
	unlink(r->image);
	unlink(r->state);
	load_reset(r->load);
	free(r->load);
	free(r->check);
	free(r->image);
	free(r->state);
}

int
main(int argc, char *argv[])
{
	struct run	 r = {
		.durability = "full", .lines = "", .fs = &filesystems[0],
		.cuts = 10, .images = 2, .load_ms = 10000,
	};
	int		 i;

	random_bytes(&r.dice, sizeof(r.dice));
	options(&r, argc, argv);
	r.name = xasprintf("%s-%s", r.fs->name, r.is_distribution ?
	    "distribution" : r.durability);
	printf("%s: seed 0x%llx, %s\n", r.name, (unsigned long long)r.dice,
	    guest_uses_kvm() ? "KVM" : "software emulation");
	fflush(stdout);
	prepare(&r);
	run_cuts(&r);
	finish(&r);
	printf("%s: %zu cuts, %zu images, %zu acknowledged, %zu promises "
	    "checked on %zu objects, %zu collected;", r.name, r.n_cuts,
	    r.n_images, r.n_acks, r.n_acked, r.n_objects, r.n_collected);
	for (i = 0; i < FINDING_KINDS; i++)
		printf(" %zu %s,", r.findings[i], finding_name(i));
	printf(" %zu fsck, %zu odd, %zu failed\n", r.n_fsck, r.n_odd,
	    r.n_failed);
	free(r.name);
	return r.n_findings + r.n_fsck + r.n_failed > 0;
}
