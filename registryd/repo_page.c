/* SPDX-License-Identifier: ISC */
/*
 * The names of a directory, page by page: runs in keepers.
 */
#include "repo_page.h"

#include <string.h>

#include "str.h"

void
repo_page_done(struct repo_page *p)
{
	store_names_free(p->names, p->n);
	memset(p, 0, sizeof(*p));
}

static enum store_result
read_page(struct store *s, const char *dir, struct repo_page *p)
{
	enum store_result r;
	bool more;

	store_names_free(p->names, p->n);
	p->names = NULL;
	p->n = p->next = 0;
	r = store_list(s, dir, p->after[0] != '\0' ? p->after : NULL,
	    REPO_PAGE_SIZE, &p->names, &p->n, &more);
	if (r != STORE_OK)
		return r;
	p->last = !more || p->n == 0 || str_copy(p->after, sizeof(p->after),
	    p->names[p->n - 1]) == -1;
	return STORE_OK;
}

enum store_result
repo_page_next(struct store *s, const char *dir, struct repo_page *p,
    const char **name)
{
	enum store_result r;

	while (p->next == p->n) {
		if (p->last)
			return STORE_NOTFOUND;
		if ((r = read_page(s, dir, p)) != STORE_OK) {
			p->last = p->last || r == STORE_NOTFOUND;
			return r;
		}
	}
	*name = p->names[p->next++];
	return STORE_OK;
}

void
repo_page_again(struct repo_page *p)
{
	p->next--;
}
