/* SPDX-License-Identifier: ISC */
/*
 * Requests of registryctl in the collector.  Jobs run in slices and tell of
 * their progress; everything else is done at once, while clients are served
 * by others.  Who may connect has been decided by the socket.
 */
#include "collector_control.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "admin.h"
#include "clock.h"
#include "collector_health.h"
#include "control.h"
#include "layout.h"
#include "log.h"

#define PROGRESS_MS	200

/* Who waits for a job that he has asked for. */
struct waiter {
	struct collector_control *control;
	struct control_call *call;	/* NULL: nobody */
	enum collector_job job;
	struct collector_options options;
	bool		 started;	/* else another one has to end first */
};

struct collector_control {
	struct control	*control;
	struct store	*store;
	const struct registry_conf *conf;
	struct collector_jobs *jobs;
	const struct restarts *restarts;
	time_t		 since;
	struct waiter	 waiters[COLLECTOR_NJOBS];	/* one for each */
	struct loop_timer *timer;
};

/* ---- jobs ---- */

static void	 on_job_end(enum collector_job, enum store_result, void *);

/* What was asked for begins when what is at work has ended. */
static void
try_start(struct waiter *w)
{
	struct control_call *call = w->call;
	enum store_result r;

	r = collector_start(w->control->jobs, w->job, &w->options, on_job_end,
	    w);
	if (r == STORE_BUSY)
		return;
	w->started = true;
	if (r == STORE_OK)
		return;
	w->call = NULL;
	control_error(call, "%s", store_result_text(r));
}

static void
on_progress(void *arg)
{
	struct collector_control *c = arg;
	struct collector_progress p;
	struct waiter *w;
	bool any = false;
	size_t i;

	for (i = 0; i < COLLECTOR_NJOBS; i++) {
		w = &c->waiters[i];
		if (w->call != NULL && !w->started)
			try_start(w);
		if (w->call == NULL)
			continue;
		any = true;
		collector_progress(c->jobs, &p);
		control_progress(w->call, json_pack("{ss ss sI sI}", "job",
		    collector_job_name(p.job), "phase", p.phase, "done",
		    (json_int_t)p.done, "total", (json_int_t)p.total));
	}
	if (any)
		loop_timer_start(c->timer, PROGRESS_MS);
}

/* A run that another process has is no report. */
static void
answer_collect(const struct waiter *w, struct control_call *call,
    enum store_result r)
{
	const struct gc_report *report;
	enum store_result last;
	uint64_t took;

	report = collector_last(w->control->jobs, &last, &took);
	if (r == STORE_BUSY || report == NULL)
		control_error(call, "another process is collecting: try "
		    "again later");
	else
		control_result(call, admin_gc_report(report, r == STORE_OK ?
		    "ok" : store_result_text(r), took, w->options.dryrun));
}

static void
answer_scrub(const struct waiter *w, struct control_call *call,
    enum store_result r)
{
	const struct scrub_report *report;
	enum store_result last;
	uint64_t took;

	report = collector_last_scrub(w->control->jobs, &last, &took);
	control_result(call, admin_scrub_report(report, r == STORE_OK ?
	    "ok" : store_result_text(r), took));
}

static void
on_job_end(enum collector_job job, enum store_result r, void *arg)
{
	struct waiter *w = arg;
	struct control_call *call = w->call;

	w->call = NULL;
	if (call == NULL)
		return;
	if (job == COLLECTOR_SCRUB)
		answer_scrub(w, call, r);
	else
		answer_collect(w, call, r);
}

static void
on_gone(struct control_call *call, void *arg)
{
	struct waiter *w = arg;

	w->call = NULL;
	collector_cancel(w->control->jobs, w);
	control_error(call, "gone");
}

static void
start_job(struct collector_control *c, struct control_call *call,
    enum collector_job job, const json_t *request)
{
	struct collector_options options = {
		.dryrun = json_is_true(json_object_get(request, "dry_run")),
		.rate = c->conf->scrub_rate
	};
	json_t *rate = json_object_get(request, "rate");
	struct waiter *w = &c->waiters[job];

	if (json_is_integer(rate) && json_integer_value(rate) >= 0)
		options.rate = (uint64_t)json_integer_value(rate);
	if (!options.dryrun && (c->conf->readonly || store_stat(c->store,
	    LAYOUT_READONLY, NULL) == STORE_OK)) {
		control_error(call, c->conf->readonly ?
		    "the configuration says read-only" :
		    "the registry is read-only: run \"registryctl readonly "
		    "off\" first");
		return;
	}
	if (w->call != NULL) {
		control_error(call, "somebody else waits for %s: try again "
		    "later", collector_job_name(job));
		return;
	}
	w->control = c;
	w->call = call;
	w->job = job;
	w->options = options;
	w->started = false;
	control_on_gone(call, on_gone, w);
	on_progress(c);
}

