/* SPDX-License-Identifier: ISC */
/*
 * The way of wrong bytes into quarantine.  Runs in the collector or in
 * registryctl.
 *
 * A push may put right bytes in place of the wrong ones at any moment, and no
 * rename asks which file it moves.  So the first one is that of a collection
 * (gc.c): whatever it has caught, a crash, a reader or a collection finds it
 * under a condemned name and brings it back, and nothing is ever missing.
 * Only when the file beneath that name, which nobody else gives, is the one
 * that has been read does it go on into quarantine.
 */
#include <stdio.h>
#include <string.h>

#include "clock.h"
#include "random.h"
#include "repo.h"
#include "scrub_state.h"
#include "str.h"

#define TRIES	8		/* somebody brings it back meanwhile */
#define NOTE	".note"

enum store_result
scrub_note(struct scrub *scrub, const char *moved)
{
	char path[LAYOUT_PATH_SIZE], text[512], digest[DIGEST_STR_SIZE];
	char when[32];
	int n;

	n = snprintf(path, sizeof(path), "%s" NOTE, moved);
	if (n < 0 || (size_t)n >= sizeof(path))
		return STORE_INVALID;
	n = snprintf(text, sizeof(text), "%s\n%llu bytes that do not have "
	    "this digest, found by a scrub at %s\n",
	    digest_format(digest, &scrub->digest),
	    (unsigned long long)scrub->st.size,
	    clock_rfc3339(when, sizeof(when), clock_wall()));
	return store_put(scrub->store, path, text, (size_t)n, STORE_REPLACE);
}

/* *again: the name was brought back before it could be moved on. */
static enum store_result
take_away(struct scrub *scrub, const char *to, bool *again)
{
	struct store *s = scrub->store;
	char hidden[LAYOUT_PATH_SIZE];
	struct store_stat st;
	enum store_result r;
	uint64_t nonce;

	*again = false;
	random_bytes(&nonce, sizeof(nonce));
	layout_condemned(hidden, scrub->path, 0, nonce);
	r = store_move(s, scrub->path, hidden, 0);
	if (r != STORE_OK)
		return r;
	r = store_stat(s, hidden, &st);
	if (r == STORE_OK && (st.ino != scrub->st.ino ||
	    st.dev != scrub->st.dev)) {
		r = repo_resurrect(s, scrub->path);
		return r == STORE_OK ? STORE_MISMATCH : r;
	}
	if (r == STORE_OK)
		r = store_move(s, hidden, to, STORE_REPLACE | STORE_LEFT);
	*again = r == STORE_NOTFOUND;
	return *again ? STORE_OK : r;
}

enum store_result
scrub_quarantine(struct scrub *scrub)
{
	char to[LAYOUT_PATH_SIZE], digest[DIGEST_STR_SIZE];
	enum store_result r;
	bool again = true;
	int tries;

	snprintf(to, sizeof(to), LAYOUT_QUARANTINE "/%s.%llx",
	    digest_format(digest, &scrub->digest),
	    (unsigned long long)scrub->st.ino);
	for (tries = 0; again && tries < TRIES; tries++) {
		r = take_away(scrub, to, &again);
		/* Collected or deleted, or replaced by a push. */
		if (r == STORE_NOTFOUND || r == STORE_MISMATCH)
			return STORE_OK;
		if (r != STORE_OK)
			return r;
	}
	/* In great demand: the next scrub finds it again. */
	if (again)
		return STORE_OK;
	if ((r = scrub_note(scrub, to)) != STORE_OK ||
	    (r = store_barrier(scrub->store)) != STORE_OK)
		return r;
	scrub->report.quarantined++;
	return STORE_OK;
}

/* ---- looking at it again ---- */

/*
 * Right bytes are right whatever is there now.  Where nothing is, they may be
 * the only ones: they have both names until the new one is on the disk.
 */
enum store_result
scrub_return(struct scrub *scrub)
{
	struct store *s = scrub->store;
	char path[LAYOUT_PATH_SIZE];
	enum store_result r;

	layout_blob(path, &scrub->digest);
	r = store_link(s, scrub->path, path);
	if (r != STORE_OK && r != STORE_NOTFOUND)
		r = store_move(s, scrub->path, path, STORE_REPLACE);
	if (r == STORE_NOTFOUND)
		return STORE_OK;
	if (r != STORE_OK || (r = store_barrier(s)) != STORE_OK)
		return r;
	/* A move of one file's name onto its other one leaves both. */
	r = store_unlink(s, scrub->path);
	if (r != STORE_OK && r != STORE_NOTFOUND)
		return r;
	scrub->report.returned++;
	return STORE_OK;
}

bool
scrub_unjudged(struct scrub *scrub, const char *name,
    char path[LAYOUT_PATH_SIZE], struct digest *d)
{
	char note[SCRUB_NAME_SIZE + sizeof(NOTE)], text[SCRUB_NAME_SIZE];
	char *dot;

	if (str_copy(text, sizeof(text), name) == -1 ||
	    (dot = strrchr(text, '.')) == NULL)
		return false;
	*dot = '\0';
	if (digest_parse(d, text) == -1)
		return false;
	snprintf(note, sizeof(note), "%s" NOTE, name);
	if (layout_join(path, LAYOUT_QUARANTINE, note) == -1 ||
	    store_stat(scrub->store, path, NULL) == STORE_OK)
		return false;
	return layout_join(path, LAYOUT_QUARANTINE, name) == 0;
}
