/* SPDX-License-Identifier: ISC */
/*
 * The clients of the power cuts on a registry that collects all the time:
 * they push, move, mount and delete for some seconds, then everything that
 * was acknowledged is read back, and so on.
 *
 *	clients [-D] [-r rounds] [-t seconds] [-s seed] port
 *
 * -D: distribution, which lacks some requests, and whose collection spares
 * nothing for being young.  The last line counts what was found.
 */
#include <err.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "check.h"
#include "disk.h"
#include "load.h"

#define GRACE		700000000U	/* ns, of a second; clocks differ */

struct totals {
	size_t	 acked, checked, collected;
	size_t	 findings[FINDING_KINDS];
	unsigned odd;
};

static unsigned
number(const char *text, unsigned max)
{
	unsigned long	 v;
	char		*end;

	errno = 0;
	v = strtoul(text, &end, 10);
	if (errno != 0 || end == text || *end != '\0' || v > max)
		errx(2, "%s: not a number up to %u", text, max);
	return (unsigned)v;
}

static void
one_round(struct load *l, uint16_t port, unsigned seconds, struct totals *t)
{
	static struct check	 c;
	const char		*odd;
	unsigned		 i;

	load_start(l, port);
	sleep(seconds);
	if ((odd = load_odd(l)) != NULL) {
		t->odd++;
		printf("odd: %s\n", odd);
	}
	load_stop(l);
	load_wait(l);
	t->acked = load_acks(l);
	check_run(l, port, disk_now(), true, &c);
	t->checked += c.acked;
	t->collected += c.collected;
	for (i = 0; i < FINDING_KINDS; i++)
		t->findings[i] += c.findings[i];
	if (c.text[0] != '\0')
		printf("%s", c.text);
	fflush(stdout);
}

static size_t
report(const struct totals *t)
{
	size_t	 n = t->odd;
	unsigned i;

	printf("%zu acknowledged, %zu read back, %zu collected:", t->acked,
	    t->checked, t->collected);
	for (i = 0; i < FINDING_KINDS; i++) {
		n += t->findings[i];
		printf(" %zu %s,", t->findings[i], finding_name(i));
	}
	printf(" %u odd answers\n", t->odd);
	return n;
}

int
main(int argc, char **argv)
{
	unsigned	 rounds = 3, seconds = 5, i;
	struct totals	 totals = { .acked = 0 };
	struct load	*l;
	bool		 is_distribution = false;
	uint64_t	 seed = (uint64_t)time(NULL);
	uint16_t	 port;
	int		 ch;

	if ((l = calloc(1, sizeof(*l))) == NULL)
		err(1, NULL);
	while ((ch = getopt(argc, argv, "Dr:t:s:")) != -1)
		switch (ch) {
		case 'D':
			is_distribution = true;
			break;
		case 'r':
			rounds = number(optarg, 100000);
			break;
		case 't':
			seconds = number(optarg, 3600);
			break;
		case 's':
			seed = number(optarg, UINT32_MAX);
			break;
		default:
			errx(2, "usage: clients [-D] [-r rounds] "
			    "[-t seconds] [-s seed] port");
		}
	if (optind != argc - 1)
		errx(2, "which port?");
	port = (uint16_t)number(argv[optind], UINT16_MAX);
	printf("seed %llu\n", (unsigned long long)seed);
	load_init(l, seed);
	l->is_distribution = is_distribution;
	l->grace = is_distribution ? 1 : GRACE;
	for (i = 0; i < rounds; i++)
		one_round(l, port, seconds, &totals);
	return report(&totals) == 0 ? 0 : 1;
}
