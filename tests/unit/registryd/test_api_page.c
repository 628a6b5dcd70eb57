/* SPDX-License-Identifier: ISC */
/*
 * How many entries a page has, and where the next one is.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "api_page.h"
#include "buf.h"

static void
test_numbers(void **state)
{
	static const struct {
		const char	*text;
		int		 result;
		size_t		 n;
	} cases[] = {
		{ "0", 0, 0 },
		{ "1", 0, 1 },
		{ "100", 0, 100 },
		{ "101", 0, 100 },
		{ "2147483647", 0, 100 },
		{ "9223372036854775808", 0, 100 },
		{ "18446744073709551616", 0, 100 },
		{ "99999999999999999999999999999999999999999", 0, 100 },
		{ "", -1, 0 },
		{ "-1", -1, 0 },
		{ "+5", -1, 0 },
		{ " 5", -1, 0 },
		{ "5 ", -1, 0 },
		{ "0x10", -1, 0 },
		{ "1e3", -1, 0 },
		{ "ten", -1, 0 },
	};
	size_t i, n;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		n = 0;
		if (api_page_parse(cases[i].text, 100, &n) !=
		    cases[i].result || n != cases[i].n)
			fail_msg("\"%s\": %zu", cases[i].text, n);
	}
}

static void
test_urls(void **state)
{
	static const struct {
		const char	*prefix;
		struct api_page_link link;
		const char	*want;
	} cases[] = {
		{ "", { "/v2/a/tags/list", NULL, "x", 5 },
		    "/v2/a/tags/list?last=x&n=5" },
		{ "/p", { "/v2/_catalog", NULL, "a/b", 1 },
		    "/p/v2/_catalog?last=a%2Fb&n=1" },
		{ "", { "/r", "a/b+c", "sha256:1", 0 },
		    "/r?artifactType=a%2Fb%2Bc&last=sha256%3A1" },
		{ "", { "/r", "\r\nX: y>", "\x01", 2 },
		    "/r?artifactType=%0D%0AX%3A%20y%3E&last=%01&n=2" },
	};
	struct buf url;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		buf_init(&url, 1024);
		assert_int_equal(api_page_url(&url, cases[i].prefix,
		    &cases[i].link), 0);
		assert_string_equal(buf_str(&url), cases[i].want);
		buf_done(&url);
	}
}

static void
test_url_too_long(void **state)
{
	const struct api_page_link link = { "/v2/a/tags/list", NULL,
	    "a-name-that-does-not-fit", 1 };
	struct buf url;

	(void)state;
	buf_init(&url, 30);
	assert_int_equal(api_page_url(&url, "", &link), -1);
	buf_done(&url);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_numbers),
		cmocka_unit_test(test_urls),
		cmocka_unit_test(test_url_too_long),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
