/* SPDX-License-Identifier: ISC */
/*
 * Each client has repositories of its own, and one kept connection.  Some
 * contents are pushed by several clients, which share what others have by
 * mounting it.
 */
#include "load.h"

#include <err.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "disk.h"
#include "xmem.h"

#define REPOS_MAX	10		/* of one client */
#define TAGS		8		/* of one repository */
#define SHARED_CONTENTS	64		/* seeds that all clients push */
#define CHUNKS_MAX	4
#define PATH_SIZE	1400

#define MANIFEST_HEADER	\
	"Content-Type: application/vnd.oci.image.manifest.v1+json\r\n"
#define BLOB_HEADER	"Content-Type: application/octet-stream\r\n"

typedef bool	 step_fn(struct client *);

static uint64_t
roll(struct client *c, uint64_t n)
{
	return dice(&c->dice) % n;
}

static void __attribute__((__format__(printf, 2, 3)))
odd(struct client *c, const char *fmt, ...)
{
	va_list	 ap;

	if (atomic_load(&c->is_odd))
		return;
	va_start(ap, fmt);
	vsnprintf(c->odd, sizeof(c->odd), fmt, ap);
	va_end(ap);
	atomic_store(&c->is_odd, true);
}

/* True when there is an answer. */
static bool
ask(struct client *c, const char *method, const char *path,
    const char *headers, const void *body, size_t len, struct http_reply *r)
{
	if (http_request(&c->http, method, path, headers, body, len, r))
		return true;
	if (!atomic_load(&c->load->stopping))
		odd(c, "%s %s: no answer: %s", method, path,
		    c->http.trouble);
	return false;
}

/* Any other is odd. */
static bool
is_status(struct client *c, const char *method, const char *path,
    const struct http_reply *r, int status)
{
	if (r->status == status)
		return true;
	odd(c, "%s %s: %d, not %d: %.*s", method, path, r->status, status,
	    (int)(r->len > 200 ? 200 : r->len),
	    r->body == NULL ? "" : (const char *)r->body);
	return false;
}

static bool
call(struct client *c, const char *method, const char *path,
    const char *headers, const void *body, size_t len, int status,
    struct http_reply *r)
{
	return ask(c, method, path, headers, body, len, r) &&
	    is_status(c, method, path, r, status);
}

/* ---- choices ------------------------------------------------------------- */

static void
choose_repo(struct client *c, char repo[NAME_MAX_SIZE])
{
	if (c->repos == 0 || (c->repos < REPOS_MAX && roll(c, 12) == 0))
		c->repos++;
	snprintf(repo, NAME_MAX_SIZE, "c%u/n%u", c->id,
	    (unsigned)roll(c, c->repos));
}

static size_t
choose_size(struct client *c)
{
	uint64_t	 n = roll(c, 100);

	if (n < 65)
		return 1 + roll(c, 4000);
	if (n < 92)
		return 1 + roll(c, 32768);
	if (n < 99)
		return 1 + roll(c, 262144);
	return 1 + roll(c, 1048576);
}

/* The size follows from the seed where others push the same. */
static const struct content *
choose_blob(struct client *c)
{
	uint64_t	 seed;

	if (roll(c, 8) == 0) {
		seed = 1 + roll(c, SHARED_CONTENTS);
		return model_blob(&c->model, seed, 100 + seed * 97);
	}
	return model_blob(&c->model, dice(&c->dice), choose_size(c));
}

/* An object of that kind that is there; any repository when repo is NULL. */
static struct object *
choose_object(struct client *c, enum object_kind kind, const char *repo)
{
	struct object	*o, *found = NULL;
	uint64_t	 n = 0;

	for (o = c->model.objects; o != NULL; o = o->next)
		if (o->kind == kind && o->n_ops > 0 &&
		    object_acked(o, UINT64_MAX) != NULL &&
		    (repo == NULL || strcmp(o->repo, repo) == 0) &&
		    roll(c, ++n) == 0)
			found = o;
	return found;
}

