/* SPDX-License-Identifier: ISC */
/*
 * What is answered after every result that a lease may have.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "api_lease.h"

#define YES	LEASE_ANSWER
#define NO	LEASE_ABSENT
#define LATER	LEASE_UNAVAILABLE

/* By what the keeper said. */
static const struct {
	enum store_result lease;
	enum lease_verdict head;	/* found, its lease is still old */
	enum lease_verdict absent;	/* not found, HEAD or GET */
} cases[] = {
	{ STORE_OK, YES, LATER },
	{ STORE_NOTFOUND, LATER, NO },
	{ STORE_EXISTS, LATER, LATER },
	{ STORE_MISMATCH, LATER, LATER },
	{ STORE_BUSY, LATER, LATER },
	{ STORE_INVALID, LATER, LATER },
	{ STORE_TOOBIG, LATER, LATER },
	{ STORE_NOSPACE, LATER, LATER },
	{ STORE_READONLY, YES, NO },
	{ STORE_NOMEM, LATER, LATER },
	{ STORE_LIMIT, LATER, LATER },
	{ STORE_MISSING, LATER, LATER },
	{ STORE_GONE, LATER, LATER },
	{ STORE_UNAVAILABLE, LATER, LATER },
	{ STORE_REMOVED, LATER, LATER },
	{ STORE_DENIED, LATER, LATER },
	{ STORE_IO, LATER, LATER },
};
#define NCASES	(sizeof(cases) / sizeof(cases[0]))

static void
test_every_result_is_judged(void **state)
{
	size_t i;

	(void)state;
	assert_int_equal(NCASES, STORE_RESULT_MAX + 1);
	for (i = 0; i < NCASES; i++) {
		struct lease_look l = { .promise = true, .asked = true,
			.due = true, .lease = cases[i].lease };

		assert_int_equal(cases[i].lease, i);
		assert_int_equal(api_lease_judge(&l, false), cases[i].head);
		/* Its lease is young now, whoever took it. */
		l.due = false;
		assert_int_equal(api_lease_judge(&l, false), YES);
		/* Bytes for who asks for bytes. */
		l.due = true;
		l.promise = false;
		assert_int_equal(api_lease_judge(&l, false), YES);
	}
}

static void
test_only_the_keeper_says_that_it_has_gone(void **state)
{
	size_t i;

	(void)state;
	for (i = 0; i < 2 * NCASES; i++) {
		struct lease_look l = { .promise = i % 2 == 0,
			.asked = true, .found = STORE_NOTFOUND,
			.lease = cases[i / 2].lease };

		assert_int_equal(api_lease_judge(&l, false),
		    cases[i / 2].absent);
		assert_int_equal(api_lease_judge(&l, true),
		    cases[i / 2].absent);
	}
}

static void
test_before_a_keeper_is_asked(void **state)
{
	struct lease_look l = { .promise = true };
	int promise;

	(void)state;
	for (promise = 0; promise < 2; promise++) {
		l.promise = promise != 0;
		l.found = STORE_OK;
		l.due = true;
		assert_int_equal(api_lease_judge(&l, false), LEASE_ASK);
		l.due = false;
		assert_int_equal(api_lease_judge(&l, false), YES);
		l.found = STORE_NOTFOUND;
		assert_int_equal(api_lease_judge(&l, true), LEASE_ASK);
		assert_int_equal(api_lease_judge(&l, false), NO);
	}
}

static void
test_what_cannot_be_read_has_its_own_answer(void **state)
{
	int found, lease;

	(void)state;
	for (found = 0; found <= STORE_RESULT_MAX; found++)
		for (lease = 0; lease <= STORE_RESULT_MAX; lease++) {
			struct lease_look l = { .promise = true,
				.asked = true,
				.found = (enum store_result)found,
				.lease = (enum store_result)lease };

			if (found != STORE_OK && found != STORE_NOTFOUND)
				assert_int_equal(api_lease_judge(&l, false),
				    LEASE_FAILED);
		}
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_result_is_judged),
		cmocka_unit_test(test_only_the_keeper_says_that_it_has_gone),
		cmocka_unit_test(test_before_a_keeper_is_asked),
		cmocka_unit_test(test_what_cannot_be_read_has_its_own_answer),
	};

	return cmocka_run_group_tests_name("api_lease", tests, NULL, NULL);
}
