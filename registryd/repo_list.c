/* SPDX-License-Identifier: ISC */
/*
 * The list of repositories: a walk in distribution's order that starts at
 * "last" and stops when the page is full.  Runs in workers (catalog) and the
 * collector; reads only.
 */
#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "layout.h"
#include "reference.h"
#include "repo.h"
#include "str.h"

/*
 * Names of a directory taken at a time, each time with a look at all of it:
 * at first, or what the page has room for; then twice as many, up to the
 * most.
 */
#define WALK_BATCH	64
#define WALK_BATCH_MAX	4096

struct walk {
	struct store	*store;
	const char	*const *marks;	/* any of them makes a repository */
	size_t		 max;
	uint64_t	 end_ms;	/* of the page; 0: none */
	char		**names;
	size_t		 n, cap;
	bool		 more;
	char		 repo[REPO_NAME_SIZE];
};

static enum store_result walk_inside(struct walk *, const char *last);

int
repo_compare(const char *a, const char *b)
{
	int ca, cb;

	for (; *a == *b && *a != '\0'; a++, b++)
		continue;
	/* '/' before all other characters, the end before '/'. */
	ca = *a == '\0' ? 0 : *a == '/' ? 1 : (unsigned char)*a + 2;
	cb = *b == '\0' ? 0 : *b == '/' ? 1 : (unsigned char)*b + 2;
	return ca - cb;
}

/* Does the directory of w->repo hold one of the marks? */
static enum store_result
walk_probe(struct walk *w)
{
	char path[LAYOUT_PATH_SIZE];
	struct store_stat st;
	enum store_result r;
	size_t i, len;

	layout_repo(path, w->repo);
	len = strlen(path);
	for (i = 0; w->marks[i] != NULL; i++) {
		path[len] = '/';
		str_copy(path + len + 1, sizeof(path) - len - 1,
		    w->marks[i]);
		r = store_stat(w->store, path, &st);
		if (r == STORE_OK && st.is_dir)
			return STORE_OK;
		if (r != STORE_OK && r != STORE_NOTFOUND &&
		    r != STORE_INVALID)
			return r;
	}
	return STORE_NOTFOUND;
}

static enum store_result
walk_emit(struct walk *w)
{
	char **names;
	size_t cap;

	if (w->n == w->max) {
		w->more = true;
		return STORE_OK;
	}
	if (w->n == w->cap) {
		cap = w->cap == 0 ? 64 : 2 * w->cap;
		names = reallocarray(w->names, cap, sizeof(*names));
		if (names == NULL)
			return STORE_NOMEM;
		w->names = names;
		w->cap = cap;
	}
	if ((w->names[w->n] = strdup(w->repo)) == NULL)
		return STORE_NOMEM;
	w->n++;
	w->more = w->end_ms != 0 && clock_monotonic_ms() >= w->end_ms;
	return STORE_OK;
}

/*
 * One child of w->repo, and what is beneath it.  "last" is what remains of
 * the starting point inside it: NULL when all of it comes after, "" when it
 * is the starting point itself.
 */
static enum store_result
walk_child(struct walk *w, const char *name, const char *last)
{
	size_t len = strlen(w->repo);
	enum store_result r = STORE_OK;

	if (name[0] == '_' || name[0] == '.' ||
	    len + 1 + strlen(name) > REPO_NAME_MAX)
		return STORE_OK;
	if (len > 0)
		w->repo[len] = '/';
	str_copy(w->repo + len + (len > 0), sizeof(w->repo) - len - 1, name);
	/* Nothing beneath it has a name either: lost+found, for one. */
	if (!repo_name_ok(w->repo)) {
		w->repo[len] = '\0';
		return STORE_OK;
	}
	if (last == NULL && (r = walk_probe(w)) == STORE_OK)
		r = walk_emit(w);
	if (r == STORE_NOTFOUND)
		r = STORE_OK;
	if (r == STORE_OK && !w->more)
		r = walk_inside(w, last);
	w->repo[len] = '\0';
	return r;
}

