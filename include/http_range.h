/* SPDX-License-Identifier: ISC */
/*
 * Range (RFC 9110 section 14) and Content-Range as uploads use it.
 */
#ifndef HTTP_RANGE_H
#define HTTP_RANGE_H

#include <stdbool.h>
#include <stdint.h>

enum http_range_result {
	HTTP_RANGE_NONE,		/* absent, malformed or several: 200 */
	HTTP_RANGE_OK,			/* 206 */
	HTTP_RANGE_UNSATISFIABLE	/* 416 */
};

/* One range of a representation of "size" bytes; first and length. */
enum http_range_result http_range_parse(const char *value, uint64_t size,
	    uint64_t *first, uint64_t *length);
/*
 * "0-1023", "bytes 0-1023/1024", "bytes=0-1023" or with "/" and "*": how
 * upload clients write Content-Range.  0, or -1 when malformed or end < start.
 */
int	 http_content_range_parse(const char *value, uint64_t *first,
	    uint64_t *last);

#endif
