/* SPDX-License-Identifier: ISC */
/*
 * The table of everything that this registry answers, with what each entry
 * needs, and the matching of paths to it.  Runs in the worker.
 *
 * A repository's name holds slashes, so paths are matched from their right
 * end.  A row is built by ROUTE(), which takes all columns: one without an
 * access requirement does not compile, and route_check() refuses to start
 * with one that makes no sense.
 */
#include "route.h"

#include <stdbool.h>
#include <string.h>

#include "api.h"
#include "scope.h"
#include "str.h"

#define PULL	ACTION_PULL
#define PUSH	ACTION_PUSH
#define DELETE	ACTION_DELETE

#define ROUTE(endpoint, method, need, actions, asked, effect, handler)	\
	{ ENDPOINT_##endpoint, HTTP_##method, NEED_##need, (actions),	\
	    (asked), EFFECT_##effect, (handler) }

/*
 * Writing needs push alone; challenges name pull too, since that is what
 * clients ask their token service for and go on with afterwards.
 */
static const struct route routes[] = {
	/* endpoint, method, need, actions, asked, effect, handler */
	ROUTE(ROOT, GET, NOTHING, 0, 0, READ, api_root_get),
	ROUTE(ROOT, HEAD, NOTHING, 0, 0, READ, api_root_get),
	ROUTE(BASE, GET, LOGIN, 0, 0, READ, api_base_get),
	ROUTE(BASE, HEAD, LOGIN, 0, 0, READ, api_base_get),
	ROUTE(CATALOG, GET, CATALOG, ACTION_ALL, ACTION_ALL, READ,
	    api_catalog_get),
	ROUTE(CATALOG, HEAD, CATALOG, ACTION_ALL, ACTION_ALL, READ,
	    api_catalog_get),
	ROUTE(TAGS, GET, REPOSITORY, PULL, PULL, READ, api_tags_get),
	ROUTE(TAGS, HEAD, REPOSITORY, PULL, PULL, READ, api_tags_get),
	ROUTE(REFERRERS, GET, REPOSITORY, PULL, PULL, READ,
	    api_referrers_get),
	ROUTE(REFERRERS, HEAD, REPOSITORY, PULL, PULL, READ,
	    api_referrers_get),
	ROUTE(MANIFEST, GET, REPOSITORY, PULL, PULL, READ, api_manifest_get),
	ROUTE(MANIFEST, HEAD, REPOSITORY, PULL, PULL, READ, api_manifest_get),
	ROUTE(MANIFEST, PUT, REPOSITORY, PUSH, PULL | PUSH, WRITE,
	    api_manifest_put),
	ROUTE(MANIFEST, DELETE, REPOSITORY, DELETE, DELETE, DELETE,
	    api_manifest_delete),
	ROUTE(BLOB, GET, REPOSITORY, PULL, PULL, READ, api_blob_get),
	ROUTE(BLOB, HEAD, REPOSITORY, PULL, PULL, READ, api_blob_get),
	ROUTE(BLOB, DELETE, REPOSITORY, DELETE, DELETE, DELETE,
	    api_blob_delete),
	ROUTE(UPLOADS, POST, REPOSITORY, PUSH, PULL | PUSH, WRITE,
	    api_upload_post),
	ROUTE(UPLOAD, GET, REPOSITORY, PUSH, PULL | PUSH, READ,
	    api_upload_get),
	ROUTE(UPLOAD, HEAD, REPOSITORY, PUSH, PULL | PUSH, READ,
	    api_upload_get),
	ROUTE(UPLOAD, PATCH, REPOSITORY, PUSH, PULL | PUSH, WRITE,
	    api_upload_patch),
	ROUTE(UPLOAD, PUT, REPOSITORY, PUSH, PULL | PUSH, WRITE,
	    api_upload_put),
	/* Giving up one's own upload is no deletion of content. */
	ROUTE(UPLOAD, DELETE, REPOSITORY, PUSH, PULL | PUSH, WRITE,
	    api_upload_delete),
};
#define NROUTES	(sizeof(routes) / sizeof(routes[0]))

static const char *const method_names[] = {
	[HTTP_GET] = "GET", [HTTP_HEAD] = "HEAD", [HTTP_POST] = "POST",
	[HTTP_PUT] = "PUT", [HTTP_PATCH] = "PATCH", [HTTP_DELETE] = "DELETE",
	[HTTP_OPTIONS] = "OPTIONS",
};

const struct route *
route_table(size_t *n)
{
	*n = NROUTES;
	return routes;
}

static const char *
row_check(const struct route *r)
{
	bool read = r->method == HTTP_GET || r->method == HTTP_HEAD;

	if (r->endpoint == 0 || r->handler == NULL || r->need == 0 ||
	    r->effect == 0)
		return "a route is not complete";
	if (read != (r->effect == EFFECT_READ))
		return "a route's effect does not go with its method";
	if ((r->need == NEED_REPOSITORY || r->need == NEED_CATALOG) &&
	    (r->actions == 0 || (r->asked & r->actions) != r->actions))
		return "a route without an action";
	if (r->need == NEED_NOTHING && r->endpoint != ENDPOINT_ROOT)
		return "a route that is open to everyone";
	if (r->endpoint >= ENDPOINT_TAGS && r->need != NEED_REPOSITORY)
		return "a route of a repository without its access";
	if (r->endpoint >= ENDPOINT_TAGS && !read &&
	    (r->actions & (ACTION_PUSH | ACTION_DELETE)) == 0)
		return "a route that writes with the right to read";
	return NULL;
}

const char *
route_check(void)
{
	const char *wrong;
	size_t i, j;

	for (i = 0; i < NROUTES; i++) {
		if ((wrong = row_check(&routes[i])) != NULL)
			return wrong;
		for (j = 0; j < i; j++)
			if (routes[i].endpoint == routes[j].endpoint &&
			    routes[i].method == routes[j].method)
				return "two routes for one request";
	}
	return NULL;
}

char *
route_allow(enum route_endpoint endpoint, char *dst, size_t size)
{
	size_t i, len = 0, n;
	const char *name;

	dst[0] = '\0';
	for (i = 0; i < NROUTES; i++) {
		if (routes[i].endpoint != endpoint)
			continue;
		name = method_names[routes[i].method];
		n = strlen(name);
		if (len + n + 3 > size)
			break;
		if (len > 0) {
			memcpy(dst + len, ", ", 2);
			len += 2;
		}
		memcpy(dst + len, name, n + 1);
		len += n;
	}
	return dst;
}

/* The last slash before "end"; NULL when there is none. */
static const char *
slash_before(const char *path, const char *end)
{
	while (end > path)
		if (*--end == '/')
			return end;
	return NULL;
}

static bool
part_is(const char *part, const char *end, const char *text)
{
	size_t len = strlen(text);

	return (size_t)(end - part) == len && memcmp(part, text, len) == 0;
}

/*
 * What the right end of "<name>/kind/arg" says; *end is where the name
 * ends.  Zero: nothing that we have.
 */
static enum route_endpoint
match_tail(const char *path, const char **end, const char **arg)
{
	const char *last, *before, *third;

	if ((last = slash_before(path, path + strlen(path))) == NULL)
		return 0;
	if ((before = slash_before(path, last)) == NULL)
		return 0;
	*arg = last + 1;
	*end = before;
	if (part_is(before + 1, last, "manifests"))
		return ENDPOINT_MANIFEST;
	if (part_is(before + 1, last, "referrers"))
		return ENDPOINT_REFERRERS;
	if (part_is(before + 1, last, "tags") && strcmp(*arg, "list") == 0)
		return ENDPOINT_TAGS;
	if (part_is(before + 1, last, "blobs"))
		return strcmp(*arg, "uploads") == 0 ? ENDPOINT_UPLOADS :
		    ENDPOINT_BLOB;
	if (!part_is(before + 1, last, "uploads") ||
	    (third = slash_before(path, before)) == NULL ||
	    !part_is(third + 1, before, "blobs"))
		return 0;
	*end = third;
	return **arg == '\0' ? ENDPOINT_UPLOADS : ENDPOINT_UPLOAD;
}

static enum route_result
match_repository(const char *path, struct route_match *m)
{
	const char *end = NULL;
	size_t len;

	if ((m->endpoint = match_tail(path, &end, &m->arg)) == 0)
		return ROUTE_UNKNOWN;
	len = (size_t)(end - path);
	if (len >= sizeof(m->name))
		return ROUTE_NAME;
	memcpy(m->name, path, len);
	m->name[len] = '\0';
	if (!repo_name_ok(m->name)) {
		m->name[0] = '\0';
		return ROUTE_NAME;
	}
	if (m->endpoint == ENDPOINT_UPLOADS || m->endpoint == ENDPOINT_TAGS)
		m->arg = "";
	return ROUTE_FOUND;
}

static enum route_result
match_path(const char *path, const char *prefix, struct route_match *m)
{
	if (strcmp(path, "/") == 0) {
		m->endpoint = ENDPOINT_ROOT;
		return ROUTE_FOUND;
	}
	if (!str_starts(path, prefix))
		return ROUTE_UNKNOWN;
	path += strlen(prefix);
	if (strcmp(path, "/v2") == 0)
		return ROUTE_REDIRECT;
	if (!str_starts(path, "/v2/"))
		return ROUTE_UNKNOWN;
	path += 4;
	if (*path == '\0')
		m->endpoint = ENDPOINT_BASE;
	else if (strcmp(path, "_catalog") == 0)
		m->endpoint = ENDPOINT_CATALOG;
	else
		return match_repository(path, m);
	return ROUTE_FOUND;
}

enum route_result
route_find(enum http_method method, const char *path, const char *prefix,
    struct route_match *m)
{
	enum route_result result;
	size_t i;

	m->route = NULL;
	m->endpoint = 0;
	m->name[0] = '\0';
	m->arg = "";
	if ((result = match_path(path, prefix, m)) != ROUTE_FOUND)
		return result;
	for (i = 0; i < NROUTES; i++)
		if (routes[i].endpoint == m->endpoint &&
		    routes[i].method == method) {
			m->route = &routes[i];
			return ROUTE_FOUND;
		}
	return ROUTE_METHOD;
}
