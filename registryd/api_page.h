/* SPDX-License-Identifier: ISC */
/*
 * Lists in pages: how many entries are asked for, where the next page is,
 * and the sending of names.
 */
#ifndef API_PAGE_H
#define API_PAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "api.h"

/*
 * The parameter "n", clamped to max; "absent" when it is not there.  false:
 * it is no number; answered.
 */
bool	 api_page_size(struct api_request *, uint64_t absent, uint64_t max,
	    size_t *n);
/* Same without a request: 0, or -1. */
int	 api_page_parse(const char *text, uint64_t max, size_t *n);

struct api_page_link {
	const char	*path;		/* "/v2/<name>/tags/list" */
	const char	*filter;	/* artifactType, NULL */
	const char	*last;
	size_t		 n;		/* 0: leave out */
};
/* Link: <path?...>; rel="next".  Parameters sorted, as distribution does. */
void	 api_page_link(const struct api_request *, struct http_response *,
	    const struct api_page_link *);
/* The URL alone; -1 when memory is out. */
int	 api_page_url(struct buf *, const char *prefix,
	    const struct api_page_link *);

/*
 * Answer with head, a JSON list of names, and "}": as one body when it is
 * small, else in pieces as the client takes them.  Takes the names.
 */
void	 api_page_respond(struct api_request *, struct http_response *,
	    const char *head, char **names, size_t n);

#endif