static void
offer(struct client *c, const char *repo, const struct content *content)
{
	struct load	*l = c->load;
	struct offer	*of;

	pthread_mutex_lock(&l->lock);
	of = &l->offers[l->next_offer++ % OFFERS_MAX];
	if (l->n_offers < OFFERS_MAX)
		l->n_offers++;
	snprintf(of->repo, sizeof(of->repo), "%s", repo);
	of->seed = content->seed;
	of->len = content->len;
	pthread_mutex_unlock(&l->lock);
}

/* ---- blobs --------------------------------------------------------------- */

/* On a slow disk a push may take longer than the grace, which is short. */
static bool
was_collected(struct client *c, const struct http_reply *r)
{
	return c->load->grace != 0 && r->status == 503 && r->body != NULL &&
	    memmem(r->body, r->len, "removed before", 14) != NULL;
}

/* The last request of a push: its answer is the promise. */
static bool
commit(struct client *c, const char *repo, const struct content *content,
    const char *method, const char *path, const void *body, size_t len)
{
	struct object		*o;
	struct http_reply	 r;
	size_t			 op;

	o = model_object(&c->model, OBJECT_BLOB, repo, NULL, content);
	op = operation_begin(o, content);
	if (!ask(c, method, path, BLOB_HEADER, body, len, &r) ||
	    was_collected(c, &r) || !is_status(c, method, path, &r, 201))
		return false;
	operation_ack(&c->model, o, op);
	offer(c, repo, content);
	return true;
}

static bool
upload_open(struct client *c, const char *repo, char location[1024])
{
	struct http_reply	 r;
	char			 path[PATH_SIZE];

	snprintf(path, sizeof(path), "/v2/%s/blobs/uploads/", repo);
	if (!call(c, "POST", path, NULL, NULL, 0, 202, &r))
		return false;
	/* Distribution's is absolute. */
	snprintf(location, 1024, "%s", strstr(r.location, "/v2/") == NULL ?
	    r.location : strstr(r.location, "/v2/"));
	return true;
}

static bool
upload_patch(struct client *c, char location[1024], size_t from,
    const uint8_t *data, size_t len)
{
	struct http_reply	 r;
	char			 headers[200];

	snprintf(headers, sizeof(headers), "%sContent-Range: %zu-%zu\r\n",
	    BLOB_HEADER, from, from + len - 1);
	if (!call(c, "PATCH", location, headers, data, len, 202, &r))
		return false;
	snprintf(location, 1024, "%s", strstr(r.location, "/v2/") == NULL ?
	    r.location : strstr(r.location, "/v2/"));
	return true;
}

static void
finish_path(char path[PATH_SIZE], const char *location,
    const struct content *content)
{
	snprintf(path, PATH_SIZE, "%s%cdigest=%s", location,
	    strchr(location, '?') == NULL ? '?' : '&', content->digest);
}

/*
 * Finish an upload that has "from" bytes.  Should there be no answer, it is
 * looked at after the cut, as a client does that tries again.
 */
static bool
upload_commit(struct client *c, const char *repo,
    const struct content *content, const char *location, const uint8_t *data,
    size_t from)
{
	struct object	*o = model_upload(&c->model, repo, content);
	char		 path[PATH_SIZE];
	size_t		 op;

	o->location = xstrdup(location);
	o->sent = content->len;
	op = operation_begin(o, content);
	finish_path(path, location, content);
	if (!commit(c, repo, content, "PUT", path, data + from,
	    content->len - from))
		return false;
	/* No promise of its own. */
	o->ops[op].ack = disk_now();
	return true;
}

static bool
push_at_once(struct client *c, const char *repo, const struct content *content)
{
	char	 path[PATH_SIZE], location[1024];
	uint8_t	*data = content_bytes(content);
	bool	 done;

	/* Distribution answers 202 to the first. */
	if (!c->load->is_distribution && roll(c, 2) == 0) {
		snprintf(path, sizeof(path),
		    "/v2/%s/blobs/uploads/?digest=%s", repo, content->digest);
		done = commit(c, repo, content, "POST", path, data,
		    content->len);
	} else
		done = upload_open(c, repo, location) &&
		    upload_commit(c, repo, content, location, data, 0);
	free(data);
	return done;
}

