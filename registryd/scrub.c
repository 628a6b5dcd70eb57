/* SPDX-License-Identifier: ISC */
/*
 * Scrubbing: every blob is read and hashed, shard by shard, at a bounded
 * rate, behind what an interrupted scrub has left in quarantine.  Runs in the
 * collector as a job, or in registryctl.
 */
#include "scrub.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "scrub_state.h"
#include "str.h"

#define SHARDS		(SCRUB_SHARDS / 2)
#define PAGE		256		/* names of a shard taken at a time */
#define SPARE_MS	1000		/* of the rate, at once after a pause */
#define RATE_MAX	((uint64_t)1 << 40)	/* no disk is as fast */

struct scrub *
scrub_new(struct store *s, const struct scrub_options *options)
{
	struct scrub *scrub;

	if ((scrub = calloc(1, sizeof(*scrub))) == NULL ||
	    (scrub->buffer = malloc(SCRUB_BUFFER_SIZE)) == NULL) {
		free(scrub);
		return NULL;
	}
	scrub->store = s;
	scrub->options = *options;
	scrub->quarantine = true;
	scrub->report.shards = SCRUB_SHARDS;
	scrub->asked_ms = clock_monotonic_ms();
	return scrub;
}

void
scrub_free(struct scrub *scrub)
{
	if (scrub == NULL)
		return;
	scrub_file_close(scrub);
	store_names_free(scrub->names, scrub->n);
	free(scrub->buffer);
	free(scrub);
}

const struct scrub_report *
scrub_report(const struct scrub *scrub)
{
	return &scrub->report;
}

void
scrub_strange(struct scrub *scrub, const char *path)
{
	struct scrub_report *report = &scrub->report;

	/* A path that is longer is shown as far as it fits. */
	report->strange++;
	snprintf(report->strange_last, sizeof(report->strange_last), "%.*s",
	    (int)sizeof(report->strange_last) - 1, path);
}

/* ---- going on ---- */

void
scrub_resume(struct scrub *scrub, const struct scrub_cursor *cursor)
{
	const struct scrub_counts *c = &cursor->counts;
	struct scrub_report *report = &scrub->report;

	scrub->place = cursor->shard < SCRUB_SHARDS ? cursor->shard : 0;
	(void)str_copy(scrub->passed, sizeof(scrub->passed), cursor->after);
	report->shard = scrub->place;
	report->blobs = c->blobs;
	report->bytes = c->bytes;
	report->bad = c->bad;
	report->quarantined = c->quarantined;
	report->unsteady = c->unsteady;
	report->unreadable = c->unreadable;
	report->mended = c->mended;
	report->returned = c->returned;
	report->strange = c->strange;
}

void
scrub_tell(const struct scrub *scrub, struct scrub_cursor *cursor)
{
	const struct scrub_report *report = &scrub->report;

	memset(cursor, 0, sizeof(*cursor));
	cursor->shard = scrub->place;
	/* A name that is none of ours could not be gone on from. */
	if (strspn(scrub->passed, "0123456789abcdef") ==
	    strlen(scrub->passed))
		(void)str_copy(cursor->after, sizeof(cursor->after),
		    scrub->passed);
	cursor->counts = (struct scrub_counts){
		.blobs = report->blobs,
		.bytes = report->bytes,
		.bad = report->bad,
		.quarantined = report->quarantined,
		.unsteady = report->unsteady,
		.unreadable = report->unreadable,
		.mended = report->mended,
		.returned = report->returned,
		.strange = report->strange
	};
}

/* ---- the walk ---- */

static enum digest_alg
place_alg(const struct scrub *scrub)
{
	return scrub->place < SHARDS ? DIGEST_SHA256 : DIGEST_SHA512;
}

static enum store_result
open_blob(struct scrub *scrub, const char *hex)
{
	char path[LAYOUT_PATH_SIZE], text[DIGEST_STR_SIZE];
	struct digest d;
	int n;

	n = snprintf(text, sizeof(text), "%s:%s",
	    digest_alg_name(place_alg(scrub)), hex);
	if (n >= 0 && (size_t)n < sizeof(text) && digest_parse(&d, text) == 0)
		return scrub_file_open(scrub, layout_blob(path, &d), &d);
	n = snprintf(path, sizeof(path), LAYOUT_BLOBS "/%s/%02x/%s",
	    digest_alg_name(place_alg(scrub)), scrub->place % SHARDS, hex);
	if (n >= 0 && (size_t)n < sizeof(path))
		scrub_strange(scrub, path);
	return STORE_OK;
}

