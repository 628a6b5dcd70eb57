/* SPDX-License-Identifier: ISC */
/* Unit tests of common/http_auth.c. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "encode.h"
#include "http_auth.h"

#define NONE		HTTP_AUTH_NONE
#define BASIC		HTTP_AUTH_BASIC
#define BEARER		HTTP_AUTH_BEARER
#define OTHER		HTTP_AUTH_OTHER
#define MALFORMED	HTTP_AUTH_MALFORMED

static void
test_schemes(void **state)
{
	static const struct {
		const char		*in;
		enum http_auth_scheme	 want;
		const char		*token;
		const char		*user;
		const char		*password;
	} cases[] = {
		{ NULL, NONE, NULL, NULL, NULL },
		{ "", MALFORMED, NULL, NULL, NULL },
		{ "Basic YTpi", BASIC, NULL, "a", "b" },
		{ "basic YTpi", BASIC, NULL, "a", "b" },
		{ "BASIC   YTpi", BASIC, NULL, "a", "b" },
		{ "Basic YTpiOmM=", BASIC, NULL, "a", "b:c" },
		{ "Basic YTo=", BASIC, NULL, "a", "" },
		{ "Basic OmI=", BASIC, NULL, "", "b" },
		{ "Basic Og==", BASIC, NULL, "", "" },
		{ "Basic w6k6w6k=", BASIC, NULL, "\xc3\xa9", "\xc3\xa9" },
		{ "Basic", MALFORMED, NULL, NULL, NULL },
		{ "Basic ", MALFORMED, NULL, NULL, NULL },
		{ "Basic YWI=", MALFORMED, NULL, NULL, NULL },
		{ "Basic YTpi ", MALFORMED, NULL, NULL, NULL },
		{ "Basic YTpi=", MALFORMED, NULL, NULL, NULL },
		{ "Basic YTpiOm", MALFORMED, NULL, NULL, NULL },
		{ "Basic YTpiOmM", MALFORMED, NULL, NULL, NULL },
		{ "Basic YTpiOmN=", MALFORMED, NULL, NULL, NULL },
		{ "Basic YTp-", MALFORMED, NULL, NULL, NULL },
		{ "Basic YTpi YTpi", MALFORMED, NULL, NULL, NULL },
		{ "Basic\tYTpi", MALFORMED, NULL, NULL, NULL },
		{ "Basic YQA6Yg==", MALFORMED, NULL, NULL, NULL },
		{ "Basic YTpiAGM=", MALFORMED, NULL, NULL, NULL },
		{ "Basic 6Tpi", MALFORMED, NULL, NULL, NULL },
		{ "Basic YTrAgA==", MALFORMED, NULL, NULL, NULL },
		{ "Bearer abc.DEF-_~+/12==", BEARER, "abc.DEF-_~+/12==",
		    NULL, NULL },
		{ "bearer  a", BEARER, "a", NULL, NULL },
		{ "Bearer", MALFORMED, NULL, NULL, NULL },
		{ "Bearer ", MALFORMED, NULL, NULL, NULL },
		{ "Bearer a b", MALFORMED, NULL, NULL, NULL },
		{ "Bearer a,b", MALFORMED, NULL, NULL, NULL },
		{ "Bearer a=b", MALFORMED, NULL, NULL, NULL },
		{ "Bearer =", MALFORMED, NULL, NULL, NULL },
		{ "Bearer \"a\"", MALFORMED, NULL, NULL, NULL },
		{ "Bearer \xc3\xa9", MALFORMED, NULL, NULL, NULL },
		{ "Bearera", OTHER, NULL, NULL, NULL },
		{ "Digest username=\"a\"", OTHER, NULL, NULL, NULL },
		{ "Negotiate", OTHER, NULL, NULL, NULL },
		{ " Basic YTpi", MALFORMED, NULL, NULL, NULL },
	};
	struct http_auth auth;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		http_auth_parse(&auth, cases[i].in);
		assert_int_equal(auth.scheme, cases[i].want);
		if (cases[i].token != NULL)
			assert_string_equal(auth.token, cases[i].token);
		else
			assert_null(auth.token);
		if (cases[i].user != NULL) {
			assert_string_equal(auth.user, cases[i].user);
			assert_string_equal(secret_data(auth.password),
			    cases[i].password);
		} else {
			assert_null(auth.user);
			assert_null(auth.password);
		}
		http_auth_done(&auth);
		assert_null(auth.token);
	}
}

static enum http_auth_scheme
try_lengths(size_t user, size_t password)
{
	size_t len = user + 1 + password;
	struct http_auth auth;
	enum http_auth_scheme scheme;
	char *plain, *value;

	assert_non_null(plain = malloc(len));
	memset(plain, 'x', len);
	plain[user] = ':';
	assert_non_null(value = malloc(6 + BASE64_LEN(len) + 1));
	memcpy(value, "Basic ", 6);
	base64_encode(value + 6, plain, len);
	http_auth_parse(&auth, value);
	scheme = auth.scheme;
	if (scheme == BASIC) {
		assert_int_equal(strlen(auth.user), user);
		assert_int_equal(secret_len(auth.password), password);
	}
	http_auth_done(&auth);
	free(value);
	free(plain);
	return scheme;
}

static void
test_maxima(void **state)
{
	(void)state;
	assert_int_equal(try_lengths(HTTP_AUTH_MAX_USER,
	    HTTP_AUTH_MAX_PASSWORD), BASIC);
	assert_int_equal(try_lengths(HTTP_AUTH_MAX_USER + 1, 1), MALFORMED);
	assert_int_equal(try_lengths(1, HTTP_AUTH_MAX_PASSWORD + 1),
	    MALFORMED);
	assert_int_equal(try_lengths(1, 1000000), MALFORMED);
}

static void
test_utf8(void **state)
{
	static const struct {
		const char	*in;
		bool		 good;
	} cases[] = {
		{ "\xc2\x80", true },
		{ "\xdf\xbf", true },
		{ "\xe0\xa0\x80", true },
		{ "\xed\x9f\xbf", true },
		{ "\xee\x80\x80", true },
		{ "\xf0\x90\x80\x80", true },
		{ "\xf4\x8f\xbf\xbf", true },
		{ "\x80", false },
		{ "\xc1\xbf", false },
		{ "\xc2", false },
		{ "\xc2\x41", false },
		{ "\xe0\x9f\xbf", false },
		{ "\xed\xa0\x80", false },
		{ "\xe1\x80", false },
		{ "\xf0\x8f\xbf\xbf", false },
		{ "\xf4\x90\x80\x80", false },
		{ "\xf5\x80\x80\x80", false },
		{ "\xff", false },
	};
	struct http_auth auth;
	char plain[16], value[64];
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		(void)snprintf(plain, sizeof(plain), "a:%s", cases[i].in);
		memcpy(value, "Basic ", 6);
		base64_encode(value + 6, plain, strlen(plain));
		http_auth_parse(&auth, value);
		assert_int_equal(auth.scheme,
		    cases[i].good ? BASIC : MALFORMED);
		http_auth_done(&auth);
	}
}

static void
test_challenge(void **state)
{
	struct buf b;

	(void)state;
	buf_init(&b, 1024);
	buf_addstr(&b, "Bearer ");
	assert_int_equal(http_auth_add_param(&b, "realm", "https://a/token"),
	    0);
	assert_int_equal(http_auth_add_param(&b, "service", "a \"b\" \\c"), 0);
	assert_int_equal(http_auth_add_param(&b, "empty", ""), 0);
	assert_string_equal(buf_str(&b), "Bearer realm=\"https://a/token\","
	    "service=\"a \\\"b\\\" \\\\c\",empty=\"\"");
	assert_int_equal(http_auth_add_param(&b, "x", "a\r\nb"), -1);
	assert_int_equal(http_auth_add_param(&b, "x", "a\x7f"), -1);
	buf_done(&b);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_schemes),
		cmocka_unit_test(test_maxima),
		cmocka_unit_test(test_utf8),
		cmocka_unit_test(test_challenge),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
