/* SPDX-License-Identifier: ISC */
/* Unit tests of common/json.c. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "json.h"

#define LEN(a)	(sizeof(a) / sizeof((a)[0]))

static json_t *
load(const char *text, size_t len, char *error, size_t size)
{
	memset(error, 'X', size);
	error[size - 1] = '\0';
	return json_load_strict(text, len, error, size);
}

static void
test_json_accepts(void **state)
{
	static const char *const good[] = {
		"{}", "[]", " {\"a\": [1, 2.5, null, true, \"\\u00e9\"]}\n",
		"{\"a\":{\"a\":1},\"b\":{\"a\":1}}",
		"[\"[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[\\\"[[\"]",
	};
	char error[128];
	json_t *json;
	size_t i;

	(void)state;
	for (i = 0; i < LEN(good); i++) {
		json = load(good[i], strlen(good[i]), error, sizeof(error));
		assert_non_null(json);
		json_decref(json);
	}
}

static void
test_json_refuses(void **state)
{
	static const struct {
		const char *in;
		const char *want;	/* start of the reason */
	} cases[] = {
		{ "", "" },
		{ "{\"a\":1,\"a\":2}", "duplicate key" },
		{ "{\"a\":1,\"\\u0061\":2}", "duplicate key" },
		{ "{} x", "there is something behind" },
		{ "{}{}", "there is something behind" },
		{ "[\"\\u0000\"]", "NUL character" },
		{ "{\"a\\u0000b\":1}", "NUL character" },
		{ "[\"\xff\"]", "invalid UTF-8" },
		{ "[\"\xed\xa0\x80\"]", "invalid UTF-8" },
		{ "[1", "" },
		{ "[1,]", "invalid syntax" },
		{ "[01]", "invalid syntax" },
		{ "[99999999999999999999]", "number out of range" },
		{ "\"top\"", "invalid syntax" },
		{ "{'a':1}", "invalid syntax" },
		{ "[NaN]", "invalid syntax" },
		{ "/**/[]", "invalid syntax" },
	};
	char error[128];
	size_t i;

	(void)state;
	for (i = 0; i < LEN(cases); i++) {
		assert_null(load(cases[i].in, strlen(cases[i].in), error,
		    sizeof(error)));
		assert_int_not_equal(error[0], 'X');
		assert_int_equal(strncmp(error, cases[i].want,
		    strlen(cases[i].want)), 0);
		assert_null(strchr(error, '\n'));
	}
	/* a NUL byte is no end */
	assert_null(load("{}\0", 3, error, sizeof(error)));
}

static void
test_json_depth(void **state)
{
	char text[4 * JSON_MAX_DEPTH], error[128];
	json_t *json;

	(void)state;
	memset(text, '[', JSON_MAX_DEPTH);
	memset(text + JSON_MAX_DEPTH, ']', JSON_MAX_DEPTH);
	json = load(text, 2 * JSON_MAX_DEPTH, error, sizeof(error));
	assert_non_null(json);
	json_decref(json);
	memset(text, '[', JSON_MAX_DEPTH + 1);
	memset(text + JSON_MAX_DEPTH + 1, ']', JSON_MAX_DEPTH + 1);
	assert_null(load(text, 2 * JSON_MAX_DEPTH + 2, error, sizeof(error)));
	assert_string_equal(error, "nested too deeply");
}

/* Reasons go to clients and logs: none of the text may be in them. */
static void
test_json_reason_holds_no_text(void **state)
{
	static const char *const bad[] = {
		"{\"SECRET\":1,\"SECRET\":2}", "[SECRET]", "{\"a\" SECRET",
		"[\"SECRET", "{} SECRET",
	};
	char error[128];
	size_t i;

	(void)state;
	for (i = 0; i < LEN(bad); i++) {
		assert_null(load(bad[i], strlen(bad[i]), error,
		    sizeof(error)));
		assert_null(strstr(error, "SECRET"));
	}
}

static void
test_json_string_at(void **state)
{
	static const char text[] = "{\"a\":\"x\",\"b\":1}";
	char error[128];
	json_t *json = load(text, strlen(text), error, sizeof(error));

	(void)state;
	assert_string_equal(json_string_at(json, "a"), "x");
	assert_null(json_string_at(json, "b"));
	assert_null(json_string_at(json, "c"));
	assert_null(json_string_at(NULL, "a"));
	json_decref(json);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_json_accepts),
		cmocka_unit_test(test_json_refuses),
		cmocka_unit_test(test_json_depth),
		cmocka_unit_test(test_json_reason_holds_no_text),
		cmocka_unit_test(test_json_string_at),
	};

	return cmocka_run_group_tests_name("json", tests, NULL, NULL);
}
