/* SPDX-License-Identifier: ISC */
/*
 * The body of a manifest PUT: the digests that it refers to, as the worker
 * found them, then its bytes, which the keeper hashes itself.  Runs in
 * keepers; must not parse the manifest.
 */
#include <stdlib.h>
#include <string.h>

#include "buf.h"
#include "keeper_body.h"
#include "keeper_msg.h"
#include "mediatype.h"
#include "messages.h"
#include "repo_put.h"

struct keeper_manifest {
	struct manifest_put put;
	char		 mediatype[MEDIATYPE_SIZE];
	char		 artifact_type[MEDIATYPE_SIZE];
	char		 tags[KEEPER_MAX_TAGS][TAG_SIZE];
	const char	*tag_list[KEEPER_MAX_TAGS];
	size_t		 promised;	/* bytes counted against the cap */
	struct buf	 body;
	struct digest	*refs;		/* once the body is complete */
	struct manifest_commit *commit;	/* once it is being stored */
};

static int
get_mediatype(struct msg *m, char dst[MEDIATYPE_SIZE])
{
	msg_get_str(m, dst, MEDIATYPE_SIZE);
	return !m->bad && (dst[0] == '\0' || mediatype_ok(dst)) ? 0 : -1;
}

static int
get_subject(struct msg *m, struct manifest_put *put)
{
	char text[DIGEST_STR_SIZE];

	msg_get_str(m, text, sizeof(text));
	if (m->bad)
		return -1;
	put->has_subject = text[0] != '\0';
	return put->has_subject ? digest_parse(&put->subject, text) : 0;
}

static int
get_tags(struct msg *m, struct keeper_manifest *km)
{
	uint32_t i, n;

	n = msg_get_u32(m);
	if (m->bad || n > KEEPER_MAX_TAGS)
		return -1;
	for (i = 0; i < n; i++) {
		if (keeper_get_tag(m, km->tags[i]) == -1)
			return -1;
		km->tag_list[i] = km->tags[i];
	}
	km->put.tags = km->tag_list;
	km->put.ntags = n;
	return 0;
}

/* Count the body against the keeper's memory, and bound it. */
static enum store_result
manifest_admit(struct keeper *k, struct keeper_manifest *km, uint64_t length)
{
	size_t need;

	if (length > k->max_manifest || length > MANIFEST_MAX_SIZE)
		return STORE_TOOBIG;
	need = (size_t)length + (km->put.nrefs + km->put.nchildren) *
	    DIGEST_WIRE_SIZE;
	if (need > KEEPER_MANIFEST_MEMORY - k->manifest_bytes)
		return STORE_LIMIT;
	km->put.len = (size_t)length;
	km->promised = need;
	k->manifest_bytes += need;
	buf_init(&km->body, need);
	return STORE_OK;
}

int
keeper_manifest_get(struct keeper_body *b, struct msg *m,
    enum store_result *r)
{
	struct keeper_manifest *km;
	uint64_t length;

	if ((km = calloc(1, sizeof(*km))) == NULL) {
		/* The rest of the message is never looked at. */
		m->pos = m->len;
		*r = STORE_NOMEM;
		return 0;
	}
	b->manifest = km;
	km->put.repo = b->repo;
	if (keeper_get_digest(m, &km->put.digest) == -1 ||
	    get_mediatype(m, km->mediatype) == -1 ||
	    get_subject(m, &km->put) == -1)
		return -1;
	msg_get_str(m, km->artifact_type, sizeof(km->artifact_type));
	if (get_tags(m, km) == -1)
		return -1;
	km->put.nrefs = msg_get_u32(m);
	km->put.nchildren = msg_get_u32(m);
	length = msg_get_u64(m);
	if (m->bad || km->put.nrefs > KEEPER_MAX_REFS ||
	    km->put.nchildren > KEEPER_MAX_REFS)
		return -1;
	if (km->mediatype[0] != '\0')
		km->put.mediatype = km->mediatype;
	km->put.artifact_type = km->artifact_type;
	*r = manifest_admit(b->worker->keeper, km, length);
	b->length = km->promised;
	return 0;
}

enum store_result
keeper_manifest_add(struct keeper_manifest *km, const void *data, size_t len)
{
	return buf_add(&km->body, data, len) == 0 ? STORE_OK : STORE_NOMEM;
}

/* The n digests at p; -1 when one is malformed. */
static int
parse_refs(struct digest *refs, const uint8_t *p, size_t n)
{
	size_t i, used, rest;

	for (i = 0; i < n; i++, p += DIGEST_WIRE_SIZE) {
		if (p[0] != DIGEST_SHA256 && p[0] != DIGEST_SHA512)
			return -1;
		refs[i].alg = (enum digest_alg)p[0];
		memcpy(refs[i].bytes, p + 1, DIGEST_MAX_BYTES);
		used = digest_alg_size(refs[i].alg);
		for (rest = used; rest < DIGEST_MAX_BYTES; rest++)
			if (refs[i].bytes[rest] != 0)
				return -1;
	}
	return 0;
}

enum store_result
keeper_manifest_ready(struct keeper_body *b)
{
	struct keeper_manifest *km = b->manifest;
	const char *body = buf_str(&km->body);
	size_t n = km->put.nrefs + km->put.nchildren;

	if (b->total != km->promised)
		return STORE_INVALID;
	if ((km->refs = calloc(n + 1, sizeof(*km->refs))) == NULL)
		return STORE_NOMEM;
	if (parse_refs(km->refs, (const uint8_t *)body, n) == -1)
		return STORE_INVALID;
	km->put.refs = km->refs;
	km->put.children = km->refs + km->put.nrefs;
	km->put.data = body + n * DIGEST_WIRE_SIZE;
	return STORE_OK;
}

enum store_result
keeper_manifest_step(struct keeper_body *b)
{
	struct keeper_manifest *km = b->manifest;

	if (km->commit == NULL)
		km->commit = manifest_commit_new(b->keeper->store, &km->put,
		    b->keeper->renew_ms);
	if (km->commit == NULL)
		return STORE_NOMEM;
	return manifest_commit_step(km->commit);
}

void
keeper_manifest_answer(struct keeper_body *b, enum store_result r)
{
	const struct digest *missing;
	size_t n;

	if (r == STORE_MISSING) {
		missing = manifest_commit_missing(b->manifest->commit, &n);
		keeper_reply_missing(b->worker, b->id, missing, n);
	} else
		keeper_reply(b->worker, b->id, "put manifest in", b->repo, r,
		    0);
}

void
keeper_manifest_free(struct keeper *k, struct keeper_manifest *km)
{
	if (km == NULL)
		return;
	k->manifest_bytes -= km->promised;
	manifest_commit_free(km->commit);
	buf_done(&km->body);
	free(km->refs);
	free(km);
}