static size_t
next_batch(size_t batch, size_t wanted)
{
	if (batch == 0)
		return wanted < WALK_BATCH ? WALK_BATCH : wanted;
	return batch < WALK_BATCH_MAX / 2 ? 2 * batch : WALK_BATCH_MAX;
}

/*
 * The next names in w->repo.  To come back to where the page before ended
 * takes none of the page's time: in a large directory nothing would be left
 * of it, and each page would be a look at all names for one of them.
 */
static enum store_result
walk_read(struct walk *w, const char *after, size_t batch, bool back,
    char ***names, size_t *n, bool *more)
{
	char path[LAYOUT_PATH_SIZE];
	bool timed = back && w->end_ms != 0;
	uint64_t began = timed ? clock_monotonic_ms() : 0;
	enum store_result r;

	if (w->repo[0] != '\0')
		layout_repo(path, w->repo);
	else
		str_copy(path, sizeof(path), LAYOUT_REPOSITORIES);
	r = store_list(w->store, path, after[0] != '\0' ? after : NULL, batch,
	    names, n, more);
	if (timed)
		w->end_ms += clock_monotonic_ms() - began;
	return r;
}

/* Children of w->repo in order, those wholly before "last" left out. */
static enum store_result
walk_inside(struct walk *w, const char *last)
{
	char after[REPO_NAME_SIZE] = "", **names;
	bool more = true, back = last != NULL || w->repo[0] == '\0';
	enum store_result r = STORE_OK;
	size_t i, n, first, batch = 0;

	/* An empty component comes before every name. */
	if (last != NULL && *last != '\0' && *last != '/') {
		first = strcspn(last, "/");
		memcpy(after, last, first);
		after[first] = '\0';
		r = walk_child(w, after,
		    last + first + (last[first] == '/'));
	}
	while (r == STORE_OK && more && !w->more) {
		batch = next_batch(batch, w->max - w->n + 1);
		r = walk_read(w, after, batch, back, &names, &n, &more);
		if (r != STORE_OK)
			break;
		back = false;
		if (n == 0)
			more = false;
		for (i = 0; i < n && r == STORE_OK && !w->more; i++)
			r = walk_child(w, names[i], NULL);
		if (n > 0)
			more = more && str_copy(after, sizeof(after),
			    names[n - 1]) == 0;
		store_names_free(names, n);
	}
	/* Gone meanwhile, or a file. */
	return r == STORE_NOTFOUND || r == STORE_INVALID ? STORE_OK : r;
}

static enum store_result
walk_list(struct walk *w, const char *last, char ***names, size_t *nnames,
    bool *more)
{
	enum store_result r;

	/* Beyond the longest name there is nothing to skip to by name. */
	if (last != NULL && strnlen(last, REPO_NAME_SIZE) > REPO_NAME_MAX)
		return STORE_INVALID;
	r = walk_inside(w, last);
	if (r != STORE_OK) {
		store_names_free(w->names, w->n);
		return r;
	}
	*names = w->names;
	*nnames = w->n;
	*more = w->more;
	return STORE_OK;
}

static const char *const repo_marks[] = { "_manifests", "_layers", NULL };
static const char *const upload_marks[] = { "_uploads", NULL };

enum store_result
repo_list(struct store *s, const char *last, size_t n, char ***names,
    size_t *nnames, bool *more)
{
	return repo_list_until(s, last, n, 0, names, nnames, more);
}

enum store_result
repo_list_uploads(struct store *s, const char *last, size_t n, char ***names,
    size_t *nnames, bool *more)
{
	return repo_list_uploads_until(s, last, n, 0, names, nnames, more);
}

enum store_result
repo_list_until(struct store *s, const char *last, size_t n, uint64_t end_ms,
    char ***names, size_t *nnames, bool *more)
{
	struct walk w = { .store = s, .marks = repo_marks, .max = n,
	    .end_ms = end_ms };

	return walk_list(&w, last, names, nnames, more);
}

enum store_result
repo_list_uploads_until(struct store *s, const char *last, size_t n,
    uint64_t end_ms, char ***names, size_t *nnames, bool *more)
{
	struct walk w = { .store = s, .marks = upload_marks, .max = n,
	    .end_ms = end_ms };

	return walk_list(&w, last, names, nnames, more);
}
