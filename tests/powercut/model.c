/* SPDX-License-Identifier: ISC */
/* Contents, objects and their histories.  Not shared between threads. */
#include "model.h"

#include <err.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "disk.h"
#include "encode.h"
#include "xmem.h"

#define MANIFEST_TYPE	"application/vnd.oci.image.manifest.v1+json"

uint64_t
dice(uint64_t *state)
{
	uint64_t	 x = (*state += 0x9e3779b97f4a7c15ULL);

	x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9ULL;
	x = (x ^ (x >> 27)) * 0x94d049bb133111ebULL;
	return x ^ (x >> 31);
}

/* ---- contents ------------------------------------------------------------ */

static void
digest_set(char digest[DIGEST_SIZE], const void *data, size_t len)
{
	uint8_t		 md[EVP_MAX_MD_SIZE];
	unsigned	 n;

	if (EVP_Digest(data, len, md, &n, EVP_sha256(), NULL) != 1)
		errx(1, "EVP_Digest");
	memcpy(digest, "sha256:", 7);
	hex_encode(digest + 7, md, n);
}

uint8_t *
content_bytes(const struct content *c)
{
	uint8_t		*data = xmalloc(c->len + sizeof(uint64_t));
	uint64_t	 state = c->seed, word;
	size_t		 i;

	if (c->manifest != NULL) {
		memcpy(data, c->manifest, c->len);
		return data;
	}
	for (i = 0; i < c->len; i += sizeof(word)) {
		word = dice(&state);
		memcpy(data + i, &word, sizeof(word));
	}
	return data;
}

bool
content_matches(const struct content *c, const uint8_t *data, size_t len)
{
	uint8_t	*want;
	bool	 same;

	if (len != c->len)
		return false;
	want = content_bytes(c);
	same = memcmp(want, data, len) == 0;
	free(want);
	return same;
}

static const struct content *
content_add(struct model *m, struct content *c)
{
	struct content	*old;
	uint8_t		*data = content_bytes(c);

	digest_set(c->digest, data, c->len);
	free(data);
	for (old = m->contents; old != NULL; old = old->next)
		if (strcmp(old->digest, c->digest) == 0) {
			free(c->manifest);
			free(c);
			return old;
		}
	c->next = m->contents;
	m->contents = c;
	return c;
}

const struct content *
model_blob(struct model *m, uint64_t seed, size_t len)
{
	struct content	*c = xcalloc(1, sizeof(*c));

	c->seed = seed;
	c->len = len;
	return content_add(m, c);
}

static void
descriptor_print(FILE *f, const char *type, const struct content *c)
{
	fprintf(f, "{\"mediaType\": \"application/vnd.oci.image.%s\", "
	    "\"digest\": \"%s\", \"size\": %zu}", type, c->digest, c->len);
}

/* The first of refs is the config. */
const struct content *
model_manifest(struct model *m, const struct content *const *refs, size_t n,
    const char *note)
{
	struct content	*c = xcalloc(1, sizeof(*c));
	FILE		*f;
	size_t		 i;

	if (n < 1 || n > REFS_MAX ||
	    (f = open_memstream(&c->manifest, &c->len)) == NULL)
		err(1, "manifest");
	fprintf(f, "{\"schemaVersion\": 2, \"mediaType\": \"%s\", "
	    "\"config\": ", MANIFEST_TYPE);
	descriptor_print(f, "config.v1+json", refs[0]);
	fprintf(f, ", \"layers\": [");
	for (i = 1; i < n; i++) {
		fprintf(f, i > 1 ? ", " : "");
		descriptor_print(f, "layer.v1.tar", refs[i]);
	}
	fprintf(f, "], \"annotations\": {\"note\": \"%s\"}}", note);
	if (fclose(f) != 0)
		err(1, "manifest");
	memcpy(c->refs, refs, n * sizeof(*refs));
	c->n_refs = n;
	return content_add(m, c);
}

/* ---- objects ------------------------------------------------------------- */

static struct object *
object_add(struct model *m, enum object_kind kind, const char *repo,
    const struct content *content)
{
	struct object	*o = xcalloc(1, sizeof(*o));

	o->kind = kind;
	snprintf(o->repo, sizeof(o->repo), "%s", repo);
	o->content = content;
	o->next = m->objects;
	m->objects = o;
	m->n_objects++;
	return o;
}

struct object *
model_object(struct model *m, enum object_kind kind, const char *repo,
    const char *tag, const struct content *content)
{
	struct object	*o;

	for (o = m->objects; o != NULL; o = o->next)
		if (o->kind == kind && o->content == content &&
		    strcmp(o->repo, repo) == 0 &&
		    (tag == NULL || strcmp(o->tag, tag) == 0))
			return o;
	o = object_add(m, kind, repo, content);
	if (tag != NULL)
		snprintf(o->tag, sizeof(o->tag), "%s", tag);
	return o;
}

