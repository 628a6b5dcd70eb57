/* SPDX-License-Identifier: ISC */
/*
 * Paths to endpoints, and the soundness of the table behind them.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "route.h"
#include "scope.h"

#define D "sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"

static void
test_matches(void **state)
{
	static const struct {
		const char	*path;
		enum route_endpoint endpoint;
		const char	*name, *arg;
	} cases[] = {
		{ "/", ENDPOINT_ROOT, "", "" },
		{ "/v2/", ENDPOINT_BASE, "", "" },
		{ "/v2/_catalog", ENDPOINT_CATALOG, "", "" },
		{ "/v2/a/tags/list", ENDPOINT_TAGS, "a", "" },
		{ "/v2/a/b/c/tags/list", ENDPOINT_TAGS, "a/b/c", "" },
		{ "/v2/a/referrers/" D, ENDPOINT_REFERRERS, "a", D },
		{ "/v2/a/manifests/latest", ENDPOINT_MANIFEST, "a",
		    "latest" },
		{ "/v2/a/b/manifests/" D, ENDPOINT_MANIFEST, "a/b", D },
		{ "/v2/a/manifests/.BAD", ENDPOINT_MANIFEST, "a", ".BAD" },
		{ "/v2/a/manifests/", ENDPOINT_MANIFEST, "a", "" },
		{ "/v2/a/blobs/" D, ENDPOINT_BLOB, "a", D },
		{ "/v2/a/blobs/uploads/", ENDPOINT_UPLOADS, "a", "" },
		{ "/v2/a/blobs/uploads", ENDPOINT_UPLOADS, "a", "" },
		{ "/v2/a/b/blobs/uploads/id-1", ENDPOINT_UPLOAD, "a/b",
		    "id-1" },
		/* Names may hold the words of the API: the right end counts. */
		{ "/v2/manifests/manifests/manifests", ENDPOINT_MANIFEST,
		    "manifests", "manifests" },
		{ "/v2/a/blobs/uploads/manifests/x", ENDPOINT_MANIFEST,
		    "a/blobs/uploads", "x" },
		{ "/v2/a/tags/list/tags/list", ENDPOINT_TAGS, "a/tags/list",
		    "" },
		{ "/v2/a/tags/list/blobs/" D, ENDPOINT_BLOB, "a/tags/list",
		    D },
		{ "/v2/blobs/blobs/uploads/", ENDPOINT_UPLOADS, "blobs", "" },
		{ "/v2/blobs/uploads/blobs/uploads/x", ENDPOINT_UPLOAD,
		    "blobs/uploads", "x" },
		{ "/v2/uploads/blobs/uploads/x", ENDPOINT_UPLOAD, "uploads",
		    "x" },
	};
	struct route_match m;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		enum route_result r = route_find(HTTP_OTHER, cases[i].path,
		    "", &m);

		if (r != ROUTE_METHOD || m.endpoint != cases[i].endpoint)
			fail_msg("%s: %d %d", cases[i].path, r, m.endpoint);
		assert_string_equal(m.name, cases[i].name);
		assert_string_equal(m.arg, cases[i].arg);
	}
}

static void
test_refuses(void **state)
{
	static const struct {
		const char	*path;
		enum route_result want;
	} cases[] = {
		{ "", ROUTE_UNKNOWN },
		{ "//", ROUTE_UNKNOWN },
		{ "/v1/", ROUTE_UNKNOWN },
		{ "/v1/_ping", ROUTE_UNKNOWN },
		{ "/v1/search", ROUTE_UNKNOWN },
		{ "/v2", ROUTE_REDIRECT },
		{ "/v20", ROUTE_UNKNOWN },
		{ "/v2//", ROUTE_UNKNOWN },
		{ "/v2/_catalog/", ROUTE_UNKNOWN },
		{ "/v2/a", ROUTE_UNKNOWN },
		{ "/v2/a/", ROUTE_UNKNOWN },
		{ "/v2/manifests/latest", ROUTE_UNKNOWN },
		{ "/v2/tags/list", ROUTE_UNKNOWN },
		{ "/v2/blobs/uploads/", ROUTE_UNKNOWN },
		{ "/v2/a/tags/", ROUTE_UNKNOWN },
		{ "/v2/a/tags/list/", ROUTE_UNKNOWN },
		{ "/v2/a/blobs/uploads/x/y", ROUTE_UNKNOWN },
		{ "/v2/a/manifests/x/y", ROUTE_UNKNOWN },
		{ "/v2//manifests/x", ROUTE_NAME },
		{ "/v2/A/manifests/x", ROUTE_NAME },
		{ "/v2/a//b/manifests/x", ROUTE_NAME },
		{ "/v2/a/../b/manifests/x", ROUTE_NAME },
		{ "/v2/../b/manifests/x", ROUTE_NAME },
		{ "/v2/./b/manifests/x", ROUTE_NAME },
		{ "/v2/a/_uploads/manifests/x", ROUTE_NAME },
		{ "/v2/_oci/manifests/x", ROUTE_NAME },
		{ "/v2/a%2fb/manifests/x", ROUTE_NAME },
		{ "/v2/a\\b/manifests/x", ROUTE_NAME },
		{ "/v2/a b/tags/list", ROUTE_NAME },
		{ "/v2/a\n/tags/list", ROUTE_NAME },
		{ "/v2/\xc3\xa4/tags/list", ROUTE_NAME },
	};
	struct route_match m;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		enum route_result r = route_find(HTTP_GET, cases[i].path, "",
		    &m);

		if (r != cases[i].want)
			fail_msg("%s: %d", cases[i].path, r);
		assert_null(m.route);
		assert_string_equal(m.name, "");
	}
}

