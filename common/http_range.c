/* SPDX-License-Identifier: ISC */
/*
 * Range of a request and Content-Range of an upload.  A Range that we do not
 * serve is ignored, as RFC 9110 section 14.2 allows; there is no
 * multipart/byteranges.  One that ends before it begins is rejected: that is
 * what the conformance tests of the distribution spec hold for range support.
 */
#include "http_range.h"

#include <stddef.h>
#include <string.h>
#include <strings.h>

#include "str.h"

#define DIGITS	"0123456789"

static const char *
skip_space(const char *p)
{
	return p + strspn(p, " \t");
}

/* Digits at *p; saturates, since any larger number means the same. */
static int
take_number(const char **p, uint64_t *n)
{
	size_t len = strspn(*p, DIGITS);

	if (len == 0)
		return -1;
	if (str_parse_u64(*p, len, UINT64_MAX, n) == -1)
		*n = UINT64_MAX;
	*p += len;
	return 0;
}

/* "first-", "first-last" or "-suffix", then the end of the value. */
static int
take_spec(const char *p, uint64_t *first, uint64_t *last, bool *suffix)
{
	p = skip_space(p);
	*suffix = *p == '-';
	*last = UINT64_MAX;
	if (*suffix)
		*first = 0;
	else if (take_number(&p, first) == -1)
		return -1;
	if (*p++ != '-')
		return -1;
	if (*p >= '0' && *p <= '9') {
		if (take_number(&p, last) == -1)
			return -1;
	} else if (*suffix)
		return -1;
	return *skip_space(p) == '\0' ? 0 : -1;
}

enum http_range_result
http_range_parse(const char *value, uint64_t size, uint64_t *first,
    uint64_t *length)
{
	uint64_t from, to;
	bool suffix;

	if (value == NULL || strncasecmp(value, "bytes=", 6) != 0 ||
	    take_spec(value + 6, &from, &to, &suffix) == -1)
		return HTTP_RANGE_NONE;
	if (suffix) {
		if (to == 0 || size == 0)
			return HTTP_RANGE_UNSATISFIABLE;
		from = to < size ? size - to : 0;
		to = size - 1;
	}
	if (to < from || from >= size)
		return HTTP_RANGE_UNSATISFIABLE;
	if (to >= size)
		to = size - 1;
	*first = from;
	*length = to - from + 1;
	return HTTP_RANGE_OK;
}

/* "/" and the whole size or "*" may follow; it must be past the last byte. */
static bool
is_total(const char *p, uint64_t last)
{
	uint64_t total;

	if (*p == '\0')
		return true;
	if (*p++ != '/')
		return false;
	if (strcmp(p, "*") == 0)
		return true;
	return take_number(&p, &total) == 0 && *p == '\0' && total > last;
}

int
http_content_range_parse(const char *value, uint64_t *first, uint64_t *last)
{
	uint64_t from, to;

	if (strncasecmp(value, "bytes", 5) == 0) {
		value += 5;
		if (*value != ' ' && *value != '=')
			return -1;
		value = skip_space(value + 1);
	}
	if (take_number(&value, &from) == -1 || *value++ != '-' ||
	    take_number(&value, &to) == -1)
		return -1;
	if (to < from || to >= INT64_MAX || !is_total(value, to))
		return -1;
	*first = from;
	*last = to;
	return 0;
}