struct object *
model_upload(struct model *m, const char *repo, const struct content *content)
{
	return object_add(m, OBJECT_UPLOAD, repo, content);
}

static void
object_free(struct object *o)
{
	free(o->location);
	free(o->ops);
	free(o);
}

void
model_done(struct model *m)
{
	struct object	*o;
	struct content	*c;

	while ((o = m->objects) != NULL) {
		m->objects = o->next;
		object_free(o);
	}
	while ((c = m->contents) != NULL) {
		m->contents = c->next;
		free(c->manifest);
		free(c);
	}
	memset(m, 0, sizeof(*m));
}

static struct operation *
operation_add(struct object *o, const struct content *content)
{
	struct operation	*op;

	if (o->n_ops == o->max_ops) {
		o->max_ops = o->max_ops == 0 ? 4 : o->max_ops * 2;
		o->ops = xreallocarray(o->ops, o->max_ops, sizeof(*o->ops));
	}
	op = &o->ops[o->n_ops++];
	memset(op, 0, sizeof(*op));
	op->content = content;
	return op;
}

size_t
operation_begin(struct object *o, const struct content *content)
{
	struct operation	*op = operation_add(o, content);

	op->start = disk_now();
	o->last = op->start;
	return o->n_ops - 1;
}

void
operation_ack(struct model *m, struct object *o, size_t n)
{
	o->ops[n].ack = disk_now();
	m->n_acks++;
}

void
operation_cancel(struct object *o)
{
	o->n_ops--;
}

/* The operation that was acknowledged last by then; NULL: none. */
static const struct operation *
last_acked(const struct object *o, uint64_t cut)
{
	size_t	 i;

	for (i = o->n_ops; i-- > 0;)
		if (o->ops[i].ack != 0 && o->ops[i].ack <= cut)
			return &o->ops[i];
	return NULL;
}

const struct content *
object_acked(const struct object *o, uint64_t cut)
{
	const struct operation	*op = last_acked(o, cut);

	return op == NULL ? NULL : op->content;
}

bool
object_allows(const struct object *o, uint64_t cut,
    const struct content *content)
{
	const struct operation	*op = last_acked(o, cut);

	if ((op == NULL ? NULL : op->content) == content)
		return true;
	for (op = op == NULL ? o->ops : op + 1; op < o->ops + o->n_ops; op++)
		if (op->start <= cut && op->content == content)
			return true;
	return false;
}

bool
object_may_exist(const struct object *o, uint64_t cut)
{
	size_t	 i;

	for (i = 0; i < o->n_ops; i++)
		if (o->ops[i].content != NULL &&
		    object_allows(o, cut, o->ops[i].content))
			return true;
	return false;
}

bool
object_known(const struct object *o, uint64_t cut)
{
	return o->n_ops > 0 && o->ops[0].start <= cut;
}

void
object_settle(struct object *o, const struct content *content)
{
	o->n_ops = 0;
	/* Before everything that comes. */
	operation_add(o, content)->ack = 1;
	o->last = 0;
}

static bool
names(const struct content *manifest, const struct content *content)
{
	size_t	 i;

	for (i = 0; i < manifest->n_refs; i++)
		if (manifest->refs[i] == content)
			return true;
	return false;
}

static bool
is_named(const struct model *m, const char *repo,
    const struct content *content, bool now)
{
	const struct object	*o;

	for (o = m->objects; o != NULL; o = o->next)
		if (o->kind == OBJECT_MANIFEST && o->n_ops > 0 &&
		    strcmp(o->repo, repo) == 0 &&
		    (!now || object_allows(o, UINT64_MAX, o->content)) &&
		    names(o->content, content))
			return true;
	return false;
}

bool
model_is_used(const struct model *m, const char *repo,
    const struct content *content)
{
	return is_named(m, repo, content, true);
}

bool
model_was_used(const struct model *m, const char *repo,
    const struct content *content)
{
	return is_named(m, repo, content, false);
}

bool
model_may_collect(const struct model *m, const struct object *blob,
    uint64_t cut, uint64_t grace)
{
	const struct object	*o;

	if (grace == 0 || blob->kind != OBJECT_BLOB ||
	    disk_now() - blob->last < grace)
		return false;
	for (o = m->objects; o != NULL; o = o->next)
		if (o->kind == OBJECT_MANIFEST && object_known(o, cut) &&
		    strcmp(o->repo, blob->repo) == 0 &&
		    !object_allows(o, cut, NULL) &&
		    names(o->content, blob->content))
			return false;
	return true;
}

const char *
object_kind_name(enum object_kind kind)
{
	static const char *const	 names[] = {
		[OBJECT_BLOB] = "blob",
		[OBJECT_MANIFEST] = "manifest",
		[OBJECT_TAG] = "tag",
		[OBJECT_UPLOAD] = "upload",
	};

	return names[kind];
}
