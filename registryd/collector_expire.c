/* SPDX-License-Identifier: ISC */
/*
 * The job that expires uploads which nobody has touched for long.  Runs in the
 * collector.
 */
#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "collector_state.h"
#include "log.h"
#include "reference.h"
#include "repo.h"
#include "str.h"
#include "upload.h"

#define REPOS_PER_PAGE	64
#define SLICE_SESSIONS	64

struct expire {				/* in the order of the listing */
	time_t		 before;
	char		**repos;	/* page of names */
	size_t		 nrepos, next;
	bool		 more;
	char		 last[REPO_NAME_SIZE];
	char		 session[256];	/* name seen last; "" */
	uint64_t	 removed, seen;
};

static int
expire_start(struct job *job)
{
	struct expire *e;

	if ((e = calloc(1, sizeof(*e))) == NULL)
		return -1;
	e->before = clock_wall() - (time_t)(job->conf->purge_age_ms / 1000);
	e->more = true;
	job->state = e;
	return 0;
}

static void
expire_free(struct job *job)
{
	struct expire *e = job->state;

	if (e == NULL)
		return;
	store_names_free(e->repos, e->nrepos);
	free(e);
	job->state = NULL;
}

/* The next page of repositories; with none left it is over. */
static enum store_result
next_page(struct job *job)
{
	struct expire *e = job->state;

	store_names_free(e->repos, e->nrepos);
	e->repos = NULL;
	e->nrepos = e->next = 0;
	if (!e->more)
		return STORE_OK;
	return repo_list_uploads(job->store, e->last[0] != '\0' ? e->last :
	    NULL, REPOS_PER_PAGE, &e->repos, &e->nrepos, &e->more);
}

static void
expire_one(struct job *job, const char *repo, const char *id)
{
	struct expire *e = job->state;
	enum store_result r;

	if (!upload_id_ok(id))
		return;
	e->seen++;
	r = upload_expire(job->store, repo, id, e->before, job->dryrun);
	switch (r) {
	case STORE_OK:
		e->removed++;
		log_info("upload %s in %s %s: abandoned", id, repo,
		    job->dryrun ? "would be removed" : "removed");
		break;
	case STORE_MISMATCH:		/* still in use */
	case STORE_BUSY:
	case STORE_NOTFOUND:
		break;
	default:
		log_warnx("upload %s in %s: %s", id, repo,
		    store_result_text(r));
	}
}

/* Some sessions of one repository; *done when it has no more. */
static enum store_result
expire_some(struct job *job, const char *repo, bool *done)
{
	struct expire *e = job->state;
	enum store_result r;
	char **ids;
	size_t i, n;
	bool more;

	*done = true;
	r = upload_list(job->store, repo, e->session[0] != '\0' ? e->session :
	    NULL, SLICE_SESSIONS, &ids, &n, &more);
	if (r != STORE_OK)
		return r == STORE_NOTFOUND || r == STORE_INVALID ?
		    STORE_OK : r;
	for (i = 0; i < n; i++)
		expire_one(job, repo, ids[i]);
	/* A name that is no id of ours could not be gone on from. */
	if (more && n > 0 && str_copy(e->session, sizeof(e->session),
	    ids[n - 1]) == 0)
		*done = false;
	store_names_free(ids, n);
	return STORE_OK;
}

static enum store_result
expire_step(struct job *job, unsigned budget_us, bool *done)
{
	struct expire *e = job->state;
	enum store_result r = STORE_OK;
	bool last;

	(void)budget_us;
	*done = false;
	if (e->next == e->nrepos)
		r = next_page(job);
	if (r == STORE_OK && e->nrepos == 0) {
		*done = true;
		return STORE_OK;
	}
	if (r == STORE_OK)
		r = expire_some(job, e->repos[e->next], &last);
	if (r == STORE_OK && last) {
		str_copy(e->last, sizeof(e->last), e->repos[e->next++]);
		e->session[0] = '\0';
	}
	return r;
}

static void
expire_end(struct job *job, enum store_result r, uint64_t took_ms)
{
	struct expire *e = job->state;

	(void)took_ms;
	if (!job->dryrun)
		job->totals->uploads += e->removed;
	if (r != STORE_OK)
		log_warnx("expiry of uploads stopped: %s",
		    store_result_text(r));
	else if (e->removed > 0)
		log_info("%llu abandoned uploads %s",
		    (unsigned long long)e->removed,
		    job->dryrun ? "would be removed" : "removed");
}

static void
expire_progress(const struct job *job, struct collector_progress *p)
{
	const struct expire *e = job->state;

	p->phase = "expiring uploads";
	p->done = e->seen;
}

const struct job_ops collector_expire_ops = {
	.name = "expire",
	.start = expire_start,
	.step = expire_step,
	.end = expire_end,
	.progress = expire_progress,
	.free = expire_free
};
