/* SPDX-License-Identifier: ISC */
/*
 * Who has to wait after failed passwords, for how long, and who has not.
 */
#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "throttle.h"

#define WINDOW	60000
#define PENALTY	10000
#define DELAY	2000

static const struct throttle_conf	conf = {
	.failures_per_source = 3,
	.failures_per_user = 6,
	.checks_per_source = 2,
	.window_ms = WINDOW,
	.penalty_ms = PENALTY,
	.delay_ms = DELAY
};

static int
setup(void **state)
{
	*state = throttle_new(&conf, 64);
	return *state == NULL ? -1 : 0;
}

static int
teardown(void **state)
{
	throttle_free(*state);
	return 0;
}

static void
wrong(struct throttle *t, const char *source, const char *user,
    const char *password, uint64_t now)
{
	struct secret	*secret = secret_new(password, strlen(password));

	throttle_failed(t, source, user, secret, now);
	secret_free(secret);
}

/* n different wrong passwords. */
static void
guess(struct throttle *t, const char *source, const char *user, unsigned n,
    uint64_t now)
{
	char	 password[128];
	unsigned i;

	for (i = 0; i < n; i++) {
		snprintf(password, sizeof(password), "%s-%u-%llu", source, i,
		    (unsigned long long)now);
		wrong(t, source, user, password, now);
	}
}

static void
test_source_is_refused_for_a_while(void **state)
{
	struct throttle	*t = *state;

	guess(t, "192.0.2.1", "alice", 2, 1000);
	assert_int_equal(throttle_penalty(t, "192.0.2.1", 1000), 0);
	guess(t, "192.0.2.1", "bob", 1, 2000);
	assert_int_equal(throttle_penalty(t, "192.0.2.1", 2000), PENALTY);
	assert_int_equal(throttle_penalty(t, "192.0.2.1", 11999), 1);
	assert_int_equal(throttle_penalty(t, "192.0.2.2", 2000), 0);
	/* What was in work does not make it longer. */
	guess(t, "192.0.2.1", "carol", 9, 5000);
	assert_int_equal(throttle_penalty(t, "192.0.2.1", 11999), 1);
	assert_int_equal(throttle_penalty(t, "192.0.2.1", 12000), 0);
	guess(t, "192.0.2.1", "carol", 2, 12001);
	assert_int_equal(throttle_penalty(t, "192.0.2.1", 12001), 0);
}

static void
test_failures_age(void **state)
{
	struct throttle	*t = *state;

	guess(t, "192.0.2.1", "alice", 2, 1000);
	guess(t, "192.0.2.1", "alice", 2, 1000 + WINDOW);
	assert_int_equal(throttle_penalty(t, "192.0.2.1", 1000 + WINDOW), 0);
	guess(t, "192.0.2.1", "alice", 1, 2000 + WINDOW);
	assert_int_equal(throttle_penalty(t, "192.0.2.1", 2000 + WINDOW),
	    PENALTY);
}

static void
test_same_password_counts_once(void **state)
{
	struct throttle	*t = *state;
	unsigned	 i;

	for (i = 0; i < 100; i++)
		wrong(t, "192.0.2.1", "alice", "old password", 1000 + i);
	assert_int_equal(throttle_penalty(t, "192.0.2.1", 1100), 0);
	/* For another user it is another guess. */
	wrong(t, "192.0.2.1", "bob", "old password", 1200);
	assert_int_equal(throttle_penalty(t, "192.0.2.1", 1200), 0);
	wrong(t, "192.0.2.1", "carol", "old password", 1200);
	assert_int_equal(throttle_penalty(t, "192.0.2.1", 1200), PENALTY);
	/* And from elsewhere, as anybody's. */
	wrong(t, "192.0.2.2", "alice", "old password", 1200);
	assert_int_equal(throttle_penalty(t, "192.0.2.2", 1200), 0);
}

static void
test_names_do_not_run_together(void **state)
{
	struct throttle	*t = *state;

	wrong(t, "192.0.2.1", "ab", "c", 1000);
	wrong(t, "192.0.2.1", "a", "bc", 1000);
	wrong(t, "192.0.2.1", "abc", "", 1000);
	assert_int_equal(throttle_penalty(t, "192.0.2.1", 1000), PENALTY);
}

