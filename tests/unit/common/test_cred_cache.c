/* SPDX-License-Identifier: ISC */
/*
 * The cache of good credentials: what it finds, and what it forgets.
 */
#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "cred_cache.h"

static const struct cred_answer *
find_at(struct cred_cache *cache, const char *user, const char *where,
    const char *password)
{
	struct secret			*secret;
	struct cred_key			 key = { user, where, NULL };
	const struct cred_answer	*answer;

	key.password = secret = secret_new(password, strlen(password));
	answer = cred_cache_find(cache, &key);
	secret_free(secret);
	return answer;
}

static const struct cred_answer *
find(struct cred_cache *cache, const char *user, const char *password)
{
	return find_at(cache, user, "", password);
}

static void
put_at(struct cred_cache *cache, const char *user, const char *where,
    const char *password)
{
	struct cred_key		 key = { user, where, NULL };
	struct secret		*secret;
	struct cred_answer	 answer;
	char			 dev[] = "dev", ops[] = "ops";
	char			*groups[] = { dev, ops };

	memset(&answer, 0, sizeof(answer));
	snprintf(answer.user, sizeof(answer.user), "%s", user);
	answer.groups = groups;
	answer.ngroups = 2;
	key.password = secret = secret_new(password, strlen(password));
	cred_cache_put(cache, &key, &answer);
	secret_free(secret);
}

static void
put(struct cred_cache *cache, const char *user, const char *password)
{
	put_at(cache, user, "", password);
}

/* What is known at one place is known nowhere else. */
static void
test_cache_knows_places(void **state)
{
	struct cred_cache	*cache = cred_cache_new(16, 60000);

	(void)state;
	put_at(cache, "alice", "192.0.2.1", "secret");
	assert_non_null(find_at(cache, "alice", "192.0.2.1", "secret"));
	assert_null(find_at(cache, "alice", "192.0.2.2", "secret"));
	assert_null(find_at(cache, "alice", "192.0.2.", "1secret"));
	assert_null(find_at(cache, "alice192.0.2.1", "", "secret"));
	assert_null(find(cache, "alice", "secret"));
	put_at(cache, "alice", "192.0.2.2", "secret");
	assert_int_equal(cred_cache_count(cache), 2);
	cred_cache_free(cache);
}

static void
test_cache_finds_exactly(void **state)
{
	struct cred_cache		*cache = cred_cache_new(16, 60000);
	const struct cred_answer	*answer;

	(void)state;
	put(cache, "alice", "secret");
	answer = find(cache, "alice", "secret");
	assert_non_null(answer);
	assert_string_equal(answer->user, "alice");
	assert_int_equal(answer->ngroups, 2);
	assert_string_equal(answer->groups[1], "ops");
	assert_null(find(cache, "alice", "secre"));
	assert_null(find(cache, "alice", "secrets"));
	assert_null(find(cache, "alic", "esecret"));
	assert_null(find(cache, "alices", "ecret"));
	assert_null(find(cache, "bob", "secret"));
	cred_cache_free(cache);
}

static void
test_cache_forgets_the_oldest(void **state)
{
	struct cred_cache	*cache = cred_cache_new(3, 60000);

	(void)state;
	put(cache, "a", "x");
	put(cache, "b", "x");
	put(cache, "c", "x");
	put(cache, "a", "x");			/* anew: now the youngest */
	assert_int_equal(cred_cache_count(cache), 3);
	put(cache, "d", "x");
	assert_int_equal(cred_cache_count(cache), 3);
	assert_null(find(cache, "b", "x"));
	assert_non_null(find(cache, "a", "x"));
	assert_non_null(find(cache, "d", "x"));
	cred_cache_flush(cache);
	assert_int_equal(cred_cache_count(cache), 0);
	assert_null(find(cache, "a", "x"));
	cred_cache_free(cache);
}

static void
test_cache_forgets_in_time(void **state)
{
	struct cred_cache	*cache = cred_cache_new(3, 30);
	struct timespec		 pause = { 0, 60000000 };

	(void)state;
	put(cache, "a", "x");
	assert_non_null(find(cache, "a", "x"));
	nanosleep(&pause, NULL);
	assert_null(find(cache, "a", "x"));
	assert_int_equal(cred_cache_count(cache), 0);
	cred_cache_free(cache);
}

static void
test_cache_can_be_off(void **state)
{
	struct cred_cache	*cache = cred_cache_new(0, 60000);

	(void)state;
	put(cache, "a", "x");
	assert_null(find(cache, "a", "x"));
	cred_cache_free(cache);
	cache = cred_cache_new(16, 0);
	put(cache, "a", "x");
	assert_null(find(cache, "a", "x"));
	cred_cache_free(cache);
}

static void
test_cache_keeps_for_outages(void **state)
{
	struct cred_cache	*cache = cred_cache_new(3, 0);
	struct timespec		 wait = { 0, 60 * 1000 * 1000 };
	struct secret		*secret = secret_new("secret", 6);
	struct cred_key		 alice = { "alice", "", secret };
	struct cred_key		 bob = { "bob", "", secret };
	struct cred_key		 carol = { "carol", "", secret };

	(void)state;
	cred_cache_keep(cache, 40);
	put(cache, "alice", "secret");
	put(cache, "bob", "secret");
	assert_null(find(cache, "alice", "secret"));
	assert_non_null(cred_cache_find_kept(cache, &alice));
	assert_null(cred_cache_find_kept(cache, &carol));
	cred_cache_drop(cache, &alice);
	assert_null(cred_cache_find_kept(cache, &alice));
	assert_non_null(cred_cache_find_kept(cache, &bob));
	nanosleep(&wait, NULL);
	assert_null(cred_cache_find_kept(cache, &bob));
	assert_int_equal(cred_cache_count(cache), 0);
	secret_free(secret);
	cred_cache_free(cache);
}

int
main(void)
{
	const struct CMUnitTest	 tests[] = {
		cmocka_unit_test(test_cache_finds_exactly),
		cmocka_unit_test(test_cache_knows_places),
		cmocka_unit_test(test_cache_forgets_the_oldest),
		cmocka_unit_test(test_cache_forgets_in_time),
		cmocka_unit_test(test_cache_can_be_off),
		cmocka_unit_test(test_cache_keeps_for_outages)
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
