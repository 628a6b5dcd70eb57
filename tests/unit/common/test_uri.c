/* SPDX-License-Identifier: ISC */
/* Unit tests of common/uri.c. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <string.h>

#include "uri.h"

#define LEN(a)	(sizeof(a) / sizeof((a)[0]))

static void
test_uri_paths(void **state)
{
	static const struct {
		const char *in, *path, *query;
	} cases[] = {
		{ "/", "/", NULL },
		{ "/v2/", "/v2/", NULL },
		{ "/v2/a%2Fb/tags", "/v2/a/b/tags", NULL },
		{ "/v2/%61%3f", "/v2/a?", NULL },
		{ "/a%252f", "/a%2f", NULL },
		{ "/a+b", "/a+b", NULL },
		{ "/a?", "/a", "" },
		{ "/a?x=%zz?", NULL, NULL },
		{ "/a?x=1?2", "/a", "x=1?2" },
		{ "/a//b", "/a//b", NULL },
		{ "/caf%c3%a9", "/caf\xc3\xa9", NULL },
		{ "/%41", "/A", NULL },
		{ "", NULL, NULL },
		{ "a", NULL, NULL },
		{ "*", NULL, NULL },
		{ "http://x/", NULL, NULL },
		{ "//x", NULL, NULL },
		{ "/%2fx", NULL, NULL },
		{ "/a%", NULL, NULL },
		{ "/a%4", NULL, NULL },
		{ "/a%4g", NULL, NULL },
		{ "/a%00b", NULL, NULL },
		{ "/a%0ab", NULL, NULL },
		{ "/a%7f", NULL, NULL },
		{ "/a b", NULL, NULL },
		{ "/a\tb", NULL, NULL },
		{ "/a\x7f", NULL, NULL },
		{ "/a\xc3\xa9", NULL, NULL },
		{ "/a#b", NULL, NULL },
		{ "/a?b#c", NULL, NULL },
		{ "/a?b=%00", NULL, NULL },
	};
	struct uri uri;
	size_t i;

	(void)state;
	for (i = 0; i < LEN(cases); i++) {
		errno = 0;
		if (cases[i].path == NULL) {
			assert_int_equal(uri_parse(&uri, cases[i].in,
			    strlen(cases[i].in)), -1);
			assert_int_equal(errno, EINVAL);
			assert_null(uri.path);
			assert_int_equal(uri.nparams, 0);
			continue;
		}
		assert_int_equal(uri_parse(&uri, cases[i].in,
		    strlen(cases[i].in)), 0);
		assert_string_equal(uri.path, cases[i].path);
		if (cases[i].query == NULL)
			assert_null(uri.raw_query);
		else
			assert_string_equal(uri.raw_query, cases[i].query);
		uri_done(&uri);
	}
	assert_int_equal(uri_parse(&uri, "/a\0b", 4), -1);
}

static void
test_uri_params(void **state)
{
	static const char target[] =
	    "/t?n=5&last=a%26b&tag=x&tag=y%20z+w&&empty=&flag&=noname&n=6";
	struct uri uri;

	(void)state;
	assert_int_equal(uri_parse(&uri, target, strlen(target)), 0);
	assert_int_equal(uri.nparams, 8);
	assert_string_equal(uri_param(&uri, "n"), "5");
	assert_string_equal(uri_param(&uri, "last"), "a&b");
	assert_int_equal(uri_param_count(&uri, "tag"), 2);
	assert_string_equal(uri.params[3].value, "y z w");
	assert_string_equal(uri_param(&uri, "empty"), "");
	assert_string_equal(uri_param(&uri, "flag"), "");
	assert_string_equal(uri_param(&uri, ""), "noname");
	assert_null(uri_param(&uri, "N"));
	assert_int_equal(uri_param_count(&uri, "absent"), 0);
	uri_done(&uri);
	uri_done(&uri);
}

static void
test_uri_limits_params(void **state)
{
	char target[4 * (URI_MAX_PARAMS + 1) + 8] = "/?";
	struct uri uri;
	int i;

	(void)state;
	for (i = 0; i < URI_MAX_PARAMS; i++)
		strcat(target, "a=&");
	assert_int_equal(uri_parse(&uri, target, strlen(target)), 0);
	assert_int_equal(uri.nparams, URI_MAX_PARAMS);
	/* what a form adds counts too */
	assert_int_equal(uri_parse_form(&uri, "b=1", 3), -1);
	assert_int_equal(errno, E2BIG);
	uri_done(&uri);
	strcat(target, "a=");
	assert_int_equal(uri_parse(&uri, target, strlen(target)), -1);
	assert_int_equal(errno, E2BIG);
}

static void
test_uri_form(void **state)
{
	static const char body[] =
	    "grant_type=password&password=p%26%3D%0a+%C3%A9&scope=a+b";
	struct uri uri;

	(void)state;
	assert_int_equal(uri_parse(&uri, "/token?service=s", 16), 0);
	assert_int_equal(uri_parse_form(&uri, body, strlen(body)), 0);
	assert_string_equal(uri_param(&uri, "service"), "s");
	assert_string_equal(uri_param(&uri, "password"), "p&=\n \xc3\xa9");
	assert_string_equal(uri_param(&uri, "scope"), "a b");
	assert_int_equal(uri_parse_form(&uri, "a=%0", 4), -1);
	assert_int_equal(errno, EINVAL);
	assert_int_equal(uri_parse_form(&uri, "", 0), 0);
	uri_done(&uri);
}

static void
test_uri_encode(void **state)
{
	struct buf buf;

	(void)state;
	buf_init(&buf, 64);
	assert_int_equal(uri_encode(&buf, "aZ09-._~/ %\xc3\xa9&"), 0);
	assert_string_equal(buf_str(&buf), "aZ09-._~%2F%20%25%C3%A9%26");
	buf_done(&buf);
	buf_init(&buf, 4);
	assert_int_equal(uri_encode(&buf, "//"), -1);
	assert_true(buf_failed(&buf));
	buf_done(&buf);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_uri_paths),
		cmocka_unit_test(test_uri_params),
		cmocka_unit_test(test_uri_limits_params),
		cmocka_unit_test(test_uri_form),
		cmocka_unit_test(test_uri_encode),
	};

	return cmocka_run_group_tests_name("uri", tests, NULL, NULL);
}
