/* SPDX-License-Identifier: ISC */
/*
 * The names of a directory one by one, page by page, for work that stops in
 * between and goes on later: names that come or go meanwhile are seen or not.
 */
#ifndef REPO_PAGE_H
#define REPO_PAGE_H

#include "store.h"

#define REPO_PAGE_NAME		256	/* of a directory entry */
/* So many at a time: the directory is read once for each page. */
#define REPO_PAGE_SIZE		16384

struct repo_page {			/* all zero at first */
	char		**names;
	size_t		 n, next;
	bool		 last;		/* the page; or no such directory */
	char		 after[REPO_PAGE_NAME];
};

/* OK with the next name, until repo_page_next() is called; NOTFOUND: end. */
enum store_result repo_page_next(struct store *, const char *dir,
		    struct repo_page *, const char **name);
/* The same name once more. */
void		 repo_page_again(struct repo_page *);
/* As it was at first. */
void		 repo_page_done(struct repo_page *);

#endif
