/* SPDX-License-Identifier: ISC */
/*
 * usage: crash_errno [-u] [-p PART/PARTS] [-s STEP]
 *            [full|batch|none [SCENARIO]]
 *
 * Plays each scenario again and again and lets its first, second, ... call
 * of the system fail, with each errno, once and for good.  No crash, no
 * success that is none, nothing leaked; and when the fault is over, the
 * client's retry succeeds.  -s: only every STEP-th combination.  -u: of the
 * calls that come from one place (sites.h) only the first, with each errno.
 */
#include "scenario.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "beneath.h"
#include "child.h"
#include "layout.h"
#include "op_admin.h"
#include "oracle.h"
#include "sites.h"
#include "str.h"

#define INTERRUPTIONS	3		/* in a row, for EINTR */

struct fault {
	unsigned	 call;		/* the number of the one that fails */
	int		 error;
	bool		 lasting;	/* and all of its kind from then on */
};

struct trial {
	struct world	*world;
	const struct scenario *scenario;
	struct fault	 fault;
	unsigned	 calls, fired;
	enum call_kind	 kind;
};

static const struct {
	int		 error;
	const char	*name;
	enum store_result result;	/* what it should be called */
} errors[] = {
	{ EIO, "EIO", STORE_IO },
	{ ENOSPC, "ENOSPC", STORE_NOSPACE },
	{ EDQUOT, "EDQUOT", STORE_NOSPACE },
	{ EROFS, "EROFS", STORE_READONLY },
	{ EMFILE, "EMFILE", STORE_LIMIT },
	{ ENOMEM, "ENOMEM", STORE_NOMEM },
	{ EINTR, "EINTR", STORE_IO },
	{ ESTALE, "ESTALE", STORE_UNAVAILABLE },
	{ EACCES, "EACCES", STORE_DENIED },
	{ ELOOP, "ELOOP", STORE_INVALID },
	{ ENOLCK, "ENOLCK", STORE_IO }
};
#define NERRORS	(sizeof(errors) / sizeof(errors[0]))

static int
on_call(const struct call *call, void *arg)
{
	struct trial *t = arg;
	bool again;

	if (++t->calls == t->fault.call) {
		t->kind = call->kind;
		t->fired = 1;
		/* Only a path can meet a symbolic link. */
		return t->fault.error == ELOOP && call->name == NULL ? 0 :
		    t->fault.error;
	}
	again = t->fired > 0 && t->fault.lasting && call->kind == t->kind;
	/* A call that is interrupted for ever is no fault of ours. */
	if (!again || (t->fault.error == EINTR &&
	    t->fired == INTERRUPTIONS) || (t->fault.error == ELOOP &&
	    call->name == NULL))
		return 0;
	t->fired++;
	return t->fault.error;
}

static unsigned
count_entries(const char *path, const char *prefix)
{
	struct dirent *entry;
	unsigned n = 0;
	DIR *dir;

	if ((dir = opendir(path)) == NULL)
		return 0;
	while ((entry = readdir(dir)) != NULL)
		if (entry->d_name[0] != '.' &&
		    str_starts(entry->d_name, prefix))
			n++;
	closedir(dir);
	return n;
}

/* Could the cleaning up have failed for the same reason? */
static bool
spoils_cleaning(const struct trial *t)
{
	if (!t->fault.lasting)
		return t->kind == CALL_UNLINK || t->kind == CALL_RMDIR;
	switch (t->kind) {
	case CALL_OPEN:
	case CALL_UNLINK:
	case CALL_RMDIR:
	case CALL_RENAME:
	case CALL_MKDIR:
	case CALL_LIST:
	case CALL_STAT:
	case CALL_LOCK:
		return true;
	default:
		return false;
	}
}