static enum store_result
open_next(struct scrub *scrub)
{
	const char *name = scrub->names[scrub->next++];
	char path[LAYOUT_PATH_SIZE];
	struct digest d;

	if (!scrub->quarantine)
		return open_blob(scrub, name);
	if (!scrub_unjudged(scrub, name, path, &d))
		return STORE_OK;
	return scrub_file_open(scrub, path, &d);
}

/* The directory at hand cannot be listed: is it one? */
static void
look_at_directory(struct scrub *scrub, const char *dir)
{
	struct store_stat st;
	enum store_result r = store_stat(scrub->store, dir, &st);

	if (r == STORE_INVALID || (r == STORE_OK && !st.is_dir))
		scrub_strange(scrub, dir);
}

/* The next page of names, of the quarantine or of the shard. */
static enum store_result
next_page(struct scrub *scrub, bool *done)
{
	char dir[LAYOUT_PATH_SIZE];
	enum store_result r;

	store_names_free(scrub->names, scrub->n);
	scrub->names = NULL;
	scrub->n = scrub->next = 0;
	scrub->more = false;
	if (scrub->quarantine)
		snprintf(dir, sizeof(dir), "%s", LAYOUT_QUARANTINE);
	else if (scrub->options.only_quarantine ||
	    scrub->place == SCRUB_SHARDS) {
		*done = true;
		return STORE_OK;
	} else
		snprintf(dir, sizeof(dir), LAYOUT_BLOBS "/%s/%02x",
		    digest_alg_name(place_alg(scrub)), scrub->place % SHARDS);
	r = store_list(scrub->store, dir, scrub->last[0] != '\0' ?
	    scrub->last : NULL, PAGE, &scrub->names, &scrub->n, &scrub->more);
	if (r != STORE_NOTFOUND && r != STORE_INVALID)
		return r;
	look_at_directory(scrub, dir);
	scrub->names = NULL;
	scrub->n = scrub->next = 0;
	scrub->more = false;
	return STORE_OK;
}

/* Is there more of it, or which is the next directory? */
static void
page_done(struct scrub *scrub)
{
	if (scrub->more && scrub->n > 0 && str_copy(scrub->last,
	    sizeof(scrub->last), scrub->names[scrub->n - 1]) == 0)
		return;
	scrub->last[0] = '\0';
	if (scrub->quarantine) {
		scrub->quarantine = false;
		(void)str_copy(scrub->last, sizeof(scrub->last),
		    scrub->passed);
		return;
	}
	scrub->passed[0] = '\0';
	scrub->report.shard = ++scrub->place;
}

/* May more be read now? */
static bool
rate_allows(struct scrub *scrub)
{
	uint64_t now = clock_monotonic_ms(), ms = now - scrub->asked_ms;
	uint64_t most = scrub->options.rate / 1000 * SPARE_MS +
	    SCRUB_BUFFER_SIZE;

	if (scrub->options.rate == 0 || scrub->options.rate > RATE_MAX)
		return true;
	if (ms > SPARE_MS)
		ms = SPARE_MS;
	if (scrub->options.rate * ms >= 1000) {
		scrub->allowed += scrub->options.rate * ms / 1000;
		if (scrub->allowed > most)
			scrub->allowed = most;
		scrub->asked_ms = now;
	}
	return scrub->allowed >= SCRUB_BUFFER_SIZE;
}

static enum store_result
one_step(struct scrub *scrub, bool *done)
{
	enum store_result r;

	if (!scrub->open && scrub->next == scrub->n) {
		if (scrub->listed)
			page_done(scrub);
		scrub->listed = true;
		return next_page(scrub, done);
	}
	r = scrub->open ? scrub_file_read(scrub) : open_next(scrub);
	if (r == STORE_OK && !scrub->open && !scrub->quarantine)
		(void)str_copy(scrub->passed, sizeof(scrub->passed),
		    scrub->names[scrub->next - 1]);
	return r;
}

enum store_result
scrub_step(struct scrub *scrub, unsigned budget_us, bool *done)
{
	uint64_t end = clock_monotonic_us() + budget_us;
	enum store_result r = STORE_OK;

	*done = false;
	while (r == STORE_OK && !*done && rate_allows(scrub)) {
		r = one_step(scrub, done);
		if (clock_monotonic_us() >= end)
			break;
	}
	return r;
}