static void
test_name_length(void **state)
{
	char path[600], *p;
	struct route_match m;
	size_t len;

	(void)state;
	for (len = 254; len < 512; len += len < 258 ? 1 : 100) {
		p = path;
		memcpy(p, "/v2/", 4);
		memset(p + 4, 'a', len);
		memcpy(p + 4 + len, "/tags/list", 11);
		assert_int_equal(route_find(HTTP_GET, path, "", &m),
		    len <= REPO_NAME_MAX ? ROUTE_FOUND : ROUTE_NAME);
	}
}

static void
test_prefix(void **state)
{
	static const struct {
		const char	*path;
		enum route_result want;
	} cases[] = {
		{ "/", ROUTE_FOUND },
		{ "/r/x/v2/", ROUTE_FOUND },
		{ "/r/x/v2", ROUTE_REDIRECT },
		{ "/r/x/v2/a/tags/list", ROUTE_FOUND },
		{ "/v2/", ROUTE_UNKNOWN },
		{ "/r/xx/v2/", ROUTE_UNKNOWN },
		{ "/r/x/", ROUTE_UNKNOWN },
		{ "/r/x", ROUTE_UNKNOWN },
	};
	struct route_match m;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		if (route_find(HTTP_GET, cases[i].path, "/r/x", &m) !=
		    cases[i].want)
			fail_msg("%s", cases[i].path);
}

static void
test_methods(void **state)
{
	static const struct {
		const char	*path, *allow;
	} cases[] = {
		{ "/", "GET, HEAD" },
		{ "/v2/", "GET, HEAD" },
		{ "/v2/_catalog", "GET, HEAD" },
		{ "/v2/a/tags/list", "GET, HEAD" },
		{ "/v2/a/referrers/x", "GET, HEAD" },
		{ "/v2/a/manifests/x", "GET, HEAD, PUT, DELETE" },
		{ "/v2/a/blobs/x", "GET, HEAD, DELETE" },
		{ "/v2/a/blobs/uploads/", "POST" },
		{ "/v2/a/blobs/uploads/x", "GET, HEAD, PATCH, PUT, DELETE" },
	};
	struct route_match m;
	char allow[64];
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		assert_int_equal(route_find(HTTP_OPTIONS, cases[i].path, "",
		    &m), ROUTE_METHOD);
		assert_string_equal(route_allow(m.endpoint, allow,
		    sizeof(allow)), cases[i].allow);
	}
}

/* Each row is complete, and asks for no less than what it does. */
static void
test_table(void **state)
{
	const struct route *r;
	size_t i, n;

	(void)state;
	assert_null(route_check());
	r = route_table(&n);
	assert_int_equal(n, 23);
	for (i = 0; i < n; i++, r++) {
		assert_true(r->need >= NEED_NOTHING && r->need <=
		    NEED_CATALOG);
		assert_non_null(r->handler);
		if (r->method == HTTP_GET || r->method == HTTP_HEAD)
			assert_int_equal(r->effect, EFFECT_READ);
		else
			assert_true(r->effect == EFFECT_WRITE ||
			    r->effect == EFFECT_DELETE);
		if (r->endpoint == ENDPOINT_UPLOAD ||
		    r->endpoint == ENDPOINT_UPLOADS)
			assert_int_equal(r->actions, ACTION_PUSH);
		else if (r->method == HTTP_DELETE)
			assert_int_equal(r->actions, ACTION_DELETE);
		else if (r->method == HTTP_PUT)
			assert_int_equal(r->actions, ACTION_PUSH);
		else if (r->endpoint > ENDPOINT_CATALOG)
			assert_int_equal(r->actions, ACTION_PULL);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_matches),
		cmocka_unit_test(test_refuses),
		cmocka_unit_test(test_name_length),
		cmocka_unit_test(test_prefix),
		cmocka_unit_test(test_methods),
		cmocka_unit_test(test_table),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