static void
test_sources(void **state)
{
	static const struct {
		const char	*fails, *asks;
		int		 same;
	} rows[] = {
		{ "2001:db8:1:2::1", "2001:db8:1:2:ffff::9", 1 },
		{ "2001:db8:1:2::1", "2001:db8:1:3::1", 0 },
		{ "2001:DB8:1:2::1", "2001:db8:1:2::1%eth0", 1 },
		{ "::ffff:192.0.2.7", "192.0.2.7", 1 },
		{ "::ffff:192.0.2.7", "192.0.2.8", 0 },
		{ "192.0.2.7", "192.0.2.8", 0 },
		{ "unix", "unix", 1 },
		{ "unix", "unknown", 0 },
		{ "::", "0.0.0.0", 0 }
	};
	struct throttle	*t;
	size_t		 i;

	(void)state;
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		t = throttle_new(&conf, 64);
		guess(t, rows[i].fails, "alice", 3, 1000);
		if ((throttle_penalty(t, rows[i].asks, 1000) > 0) !=
		    rows[i].same)
			fail_msg("%s, %s", rows[i].fails, rows[i].asks);
		throttle_free(t);
	}
}

static void
test_rotation_within_64_bits(void **state)
{
	struct throttle	*t = *state;
	char		 source[64];
	unsigned	 i;

	for (i = 0; i < 3; i++) {
		snprintf(source, sizeof(source), "2001:db8::%x", i + 1);
		guess(t, source, "alice", 1, 1000);
	}
	assert_int_equal(throttle_penalty(t, "2001:db8::99", 1000), PENALTY);
}

static void
test_user_is_slowed_never_refused(void **state)
{
	struct throttle	*t = *state;
	char		 source[64];
	unsigned	 i;

	for (i = 0; i < 5; i++) {
		snprintf(source, sizeof(source), "192.0.2.%u", i);
		guess(t, source, "alice", 1, 1000);
		assert_int_equal(throttle_delay(t, "alice", 1000), 0);
	}
	for (; i < 40; i++) {
		snprintf(source, sizeof(source), "192.0.2.%u", i);
		guess(t, source, "alice", 1, 1000 + i);
		assert_int_equal(throttle_delay(t, "alice", 1000 + i), DELAY);
	}
	assert_int_equal(throttle_penalty(t, "192.0.2.200", 1040), 0);
	assert_int_equal(throttle_delay(t, "bob", 1040), 0);
	assert_int_equal(throttle_delay(t, "alice", 1039 + PENALTY), 0);
}

/* A directory takes either for the same user. */
static void
test_case_of_a_user(void **state)
{
	static const char *const names[] = { "alice", "Alice", "ALICE" };
	struct throttle	*t = *state;
	char		 source[32];
	unsigned	 i;

	for (i = 0; i < 40; i++) {
		snprintf(source, sizeof(source), "192.0.2.%u", i);
		guess(t, source, names[i % 3], 1, 1000);
		assert_int_equal(throttle_delay(t, "aLICE", 1000),
		    throttle_delay(t, "alice", 1000));
	}
	assert_int_equal(throttle_delay(t, "aLICE", 1000), DELAY);
	assert_int_equal(throttle_delay(t, "alice2", 1000), 0);
}

/* One source cannot slow a user down for everybody. */
static void
test_source_does_not_slow_the_user(void **state)
{
	struct throttle	*t = *state;

	guess(t, "192.0.2.1", "alice", 1000, 1000);
	assert_int_equal(throttle_delay(t, "alice", 1000), 0);
}

static void
test_checks_of_one_source(void **state)
{
	struct throttle	*t = *state;

	assert_int_equal(throttle_begin(t, "2001:db8::1", 1000), 0);
	assert_int_equal(throttle_begin(t, "2001:db8::2", 1000), 0);
	assert_int_equal(throttle_begin(t, "2001:db8::3", 1000), -1);
	assert_int_equal(throttle_begin(t, "192.0.2.1", 1000), 0);
	throttle_end(t, "2001:db8::2");
	assert_int_equal(throttle_begin(t, "2001:db8::3", 1000), 0);
	throttle_end(t, "2001:db8::1");
	throttle_end(t, "2001:db8::3");
	throttle_end(t, "2001:db8::3");
	throttle_end(t, "198.51.100.1");
	assert_int_equal(throttle_begin(t, "2001:db8::1", 1000), 0);
	assert_int_equal(throttle_begin(t, "2001:db8::1", 1000), 0);
	assert_int_equal(throttle_begin(t, "2001:db8::1", 1000), -1);
}

