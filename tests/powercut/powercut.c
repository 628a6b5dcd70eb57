/* SPDX-License-Identifier: ISC */
/*
 * usage: powercut [-D] [-C every] [-c cuts] [-d durability] [-f fs]
 *	    [-i images] [-r totals] [-s seed] [-t ms] directory
 *
 * Runs registryd (-D: distribution) in a virtual machine on a disk whose
 * write cache is volatile, under load, and kills the machine.  After each
 * such cut the disk is left with what had been flushed and some of the rest;
 * the same machine is started on it again, everything that was acknowledged
 * is read back, and the load goes on.  For each cut, "images" more cuts at
 * other moments of the same load are looked at in a second machine.
 *
 * With -C garbage is collected all the time, beside the load, on one of
 * "every" disks; each disk sees some cuts.  With -r what was counted is kept
 * in a file, and a run that was broken off goes on from there.
 *
 * What is found is printed, and kept in directory/found-*.  Exits 1 then.
 */
#include <err.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "check.h"
#include "disk.h"
#include "guest.h"
#include "load.h"
#include "random.h"
#include "run.h"
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

/* ---- the disk ------------------------------------------------------------ */

/*
 * It keeps its options: xfs reads the whole log by the size of log buffers
 * in its oldest record, and takes records behind it for torn when
 * "logbsize" was another after a recovery.
 */
static void
make_fresh(struct run *r)
{
	size_t	 disks = r->totals.n[TOTAL_DISKS]++;
	bool	 collects = r->collect != 0 && disks % r->collect == 0;

	filesystem_make(r->fs, r->image);
	r->options = r->fs->options[dice(&r->dice) % 4];
	r->lines = collects ? COLLECT : "";
	disk_reload(r->disk);
	load_reset(r->load);
	r->load->grace = collects ? GRACE : 0;
	r->acks_seen = 0;
}

static bool
collects(const struct run *r)
{
	return r->lines[0] != '\0';
}

/* ---- one guest on one disk ----------------------------------------------- */

/* The guest cannot do it: the harness or the file system has failed. */
static bool
failed(struct run *r, const struct guest *g, enum total kind, const char *what)
{
	r->totals.n[kind]++;
	found_keep(r, what, guest_said(g));
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
	return done || failed(r, g, TOTAL_FAILED,
	    "the registry does not start");
}

static void
fsck(struct run *r, struct guest *g)
{
	if (!guest_command(g, COMMAND_TIME, "fsck")) {
		failed(r, g, TOTAL_FSCK, "fsck");
	} else if (guest_said(g)[0] != '\0') {
		if (r->totals.n[TOTAL_ODD]++ == 0)
			printf("%s: odd after cut %zu:\n%s", r->name,
			    r->totals.n[TOTAL_CUTS], guest_said(g));
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
	    r->lines))
		return failed(r, g, TOTAL_FAILED, "configure");
	if (!guest_command(g, COMMAND_TIME, "mount %s %s", r->fs->type,
	    r->options))
		return failed(r, g, TOTAL_UNMOUNTABLE, "mount");
	if (!fresh && !r->is_distribution)
		fsck(r, g);
	return serve(r, g);
}

static void
look(struct run *r, struct guest *g)
{
	check_run(r->load, guest_port(g), r->cut.time, !r->at_image,
	    r->check);
	found_count(r);
	if (check_findings(r->check) == 0)
		return;
	found_keep(r, "what was promised is not there", r->check->text);
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
	r->totals.n[TOTAL_IMAGES]++;
	if (!begin(r, r->checker, false))
		return false;
	look(r, r->checker);
	if (!guest_command(r->checker, COMMAND_TIME, "stop") ||
	    !guest_command(r->checker, COMMAND_TIME, "umount"))
		return failed(r, r->checker, TOTAL_FAILED, "umount");
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
		r->totals.n[TOTAL_UNSERVED]++;
		printf("%s: FOUND in the load: %s\n", r->name, odd);
		guest_command(r->guest, COMMAND_TIME, "log 30");
		fputs(guest_said(r->guest), stdout);
	}
	load_stop(r->load);
	/* The machine takes a while to die. */
	disk_freeze(r->disk);
	guest_kill(r->guest);
	load_wait(r->load);
	r->totals.n[TOTAL_CUTS]++;
	r->totals.n[TOTAL_COLLECTING] += collects(r);
}

static void
settle(struct run *r)
{
	struct cut_result	 left;

	r->at_image = false;
	choose_cut(r);
	disk_settle(r->disk, &r->cut, &left);
	r->totals.n[TOTAL_WRITES] += left.durable + left.unsafe;
	r->totals.n[TOTAL_UNSAFE] += left.unsafe;
}

