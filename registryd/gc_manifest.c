/* SPDX-License-Identifier: ISC */
/*
 * What a manifest refers to: its bytes are read once in a run, however many
 * repositories have it, and what was found is kept as fingerprints.  Runs in
 * the collector; parses nothing: see digest_scan.h.
 */
#include <stdlib.h>
#include <string.h>

#include "digest_scan.h"
#include "gc_state.h"

#define CHUNK		(64u * 1024)
/* No manifest is as large; what is larger is none. */
#define MANIFEST_MAX	(64u * 1024 * 1024)
#define TRIES		8

struct reading {
	struct gc	*gc;
	size_t		 first;
	bool		 nomem;
};

static void
on_digest(const struct digest *d, void *arg)
{
	struct reading *reading = arg;
	struct gc *gc = reading->gc;
	uint64_t *edges, print = gc_print_digest(&gc->key, d);

	/* Most manifests name a thing once or twice in a row. */
	if (gc->nedges > reading->first &&
	    gc->edges[gc->nedges - 1] == print)
		return;
	if (gc->nedges == gc->edges_size) {
		edges = gc_budget_grow(&gc->budget, gc->edges,
		    &gc->edges_size, 1024, sizeof(*edges));
		if (edges == NULL) {
			reading->nomem = true;
			return;
		}
		gc->edges = edges;
	}
	gc->edges[gc->nedges++] = print;
}

/* Scan and hash an open file: *good when it has this digest. */
static enum store_result
read_file(struct gc *gc, int fd, const struct digest *want,
    struct digest_scan *scan, bool *good)
{
	static char chunk[CHUNK];
	struct digest have;
	struct digest_ctx *hash;
	enum store_result r;
	uint64_t offset = 0;
	size_t n;

	if ((hash = digest_ctx_new(want->alg)) == NULL)
		return STORE_NOMEM;
	do {
		r = store_pread(gc->store, fd, chunk, sizeof(chunk), offset,
		    &n);
		if (r != STORE_OK)
			break;
		digest_scan_feed(scan, chunk, n);
		if (digest_ctx_update(hash, chunk, n) == -1)
			r = STORE_NOMEM;
		offset += n;
	} while (r == STORE_OK && n > 0);
	if (r == STORE_OK && digest_ctx_result(hash, &have) == -1)
		r = STORE_NOMEM;
	digest_ctx_free(hash);
	gc->report.bytes_read += offset;
	if (r == STORE_OK)
		*good = digest_equal(&have, want);
	return r;
}

/* OK, NOTFOUND, or INVALID: there but of no use; all else ends the run. */
static enum store_result
open_one(struct gc *gc, const char *path, int *fd, struct store_stat *st)
{
	enum store_result r;

	r = store_open(gc->store, path, fd, st);
	if (r == STORE_OK || r == STORE_NOTFOUND)
		return r;
	r = gc_pass_file(gc, path, r);
	return r == STORE_OK ? STORE_INVALID : r;
}

/* Its bytes under any name: condemned ones are brought back at the end. */
static enum store_result
open_once(struct gc *gc, const char *path, int *fd, struct store_stat *st,
    bool *moved)
{
	char dir[LAYOUT_PATH_SIZE], one[LAYOUT_PATH_SIZE];
	struct gc_names names;
	enum store_result r, found = STORE_NOTFOUND;
	const char *name;

	*moved = false;
	r = open_one(gc, path, fd, st);
	if (r != STORE_NOTFOUND)
		return r;
	memcpy(dir, path, strlen(path) + 1);
	*strrchr(dir, '/') = '\0';
	gc_names_open(&names, dir);
	while (found == STORE_NOTFOUND && (r = gc_names_next(gc, &names,
	    &name)) == STORE_OK && name != NULL) {
		if (!layout_stands_for(name, "data") ||
		    layout_join(one, dir, name) == -1)
			continue;
		found = open_one(gc, one, fd, st);
		if (found == STORE_NOTFOUND)
			*moved = true;
	}
	gc_names_close(&names);
	return r != STORE_OK ? r : found;
}

