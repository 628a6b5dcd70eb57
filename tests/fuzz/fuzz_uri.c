/* SPDX-License-Identifier: ISC */
/*
 * Request targets and forms.  What parses holds no control characters in its
 * path, and encoded again it parses to the same.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "uri.h"

int	 LLVMFuzzerTestOneInput(const uint8_t *, size_t);

static void
check(int ok)
{
	if (!ok)
		abort();
}

static void
check_same(const struct uri *a, const struct uri *b)
{
	size_t i;

	check(strcmp(a->path, b->path) == 0);
	check(a->nparams == b->nparams);
	for (i = 0; i < a->nparams; i++) {
		check(strcmp(a->params[i].name, b->params[i].name) == 0);
		check(strcmp(a->params[i].value, b->params[i].value) == 0);
	}
}

static void
check_round_trip(const struct uri *uri)
{
	struct buf buf;
	struct uri again;
	size_t i;

	buf_init(&buf, SIZE_MAX);
	buf_addc(&buf, '/');
	uri_encode(&buf, uri->path + 1);
	for (i = 0; i < uri->nparams; i++) {
		buf_addc(&buf, i == 0 ? '?' : '&');
		uri_encode(&buf, uri->params[i].name);
		buf_addc(&buf, '=');
		uri_encode(&buf, uri->params[i].value);
	}
	check(!buf_failed(&buf));
	check(uri_parse(&again, buf_str(&buf), buf.len) == 0);
	check_same(uri, &again);
	uri_done(&again);
	buf_done(&buf);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct uri uri;
	const char *p;

	if (uri_parse(&uri, (const char *)data, len) == 0) {
		check(uri.path[0] == '/' && uri.path[1] != '/');
		for (p = uri.path; *p != '\0'; p++)
			check((unsigned char)*p >= 0x20 && *p != 0x7f);
		check(uri.nparams <= URI_MAX_PARAMS);
		check_round_trip(&uri);
		uri_done(&uri);
	}
	check(uri_parse(&uri, "/", 1) == 0);
	if (uri_parse_form(&uri, (const char *)data, len) == 0)
		check_round_trip(&uri);
	uri_done(&uri);
	return 0;
}
