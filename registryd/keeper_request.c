/* SPDX-License-Identifier: ISC */
/*
 * Requests of workers that have no body.  Runs in keepers.  Those that change
 * names are committed in groups like bodies; sessions promise nothing yet
 * when they begin, and nothing any more when they are cancelled.
 */
#include <stdlib.h>

#include "clock.h"
#include "keeper_commit.h"
#include "keeper_msg.h"
#include "keeper_worker.h"
#include "messages.h"
#include "reference.h"
#include "repo_delete.h"
#include "upload.h"

#define RECOUNT_MS	10000
#define PROGRESS_MS	2000

typedef enum store_result request_fn(struct keeper_request *);

struct keeper_request {
	struct keeper_worker *worker;
	struct keeper_job job;
	uint64_t	 id;
	const char	*what;		/* for the log */
	request_fn	*fn;
	bool		 made;		/* waits for the barrier only */
	uint64_t	 progress_ms;	/* when it was told last */
	struct repo_mount mount;
	struct blob_delete *blob;
	struct manifest_delete *manifest;
	char		 repo[REPO_NAME_SIZE];
	char		 from[REPO_NAME_SIZE];
	char		 tag[TAG_SIZE];
	struct digest	 digest;
	LIST_ENTRY(keeper_request) entry;
};

static void
request_free(struct keeper_request *req)
{
	keeper_commit_cancel(&req->job);
	repo_mount_done(req->worker->keeper->store, &req->mount);
	blob_delete_free(req->blob);
	manifest_delete_free(req->manifest);
	LIST_REMOVE(req, entry);
	req->worker->nrequests--;
	free(req);
}

void
keeper_requests_abort(struct keeper_worker *w)
{
	struct keeper_request *req;

	while ((req = LIST_FIRST(&w->requests)) != NULL)
		request_free(req);
}

static request_fn mount_blob;

/* The worker gives up on one that says nothing for too long. */
static void
tell_progress(struct keeper_request *req)
{
	uint64_t now = clock_monotonic_ms();

	if (now - req->progress_ms < PROGRESS_MS)
		return;
	req->progress_ms = now;
	(void)msg_send_empty(req->worker->chan, KEEPER_PROGRESS, req->id);
}

static enum store_result
on_step(void *arg)
{
	struct keeper_request *req = arg;
	enum store_result r;

	if (req->made)
		return STORE_OK;
	if ((r = keeper_may_write(req->worker->keeper)) != STORE_OK)
		return r;
	r = req->fn(req);
	/* What makes room may have what is kept back for it. */
	if (r == STORE_NOSPACE && req->fn != mount_blob &&
	    store_release(req->worker->keeper->store))
		r = req->fn(req);
	if (r == STORE_MORE)
		tell_progress(req);
	/* Those of deletions pass no barrier at the end. */
	if (r == STORE_OK && req->fn != mount_blob &&
	    store_batched(req->worker->keeper->store)) {
		req->made = true;
		return STORE_AGAIN;
	}
	return r;
}

static void
on_committed(enum store_result r, void *arg)
{
	struct keeper_request *req = arg;

	keeper_reply(req->worker, req->id, req->what, req->repo, r, 0);
	request_free(req);
}

static struct keeper_request *
request_new(struct keeper_worker *w, const char *what, request_fn *fn)
{
	struct keeper_request *req;

	if (w->nrequests >= KEEPER_MAX_REQUESTS ||
	    (req = calloc(1, sizeof(*req))) == NULL)
		return NULL;		/* see request_refuse() */
	req->worker = w;
	req->what = what;
	req->fn = fn;
	req->job.step = on_step;
	req->job.done = on_committed;
	req->job.arg = req;
	LIST_INSERT_HEAD(&w->requests, req, entry);
	w->nrequests++;
	return req;
}

/* The fields have been read: 0, or -1 when they were nonsense. */
static int
request_start(struct keeper_request *req, struct msg *m, bool fields_ok)
{
	if (!fields_ok || msg_end(m) == -1) {
		request_free(req);
		return -1;
	}
	req->id = m->id;
	req->progress_ms = clock_monotonic_ms();
	keeper_commit_add(req->worker->keeper, &req->job);
	return 0;
}

/* There is no room for it: the fields are not looked at. */
static int
request_refuse(struct keeper_worker *w, const struct msg *m,
    const char *what)
{
	keeper_reply(w, m->id, what, "a repository", w->nrequests >=
	    KEEPER_MAX_REQUESTS ? STORE_LIMIT : STORE_NOMEM, 0);
	return 0;
}

/* ---- each request ---- */

static enum store_result
mount_blob(struct keeper_request *req)
{
	struct store *s = req->worker->keeper->store;
	enum store_result r;

	if ((r = store_room(s, 0)) != STORE_OK)
		return r;
	return repo_mount_step(s, &req->mount, req->repo, req->from,
	    &req->digest);
}

static enum store_result
delete_blob(struct keeper_request *req)
{
	struct store *s = req->worker->keeper->store;

	if (req->blob == NULL)
		req->blob = blob_delete_new(s, req->repo, &req->digest);
	return req->blob == NULL ? STORE_NOMEM : blob_delete_step(req->blob);
}

static enum store_result
delete_manifest(struct keeper_request *req)
{
	struct store *s = req->worker->keeper->store;

	if (req->manifest == NULL)
		req->manifest = manifest_delete_new(s, req->repo,
		    &req->digest);
	return req->manifest == NULL ? STORE_NOMEM :
	    manifest_delete_step(req->manifest);
}