static bool
push_in_chunks(struct client *c, const char *repo,
    const struct content *content, size_t chunks, struct object *upload)
{
	char	 location[1024];
	uint8_t	*data = content_bytes(content);
	size_t	 i, from = 0, to;
	bool	 done;

	done = upload_open(c, repo, location);

	if (done && upload != NULL)
		upload->location = xstrdup(location);
	for (i = 0; done && i < chunks; i++) {
		to = content->len * (i + 1) / (chunks + 1);
		if (to == from)
			continue;
		if (upload != NULL) {
			upload->sent = to;
			operation_begin(upload, content);
		}
		done = upload_patch(c, location, from, data + from, to - from);
		from = to;
	}
	if (done && upload == NULL)
		done = upload_commit(c, repo, content, location, data, from);
	free(data);
	return done;
}

static bool
push_content(struct client *c, const char *repo, const struct content *content)
{
	if (roll(c, 3) == 0)
		return push_in_chunks(c, repo, content,
		    1 + roll(c, CHUNKS_MAX), NULL);
	return push_at_once(c, repo, content);
}

static bool
step_blob(struct client *c)
{
	char	 repo[NAME_MAX_SIZE];

	choose_repo(c, repo);
	return push_content(c, repo, choose_blob(c));
}

/* What was there before, or still is. */
static bool
step_again(struct client *c)
{
	struct object	*o;
	uint64_t	 n = 0;
	const char	*repo = NULL;
	const struct content	*content = NULL;

	for (o = c->model.objects; o != NULL; o = o->next)
		if (o->kind == OBJECT_BLOB && o->n_ops > 0 &&
		    roll(c, ++n) == 0) {
			repo = o->repo;
			content = o->content;
		}
	return content == NULL ? step_blob(c) :
	    push_content(c, repo, content);
}

/* An upload that nobody continues before the cut. */
static bool
step_leave(struct client *c)
{
	const struct content	*content = choose_blob(c);
	struct object		*o;
	char			 repo[NAME_MAX_SIZE];

	choose_repo(c, repo);
	o = model_upload(&c->model, repo, content);
	return push_in_chunks(c, repo, content, 1 + roll(c, CHUNKS_MAX), o);
}

static bool
step_mount(struct client *c)
{
	struct load		*l = c->load;
	struct offer		 of;
	const struct content	*content;
	struct object		*o;
	struct http_reply	 r;
	char			 repo[NAME_MAX_SIZE], path[PATH_SIZE];
	size_t			 op;

	pthread_mutex_lock(&l->lock);
	if (l->n_offers > 0)
		of = l->offers[roll(c, l->n_offers)];
	else
		memset(&of, 0, sizeof(of));
	pthread_mutex_unlock(&l->lock);
	if (of.len == 0)
		return step_blob(c);
	choose_repo(c, repo);
	content = model_blob(&c->model, of.seed, of.len);
	snprintf(path, sizeof(path), "/v2/%s/blobs/uploads/?mount=%s&from=%s",
	    repo, content->digest, of.repo);
	o = model_object(&c->model, OBJECT_BLOB, repo, NULL, content);
	op = operation_begin(o, content);
	if (!ask(c, "POST", path, NULL, NULL, 0, &r))
		return false;
	if (r.status == 201) {
		operation_ack(&c->model, o, op);
		return true;
	}
	/* Deleted there meanwhile: an upload was opened instead. */
	if (r.status != 202)
		odd(c, "POST %s: %d", path, r.status);
	return r.status == 202 && push_content(c, repo, content);
}

static bool
step_delete_blob(struct client *c)
{
	struct object		*o = choose_object(c, OBJECT_BLOB, NULL);
	struct http_reply	 r;
	char			 path[PATH_SIZE];
	size_t			 op;
	bool			 gone;

	if (o == NULL || model_is_used(&c->model, o->repo, o->content))
		return step_blob(c);
	snprintf(path, sizeof(path), "/v2/%s/blobs/%s", o->repo,
	    o->content->digest);
	gone = model_may_collect(&c->model, o, UINT64_MAX, c->load->grace);
	op = operation_begin(o, NULL);
	if (!ask(c, "DELETE", path, NULL, NULL, 0, &r))
		return false;
	/* What a cut has left of a manifest holds its blobs. */
	if (r.status == 405 &&
	    model_was_used(&c->model, o->repo, o->content)) {
		operation_cancel(o);
		return true;
	}
	if (r.status != 202 && !(gone && r.status == 404)) {
		odd(c, "DELETE %s: %d", path, r.status);
		return false;
	}
	operation_ack(&c->model, o, op);
	return true;
}

