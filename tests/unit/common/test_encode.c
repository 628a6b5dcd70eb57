/* SPDX-License-Identifier: ISC */
/* Unit tests of common/encode.c: vectors, and refusal of other forms. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <string.h>

#include "encode.h"

#define LEN(a)	(sizeof(a) / sizeof((a)[0]))

static void
test_encode_vectors(void **state)
{
	/* RFC 4648 section 10 */
	static const struct {
		const char *in, *base64, *base64url, *base32;
	} cases[] = {
		{ "", "", "", "" },
		{ "f", "Zg==", "Zg", "MY" },
		{ "fo", "Zm8=", "Zm8", "MZXQ" },
		{ "foo", "Zm9v", "Zm9v", "MZXW6" },
		{ "foob", "Zm9vYg==", "Zm9vYg", "MZXW6YQ" },
		{ "fooba", "Zm9vYmE=", "Zm9vYmE", "MZXW6YTB" },
		{ "foobar", "Zm9vYmFy", "Zm9vYmFy", "MZXW6YTBOI" },
		{ "\xfb\xff\xbf", "+/+/", "-_-_", "7P736" },
	};
	char out[64], back[64];
	size_t i, n;

	(void)state;
	for (i = 0; i < LEN(cases); i++) {
		n = strlen(cases[i].in);
		assert_int_equal(base64_encode(out, cases[i].in, n),
		    strlen(cases[i].base64));
		assert_string_equal(out, cases[i].base64);
		assert_int_equal(base64_decode(back, out, strlen(out)), n);
		assert_memory_equal(back, cases[i].in, n);
		base64url_encode(out, cases[i].in, n);
		assert_string_equal(out, cases[i].base64url);
		assert_int_equal(base64url_decode(back, out, strlen(out)), n);
		assert_memory_equal(back, cases[i].in, n);
		base32_encode(out, cases[i].in, n);
		assert_string_equal(out, cases[i].base32);
	}
}

static void
test_base64_decode_refuses_other_forms(void **state)
{
	static const char *const bad[] = {
		"Zg", "Zg=", "Zg===", "Zh==", "Zm9=", "Z", "====", "Zg==Zg==",
		"Zm9v ", " Zm9v", "Zm\n9", "Zm-_", "=m9v", "Z=9v", "Zm9v====",
		"Zm8*",
	};
	char out[64];
	size_t i;

	(void)state;
	for (i = 0; i < LEN(bad); i++) {
		errno = 0;
		assert_int_equal(base64_decode(out, bad[i], strlen(bad[i])),
		    -1);
		assert_int_equal(errno, EINVAL);
	}
}

static void
test_base64url_decode_refuses_other_forms(void **state)
{
	static const char *const bad[] = {
		"Zg==", "Zh", "Zm9", "Z", "Zm9v=", "Zm+/", "Zm9v\n", "Zm 9",
	};
	char out[64];
	size_t i;

	(void)state;
	for (i = 0; i < LEN(bad); i++)
		assert_int_equal(base64url_decode(out, bad[i],
		    strlen(bad[i])), -1);
	/* a NUL is a byte like others */
	assert_int_equal(base64url_decode(out, "Zm\0v", 4), -1);
}

static void
test_base64_all_bytes(void **state)
{
	uint8_t in[256], back[256 + 3];
	char out[BASE64_LEN(256) + 1];
	size_t i, n;

	(void)state;
	for (i = 0; i < sizeof(in); i++)
		in[i] = (uint8_t)(255 - i);
	for (n = 0; n <= sizeof(in); n++) {
		assert_int_equal(base64_encode(out, in, n), BASE64_LEN(n));
		assert_int_equal(base64_decode(back, out, strlen(out)), n);
		assert_memory_equal(in, back, n);
	}
}

static void
test_hex(void **state)
{
	static const char *const bad[] = { "0", "0g", "AB", "a b", "0x", " 0" };
	uint8_t bytes[] = { 0x00, 0x0f, 0xf0, 0xff, 0xa5 }, back[8];
	char out[16];
	size_t i;

	(void)state;
	hex_encode(out, bytes, sizeof(bytes));
	assert_string_equal(out, "000ff0ffa5");
	assert_int_equal(hex_decode(back, out, 10), 0);
	assert_memory_equal(back, bytes, sizeof(bytes));
	hex_encode(out, bytes, 0);
	assert_string_equal(out, "");
	for (i = 0; i < LEN(bad); i++)
		assert_int_equal(hex_decode(back, bad[i], strlen(bad[i])),
		    -1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_encode_vectors),
		cmocka_unit_test(test_base64_decode_refuses_other_forms),
		cmocka_unit_test(test_base64url_decode_refuses_other_forms),
		cmocka_unit_test(test_base64_all_bytes),
		cmocka_unit_test(test_hex),
	};

	return cmocka_run_group_tests_name("encode", tests, NULL, NULL);
}