static enum store_result
delete_tag(struct keeper_request *req)
{
	return repo_delete_tag(req->worker->keeper->store, req->repo,
	    req->tag);
}

int
keeper_on_mount(struct msg_chan *chan, struct msg *m, void *arg)
{
	static const char what[] = "mount blob in";
	struct keeper_request *req;

	(void)chan;
	if ((req = request_new(arg, what, mount_blob)) == NULL)
		return request_refuse(arg, m, what);
	return request_start(req, m, keeper_get_repo(m, req->repo) == 0 &&
	    keeper_get_repo(m, req->from) == 0 &&
	    keeper_get_digest(m, &req->digest) == 0);
}

int
keeper_on_blob_delete(struct msg_chan *chan, struct msg *m, void *arg)
{
	static const char what[] = "delete blob in";
	struct keeper_request *req;

	(void)chan;
	if ((req = request_new(arg, what, delete_blob)) == NULL)
		return request_refuse(arg, m, what);
	return request_start(req, m, keeper_get_repo(m, req->repo) == 0 &&
	    keeper_get_digest(m, &req->digest) == 0);
}

int
keeper_on_manifest_delete(struct msg_chan *chan, struct msg *m, void *arg)
{
	static const char what[] = "delete manifest in";
	struct keeper_request *req;

	(void)chan;
	if ((req = request_new(arg, what, delete_manifest)) == NULL)
		return request_refuse(arg, m, what);
	return request_start(req, m, keeper_get_repo(m, req->repo) == 0 &&
	    keeper_get_digest(m, &req->digest) == 0);
}

int
keeper_on_tag_delete(struct msg_chan *chan, struct msg *m, void *arg)
{
	static const char what[] = "delete tag in";
	struct keeper_request *req;

	(void)chan;
	if ((req = request_new(arg, what, delete_tag)) == NULL)
		return request_refuse(arg, m, what);
	return request_start(req, m, keeper_get_repo(m, req->repo) == 0 &&
	    keeper_get_tag(m, req->tag) == 0);
}

/*
 * Other keepers begin and end sessions too, so the number is a guess until
 * it gets too large; then they are counted, but not all the time.
 */
static enum store_result
admit_to_all(struct keeper *k)
{
	uint64_t now = clock_monotonic_ms();
	enum store_result r;
	size_t n;

	if (k->max_uploads_total == 0 || k->uploads < k->max_uploads_total)
		return STORE_OK;
	if (k->counted_ms != 0 && now - k->counted_ms < RECOUNT_MS)
		return STORE_LIMIT;
	r = upload_count_all(k->store, (size_t)k->max_uploads_total, &n);
	if (r != STORE_OK)
		return r;
	k->uploads = n;
	k->counted_ms = now;
	return n < k->max_uploads_total ? STORE_OK : STORE_LIMIT;
}

static enum store_result
admit_upload(struct keeper *k, const char *repo)
{
	enum store_result r;
	size_t n;

	if ((r = keeper_may_write(k)) != STORE_OK ||
	    (r = store_room(k->store, 0)) != STORE_OK ||
	    (r = admit_to_all(k)) != STORE_OK || k->max_uploads == 0)
		return r;
	r = upload_count(k->store, repo, (size_t)k->max_uploads, &n);
	return r == STORE_OK && n >= k->max_uploads ? STORE_LIMIT : r;
}

int
keeper_on_start(struct msg_chan *chan, struct msg *m, void *arg)
{
	struct keeper_worker *w = arg;
	char repo[REPO_NAME_SIZE], id[UPLOAD_ID_SIZE];
	struct upload *u;
	enum store_result r;
	uint8_t alg;

	(void)chan;
	if (keeper_get_repo(m, repo) == -1 || keeper_get_id(m, id) == -1)
		return -1;
	alg = msg_get_u8(m);
	if (msg_end(m) == -1 ||
	    (alg != DIGEST_SHA256 && alg != DIGEST_SHA512))
		return -1;
	r = admit_upload(w->keeper, repo);
	if (r == STORE_OK)
		r = upload_start(w->keeper->store, repo, id,
		    (enum digest_alg)alg, &u);
	if (r == STORE_OK) {
		upload_close(u);
		w->keeper->uploads++;
	}
	keeper_reply(w, m->id, "start upload in", repo, r, 0);
	return 0;
}

int
keeper_on_cancel(struct msg_chan *chan, struct msg *m, void *arg)
{
	struct keeper_worker *w = arg;
	char repo[REPO_NAME_SIZE], id[UPLOAD_ID_SIZE];
	enum store_result r;

	(void)chan;
	if (keeper_get_repo(m, repo) == -1 || keeper_get_id(m, id) == -1 ||
	    msg_end(m) == -1)
		return -1;
	r = keeper_may_write(w->keeper);
	if (r == STORE_OK)
		r = upload_cancel(w->keeper->store, repo, id);
	/* It begins by a rename, for which a full disk may have no room. */
	if (r == STORE_NOSPACE && store_release(w->keeper->store))
		r = upload_cancel(w->keeper->store, repo, id);
	if (r == STORE_OK && w->keeper->uploads > 0)
		w->keeper->uploads--;
	keeper_reply(w, m->id, "cancel upload in", repo, r, 0);
	return 0;
}
