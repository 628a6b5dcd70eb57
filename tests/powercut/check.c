/* SPDX-License-Identifier: ISC */
/* One thread for each client's objects. */
#include "check.h"

#include <err.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "disk.h"
#include "load.h"
#include "xmem.h"

#define PATH_SIZE	1400
#define MANIFEST_HEADER	\
	"Accept: application/vnd.oci.image.manifest.v1+json\r\n"
#define BLOB_HEADER	"Content-Type: application/octet-stream\r\n"

struct checker {
	struct client	*client;
	struct http	 http;
	uint64_t	 cut;
	bool		 settle;
	pthread_t	 thread;
	struct check	 check;
};

const char *
finding_name(enum finding f)
{
	static const char *const	 names[FINDING_KINDS] = {
		[FINDING_LOST] = "lost",
		[FINDING_BACK] = "came back",
		[FINDING_WRONG] = "wrong",
		[FINDING_ANSWER] = "not served",
		[FINDING_UPLOAD] = "upload",
	};

	return names[f];
}

static void __attribute__((__format__(printf, 4, 5)))
find(struct checker *k, enum finding f, const struct object *o,
    const char *fmt, ...)
{
	char	*text = k->check.text;
	size_t	 used = strlen(text), size = sizeof(k->check.text);
	va_list	 ap;

	k->check.findings[f]++;
	if (size - used < 700)
		return;
	used += (size_t)snprintf(text + used, size - used,
	    "%s: %s %s%s%s %s: ", finding_name(f), object_kind_name(o->kind),
	    o->repo, o->kind == OBJECT_TAG ? ":" : "", o->tag,
	    o->content == NULL ? "" : o->content->digest);
	va_start(ap, fmt);
	vsnprintf(text + used, 400, fmt, ap);
	va_end(ap);
	used = strlen(text);
	snprintf(text + used, size - used, "\n");
}

/* What is there, against what may be. */
static void
compare(struct checker *k, struct object *o, const struct content *there)
{
	const struct content	*acked = object_acked(o, k->cut);

	if (acked != NULL)
		k->check.acked++;
	if (!object_allows(o, k->cut, there)) {
		if (there == NULL && model_may_collect(&k->client->model, o,
		    k->cut, k->client->load->grace))
			k->check.collected++;
		else if (there == NULL)
			find(k, FINDING_LOST, o, "acknowledged %s",
			    acked->digest);
		else if (acked == NULL)
			find(k, FINDING_BACK, o, "shows %s", there->digest);
		else
			find(k, FINDING_WRONG, o, "shows %s, not %s",
			    there->digest, acked->digest);
	}
	if (k->settle)
		object_settle(o, there);
}

/* The bytes of one of the object's contents; NULL: of none. */
static const struct content *
recognize(const struct object *o, const struct http_reply *r)
{
	size_t	 i;

	if (o->kind != OBJECT_TAG)
		return content_matches(o->content, r->body, r->len) ?
		    o->content : NULL;
	for (i = 0; i < o->n_ops; i++)
		if (o->ops[i].content != NULL &&
		    content_matches(o->ops[i].content, r->body, r->len))
			return o->ops[i].content;
	return NULL;
}

static void
check_object(struct checker *k, struct object *o)
{
	const struct content	*there;
	struct http_reply	 r;
	char			 path[PATH_SIZE];

	snprintf(path, sizeof(path), "/v2/%s/%s/%s", o->repo,
	    o->kind == OBJECT_BLOB ? "blobs" : "manifests",
	    o->kind == OBJECT_TAG ? o->tag : o->content->digest);
	if (!http_request(&k->http, "GET", path,
	    o->kind == OBJECT_BLOB ? NULL : MANIFEST_HEADER, NULL, 0, &r)) {
		find(k, FINDING_ANSWER, o, "no whole answer: %s",
		    k->http.trouble);
		return;
	}
	if (r.status == 404) {
		compare(k, o, NULL);
		return;
	}
	if (r.status != 200) {
		find(k, FINDING_ANSWER, o, "status %d: %.*s", r.status,
		    (int)(r.len > 200 ? 200 : r.len),
		    r.body == NULL ? "" : (const char *)r.body);
		return;
	}
	if ((there = recognize(o, &r)) == NULL) {
		find(k, FINDING_WRONG, o, "%zu other bytes", r.len);
		return;
	}
	compare(k, o, there);
}