/* ---- manifests and tags -------------------------------------------------- */

/* Then it may be refused: the blob was collected before it was named. */
static bool
has_old_blob(struct client *c, const char *repo, const struct content *content)
{
	const struct object	*o;
	size_t			 i;

	for (i = 0; i < content->n_refs; i++) {
		o = model_object(&c->model, OBJECT_BLOB, repo, NULL,
		    content->refs[i]);
		if (model_may_collect(&c->model, o, UINT64_MAX,
		    c->load->grace))
			return true;
	}
	return false;
}

/* content to the tag, or by its digest when tag is NULL. */
static bool
put_manifest(struct client *c, const char *repo, const char *tag,
    const struct content *content)
{
	struct object		*o, *t = NULL;
	struct http_reply	 r;
	char			 path[PATH_SIZE];
	size_t			 op, tag_op = 0;

	snprintf(path, sizeof(path), "/v2/%s/manifests/%s", repo,
	    tag == NULL ? content->digest : tag);
	o = model_object(&c->model, OBJECT_MANIFEST, repo, NULL, content);
	op = operation_begin(o, content);
	if (tag != NULL) {
		t = model_object(&c->model, OBJECT_TAG, repo, tag, NULL);
		tag_op = operation_begin(t, content);
	}
	if (!ask(c, "PUT", path, MANIFEST_HEADER, content->manifest,
	    content->len, &r))
		return false;
	if (r.status == 400 && has_old_blob(c, repo, content))
		return true;
	if (r.status != 201) {
		odd(c, "PUT %s: %d", path, r.status);
		return false;
	}
	operation_ack(&c->model, o, op);
	if (t != NULL)
		operation_ack(&c->model, t, tag_op);
	return true;
}

static bool
step_manifest(struct client *c)
{
	const struct content	*refs[REFS_MAX];
	struct object		*o;
	char			 repo[NAME_MAX_SIZE], tag[NAME_MAX_SIZE];
	char			 note[20];
	size_t			 n, want = 1 + roll(c, REFS_MAX);

	choose_repo(c, repo);
	for (n = 0; n < want; n++) {
		o = choose_object(c, OBJECT_BLOB, repo);
		refs[n] = o == NULL ? choose_blob(c) : o->content;
		/* An old one may be collected before it is named. */
		if ((o == NULL || c->load->grace != 0) &&
		    !push_content(c, repo, refs[n]))
			return false;
	}
	snprintf(note, sizeof(note), "%llx",
	    (unsigned long long)dice(&c->dice));
	snprintf(tag, sizeof(tag), "t%u", (unsigned)roll(c, TAGS));
	return put_manifest(c, repo, roll(c, 6) == 0 ? NULL : tag,
	    model_manifest(&c->model, refs, n, note));
}

static bool
step_move_tag(struct client *c)
{
	struct object	*o = choose_object(c, OBJECT_MANIFEST, NULL);
	char		 tag[NAME_MAX_SIZE];

	if (o == NULL)
		return step_manifest(c);
	snprintf(tag, sizeof(tag), "t%u", (unsigned)roll(c, TAGS));
	return put_manifest(c, o->repo, tag, o->content);
}

static bool
step_delete_tag(struct client *c)
{
	struct object		*o = choose_object(c, OBJECT_TAG, NULL);
	struct http_reply	 r;
	char			 path[PATH_SIZE];
	size_t			 op;

	if (o == NULL || c->load->is_distribution)
		return step_manifest(c);
	snprintf(path, sizeof(path), "/v2/%s/manifests/%s", o->repo, o->tag);
	op = operation_begin(o, NULL);
	if (!call(c, "DELETE", path, NULL, NULL, 0, 202, &r))
		return false;
	operation_ack(&c->model, o, op);
	return true;
}