static enum store_result
open_bytes(struct gc *gc, const struct digest *d, int *fd,
    struct store_stat *st)
{
	char path[LAYOUT_PATH_SIZE];
	enum store_result r;
	bool moved;
	int tries = 0;

	layout_blob(path, d);
	do
		r = open_once(gc, path, fd, st, &moved);
	while (r == STORE_NOTFOUND && moved && ++tries < TRIES);
	if (r == STORE_NOTFOUND && moved)
		r = STORE_BUSY;
	if (r != STORE_OK && r != STORE_NOTFOUND && r != STORE_INVALID)
		return gc_stop(gc, path, r);
	if (r != STORE_OK || st->size <= MANIFEST_MAX)
		return r;
	store_close(gc->store, *fd);
	return STORE_INVALID;
}

/* Fill in m; what cannot be understood is damage, not an error. */
static enum store_result
manifest_read_edges(struct gc *gc, const struct digest *d,
    struct gc_manifest *m)
{
	char path[LAYOUT_PATH_SIZE];
	struct reading reading = { .gc = gc, .first = gc->nedges };
	struct digest_scan scan;
	struct store_stat st;
	enum store_result r;
	bool good = false;
	int fd;

	m->first = gc->nedges;
	r = open_bytes(gc, d, &fd, &st);
	if (r == STORE_OK) {
		digest_scan_init(&scan, on_digest, &reading);
		r = read_file(gc, fd, d, &scan, &good);
		store_close(gc->store, fd);
		if (r == STORE_OK && reading.nomem)
			r = STORE_NOMEM;
		if (r != STORE_OK)
			return gc_stop(gc, layout_blob(path, d), r);
		gc->report.manifests_read++;
		m->subject = scan.subject;
	} else if (r != STORE_NOTFOUND && r != STORE_INVALID)
		return r;
	m->nedges = (uint32_t)(gc->nedges - m->first);
	m->damaged = !good;
	if (!good)
		gc_damaged(gc, layout_blob(path, d));
	return STORE_OK;
}

static enum store_result
manifest_add(struct gc *gc, const struct digest *d, uint64_t print,
    uint32_t *number)
{
	struct gc_manifest *grown, *m;
	enum store_result r;

	if (gc->nmanifests == gc->manifests_size) {
		if (gc->nmanifests > UINT32_MAX / 2 ||
		    (grown = gc_budget_grow(&gc->budget, gc->manifests,
		    &gc->manifests_size, 256, sizeof(*grown))) == NULL)
			return STORE_NOMEM;
		gc->manifests = grown;
	}
	m = &gc->manifests[gc->nmanifests];
	memset(m, 0, sizeof(*m));
	if ((r = manifest_read_edges(gc, d, m)) != STORE_OK)
		return r;
	*number = (uint32_t)gc->nmanifests++;
	return gc_map_put(&gc->read, print, *number) == -1 ? STORE_NOMEM :
	    STORE_OK;
}

enum store_result
gc_manifest_mark(struct gc *gc, const struct digest *d, uint32_t *numberp)
{
	uint64_t print = gc_print_digest(&gc->key, d);
	const struct gc_manifest *m;
	enum store_result r;
	uint32_t number, i;

	if (!gc_map_get(&gc->read, print, &number) &&
	    (r = manifest_add(gc, d, print, &number)) != STORE_OK)
		return r;
	m = &gc->manifests[number];
	gc->repo_damaged = gc->repo_damaged || m->damaged;
	r = gc_mark(gc, GC_BLOBS, print);
	for (i = 0; i < m->nedges && r == STORE_OK; i++) {
		print = gc->edges[m->first + i];
		r = gc_mark(gc, GC_BLOBS, print);
		if (r == STORE_OK)
			r = gc_mark(gc, GC_LAYERS, print);
	}
	*numberp = number;
	return r;
}