/* A list of tags, and what it says of the repository's. */
static void
check_tags(struct checker *k, const char *repo, const struct object *first)
{
	const struct object	*o;
	struct http_reply	 r;
	char			 path[PATH_SIZE], quoted[NAME_MAX_SIZE + 2];
	bool			 listed;

	snprintf(path, sizeof(path), "/v2/%s/tags/list?n=1000", repo);
	if (!http_request(&k->http, "GET", path, NULL, NULL, 0, &r) ||
	    (r.status != 200 && r.status != 404)) {
		find(k, FINDING_ANSWER, first, "tags/list: status %d",
		    r.status);
		return;
	}
	for (o = first; o != NULL; o = o->next) {
		if (o->kind != OBJECT_TAG || strcmp(o->repo, repo) != 0 ||
		    !object_known(o, k->cut))
			continue;
		snprintf(quoted, sizeof(quoted), "\"%s\"", o->tag);
		listed = r.status == 200 &&
		    memmem(r.body, r.len, quoted, strlen(quoted)) != NULL;
		if (listed && !object_may_exist(o, k->cut))
			find(k, FINDING_BACK, o, "is listed");
		else if (!listed && !object_allows(o, k->cut, NULL))
			find(k, FINDING_LOST, o, "is not listed");
	}
}

/* Of each repository once: at its first tag. */
static void
check_lists(struct checker *k)
{
	const struct object	*o, *p;

	for (o = k->client->model.objects; o != NULL; o = o->next) {
		if (o->kind != OBJECT_TAG || !object_known(o, k->cut))
			continue;
		for (p = k->client->model.objects; p != o; p = p->next)
			if (p->kind == OBJECT_TAG &&
			    object_known(p, k->cut) &&
			    strcmp(p->repo, o->repo) == 0)
				break;
		if (p == o)
			check_tags(k, o->repo, o);
	}
}

/* ---- open uploads -------------------------------------------------------- */

static bool
expect(struct checker *k, const struct object *o, const char *method,
    const char *path, const char *headers, const void *body, size_t len,
    int status, struct http_reply *r)
{
	if (!http_request(&k->http, method, path, headers, body, len, r)) {
		find(k, FINDING_ANSWER, o, "%s: no answer: %s", method,
		    k->http.trouble);
		return false;
	}
	if (r->status != status)
		find(k, FINDING_UPLOAD, o, "%s: status %d: %.*s", method,
		    r->status, (int)(r->len > 200 ? 200 : r->len),
		    r->body == NULL ? "" : (const char *)r->body);
	return r->status == status;
}

static void
local_path(char path[PATH_SIZE], const char *location)
{
	const char	*p = strstr(location, "/v2/");

	snprintf(path, PATH_SIZE, "%s", p == NULL ? location : p);
}

/* Send the rest from where the registry says that it is. */
static void
upload_finish(struct checker *k, struct object *o, size_t from,
    const char *location)
{
	struct http_reply	 r;
	struct object		*blob;
	char			 path[PATH_SIZE + 100];
	uint8_t			*data = content_bytes(o->content);
	size_t			 op, used;
	bool			 done;

	local_path(path, location);
	used = strlen(path);
	snprintf(path + used, sizeof(path) - used, "%cdigest=%s",
	    strchr(path, '?') == NULL ? '?' : '&', o->content->digest);
	blob = model_object(&k->client->model, OBJECT_BLOB, o->repo, NULL,
	    o->content);
	op = k->settle ? operation_begin(blob, o->content) : 0;
	done = expect(k, o, "PUT", path, BLOB_HEADER, data + from,
	    o->content->len - from, 201, &r);
	free(data);
	if (!done)
		return;
	if (k->settle)
		operation_ack(&k->client->model, blob, op);
	snprintf(path, sizeof(path), "/v2/%s/blobs/%s", o->repo,
	    o->content->digest);
	if (expect(k, o, "GET", path, NULL, NULL, 0, 200, &r) &&
	    !content_matches(o->content, r.body, r.len))
		find(k, FINDING_WRONG, o, "%zu other bytes", r.len);
}

