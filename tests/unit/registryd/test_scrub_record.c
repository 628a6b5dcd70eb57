/* SPDX-License-Identifier: ISC */
/*
 * The record of scrubs: what is written is read again, what makes no sense
 * is none, and when the next one is due.
 */
#include "store_tmp.h"

#include "scrub_record.h"

static struct scrub_record
some_record(void)
{
	struct scrub_record r;

	memset(&r, 0, sizeof(r));
	r.last_began = 1000;
	r.last_ended = 2000;
	r.last.blobs = 7;
	r.last.bad = 1;
	r.began = 3000;
	r.cursor.shard = 17;
	snprintf(r.cursor.after, sizeof(r.cursor.after), "%s", "11ab");
	r.cursor.counts.bytes = UINT32_MAX;
	r.cursor.counts.bytes *= 1000;
	return r;
}

static void
test_scrub_record_comes_back(void **state)
{
	struct scrub_record want = some_record(), have;
	struct tmp_store *t = *state;

	assert_int_equal(scrub_record_get(t->store, &have), STORE_OK);
	assert_int_equal(have.last_ended + have.began, 0);
	assert_int_equal(scrub_record_put(t->store, &want, true), STORE_OK);
	assert_int_equal(scrub_record_get(t->store, &have), STORE_OK);
	assert_memory_equal(&have, &want, sizeof(want));
	memset(want.cursor.after, 0, sizeof(want.cursor.after));
	assert_int_equal(scrub_record_put(t->store, &want, false), STORE_OK);
	assert_int_equal(scrub_record_get(t->store, &have), STORE_OK);
	assert_memory_equal(&have, &want, sizeof(want));
}

static void
test_scrub_record_makes_sense(void **state)
{
	struct scrub_record record = some_record(), have;
	char text[SCRUB_RECORD_SIZE], copy[SCRUB_RECORD_SIZE], *at;
	size_t len, n;

	(void)state;
	len = scrub_record_format(text, &record);
	assert_true(len < sizeof(text) / 2);
	assert_int_equal(scrub_record_parse(&have, text, len), 0);
	for (n = 0; n < len; n++)
		assert_int_equal(scrub_record_parse(&have, text, n), -1);
	memcpy(copy, text, len + 1);
	copy[len] = 'x';
	assert_int_equal(scrub_record_parse(&have, copy, len + 1), -1);
	/* A name that would lead elsewhere. */
	memcpy(copy, text, len + 1);
	assert_non_null(at = strstr(copy, "11ab"));
	memcpy(at, "../x", 4);
	assert_int_equal(scrub_record_parse(&have, copy, len), -1);
	memcpy(copy, text, len + 1);
	assert_non_null(at = strstr(copy, "began 3000"));
	memcpy(at, "began -300", 10);
	assert_int_equal(scrub_record_parse(&have, copy, len), -1);
}

static void
test_scrub_record_is_due(void **state)
{
	struct scrub_record r;

	(void)state;
	memset(&r, 0, sizeof(r));
	assert_int_equal(scrub_record_due_ms(&r, 5000, 100), 0);
	r.last_ended = 100;
	assert_int_equal(scrub_record_due_ms(&r, 5000, 100), 5000);
	assert_int_equal(scrub_record_due_ms(&r, 5000, 103), 2000);
	assert_int_equal(scrub_record_due_ms(&r, 5000, 105), 0);
	assert_int_equal(scrub_record_due_ms(&r, 5000, 99), 5000);
	/* One that was interrupted. */
	r.began = 90;
	assert_int_equal(scrub_record_due_ms(&r, 5000, 100), 0);
}

#define TEST(fn)	cmocka_unit_test_setup_teardown(fn, tmp_setup, \
	tmp_teardown)

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(test_scrub_record_comes_back),
		cmocka_unit_test(test_scrub_record_makes_sense),
		cmocka_unit_test(test_scrub_record_is_due)
	};

	return cmocka_run_group_tests_name("scrub_record", tests, NULL,
	    NULL);
}
