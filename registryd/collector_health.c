/* SPDX-License-Identifier: ISC */
/*
 * What the collector knows of the state of the whole registry: how its own
 * jobs have ended, and what the parent tells of the other processes.
 */
#include "collector_health.h"

#include "clock.h"

/* A disk that failed once is not well because it has been quiet since. */
#define SYNC_SHOWN_S	(24 * 60 * 60)

static const char *const role_names[ROLE_MAX + 1] = {
	[ROLE_WORKER] = "workers",
	[ROLE_KEEPER] = "keepers",
	[ROLE_COLLECTOR] = "collectors",
	[ROLE_VERIFIER] = "verifiers",
	[ROLE_MONITOR] = "monitors"
};

static void
look_at_processes(struct trouble_list *list, const struct restarts *r)
{
	uint64_t now = clock_monotonic_ms();
	char when[32];
	unsigned role;

	if (r->sync_failures > 0 &&
	    clock_wall() - r->sync_last < SYNC_SHOWN_S)
		trouble_add(list, TROUBLE_SYNC, "the store could not be "
		    "synced %llu times, the last time at %s; that process "
		    "wrote no more and was replaced",
		    (unsigned long long)r->sync_failures,
		    clock_rfc3339(when, sizeof(when), r->sync_last));
	for (role = 1; role <= ROLE_MAX; role++)
		if (restarts_often(r, role, now))
			trouble_add(list, TROUBLE_RESTARTS, "%s ended %d "
			    "times or more within %d minutes",
			    role_names[role], RESTARTS_OFTEN,
			    (int)(RESTARTS_OFTEN_MS / 60000));
}

static void
look_at_job(struct trouble_list *list, const struct collector_jobs *jobs,
    enum collector_job job, enum trouble trouble, const char *what)
{
	const struct collector_outcome *o = collector_outcome(jobs, job);
	char when[32];

	/* A store that is read-only has a line of its own. */
	if (o->ended == 0 || o->result == STORE_OK ||
	    o->result == STORE_READONLY)
		return;
	trouble_add(list, trouble, "%s at %s failed: %s", what,
	    clock_rfc3339(when, sizeof(when), o->ended),
	    store_result_text(o->result));
}

void
collector_health(struct trouble_list *list,
    const struct collector_jobs *jobs, const struct restarts *restarts)
{
	const struct scrub_report *scrub;
	enum store_result r;
	uint64_t took;

	look_at_processes(list, restarts);
	look_at_job(list, jobs, COLLECTOR_COLLECT, TROUBLE_COLLECT,
	    "the collection");
	look_at_job(list, jobs, COLLECTOR_EXPIRE, TROUBLE_EXPIRE,
	    "the expiry of uploads");
	look_at_job(list, jobs, COLLECTOR_SCRUB, TROUBLE_SCRUB, "the scrub");
	scrub = collector_last_scrub(jobs, &r, &took);
	if (scrub != NULL && scrub->bad + scrub->unreadable > 0)
		trouble_add(list, TROUBLE_BAD_BLOBS, "the last scrub found "
		    "%llu blobs with wrong bytes and %llu that cannot be "
		    "read", (unsigned long long)scrub->bad,
		    (unsigned long long)scrub->unreadable);
}

json_t *
collector_restarts_json(const struct restarts *r)
{
	json_t *object = json_object();
	unsigned role;

	for (role = 1; role <= ROLE_MAX; role++)
		(void)json_object_set_new(object, role_names[role],
		    json_integer((json_int_t)r->roles[role].total));
	(void)json_object_set_new(object, "sync_failures",
	    json_integer((json_int_t)r->sync_failures));
	return object;
}
