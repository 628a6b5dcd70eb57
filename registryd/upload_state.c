/* SPDX-License-Identifier: ISC */
/*
 * Kept hash states of uploads.  Runs in keepers.  Losing one costs reading
 * the file again, no more; so the table is small and forgets the oldest.
 */
#include "upload_state.h"

#include <stdlib.h>
#include <string.h>

static struct state {
	char		*path;		/* NULL: free */
	struct store_stat st;
	struct digest_ctx *hash;
	uint64_t	 used;
} states[UPLOAD_STATE_MAX];
static uint64_t uses;

static void
state_done(struct state *s)
{
	digest_ctx_free(s->hash);
	free(s->path);
	memset(s, 0, sizeof(*s));
}

static struct state *
state_find(const char *path)
{
	size_t i;

	for (i = 0; i < UPLOAD_STATE_MAX; i++)
		if (states[i].path != NULL &&
		    strcmp(states[i].path, path) == 0)
			return &states[i];
	return NULL;
}

static bool
state_same_file(const struct store_stat *a, const struct store_stat *b)
{
	return a->size == b->size && a->ino == b->ino && a->dev == b->dev &&
	    a->mtime == b->mtime && a->mtime_nsec == b->mtime_nsec;
}

void
upload_state_keep(const char *path, const struct store_stat *st,
    struct digest_ctx *hash)
{
	struct state *s;
	size_t i;

	if ((s = state_find(path)) == NULL) {
		/* A free one has never been used. */
		s = &states[0];
		for (i = 1; i < UPLOAD_STATE_MAX; i++)
			if (states[i].used < s->used)
				s = &states[i];
	}
	state_done(s);
	if ((s->path = strdup(path)) == NULL) {
		digest_ctx_free(hash);
		return;
	}
	s->st = *st;
	s->hash = hash;
	s->used = ++uses;
}

struct digest_ctx *
upload_state_take(const char *path, const struct store_stat *st)
{
	struct digest_ctx *hash = NULL;
	struct state *s;

	if ((s = state_find(path)) == NULL)
		return NULL;
	if (state_same_file(&s->st, st)) {
		hash = s->hash;
		s->hash = NULL;
	}
	state_done(s);
	return hash;
}

void
upload_state_drop(const char *path)
{
	struct state *s;

	if ((s = state_find(path)) != NULL)
		state_done(s);
}