static void
test_requests_of_one_source(void **state)
{
	struct throttle	*t = *state;
	char		 source[64];
	unsigned	 i;

	for (i = 0; i < THROTTLE_MAX_OPEN; i++) {
		snprintf(source, sizeof(source), "2001:db8::%x", i + 1);
		assert_int_equal(throttle_open(t, source, 1000), 0);
	}
	assert_int_equal(throttle_open(t, "2001:db8::1", 1000), -1);
	assert_int_equal(throttle_open(t, "192.0.2.1", 1000), 0);
	throttle_close(t, "2001:db8::7");
	assert_int_equal(throttle_open(t, "2001:db8::8", 1000), 0);
	assert_int_equal(throttle_open(t, "2001:db8::8", 1000), -1);
	for (i = 0; i < THROTTLE_MAX_OPEN + 5; i++)
		throttle_close(t, "2001:db8::1");
	assert_int_equal(throttle_open(t, "2001:db8::1", 1000), 0);
	/* They push no failures out, however many they are. */
	guess(t, "198.51.100.1", "alice", 3, 1000);
	for (i = 0; i < 200; i++) {
		snprintf(source, sizeof(source), "10.3.0.%u", i);
		if (throttle_open(t, source, 1000) == 0 && i % 2 == 0)
			throttle_close(t, source);
	}
	assert_int_equal(throttle_penalty(t, "198.51.100.1", 1000), PENALTY);
}

static void
test_table_is_bounded(void **state)
{
	struct throttle	*t = *state;
	char		 source[64];
	unsigned	 i;

	guess(t, "192.0.2.1", "alice", 3, 1000);
	for (i = 0; i < 63; i++) {
		snprintf(source, sizeof(source), "10.0.0.%u", i);
		guess(t, source, "bob", 1, 1000);
	}
	assert_int_equal(throttle_penalty(t, "192.0.2.1", 1000), PENALTY);
	for (i = 0; i < 100000; i++) {
		snprintf(source, sizeof(source), "10.1.%u.%u", i >> 8 & 255,
		    i & 255);
		guess(t, source, source, 1, 1000);
	}
	assert_int_equal(throttle_penalty(t, "192.0.2.1", 1000), 0);
	/* What is in work is not forgotten. */
	for (i = 0; i < 64; i++) {
		snprintf(source, sizeof(source), "10.2.0.%u", i);
		assert_int_equal(throttle_begin(t, source, 1000), 0);
	}
	assert_int_equal(throttle_begin(t, "10.2.1.1", 1000), -1);
	throttle_end(t, "10.2.0.7");
	assert_int_equal(throttle_begin(t, "10.2.1.1", 1000), 0);
}

static void
test_it_can_be_off(void **state)
{
	struct throttle_conf	 off = conf;
	struct throttle		*t;
	unsigned		 i;

	(void)state;
	off.failures_per_source = 0;
	off.failures_per_user = 0;
	off.checks_per_source = 0;
	t = throttle_new(&off, 64);
	guess(t, "192.0.2.1", "alice", 1000, 1000);
	assert_int_equal(throttle_penalty(t, "192.0.2.1", 1000), 0);
	assert_int_equal(throttle_delay(t, "alice", 1000), 0);
	for (i = 0; i < 1000; i++)
		assert_int_equal(throttle_begin(t, "192.0.2.1", 1000), 0);
	throttle_free(t);
}

#define TEST(fn)	cmocka_unit_test_setup_teardown(fn, setup, teardown)

int
main(void)
{
	const struct CMUnitTest	 tests[] = {
		TEST(test_source_is_refused_for_a_while),
		TEST(test_failures_age),
		TEST(test_same_password_counts_once),
		TEST(test_names_do_not_run_together),
		TEST(test_sources),
		TEST(test_rotation_within_64_bits),
		TEST(test_user_is_slowed_never_refused),
		TEST(test_case_of_a_user),
		TEST(test_source_does_not_slow_the_user),
		TEST(test_checks_of_one_source),
		TEST(test_requests_of_one_source),
		TEST(test_table_is_bounded),
		TEST(test_it_can_be_off)
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