/* A failed request leaves no session that its client does not know of. */
static bool
check_sessions(struct trial *t)
{
	struct world *w = t->world;
	const struct op *op = &t->scenario->run[w->op];
	char path[LAYOUT_PATH_SIZE], id[SESSION_ID_SIZE] = "push-";

	if (op->kind != OP_PUSH && op->kind != OP_START)
		return true;
	if (op->kind == OP_START)
		world_session(id, w, op->repo, op->session);
	layout_uploads(path, world_repo(op->repo));
	return count_entries(world_path(w, path), id) == 0 ||
	    world_fail(w, "a session is left");
}

static bool
check_leaks(struct trial *t, unsigned fds, enum store_result r)
{
	struct world *w = t->world;
	unsigned now;

	/* Until a barrier the store may keep open what it has to sync. */
	(void)store_barrier(w->store);
	now = count_entries("/proc/self/fd", "");
	if (now != fds)
		return world_fail(w, "%u descriptors, not %u", now, fds);
	if (spoils_cleaning(t) || store_failure(w->store) != 0)
		return true;
	/* It was the cleaning up that failed. */
	if (r == STORE_OK && t->kind == CALL_OPEN)
		return true;
	if (count_entries(world_path(w, LAYOUT_TMP), "") > 0)
		return world_fail(w, "a temporary file is left");
	return r == STORE_OK || check_sessions(t);
}

/* What is interrupted goes on. */
static bool
must_succeed(const struct trial *t)
{
	if (t->fault.error != EINTR)
		return false;
	switch (t->kind) {
	case CALL_OPEN:
	case CALL_CREATE:
	case CALL_CLOSE:
	case CALL_READ:
	case CALL_WRITE:
	case CALL_SYNC:
	case CALL_SYNCFS:
	case CALL_FLUSH:
	case CALL_TRUNCATE:
	case CALL_LOCK:
		return true;
	default:
		return false;
	}
}

static bool
check_result(struct trial *t, enum store_result r)
{
	enum op_kind kind;
	size_t i;

	for (i = 0; errors[i].error != t->fault.error; i++)
		continue;
	if (r != STORE_OK && must_succeed(t))
		return world_fail(t->world, "interrupted: %s",
		    store_result_text(r));
	if (r == STORE_OK || r == errors[i].result)
		return true;
	/* A name that is no file is as good as none, or as none any more. */
	if ((r == STORE_MISSING || r == STORE_NOTFOUND ||
	    r == STORE_REMOVED) && errors[i].result == STORE_INVALID)
		return true;
	/* The administrator is told in words, or in counts. */
	kind = t->scenario->run[t->world->op].kind;
	if (r == STORE_IO && (op_is_admin(kind) || kind == OP_SCRUB))
		return true;
	/* After a sync that failed. */
	if (r == STORE_READONLY && store_failure(t->world->store) != 0)
		return true;
	return world_fail(t->world, "%s is called \"%s\"", errors[i].name,
	    store_result_text(r));
}

/* Bytes that could not be synced are given up, with their session. */
static void
allow_loss(struct trial *t)
{
	struct expect *e = &t->world->expect;
	size_t i, j;

	if (t->kind != CALL_SYNC && t->kind != CALL_SYNCFS &&
	    t->kind != CALL_FLUSH)
		return;
	for (i = 0; i < NREPOS; i++)
		for (j = 0; j < NSESSIONS; j++)
			e->session[i][j].must_exist = false;
}

static enum store_result
retry(struct trial *t)
{
	struct world *w = t->world;

	/* The parent puts another process in its place. */
	if (store_failure(w->store) != 0)
		world_open(w, true);
	return scenario_play(w, t->scenario, true, NULL, NULL);
}