/* The next cut comes while the file system or registryd still recovers. */
static void
cut_again(struct run *r)
{
	if (guest_restore(r->guest, r->state) == -1)
		errx(2, "no guest");
	if (!guest_command(r->guest, COMMAND_TIME, "configure %s %s",
	    r->durability, r->lines)) {
		failed(r, r->guest, TOTAL_FAILED, "configure");
		return;
	}
	guest_begin(r->guest, "recover %s %s", r->fs->type, r->options);
	usleep((useconds_t)(dice(&r->dice) % RECOVERY_TIME));
	disk_freeze(r->disk);
	guest_kill(r->guest);
	r->totals.n[TOTAL_CUTS]++;
	r->totals.n[TOTAL_COLLECTING] += collects(r);
	r->totals.n[TOTAL_RECOVERY]++;
	settle(r);
}

/* Load, cut, and look at what is left.  False: begin with a fresh disk. */
static bool
cycle(struct run *r)
{
	size_t		 bad = totals_bad(&r->totals);
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
	if (!r->is_distribution && r->totals.n[TOTAL_CUTS] < r->cuts &&
	    dice(&r->dice) % 6 == 0)
		cut_again(r);
	if (guest_restore(r->guest, r->state) == -1)
		errx(2, "no guest");
	if (!begin(r, r->guest, false))
		return false;
	look(r, r->guest);
	return bad == totals_bad(&r->totals);
}

static void
count_acks(struct run *r)
{
	size_t	 acks = load_acks(r->load);

	r->totals.n[TOTAL_ACKNOWLEDGED] += acks - r->acks_seen;
	r->acks_seen = acks;
}

static void
progress(struct run *r)
{
	const size_t	*n = r->totals.n;

	if (r->totals_path != NULL)
		totals_save(&r->totals, r->totals_path);
	printf("%s: cut %zu of %u%s, %zu images, %zu acknowledged, "
	    "%zu of %zu writes not flushed, %zu found, %zu s\n", r->name,
	    n[TOTAL_CUTS], r->cuts, collects(r) ? ", collecting" : "",
	    n[TOTAL_IMAGES], n[TOTAL_ACKNOWLEDGED], n[TOTAL_UNSAFE],
	    n[TOTAL_WRITES], totals_bad(&r->totals), n[TOTAL_SECONDS]);
	fflush(stdout);
}

static void
run_cuts(struct run *r)
{
	uint64_t	 start = disk_now();
	size_t		 before = r->totals.n[TOTAL_SECONDS];
	bool		 fresh = true;
	unsigned	 on_this = 0;

	while (r->totals.n[TOTAL_CUTS] < r->cuts) {
		if (fresh) {
			guest_kill(r->guest);
			make_fresh(r);
			r->at_image = false;
			if (guest_restore(r->guest, r->state) == -1 ||
			    !begin(r, r->guest, true))
				errx(2, "a fresh file system is no good");
			on_this = 0;
		}
		fresh = !cycle(r) || ++on_this == FRESH;
		count_acks(r);
		r->totals.n[TOTAL_SECONDS] = before +
		    (size_t)((disk_now() - start) / 1000000000);
		progress(r);
	}
}

/* ---- start --------------------------------------------------------------- */

static void
usage(void)
{
	fprintf(stderr, "usage: powercut [-D] [-C every] [-c cuts] "
	    "[-d durability] [-f fs]\n\t[-i images] [-r totals] [-s seed] "
	    "[-t ms] directory\n");
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

	while ((c = getopt(argc, argv, "C:Dc:d:f:i:r:s:t:")) != -1)
		switch (c) {
		case 'C':
			r->collect = number(optarg, 1000000);
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
		case 'r':
			r->totals_path = optarg;
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
	filesystem_make(r->fs, r->image);
	r->disk = disk_new(r->image);
	r->spare = disk_new(r->image);
	r->guest = guest_new(r->dir, r->name, r->disk);
	spare = xasprintf("%s-spare", r->name);
	r->checker = guest_new(r->dir, spare, r->spare);
	free(spare);
	r->load = xcalloc(1, sizeof(*r->load));
	load_init(r->load, dice(&r->dice));
	r->load->is_distribution = r->is_distribution;
	r->check = xcalloc(1, sizeof(*r->check));
	if (guest_boot(r->checker, BOOT_TIME) == -1 ||
	    guest_save(r->checker, r->state) == -1)
		exit(2);
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
		.durability = "full", .lines = "", .cuts = 10, .images = 2,
		.load_ms = 10000,
	};

	random_bytes(&r.dice, sizeof(r.dice));
	r.fs = filesystem_find("ext4");
	options(&r, argc, argv);
	if (r.totals_path != NULL)
		totals_load(&r.totals, r.totals_path);
	r.name = xasprintf("%s-%s", r.fs->name, r.is_distribution ?
	    "distribution" : r.durability);
	printf("%s: seed 0x%llx, %s\n", r.name, (unsigned long long)r.dice,
	    guest_uses_kvm() ? "KVM" : "software emulation");
	fflush(stdout);
	prepare(&r);
	run_cuts(&r);
	finish(&r);
	printf("%s: ", r.name);
	totals_print(&r.totals, stdout);
	free(r.name);
	return totals_bad(&r.totals) > 0;
}
