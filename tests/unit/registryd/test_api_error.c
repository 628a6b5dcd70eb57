/* SPDX-License-Identifier: ISC */
/*
 * The table of errors, and the bodies made from it.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "api_error.h"

/* What clients and operators know from distribution. */
static void
test_known(void **state)
{
	static const struct {
		enum api_error	 e;
		int		 status;
		const char	*code;
	} cases[] = {
		{ API_UNKNOWN, 500, "UNKNOWN" },
		{ API_UNSUPPORTED, 405, "UNSUPPORTED" },
		{ API_UNAVAILABLE, 503, "UNAVAILABLE" },
		{ API_UNAUTHORIZED, 401, "UNAUTHORIZED" },
		{ API_DIGEST_INVALID, 400, "DIGEST_INVALID" },
		{ API_SIZE_INVALID, 400, "SIZE_INVALID" },
		{ API_RANGE_INVALID, 416, "RANGE_INVALID" },
		{ API_NAME_INVALID, 400, "NAME_INVALID" },
		{ API_NAME_UNKNOWN, 404, "NAME_UNKNOWN" },
		{ API_TAG_INVALID, 400, "TAG_INVALID" },
		{ API_MANIFEST_UNKNOWN, 404, "MANIFEST_UNKNOWN" },
		{ API_MANIFEST_INVALID, 400, "MANIFEST_INVALID" },
		{ API_MANIFEST_BLOB_UNKNOWN, 400, "MANIFEST_BLOB_UNKNOWN" },
		{ API_BLOB_UNKNOWN, 404, "BLOB_UNKNOWN" },
		{ API_UPLOAD_UNKNOWN, 404, "BLOB_UPLOAD_UNKNOWN" },
		{ API_PAGE_INVALID, 400, "PAGINATION_NUMBER_INVALID" },
		{ API_MANIFEST_TOO_LARGE, 413, "SIZE_INVALID" },
		{ API_TOO_MANY_TAGS, 414, "TAG_INVALID" },
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		assert_int_equal(api_error_status(cases[i].e),
		    cases[i].status);
		assert_string_equal(api_error_code(cases[i].e),
		    cases[i].code);
	}
}

static void
test_complete(void **state)
{
	const char *p;
	int e;

	(void)state;
	for (e = 0; e < API_NERRORS; e++) {
		assert_in_range(api_error_status(e), 400, 599);
		assert_non_null(api_error_message(e));
		assert_true(strlen(api_error_code(e)) > 0);
		for (p = api_error_code(e); *p != '\0'; p++)
			assert_true((*p >= 'A' && *p <= 'Z') || *p == '_');
	}
}

/* Nothing that a client does makes a 500; all else is a row of its own. */
static void
test_results(void **state)
{
	static const struct {
		enum store_result result;
		int		 status;
	} cases[] = {
		{ STORE_NOTFOUND, 404 },
		{ STORE_MISMATCH, 400 },
		{ STORE_BUSY, 503 },
		{ STORE_TOOBIG, 413 },
		{ STORE_NOSPACE, 507 },
		{ STORE_MISSING, 400 },
		{ STORE_READONLY, 503 },
		{ STORE_NOMEM, 503 },
		{ STORE_LIMIT, 503 },
		{ STORE_GONE, 503 },
		{ STORE_UNAVAILABLE, 503 },
		{ STORE_REMOVED, 503 },
		{ STORE_EXISTS, 503 },
		{ STORE_INVALID, 500 },
		{ STORE_DENIED, 500 },
		{ STORE_IO, 500 },
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		assert_int_equal(api_error_status(api_error_of(
		    cases[i].result, API_BLOB_UNKNOWN, API_DIGEST_INVALID)),
		    cases[i].status);
	assert_int_equal(sizeof(cases) / sizeof(cases[0]), STORE_RESULT_MAX);
	assert_int_equal(api_error_status(api_error_of(STORE_UNAVAILABLE,
	    API_UPLOAD_UNKNOWN, API_DIGEST_INVALID)), 503);
	assert_int_equal(api_error_status(api_error_of(STORE_BUSY,
	    API_UPLOAD_UNKNOWN, API_DIGEST_INVALID)), 409);
}

static void
test_bodies(void **state)
{
	struct buf body;

	(void)state;
	buf_init(&body, 4096);
	api_error_format(&body, API_BLOB_UNKNOWN, NULL, false);
	assert_string_equal(buf_str(&body), "{\"errors\":[{\"code\":"
	    "\"BLOB_UNKNOWN\",\"message\":\"blob unknown to registry\"}]}\n");
	buf_reset(&body);
	api_error_format(&body, API_PAGE_INVALID, json_pack("{s:s}", "n",
	    "a\"\n"), false);
	assert_string_equal(buf_str(&body), "{\"errors\":[{\"code\":"
	    "\"PAGINATION_NUMBER_INVALID\",\"message\":\"invalid number of "
	    "results requested\",\"detail\":{\"n\":\"a\\\"\\n\"}}]}\n");
	buf_reset(&body);
	api_error_format(&body, API_MANIFEST_BLOB_UNKNOWN,
	    json_pack("[s, s]", "one", "two"), true);
	assert_string_equal(buf_str(&body), "{\"errors\":["
	    "{\"code\":\"MANIFEST_BLOB_UNKNOWN\",\"message\":\"blob unknown "
	    "to registry\",\"detail\":\"one\"},"
	    "{\"code\":\"MANIFEST_BLOB_UNKNOWN\",\"message\":\"blob unknown "
	    "to registry\",\"detail\":\"two\"}]}\n");
	buf_reset(&body);
	api_error_format_status(&body, 431, "head too large");
	assert_string_equal(buf_str(&body), "{\"errors\":[{\"code\":"
	    "\"UNSUPPORTED\",\"message\":\"head too large\"}]}\n");
	buf_done(&body);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_known),
		cmocka_unit_test(test_complete),
		cmocka_unit_test(test_results),
		cmocka_unit_test(test_bodies),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
