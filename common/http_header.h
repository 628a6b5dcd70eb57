/* SPDX-License-Identifier: ISC */
/*
 * The header lines of a request.  Private to the HTTP layer, whose users
 * call http_request_header().
 */
#ifndef HTTP_HEADER_H
#define HTTP_HEADER_H

#include <stddef.h>

#include "http.h"

const char	*http_headers_find(const struct http_request *,
		    const char *name);		/* the first, or NULL */
size_t		 http_headers_count(const struct http_request *,
		    const char *name);
/* Cut outer white space, in place; returns the new start. */
char		*http_header_trim(char *);

#endif
