/* SPDX-License-Identifier: ISC */
/*
 * Requests of workers that have no body.  Runs in keepers.  Those that change
 * names are committed in groups like bodies; sessions promise nothing yet
 * when they begin, and nothing any more when they are cancelled.
 */
#include <stdlib.h>

#include "keeper_commit.h"
#include "keeper_msg.h"
#include "keeper_worker.h"
#include "messages.h"
#include "reference.h"
#include "repo.h"
#include "tag.h"
#include "upload.h"

typedef enum store_result request_fn(struct keeper_request *);

struct keeper_request {
	struct keeper_worker *worker;
	struct keeper_job job;
	uint64_t	 id;
	const char	*what;		/* for the log */
	request_fn	*fn;
	bool		 made;		/* waits for the barrier only */
	struct repo_mount mount;
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

static enum store_result
on_step(void *arg)
{
	struct keeper_request *req = arg;
	enum store_result r;

	if (req->made)
		return STORE_OK;
	r = req->fn(req);
	/* One that has no steps of its own. */
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
		return NULL;
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
	keeper_commit_add(req->worker->keeper, &req->job);
	return 0;
}

/* There is no room for it: the fields are not looked at. */
static int
request_refuse(struct keeper_worker *w, const struct msg *m,
    const char *what)
{
	keeper_reply(w, m->id, what, "a repository", STORE_LIMIT, 0);
	return 0;
}

/* ---- each request ---- */

static enum store_result
mount_blob(struct keeper_request *req)
{
	return repo_mount_step(req->worker->keeper->store, &req->mount,
	    req->repo, req->from, &req->digest);
}

static enum store_result
delete_blob(struct keeper_request *req)
{
	return repo_delete_blob(req->worker->keeper->store, req->repo,
	    &req->digest);
}

static enum store_result
delete_manifest(struct keeper_request *req)
{
	return repo_delete_manifest(req->worker->keeper->store, req->repo,
	    &req->digest);
}

static enum store_result
delete_tag(struct keeper_request *req)
{
	return tag_delete(req->worker->keeper->store, req->repo, req->tag);
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
	r = upload_start(w->keeper->store, repo, id, (enum digest_alg)alg, &u);
	if (r == STORE_OK)
		upload_close(u);
	keeper_reply(w, m->id, "start upload in", repo, r, 0);
	return 0;
}

int
keeper_on_cancel(struct msg_chan *chan, struct msg *m, void *arg)
{
	struct keeper_worker *w = arg;
	char repo[REPO_NAME_SIZE], id[UPLOAD_ID_SIZE];

	(void)chan;
	if (keeper_get_repo(m, repo) == -1 || keeper_get_id(m, id) == -1 ||
	    msg_end(m) == -1)
		return -1;
	keeper_reply(w, m->id, "cancel upload in", repo,
	    upload_cancel(w->keeper->store, repo, id), 0);
	return 0;
}