/* ---- the state ---- */

static const char *
readonly_text(const struct collector_control *c)
{
	if (c->conf->readonly)
		return "configured";
	if (store_stat(c->store, LAYOUT_READONLY, NULL) == STORE_OK)
		return "on";
	return "off";
}

static json_t *
totals_json(const struct collector_totals *t)
{
	return json_pack("{sI sI sI sI sI sI}", "collections",
	    (json_int_t)t->runs, "failures", (json_int_t)t->failures,
	    "deleted", (json_int_t)t->deleted, "deleted_bytes",
	    (json_int_t)t->deleted_bytes, "restored", (json_int_t)t->restored,
	    "uploads_expired", (json_int_t)t->uploads);
}

static void
answer_status(struct collector_control *c, struct control_call *call)
{
	static const char *const durabilities[] = { "full", "batch", "none" };
	struct trouble_list health = { .items = NULL };
	const struct gc_report *report;
	struct collector_progress p;
	enum store_result r;
	uint64_t took;
	json_t *status;
	char when[32];

	collector_progress(c->jobs, &p);
	status = json_pack("{ss si ss ss ss ss so}", "version", VERSION,
	    "parent", (int)getppid(), "collector_since",
	    clock_rfc3339(when, sizeof(when), c->since),
	    "directory", store_path(c->store), "durability",
	    durabilities[c->conf->durability], "readonly", readonly_text(c),
	    "totals", totals_json(collector_totals(c->jobs)));
	if (status == NULL) {
		control_error(call, "out of memory");
		return;
	}
	if (p.running)
		json_object_set_new(status, "job", json_pack("{ss ss sI sI}",
		    "job", collector_job_name(p.job), "phase", p.phase,
		    "done", (json_int_t)p.done, "total",
		    (json_int_t)p.total));
	report = collector_last(c->jobs, &r, &took);
	if (report != NULL)
		json_object_set_new(status, "last_collection",
		    admin_gc_report(report, r == STORE_OK ? "ok" :
		    store_result_text(r), took, false));
	json_object_set_new(status, "restarts",
	    collector_restarts_json(c->restarts));
	/* What the directory shows is for registryctl to see by itself. */
	health.items = json_array();
	collector_health(&health, c->jobs, c->restarts);
	json_object_set_new(status, "degraded", health.items);
	control_result(call, status);
}

/* ---- requests ---- */

static void
on_request(struct control_call *call, const char *command, json_t *request,
    void *arg)
{
	struct collector_control *c = arg;
	char error[ADMIN_ERROR_SIZE];
	json_t *result;

	if (strcmp(command, "status") == 0) {
		answer_status(c, call);
		return;
	}
	if (strcmp(command, "collect") == 0) {
		start_job(c, call, COLLECTOR_COLLECT, request);
		return;
	}
	if (strcmp(command, "scrub") == 0) {
		start_job(c, call, COLLECTOR_SCRUB, request);
		return;
	}
	result = admin_run(c->store, command, request, error, sizeof(error));
	if (strstr(command, "-") != NULL || strcmp(command, "readonly") == 0)
		log_info("registryctl, user %u: %s: %s",
		    (unsigned)control_uid(call), command,
		    result != NULL ? "done" : error);
	/*
	 * What it leaves in the trash goes in slices; and where nothing could
	 * be synced, the end of a job is where this process is replaced.
	 */
	if (strcmp(command, "repository-remove") == 0 ||
	    store_failure(c->store) != 0)
		collector_soon(c->jobs, COLLECTOR_SWEEP);
	if (result != NULL)
		control_result(call, result);
	else
		control_error(call, "%s", error);
}

struct collector_control *
collector_control_new(struct loop *loop, int fd, struct store *s,
    const struct registry_conf *conf, struct collector_jobs *jobs,
    const struct restarts *restarts)
{
	struct collector_control *c;
	int saved;

	if ((c = calloc(1, sizeof(*c))) == NULL) {
		close(fd);
		return NULL;
	}
	c->store = s;
	c->conf = conf;
	c->jobs = jobs;
	c->restarts = restarts;
	c->since = clock_wall();
	c->control = control_new(loop, fd, on_request, c);
	if (c->control == NULL ||
	    (c->timer = loop_timer_new(loop, on_progress, c)) == NULL) {
		saved = errno;
		collector_control_free(c);
		errno = saved;
		return NULL;
	}
	return c;
}

void
collector_control_free(struct collector_control *c)
{
	size_t i;

	if (c == NULL)
		return;
	for (i = 0; c->jobs != NULL && i < COLLECTOR_NJOBS; i++)
		collector_cancel(c->jobs, &c->waiters[i]);
	control_free(c->control);
	loop_timer_free(c->timer);
	free(c);
}
