/* SPDX-License-Identifier: ISC */
/*
 * Looking up the header lines of a request.
 */
#include "http_header.h"

#include <string.h>

#include "str.h"

const char *
http_headers_find(const struct http_request *req, const char *name)
{
	size_t i;

	for (i = 0; i < req->nheaders; i++) {
		if (str_equal_nocase(req->headers[i].name, name))
			return req->headers[i].value;
	}
	return NULL;
}

size_t
http_headers_count(const struct http_request *req, const char *name)
{
	size_t i, n = 0;

	for (i = 0; i < req->nheaders; i++) {
		if (str_equal_nocase(req->headers[i].name, name))
			n++;
	}
	return n;
}

static bool
is_space(char c)
{
	return c == ' ' || c == '\t';
}

char *
http_header_trim(char *value)
{
	size_t len;

	while (is_space(*value))
		value++;
	len = strlen(value);
	while (len > 0 && is_space(value[len - 1]))
		len--;
	value[len] = '\0';
	return value;
}
