/* SPDX-License-Identifier: ISC */
/*
 * Scrubbing: every blob is read and hashed, shard by shard, at a bounded
 * rate.  Runs in the collector as a job, or in registryctl.
 *
 * Bad bytes leave their name by rename.  Should a push have replaced them in
 * that moment, it is another file that has been moved, and it goes back.
 */
#include "scrub.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "clock.h"
#include "layout.h"

#define BUFFER_SIZE	(256u * 1024)
#define SHARDS		256u
#define PAGE		256		/* names of a shard taken at a time */
#define SPARE_MS	500		/* of the rate, at once after a pause */

struct scrub {
	struct store	*store;
	struct scrub_options options;
	struct scrub_report report;
	unsigned	 place;		/* algorithm and shard: 0 .. 511 */
	char		**names;
	size_t		 n, next;
	bool		 listed, more;
	char		 last[DIGEST_HEX_SIZE];
	/* the blob at hand */
	bool		 open;
	int		 fd;
	struct digest	 digest;
	struct digest_ctx *hash;
	struct store_stat st;
	uint64_t	 offset;
	unsigned char	*buffer;
	/* the rate */
	uint64_t	 allowed, asked_ms;
};

struct scrub *
scrub_new(struct store *s, const struct scrub_options *options)
{
	struct scrub *scrub;

	if ((scrub = calloc(1, sizeof(*scrub))) == NULL ||
	    (scrub->buffer = malloc(BUFFER_SIZE)) == NULL) {
		free(scrub);
		return NULL;
	}
	scrub->store = s;
	scrub->options = *options;
	scrub->report.shards = 2 * SHARDS;
	scrub->asked_ms = clock_monotonic_ms();
	return scrub;
}

static void
blob_close(struct scrub *scrub)
{
	if (!scrub->open)
		return;
	store_close(scrub->store, scrub->fd);
	digest_ctx_free(scrub->hash);
	scrub->hash = NULL;
	scrub->open = false;
}

void
scrub_free(struct scrub *scrub)
{
	if (scrub == NULL)
		return;
	blob_close(scrub);
	store_names_free(scrub->names, scrub->n);
	free(scrub->buffer);
	free(scrub);
}

const struct scrub_report *
scrub_report(const struct scrub *scrub)
{
	return &scrub->report;
}

/* ---- quarantine ---- */

static enum store_result
write_note(struct scrub *scrub, const char *moved)
{
	char path[LAYOUT_PATH_SIZE], text[512], digest[DIGEST_STR_SIZE];
	char when[32];
	int n;

	n = snprintf(path, sizeof(path), "%s.note", moved);
	if (n < 0 || (size_t)n >= sizeof(path))
		return STORE_INVALID;
	n = snprintf(text, sizeof(text), "%s\n%llu bytes that do not have "
	    "this digest, found by a scrub at %s\n",
	    digest_format(digest, &scrub->digest),
	    (unsigned long long)scrub->st.size,
	    clock_rfc3339(when, sizeof(when), clock_wall()));
	return store_put(scrub->store, path, text, (size_t)n, STORE_REPLACE);
}

/* The file that was read is the one that goes, or none. */
static enum store_result
quarantine(struct scrub *scrub)
{
	char from[LAYOUT_PATH_SIZE], to[LAYOUT_PATH_SIZE];
	char digest[DIGEST_STR_SIZE];
	struct store_stat st;
	enum store_result r;

	layout_blob(from, &scrub->digest);
	snprintf(to, sizeof(to), LAYOUT_QUARANTINE "/%s.%llx",
	    digest_format(digest, &scrub->digest),
	    (unsigned long long)scrub->st.ino);
	r = store_move(scrub->store, from, to, STORE_REPLACE);
	if (r != STORE_OK)
		return r == STORE_NOTFOUND ? STORE_OK : r;
	if ((r = store_stat(scrub->store, to, &st)) != STORE_OK)
		return r;
	if (st.ino != scrub->st.ino || st.dev != scrub->st.dev) {
		r = store_move(scrub->store, to, from, 0);
		if (r == STORE_EXISTS)
			r = store_unlink(scrub->store, to);
		return r;
	}
	if ((r = write_note(scrub, to)) != STORE_OK ||
	    (r = store_barrier(scrub->store)) != STORE_OK)
		return r;
	scrub->report.quarantined++;
	return STORE_OK;
}

static enum store_result
blob_bad(struct scrub *scrub)
{
	struct scrub_report *report = &scrub->report;

	report->bad++;
	if (report->nlist < SCRUB_LIST_MAX)
		report->list[report->nlist++] = scrub->digest;
	return scrub->options.dryrun ? STORE_OK : quarantine(scrub);
}

/* ---- one blob ---- */

/* The store would not open it: for its size, or because it is no file. */
static enum store_result
blob_refused(struct scrub *scrub, const char *path)
{
	enum store_result r;

	r = store_stat(scrub->store, path, &scrub->st);
	if (r != STORE_OK || scrub->st.is_dir)
		return r == STORE_NOTFOUND || r == STORE_INVALID ?
		    STORE_OK : r;
	scrub->report.blobs++;
	return blob_bad(scrub);
}

