/* SPDX-License-Identifier: ISC */
/*
 * Where calls come from.  A child plays the scenario; what it finds is kept
 * in memory that it shares, as addresses are the same in all children.
 */
#include "sites.h"

#include <sys/mman.h>

#include <err.h>
#include <execinfo.h>
#include <stdlib.h>
#include <string.h>

#include "beneath.h"
#include "child.h"
#include "seen.h"

#define FRAMES	64

struct sites {
	uint64_t	 seen[SITES_MAX];	/* hashes; 0: free */
	size_t		 nseen;
	/* Of the scenario at work: */
	const struct scenario *scenario;
	struct world	*world;
	unsigned	 calls, fresh;
	bool		 first[SITES_MAX_CALLS];
};

struct sites *
sites_new(void)
{
	void *frames[FRAMES];
	struct sites *sites;

	sites = mmap(NULL, sizeof(*sites), PROT_READ | PROT_WRITE,
	    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (sites == MAP_FAILED)
		err(2, NULL);
	/* Its first call loads a library. */
	(void)backtrace(frames, FRAMES);
	return sites;
}

static int
on_call(const struct call *call, void *arg)
{
	struct sites *sites = arg;
	void *frames[FRAMES];
	uint64_t h = 14695981039346656037u + (unsigned)call->kind;
	int i, n = backtrace(frames, FRAMES);

	for (i = 0; i < n; i++)
		h = (h ^ (uintptr_t)frames[i]) * 1099511628211u;
	if (++sites->calls >= SITES_MAX_CALLS)
		errx(2, "%s: too many calls", sites->scenario->name);
	sites->first[sites->calls] = seen_add(sites->seen, SITES_MAX,
	    &sites->nseen, h);
	sites->fresh += sites->first[sites->calls];
	return 0;
}

static void
play_here(void *arg)
{
	struct sites *sites = arg;

	scenario_prepare(sites->world, sites->scenario);
	beneath_watch(on_call, NULL, sites);
	(void)scenario_play(sites->world, sites->scenario, false, NULL, NULL);
	beneath_stop();
}

unsigned
sites_learn(struct sites *sites, struct world *w, const struct scenario *s,
    enum store_durability mode, bool first[SITES_MAX_CALLS])
{
	sites->world = w;
	sites->scenario = s;
	sites->calls = sites->fresh = 0;
	memset(sites->first, 0, sizeof(sites->first));
	world_begin(w, mode);
	if (child_run(w, play_here, sites) != 0 || sites->calls == 0)
		errx(2, "%s: cannot be played: %s", s->name, w->why);
	world_end(w);
	memcpy(first, sites->first, sizeof(sites->first));
	return sites->fresh;
}
