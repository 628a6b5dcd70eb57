/* SPDX-License-Identifier: ISC */
/*
 * The counts of restarts: what is often, what a sync that failed leaves, and
 * the way to the collector.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "restarts.h"

#define EXITED(n)	((n) << 8)
#define KILLED		9

static void
test_three_within_the_time_are_often(void **state)
{
	static const struct {
		uint64_t	 at[3];
		uint64_t	 now;
		bool		 often;
	} cases[] = {
		{ { 1, 2, 3 }, 3, true },
		{ { 1, 2, 3 }, RESTARTS_OFTEN_MS, true },
		{ { 1, 2, 3 }, RESTARTS_OFTEN_MS + 1, false },
		{ { 1, 2, RESTARTS_OFTEN_MS }, RESTARTS_OFTEN_MS, true },
		{ { 1, 2, RESTARTS_OFTEN_MS + 1 }, RESTARTS_OFTEN_MS + 1,
		    false },
	};
	struct restarts r;
	size_t i, n;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		memset(&r, 0, sizeof(r));
		for (n = 0; n < 3; n++) {
			assert_false(restarts_often(&r, ROLE_KEEPER,
			    cases[i].at[n]));
			restarts_note(&r, ROLE_KEEPER, KILLED,
			    cases[i].at[n], 5);
		}
		assert_int_equal(restarts_often(&r, ROLE_KEEPER,
		    cases[i].now), cases[i].often);
		assert_false(restarts_often(&r, ROLE_WORKER, cases[i].now));
		assert_int_equal(r.roles[ROLE_KEEPER].total, 3);
	}
}

static void
test_only_its_status_says_that_a_sync_failed(void **state)
{
	static const int others[] = { KILLED, EXITED(0), EXITED(1),
		EXITED(78), RESTARTS_EXIT_SYNC };
	struct restarts r = { .sync_failures = 0 };
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(others) / sizeof(others[0]); i++)
		restarts_note(&r, ROLE_KEEPER, others[i], 1, 7);
	assert_int_equal(r.sync_failures, 0);
	restarts_note(&r, ROLE_COLLECTOR, EXITED(RESTARTS_EXIT_SYNC), 1, 8);
	assert_int_equal(r.sync_failures, 1);
	assert_int_equal(r.sync_last, 8);
	/* No such roles. */
	restarts_note(&r, 0, EXITED(RESTARTS_EXIT_SYNC), 1, 9);
	restarts_note(&r, ROLE_MAX + 1, EXITED(RESTARTS_EXIT_SYNC), 1, 9);
	assert_int_equal(r.sync_failures, 1);
}

static void
test_a_message_carries_all(void **state)
{
	struct restarts r = { .sync_failures = 0 }, got;
	struct msg_out out;
	struct msg m;
	unsigned role;

	(void)state;
	for (role = 1; role <= ROLE_MAX; role++) {
		restarts_note(&r, role, KILLED, 10 * role, 0);
		restarts_note(&r, role, EXITED(RESTARTS_EXIT_SYNC),
		    10 * role + 1, 77);
	}
	msg_begin(&out, MSG_RESTARTS, 0);
	restarts_put(&out, &r);
	assert_int_equal(out.len, MSG_HEADER_SIZE + RESTARTS_WIRE_SIZE);
	assert_int_equal(msg_parse(&m, out.data, out.len), 0);
	memset(&got, 0xff, sizeof(got));
	assert_int_equal(restarts_get(&m, &got), 0);
	for (role = 1; role <= ROLE_MAX; role++) {
		assert_int_equal(got.roles[role].total, 2);
		assert_int_equal(got.roles[role].last_ms[0], 10 * role + 1);
		assert_int_equal(got.roles[role].last_ms[1], 10 * role);
		assert_int_equal(got.roles[role].last_ms[2], 0);
	}
	assert_int_equal(got.sync_failures, ROLE_MAX);
	assert_int_equal(got.sync_last, 77);
	/* Too short: nothing is taken. */
	assert_int_equal(msg_parse(&m, out.data, out.len - 1), 0);
	r = got;
	assert_int_equal(restarts_get(&m, &got), -1);
	assert_memory_equal(&r, &got, sizeof(r));
	msg_drop(&out);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_three_within_the_time_are_often),
		cmocka_unit_test(test_only_its_status_says_that_a_sync_failed),
		cmocka_unit_test(test_a_message_carries_all),
	};

	return cmocka_run_group_tests_name("restarts", tests, NULL, NULL);
}