static void
attempt(void *arg)
{
	struct trial *t = arg;
	struct world *w = t->world;
	enum store_result r;
	unsigned fds;

	scenario_prepare(w, t->scenario);
	fds = count_entries("/proc/self/fd", "");
	beneath_watch(on_call, NULL, t);
	r = scenario_play(w, t->scenario, false, NULL, NULL);
	beneath_stop();
	if (t->fired == 0) {
		if (r != STORE_OK)
			world_fail(w, "failed by itself: %s",
			    store_result_text(r));
		return;
	}
	if (r != STORE_OK)
		allow_loss(t);
	if (!check_leaks(t, fds, r) || !check_result(t, r) ||
	    !oracle_check(w, false))
		return;
	if ((r = retry(t)) != STORE_OK) {
		world_fail(w, "retry of \"%s\": %s",
		    op_name(t->scenario->run[w->op].kind),
		    store_result_text(r));
		return;
	}
	(void)oracle_check(w, true);
}

static void
attempt_and_tell(void *arg)
{
	struct trial *t = arg;

	attempt(t);
	world_close(t->world);
	/* Which call it was is told in the message. */
	if (t->world->why[0] != '\0')
		printf("FAIL %s, call %u (%s), %s%s: %s\n", t->scenario->name,
		    t->fault.call, call_kind_name(t->kind),
		    strerrorname_np(t->fault.error),
		    t->fault.lasting ? " for good" : "", t->world->why);
	fflush(stdout);
	if (t->fired == 0)
		_exit(CHILD_UNREACHED);
}

/* False: the scenario makes no such call. */
static bool
fail_at(struct world *w, const struct scenario *s, enum store_durability mode,
    struct fault fault, bool *ok)
{
	struct trial t = { .world = w, .scenario = s, .fault = fault };
	int status;

	world_begin(w, mode);
	status = child_run(w, attempt_and_tell, &t);
	*ok = w->why[0] == '\0';
	if (status != 0 && status != CHILD_UNREACHED)
		printf("FAIL %s, call %u, %s%s: %s\n", s->name, fault.call,
		    strerrorname_np(fault.error), fault.lasting ?
		    " for good" : "", w->why);
	world_end(w);
	return status != CHILD_UNREACHED;
}

struct tally {
	unsigned	 calls, trials, failed, skip;
	struct sites	*sites;		/* NULL: every call */
};

/* -u: only a call that is the first from where it comes. */
static bool
is_wanted(const struct tally *tally, const bool *first, unsigned call)
{
	return tally->sites == NULL || (call < SITES_MAX_CALLS && first[call]);
}

static void
run_scenario(struct world *w, const struct scenario *s,
    const struct child_options *o, struct tally *tally)
{
	static bool first[SITES_MAX_CALLS];
	struct fault fault;
	bool ok, more = true;
	size_t i;

	if (tally->sites != NULL &&
	    sites_learn(tally->sites, w, s, o->mode, first) == 0)
		return;
	for (fault.call = 1; more; fault.call++) {
		if (!is_wanted(tally, first, fault.call)) {
			more = fault.call < SITES_MAX_CALLS;
			continue;
		}
		for (i = 0; i < 2 * NERRORS && more; i++) {
			if (tally->skip++ % o->step != 0)
				continue;
			fault.error = errors[i / 2].error;
			fault.lasting = i % 2 == 1;
			/* A symbolic link is in the way every time. */
			if (fault.error == ELOOP && !fault.lasting)
				continue;
			more = fail_at(w, s, o->mode, fault, &ok);
			tally->trials += more;
			tally->failed += !ok;
		}
		tally->calls += more;
	}
}

int
main(int argc, char *argv[])
{
	struct child_options o;
	struct world *w = world_new();
	struct tally tally = { 0 };
	unsigned played = 0;
	size_t i;

	child_options(&o, argc, argv);
	content_init();
	if (o.sites)
		tally.sites = sites_new();
	for (i = 0; i < nscenarios; i++) {
		if (!child_plays(&o, i, scenarios[i].name))
			continue;
		played++;
		run_scenario(w, &scenarios[i], &o, &tally);
	}
	printf("%u faults at %u calls of %u scenarios in mode %s, "
	    "%u failed\n", tally.trials, tally.calls, played, o.mode_name,
	    tally.failed);
	return tally.failed > 0 || tally.trials == 0;
}
