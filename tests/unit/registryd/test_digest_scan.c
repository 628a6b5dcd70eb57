/* SPDX-License-Identifier: ISC */
/*
 * digest_scan: which strings count as references, and which do not.
 */
#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "digest_scan.h"

#define H16	"0123456789abcdef"
#define H64	H16 H16 H16 H16
#define H128	H64 H64

static unsigned long found;
static struct digest last;

static void
on_digest(const struct digest *d, void *arg)
{
	(void)arg;
	found++;
	last = *d;
}

static bool
scan(const char *text, size_t piece)
{
	size_t i, len = strlen(text);
	struct digest_scan s;

	found = 0;
	digest_scan_init(&s, on_digest, NULL);
	for (i = 0; i < len; i += piece)
		digest_scan_feed(&s, text + i,
		    len - i < piece ? len - i : piece);
	return s.subject;
}

static void
test_digest_scan_finds(void **state)
{
	static const struct {
		const char	*text;
		unsigned long	 n;
		const char	*last;
	} cases[] = {
		{ "", 0, NULL },
		{ "sha256:" H64, 1, "sha256:" H64 },
		{ "sha512:" H128, 1, "sha512:" H128 },
		{ "{\"digest\":\"sha256:" H64 "\"}", 1, "sha256:" H64 },
		/* a client that reads it otherwise */
		{ "SHA256:0123456789ABCDEF" H16 H16 H16, 1, "sha256:" H64 },
		{ "sha256:" H64 "0", 1, "sha256:" H64 },
		{ "shasha256:" H64, 1, "sha256:" H64 },
		{ "sha256:abcsha256:" H64, 1, "sha256:" H64 },
		{ "sha256:" H64 "sha256:" H64, 2, "sha256:" H64 },
		{ "\\u0073ha256:\\u00300" "123456789abcdef" H16 H16 H16, 1,
		    "sha256:00" "123456789abcdef" H16 H16 "0123456789abcde" },
		{ "\\u0053HA256\\u003A" H64, 1, "sha256:" H64 },
		{ "sha256\\:" H64, 1, "sha256:" H64 },
		{ "\\sha256:" H64, 1, "sha256:" H64 },
		{ "\\u00sha256:" H64, 1, "sha256:" H64 },
		{ "\\\\u0073ha256:" H64, 0, NULL },
		{ "{\\\"digest\\\":\\\"sha256:" H64 "\\\"}", 1,
		    "sha256:" H64 },
		{ "sha256:" H16 H16 H16 "0123456789abcde", 0, NULL },
		{ "sha256:" H16 H16 H16 "0123456789abcdeg", 0, NULL },
		{ "sha512:" H64, 0, NULL },
		{ "sha256 " H64, 0, NULL },
		{ "sha256:\\u0130" H64, 0, NULL },
		{ "md5:" H64, 0, NULL }
	};
	char text[DIGEST_STR_SIZE];
	size_t i, piece;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		for (piece = 1; piece < 200; piece += 13) {
			(void)scan(cases[i].text, piece);
			if (found != cases[i].n)
				fail_msg("%s: found %lu", cases[i].text,
				    found);
			if (found > 0)
				assert_string_equal(digest_format(text,
				    &last), cases[i].last);
		}
}

static void
test_digest_scan_sees_a_subject(void **state)
{
	(void)state;
	assert_true(scan("{\"subject\":{}}", 1));
	assert_true(scan("{\"x\":\"\",\"Subject\":{}}", 3));
	assert_true(scan("{\"s\\u0075bject\":{}}", 2));
	assert_true(scan("{\\\"subject\\\":1}", 5));
	assert_false(scan("{\"subjects\":{}}", 1));
	assert_false(scan("subject", 1));
	assert_false(scan("{\"the subject\":{}}", 1));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_digest_scan_finds),
		cmocka_unit_test(test_digest_scan_sees_a_subject)
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