static enum store_result
blob_open(struct scrub *scrub, const char *hex)
{
	char path[LAYOUT_PATH_SIZE], text[DIGEST_STR_SIZE];
	enum digest_alg alg = scrub->place < SHARDS ? DIGEST_SHA256 :
	    DIGEST_SHA512;
	enum store_result r;
	int n;

	n = snprintf(text, sizeof(text), "%s:%s", digest_alg_name(alg), hex);
	if (n < 0 || (size_t)n >= sizeof(text) ||
	    digest_parse(&scrub->digest, text) == -1)
		return STORE_OK;	/* no blob; fsck tells */
	r = store_open(scrub->store, layout_blob(path, &scrub->digest),
	    &scrub->fd, &scrub->st);
	if (r == STORE_INVALID)
		return blob_refused(scrub, path);
	if (r == STORE_NOTFOUND)
		return STORE_OK;
	if (r == STORE_IO) {
		scrub->report.unreadable++;
		return STORE_OK;
	}
	if (r != STORE_OK)
		return r;
	scrub->open = true;
	scrub->offset = 0;
	scrub->report.blobs++;
	scrub->hash = digest_ctx_new(alg);
	return scrub->hash == NULL ? STORE_NOMEM : STORE_OK;
}

/* The next bytes; at the end the verdict. */
static enum store_result
blob_read(struct scrub *scrub)
{
	struct digest got;
	enum store_result r;
	size_t n;

	r = store_pread(scrub->store, scrub->fd, scrub->buffer, BUFFER_SIZE,
	    scrub->offset, &n);
	if (r != STORE_OK) {
		/* It may be read another time, or by another host. */
		scrub->report.unreadable++;
		blob_close(scrub);
		return STORE_OK;
	}
	if (digest_ctx_update(scrub->hash, scrub->buffer, n) == -1)
		return STORE_NOMEM;
	scrub->offset += n;
	scrub->report.bytes += n;
	scrub->allowed = scrub->allowed > n ? scrub->allowed - n : 0;
	if (n == BUFFER_SIZE)
		return STORE_OK;
	if (digest_ctx_result(scrub->hash, &got) == -1)
		return STORE_NOMEM;
	r = digest_equal(&got, &scrub->digest) ? STORE_OK : blob_bad(scrub);
	blob_close(scrub);
	return r;
}

/* ---- the walk ---- */

/* The next page of names of the shard, or the next shard. */
static enum store_result
next_page(struct scrub *scrub, bool *done)
{
	char dir[LAYOUT_PATH_SIZE];
	enum store_result r;

	store_names_free(scrub->names, scrub->n);
	scrub->names = NULL;
	scrub->n = scrub->next = 0;
	if (scrub->place == 2 * SHARDS) {
		*done = true;
		return STORE_OK;
	}
	snprintf(dir, sizeof(dir), LAYOUT_BLOBS "/%s/%02x",
	    digest_alg_name(scrub->place < SHARDS ? DIGEST_SHA256 :
	    DIGEST_SHA512), scrub->place % SHARDS);
	r = store_list(scrub->store, dir, scrub->last[0] != '\0' ?
	    scrub->last : NULL, PAGE, &scrub->names, &scrub->n, &scrub->more);
	/* Not there, or not a directory. */
	if (r == STORE_NOTFOUND || r == STORE_INVALID) {
		scrub->names = NULL;
		scrub->n = 0;
		scrub->more = false;
		r = STORE_OK;
	}
	return r;
}

static void
page_done(struct scrub *scrub)
{
	scrub->last[0] = '\0';
	if (scrub->more && scrub->n > 0)
		snprintf(scrub->last, sizeof(scrub->last), "%s",
		    scrub->names[scrub->n - 1]);
	if (scrub->last[0] == '\0')
		scrub->report.shard = ++scrub->place;
}

/* May more be read now? */
static bool
rate_allows(struct scrub *scrub)
{
	uint64_t now = clock_monotonic_ms(), ms = now - scrub->asked_ms;
	uint64_t most = scrub->options.rate / 1000 * SPARE_MS + BUFFER_SIZE;

	if (scrub->options.rate == 0)
		return true;
	if (ms > 0) {
		if (ms > SPARE_MS)
			ms = SPARE_MS;
		scrub->allowed += scrub->options.rate * ms / 1000;
		if (scrub->allowed > most)
			scrub->allowed = most;
		scrub->asked_ms = now;
	}
	return scrub->allowed >= BUFFER_SIZE ||
	    scrub->allowed >= scrub->options.rate / 4;
}

enum store_result
scrub_step(struct scrub *scrub, unsigned budget_ms, bool *done)
{
	uint64_t end = clock_monotonic_ms() + budget_ms;
	enum store_result r = STORE_OK;

	*done = false;
	while (r == STORE_OK && !*done && rate_allows(scrub)) {
		if (scrub->open)
			r = blob_read(scrub);
		else if (scrub->next < scrub->n)
			r = blob_open(scrub, scrub->names[scrub->next++]);
		else {
			if (scrub->listed)
				page_done(scrub);
			scrub->listed = true;
			r = next_page(scrub, done);
		}
		if (clock_monotonic_ms() >= end)
			break;
	}
	return r;
}