/* Its tags go with it. */
static bool
step_delete_manifest(struct client *c)
{
	struct object		*o = choose_object(c, OBJECT_MANIFEST, NULL);
	struct object		*t, *tags[TAGS];
	struct http_reply	 r;
	char			 path[PATH_SIZE];
	size_t			 op, ops[TAGS], n = 0, i;

	if (o == NULL)
		return step_manifest(c);
	for (t = c->model.objects; t != NULL; t = t->next)
		if (t->kind == OBJECT_TAG && n < TAGS && t->n_ops > 0 &&
		    strcmp(t->repo, o->repo) == 0 &&
		    object_acked(t, UINT64_MAX) == o->content) {
			ops[n] = operation_begin(t, NULL);
			tags[n++] = t;
		}
	snprintf(path, sizeof(path), "/v2/%s/manifests/%s", o->repo,
	    o->content->digest);
	op = operation_begin(o, NULL);
	if (!call(c, "DELETE", path, NULL, NULL, 0, 202, &r))
		return false;
	operation_ack(&c->model, o, op);
	for (i = 0; i < n; i++)
		operation_ack(&c->model, tags[i], ops[i]);
	return true;
}

/* ---- threads ------------------------------------------------------------- */

static const struct {
	unsigned	 weight;
	step_fn		*run;
} steps[] = {
	{ 34,	step_blob },
	{ 4,	step_again },
	{ 3,	step_leave },
	{ 8,	step_mount },
	{ 25,	step_manifest },
	{ 10,	step_move_tag },
	{ 5,	step_delete_tag },
	{ 5,	step_delete_manifest },
	{ 6,	step_delete_blob },
};

static bool
step(struct client *c)
{
	uint64_t	 n = roll(c, 100);
	size_t		 i;

	for (i = 0; n >= steps[i].weight; i++)
		n -= steps[i].weight;
	return steps[i].run(c);
}

static void *
client_main(void *arg)
{
	struct client	*c = arg;

	while (!atomic_load(&c->load->stopping) && step(c))
		atomic_fetch_add(&c->load->steps, 1);
	http_done(&c->http);
	return NULL;
}

void
load_init(struct load *l, uint64_t seed)
{
	unsigned	 i;

	memset(l, 0, sizeof(*l));
	pthread_mutex_init(&l->lock, NULL);
	for (i = 0; i < CLIENTS; i++) {
		l->clients[i].load = l;
		l->clients[i].id = i;
		l->clients[i].dice = seed + i;
		dice(&l->clients[i].dice);
	}
}

void
load_reset(struct load *l)
{
	unsigned	 i;

	for (i = 0; i < CLIENTS; i++) {
		model_done(&l->clients[i].model);
		l->clients[i].repos = 0;
	}
	l->n_offers = l->next_offer = 0;
}

void
load_start(struct load *l, uint16_t port)
{
	struct client	*c;

	atomic_store(&l->stopping, false);
	atomic_store(&l->steps, 0);
	for (c = l->clients; c < l->clients + CLIENTS; c++) {
		c->is_odd = false;
		http_init(&c->http, port);
		if (!http_open(&c->http))
			odd(c, "no connection: %s", c->http.trouble);
	}
	for (c = l->clients; c < l->clients + CLIENTS; c++) {
		errno = pthread_create(&c->thread, NULL, client_main, c);
		if (errno != 0)
			err(1, "pthread_create");
	}
}

unsigned
load_steps(struct load *l)
{
	return atomic_load(&l->steps);
}

void
load_stop(struct load *l)
{
	atomic_store(&l->stopping, true);
}

void
load_wait(struct load *l)
{
	unsigned	 i;

	for (i = 0; i < CLIENTS; i++)
		pthread_join(l->clients[i].thread, NULL);
}

size_t
load_acks(const struct load *l)
{
	size_t		 n = 0;
	unsigned	 i;

	for (i = 0; i < CLIENTS; i++)
		n += l->clients[i].model.n_acks;
	return n;
}

const char *
load_odd(const struct load *l)
{
	unsigned	 i;

	for (i = 0; i < CLIENTS; i++)
		if (atomic_load(&l->clients[i].is_odd))
			return l->clients[i].odd;
	return NULL;
}
