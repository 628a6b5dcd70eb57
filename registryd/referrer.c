/* SPDX-License-Identifier: ISC */
/*
 * Referrers by name: one small file for each manifest that names a subject,
 * in our own tree.  Read in workers, written in keepers.
 */
#include "referrer.h"

#include <stdlib.h>
#include <string.h>

#include "layout.h"
#include "repo.h"
#include "str.h"

#define NAME_SIZE	256	/* of a directory entry */
#define BATCH		256	/* entries taken at a time, at least */

struct page {
	struct store	*store;
	const char	*repo;
	const struct digest *subject;
	const char	*filter;
	size_t		 max;
	struct referrer	*items;
	size_t		 n;
	bool		 more;
};

void
referrers_free(struct referrer *r, size_t n)
{
	size_t i;

	if (r == NULL)
		return;
	for (i = 0; i < n; i++)
		free(r[i].artifact_type);
	free(r);
}

/* Add one entry if it passes the filter; what vanished is left out. */
static enum store_result
page_add(struct page *p, const char *name)
{
	char path[LAYOUT_PATH_SIZE];
	struct referrer *items;
	struct digest d;
	enum store_result r;
	char *type;
	size_t len;

	if (digest_parse(&d, name) == -1)
		return STORE_OK;
	layout_referrer(path, p->repo, p->subject, &d);
	r = store_read(p->store, path, MEDIATYPE_SIZE - 1, &type, &len);
	if (r == STORE_NOTFOUND || r == STORE_INVALID || r == STORE_TOOBIG)
		return STORE_OK;
	if (r != STORE_OK)
		return r;
	if (p->filter != NULL && strcmp(type, p->filter) != 0) {
		free(type);
		return STORE_OK;
	}
	if (p->n == p->max) {
		free(type);
		p->more = true;
		return STORE_OK;
	}
	items = reallocarray(p->items, p->n + 1, sizeof(*items));
	if (items == NULL) {
		free(type);
		return STORE_NOMEM;
	}
	p->items = items;
	p->items[p->n].digest = d;
	p->items[p->n++].artifact_type = type;
	return STORE_OK;
}

enum store_result
referrer_list(struct store *s, const char *repo,
    const struct digest *subject, const char *last, const char *filter,
    size_t n, struct referrer **referrers, size_t *nreferrers, bool *more)
{
	struct page p = { .store = s, .repo = repo, .subject = subject,
	    .filter = filter, .max = n };
	char path[LAYOUT_PATH_SIZE], after[NAME_SIZE];
	enum store_result r = STORE_OK;
	char **names;
	size_t i, nnames;
	bool rest = true;

	layout_referrers(path, repo, subject);
	while (rest && !p.more && r == STORE_OK) {
		nnames = n - p.n + 1;
		r = store_list(s, path, last, nnames < BATCH ? BATCH : nnames,
		    &names, &nnames, &rest);
		if (r != STORE_OK)
			break;
		for (i = 0; i < nnames && !p.more && r == STORE_OK; i++)
			r = page_add(&p, names[i]);
		if (rest)
			rest = nnames > 0 && str_copy(after, sizeof(after),
			    names[nnames - 1]) == 0;
		last = after;
		store_names_free(names, nnames);
	}
	if (r != STORE_OK && r != STORE_NOTFOUND) {
		referrers_free(p.items, p.n);
		return r;
	}
	*referrers = p.items;
	*nreferrers = p.n;
	*more = p.more;
	return STORE_OK;
}

enum store_result
referrer_put(struct store *s, const char *repo, const struct digest *subject,
    const struct digest *referrer, const char *artifact_type)
{
	char path[LAYOUT_PATH_SIZE];

	return store_put(s, layout_referrer(path, repo, subject, referrer),
	    artifact_type, strlen(artifact_type), STORE_REPLACE);
}

enum store_result
referrer_delete(struct store *s, const char *repo,
    const struct digest *subject, const struct digest *referrer)
{
	char path[LAYOUT_PATH_SIZE];
	enum store_result r;

	r = store_unlink(s, layout_referrer(path, repo, subject, referrer));
	if (r == STORE_OK)
		store_prune(s, layout_referrers(path, repo, subject),
		    LAYOUT_OWN_REPOSITORIES);
	return r;
}
