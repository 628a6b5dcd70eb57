/* SPDX-License-Identifier: ISC */
/*
 * Request targets, decoded and matched: what a handler gets is a checked
 * name, and the parts that it gets make up the path again.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "reference.h"
#include "route.h"
#include "uri.h"

int	LLVMFuzzerTestOneInput(const uint8_t *, size_t);

static void
check(bool true_or_bug)
{
	if (!true_or_bug)
		abort();
}

/* What stands between name and argument; a slash at the end may be left out. */
static bool
is_path_of(const struct route_match *m, const char *path)
{
	static const char *const between[] = {
		[ENDPOINT_TAGS] = "/tags/list",
		[ENDPOINT_REFERRERS] = "/referrers/",
		[ENDPOINT_MANIFEST] = "/manifests/",
		[ENDPOINT_BLOB] = "/blobs/",
		[ENDPOINT_UPLOADS] = "/blobs/uploads",
		[ENDPOINT_UPLOAD] = "/blobs/uploads/",
	};
	char *text;
	bool same;

	if (asprintf(&text, "/v2/%s%s%s", m->name, between[m->endpoint],
	    m->arg) == -1)
		return true;
	same = strncmp(text, path, strlen(text)) == 0 &&
	    (path[strlen(text)] == '\0' ||
	    (m->endpoint == ENDPOINT_UPLOADS &&
	    strcmp(path + strlen(text), "/") == 0));
	free(text);
	return same;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct route_match m;
	enum route_result result;
	enum http_method method;
	struct uri uri;

	if (size == 0 ||
	    uri_parse(&uri, (const char *)data + 1, size - 1) == -1)
		return 0;
	method = (enum http_method)(data[0] % (HTTP_OTHER + 1));
	result = route_find(method, uri.path, "", &m);
	check((result == ROUTE_FOUND) == (m.route != NULL));
	if (result == ROUTE_FOUND || result == ROUTE_METHOD) {
		check(m.endpoint != 0);
		check((m.endpoint >= ENDPOINT_TAGS) == (m.name[0] != '\0'));
		if (m.name[0] != '\0') {
			check(repo_name_ok(m.name));
			check(strchr(m.arg, '/') == NULL);
			check(is_path_of(&m, uri.path));
		}
	} else {
		check(m.name[0] == '\0');
	}
	if (result == ROUTE_FOUND)
		check(m.route->endpoint == m.endpoint &&
		    m.route->method == method);
	uri_done(&uri);
	return 0;
}
