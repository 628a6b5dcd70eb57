/* SPDX-License-Identifier: ISC */
/*
 * The secrets that authd makes: their form, their checksum, what is taken for
 * one and what is not, and the names of robots.
 */
#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "encode.h"

#include "credential.h"

/* The checksums are from another implementation of CRC-32 and base62. */
#define PERSONAL "adp_0123456789012345678901234567890123456789abc1Z9M5B"
#define REFRESH	 "adf_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA3OulJy"

static void
test_recognises(void **state)
{
	static const struct {
		const char		*text;
		enum credential_form	 form;
		enum credential_kind	 kind;
	} cases[] = {
		{ PERSONAL, CREDENTIAL_GOOD, CREDENTIAL_PERSONAL },
		{ REFRESH, CREDENTIAL_GOOD, CREDENTIAL_REFRESH },
		{ "", CREDENTIAL_FOREIGN, 0 },
		{ "adp", CREDENTIAL_FOREIGN, 0 },
		{ "ADP_0123456789", CREDENTIAL_FOREIGN, 0 },
		{ " adp_0123456789", CREDENTIAL_FOREIGN, 0 },
		{ "adx_0123456789", CREDENTIAL_FOREIGN, 0 },
		{ "adp_", CREDENTIAL_BROKEN, 0 },
		{ "adr_x", CREDENTIAL_BROKEN, 0 },
		{ "adp_hunter2", CREDENTIAL_BROKEN, 0 },
		/* the last of the checksum, one of the rest, the prefix */
		{ "adp_0123456789012345678901234567890123456789abc1Z9M5C",
		    CREDENTIAL_BROKEN, 0 },
		{ "adp_0123456789012345678901234567890123456789abd1Z9M5B",
		    CREDENTIAL_BROKEN, 0 },
		{ "adr_0123456789012345678901234567890123456789abc1Z9M5B",
		    CREDENTIAL_BROKEN, 0 },
		/* one too short, one too long, no base62 */
		{ "adp_0123456789012345678901234567890123456789ab1Z9M5B",
		    CREDENTIAL_BROKEN, 0 },
		{ PERSONAL "0", CREDENTIAL_BROKEN, 0 },
		{ "adp_01234567890123456789012345678901234567_9abc1Z9M5B",
		    CREDENTIAL_BROKEN, 0 }
	};
	enum credential_kind	 kind;
	size_t			 i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		kind = 0;
		assert_int_equal(credential_recognise(cases[i].text,
		    strlen(cases[i].text), &kind), cases[i].form);
		assert_int_equal(kind, cases[i].kind);
	}
	/* A NUL is in none of them, nor is it the end of one. */
	assert_int_equal(credential_recognise(PERSONAL, sizeof(PERSONAL),
	    &kind), CREDENTIAL_BROKEN);
	assert_int_equal(credential_recognise("adp_\0", 5, &kind),
	    CREDENTIAL_BROKEN);
}

static void
test_makes_what_it_recognises(void **state)
{
	char			 text[CREDENTIAL_SIZE], last[CREDENTIAL_SIZE];
	enum credential_kind	 kind, made;
	unsigned		 seen[128] = { 0 }, distinct = 0;
	size_t			 i, j;

	(void)state;
	memset(last, 0, sizeof(last));
	for (i = 0; i < 600; i++) {
		made = (enum credential_kind)(i % 3 + 1);
		credential_make(made, text);
		assert_int_equal(strlen(text), CREDENTIAL_LEN);
		assert_int_equal(credential_recognise(text, strlen(text),
		    &kind), CREDENTIAL_GOOD);
		assert_int_equal(kind, made);
		assert_string_not_equal(text, last);
		memcpy(last, text, sizeof(last));
		for (j = CREDENTIAL_PREFIX; j < CREDENTIAL_LEN -
		    CREDENTIAL_CHECKSUM; j++)
			seen[(unsigned char)text[j]]++;
	}
	/*
	 * 25800 characters: 416 of each on average, with a deviation of 20.
	 * Seven of those are nothing that chance alone would do.
	 */
	for (i = 0; i < 128; i++) {
		distinct += seen[i] > 0;
		assert_true(seen[i] == 0 || (seen[i] > 276 && seen[i] < 556));
	}
	assert_int_equal(distinct, 62);
}

static void
test_hash(void **state)
{
	unsigned char	 hash[CREDENTIAL_HASH_SIZE];
	char		 hex[2 * CREDENTIAL_HASH_SIZE + 1];

	(void)state;
	assert_int_equal(credential_hash("abc", 3, hash), 0);
	hex_encode(hex, hash, sizeof(hash));
	assert_string_equal(hex, "ba7816bf8f01cfea414140de5dae2223b00361a3"
	    "96177a9cb410ff61f20015ad");
}

static void
test_robot_names(void **state)
{
	static const struct {
		const char	*name;
		int		 good;
	} cases[] = {
		{ "robot$ci", 1 }, { "robot$a", 1 }, { "robot$0", 1 },
		{ "robot$team/ci-main_2.x", 1 },
		{ "robot$aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
		    "aaaaaaaaaa", 1 },
		{ "robot$aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
		    "aaaaaaaaaaa", 0 },
		{ "", 0 }, { "ci", 0 }, { "robot", 0 }, { "robot$", 0 },
		{ "Robot$ci", 0 }, { "robot$CI", 0 }, { "robot$-ci", 0 },
		{ "robot$ci.", 0 }, { "robot$c i", 0 }, { "robot$c:i", 0 },
		{ "robot$$ci", 0 }, { "robot$c*i", 0 }, { "xrobot$ci", 0 }
	};
	size_t			 i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		assert_int_equal(credential_robot_wrong(cases[i].name) == NULL,
		    cases[i].good);
}

static void
test_ids(void **state)
{
	char	 a[CREDENTIAL_ID_SIZE], b[CREDENTIAL_ID_SIZE];

	(void)state;
	credential_make_id(a);
	credential_make_id(b);
	assert_int_equal(strlen(a), CREDENTIAL_ID_LEN);
	assert_int_equal(strspn(a, "0123456789abcdef"), CREDENTIAL_ID_LEN);
	assert_string_not_equal(a, b);
}

int
main(void)
{
	const struct CMUnitTest	 tests[] = {
		cmocka_unit_test(test_recognises),
		cmocka_unit_test(test_makes_what_it_recognises),
		cmocka_unit_test(test_hash),
		cmocka_unit_test(test_robot_names),
		cmocka_unit_test(test_ids)
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