/* It may be gone, or behind, never ahead. */
static void
check_upload(struct checker *k, struct object *o)
{
	struct http_reply	 r;
	char			 path[PATH_SIZE], *dash;
	size_t			 from = 0;

	local_path(path, o->location);
	if (!http_request(&k->http, "GET", path, NULL, NULL, 0, &r)) {
		find(k, FINDING_ANSWER, o, "no answer: %s",
		    k->http.trouble);
		return;
	}
	if (r.status == 404)
		return;
	if (r.status != 204) {
		find(k, FINDING_UPLOAD, o, "status %d", r.status);
		return;
	}
	/* "0-0" is said of none and of one byte. */
	if ((dash = strchr(r.range, '-')) != NULL)
		from = strtoul(dash + 1, NULL, 10);
	if (from > 0)
		from++;
	if (from > o->sent) {
		find(k, FINDING_UPLOAD, o, "has %zu bytes of %zu sent", from,
		    o->sent);
		return;
	}
	if (from > 0 || o->sent != 1)
		upload_finish(k, o, from,
		    r.location[0] == '\0' ? path : r.location);
}

/* ---- threads ------------------------------------------------------------- */

static void *
checker_main(void *arg)
{
	struct checker	*k = arg;
	struct object	*o;

	check_lists(k);
	for (o = k->client->model.objects; o != NULL; o = o->next) {
		if (o->kind == OBJECT_UPLOAD || !object_known(o, k->cut))
			continue;
		k->check.objects++;
		check_object(k, o);
	}
	for (o = k->client->model.objects; o != NULL; o = o->next) {
		if (o->kind != OBJECT_UPLOAD || !object_known(o, k->cut))
			continue;
		/* Finished ones are gone. */
		if (object_acked(o, k->cut) == NULL) {
			k->check.objects++;
			check_upload(k, o);
		}
		if (k->settle)
			o->n_ops = 0;
	}
	http_done(&k->http);
	return NULL;
}

static void
check_add(struct check *sum, const struct check *part)
{
	size_t	 used = strlen(sum->text);
	int	 i;

	sum->objects += part->objects;
	sum->acked += part->acked;
	sum->collected += part->collected;
	for (i = 0; i < FINDING_KINDS; i++)
		sum->findings[i] += part->findings[i];
	snprintf(sum->text + used, sizeof(sum->text) - used, "%s",
	    part->text);
}

void
check_run(struct load *l, uint16_t port, uint64_t cut, bool settle,
    struct check *check)
{
	struct checker	*checkers = xcalloc(CLIENTS, sizeof(*checkers));
	struct checker	*k;

	memset(check, 0, sizeof(*check));
	for (k = checkers; k < checkers + CLIENTS; k++) {
		k->client = &l->clients[k - checkers];
		k->cut = cut;
		k->settle = settle;
		http_init(&k->http, port);
		http_open(&k->http);
	}
	for (k = checkers; k < checkers + CLIENTS; k++) {
		errno = pthread_create(&k->thread, NULL, checker_main, k);
		if (errno != 0)
			err(1, "pthread_create");
	}
	for (k = checkers; k < checkers + CLIENTS; k++) {
		pthread_join(k->thread, NULL);
		check_add(check, &k->check);
	}
	free(checkers);
}

size_t
check_findings(const struct check *check)
{
	size_t	 n = 0;
	int	 i;

	for (i = 0; i < FINDING_KINDS; i++)
		n += check->findings[i];
	return n;
}
