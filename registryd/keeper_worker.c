/* SPDX-License-Identifier: ISC */
/*
 * A keeper's channels to workers: what may come over them, and the answers.
 * Every name and digest is checked again: a worker is not trusted, and one
 * that sends nonsense is cut off.
 */
#include "keeper_worker.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "keeper_commit.h"
#include "keeper_msg.h"
#include "layout.h"
#include "log.h"
#include "messages.h"
#include "reference.h"

#define REPO	(4 + REPO_NAME_MAX)
#define ID	(4 + UPLOAD_ID_MAX)
#define DIGEST	(4 + DIGEST_STR_SIZE)
#define REPLY_SIZE	64	/* of one without digests, and more */
#define RULE(type, min, max, fds, handler) \
	{ type, ROLE_WORKER, min, max, fds, handler, #type }

static const struct msg_rule worker_rules[] = {
	RULE(KEEPER_UPLOAD_START, 11, REPO + ID + 1, 0, keeper_on_start),
	RULE(KEEPER_UPLOAD_APPEND, 26, REPO + ID + 16, 1, keeper_on_append),
	RULE(KEEPER_UPLOAD_FINISH, 31, REPO + ID + 17 + DIGEST, 1,
	    keeper_on_finish),
	RULE(KEEPER_UPLOAD_CANCEL, 10, REPO + ID, 0, keeper_on_cancel),
	RULE(KEEPER_BLOB_MOUNT, 13, REPO + REPO + DIGEST, 0,
	    keeper_on_mount),
	RULE(KEEPER_BLOB_DELETE, 9, REPO + DIGEST, 0, keeper_on_blob_delete),
	RULE(KEEPER_MANIFEST_PUT, 41, MSG_MAX_SIZE, 1, keeper_on_manifest),
	RULE(KEEPER_MANIFEST_DELETE, 9, REPO + DIGEST, 0,
	    keeper_on_manifest_delete),
	RULE(KEEPER_TAG_DELETE, 10, REPO + 4 + TAG_MAX, 0,
	    keeper_on_tag_delete),
	RULE(KEEPER_LEASE, 10, REPO + DIGEST + 1, 0, keeper_on_lease),
	RULE(KEEPER_BODY_END, 8, 8, 0, keeper_on_body_end),
	RULE(KEEPER_BODY_ABORT, 0, 0, 0, keeper_on_body_abort)
};

/* ---- channels ---- */

static void
worker_gone(struct keeper_worker *w)
{
	struct keeper *k = w->keeper;

	keeper_bodies_abort(w);
	keeper_requests_abort(w);
	LIST_REMOVE(w, entry);
	k->nworkers--;
	msg_chan_free(w->chan);
	free(w);
	if (k->nworkers == 0 && k->on_alone != NULL)
		k->on_alone(k->arg);
}

void
keeper_worker_cut(struct keeper_worker *w, const char *why)
{
	if (why != NULL) {
		log_warnx("worker %u cut off: %s",
		    msg_chan_instance(w->chan), why);
		if (w->keeper->on_bad != NULL)
			w->keeper->on_bad(w->chan, w->keeper->arg);
	}
	worker_gone(w);
}

static void
on_closed(struct msg_chan *chan, const char *why, void *arg)
{
	(void)chan;
	keeper_worker_cut(arg, why);
}

int
keeper_worker_add(struct keeper *k, unsigned instance, int fd)
{
	struct keeper_worker *w, *old;

	if ((w = calloc(1, sizeof(*w))) == NULL) {
		close(fd);
		return -1;
	}
	w->keeper = k;
	LIST_INIT(&w->bodies);
	LIST_INIT(&w->requests);
	w->chan = msg_chan_new(k->loop, fd, ROLE_WORKER, instance,
	    worker_rules, sizeof(worker_rules) / sizeof(worker_rules[0]),
	    on_closed, w);
	if (w->chan == NULL) {
		free(w);
		return -1;
	}
	LIST_FOREACH(old, &k->workers, entry)
		if (msg_chan_instance(old->chan) == instance)
			break;
	LIST_INSERT_HEAD(&k->workers, w, entry);
	k->nworkers++;
	if (old != NULL)
		keeper_worker_cut(old, NULL);
	return 0;
}

void
keeper_worker_cut_all(struct keeper *k)
{
	struct keeper_worker *w;

	while ((w = LIST_FIRST(&k->workers)) != NULL) {
		(void)msg_chan_flush(w->chan);
		keeper_worker_cut(w, NULL);
	}
	keeper_orphans_end(k);
	keeper_commit_free(k);
}

/*
 * Workers look too, and tell clients why; but what keeps the store as it is
 * must not depend on them.
 */
enum store_result
keeper_may_write(const struct keeper *k)
{
	return store_stat(k->store, LAYOUT_READONLY, NULL) == STORE_OK ?
	    STORE_READONLY : STORE_OK;
}

/* ---- answers ---- */

static bool
result_is_ours(enum store_result r)
{
	switch (r) {
	case STORE_INVALID:
	case STORE_NOSPACE:
	case STORE_READONLY:
	case STORE_NOMEM:
	case STORE_LIMIT:
	case STORE_UNAVAILABLE:
	case STORE_REMOVED:
	case STORE_DENIED:
	case STORE_IO:
		return true;
	default:
		return false;
	}
}

static void
keeper_fail(struct keeper *k)
{
	if (k->failed)
		return;
	k->failed = true;
	errno = store_failure(k->store);
	log_error("store %s: sync of a directory or of the file system "
	    "failed: %s: this process writes no more", store_path(k->store),
	    strerror(errno));
	if (k->on_failed != NULL)
		k->on_failed(k->arg);
}

static void
reply(struct keeper_worker *w, uint64_t id, enum store_result r,
    uint64_t offset, const struct digest *missing, size_t n)
{
	char text[DIGEST_STR_SIZE];
	uint8_t buf[REPLY_SIZE];
	struct msg_out out;
	size_t i;

	if (n > KEEPER_MAX_MISSING)
		n = KEEPER_MAX_MISSING;
	/* To say that there is no memory must need none. */
	msg_begin_on(&out, KEEPER_REPLY, id, buf, sizeof(buf));
	msg_put_u32(&out, r);
	msg_put_u64(&out, offset);
	msg_put_u32(&out, (uint32_t)n);
	for (i = 0; i < n; i++)
		msg_put_str(&out, digest_format(text, &missing[i]));
	if (out.failed && n > 0) {
		msg_drop(&out);
		reply(w, id, STORE_NOMEM, 0, NULL, 0);
		return;
	}
	/* Without its answer the worker gives up after its timeout. */
	if (msg_send(w->chan, &out) == -1 && errno != EPIPE)
		log_warn("reply to worker %u", msg_chan_instance(w->chan));
	if (store_failure(w->keeper->store) != 0)
		keeper_fail(w->keeper);
}

void
keeper_reply(struct keeper_worker *w, uint64_t id, const char *what,
    const char *repo, enum store_result r, uint64_t offset)
{
	int error = errno;

	if (what != NULL && (store_result_is_io(r) ||
	    r == STORE_UNAVAILABLE)) {
		errno = error;
		log_warn("%s %s", what, repo);
	} else if (what != NULL && result_is_ours(r))
		log_warnx("%s %s: %s", what, repo, store_result_text(r));
	reply(w, id, r, offset, NULL, 0);
}

void
keeper_reply_missing(struct keeper_worker *w, uint64_t id,
    const struct digest *missing, size_t n)
{
	reply(w, id, STORE_MISSING, 0, missing, n);
}

/* ---- fields ---- */

int
keeper_get_repo(struct msg *m, char dst[REPO_NAME_SIZE])
{
	msg_get_str(m, dst, REPO_NAME_SIZE);
	return !m->bad && repo_name_ok(dst) ? 0 : -1;
}

int
keeper_get_id(struct msg *m, char dst[UPLOAD_ID_SIZE])
{
	msg_get_str(m, dst, UPLOAD_ID_SIZE);
	return !m->bad && upload_id_ok(dst) ? 0 : -1;
}

int
keeper_get_tag(struct msg *m, char dst[TAG_SIZE])
{
	msg_get_str(m, dst, TAG_SIZE);
	return !m->bad && tag_ok(dst) ? 0 : -1;
}

int
keeper_get_digest(struct msg *m, struct digest *d)
{
	char text[DIGEST_STR_SIZE];

	msg_get_str(m, text, sizeof(text));
	return m->bad ? -1 : digest_parse(d, text);
}
