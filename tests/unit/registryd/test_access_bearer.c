/* SPDX-License-Identifier: ISC */
/*
 * Verdicts on tokens, and how long they are kept.
 */
#include "access_bearer.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>

#include <cmocka.h>

#include "../common/token_maker.h"

#define NOW	2000000000LL
#define HEADER	"{\"alg\":\"ES256\",\"typ\":\"JWT\"}"

static EVP_PKEY	*key;
static struct jwks *set;

static int
setup(void **state)
{
	char error[256], *pem;

	(void)state;
	key = maker_key("P-256");
	set = jwks_new();
	pem = maker_public_pem(key);
	MUST(jwks_add_pem(set, pem, strlen(pem), error, sizeof(error)) == 1);
	free(pem);
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	jwks_free(set);
	EVP_PKEY_free(key);
	return 0;
}

static struct bearer *
make_bearer(size_t cache)
{
	const struct bearer_rules rules = {
		.jwks = set, .issuer = "authd", .audience = "reg",
		.leeway = 60, .max_lifetime = 86400, .cache = cache,
	};
	struct bearer *b = bearer_new(&rules);

	assert_non_null(b);
	return b;
}

/* A token for "id" that ends "left" seconds after NOW. */
static char *
make_token(const char *id, int left, const char *access)
{
	char claims[512];

	(void)snprintf(claims, sizeof(claims), "{\"iss\":\"authd\","
	    "\"aud\":\"reg\",\"sub\":\"alice\",\"jti\":\"%s\",\"iat\":%lld,"
	    "\"nbf\":%lld,\"exp\":%lld,\"access\":%s}", id, NOW - 10,
	    NOW - 10, NOW + left, access);
	return maker_token(HEADER, claims, key, "ES256");
}

#define PULL_A "[{\"type\":\"repository\",\"name\":\"a\"," \
	"\"actions\":[\"pull\"]}]"

static void
test_verdict(void **state)
{
	struct bearer *b = make_bearer(8);
	char *token = make_token("1", 300, PULL_A);
	const struct bearer_verdict *v;
	const char *reason;

	(void)state;
	v = bearer_verify(b, token, NOW, &reason);
	assert_non_null(v);
	assert_string_equal(v->user, "alice");
	assert_string_equal(v->jti, "1");
	assert_true(scope_set_allows(&v->access, "repository", "a",
	    ACTION_PULL));
	assert_false(scope_set_allows(&v->access, "repository", "a",
	    ACTION_PUSH));
	assert_int_equal(bearer_cached(b), 1);
	assert_ptr_equal(bearer_verify(b, token, NOW + 1, &reason), v);
	free(token);
	bearer_free(b);
}

static void
test_bad_tokens_are_not_kept(void **state)
{
	struct bearer *b = make_bearer(8);
	char *token = make_token("1", 300, PULL_A), *p;
	const char *reason;
	size_t len = strlen(token);

	(void)state;
	assert_null(bearer_verify(b, "", NOW, &reason));
	assert_non_null(reason);
	assert_null(bearer_verify(b, "a.b.c", NOW, &reason));
	assert_non_null(reason);
	/* Every variant of a good token is judged by itself. */
	assert_non_null(bearer_verify(b, token, NOW, &reason));
	p = malloc(len + 2);
	memcpy(p, token, len + 1);
	memcpy(p + len, "=", 2);
	assert_null(bearer_verify(b, p, NOW, &reason));
	p[len] = '\0';
	p[len - 10] = p[len - 10] == 'A' ? 'B' : 'A';
	assert_null(bearer_verify(b, p, NOW, &reason));
	assert_non_null(reason);
	assert_int_equal(bearer_cached(b), 1);
	free(p);
	free(token);
	bearer_free(b);
}

/* A verdict is worth no more than the key behind it. */
static void
test_other_keys(void **state)
{
	struct bearer *b = make_bearer(8);
	EVP_PKEY *next = maker_key("P-256");
	struct jwks *other = jwks_new();
	char *token = make_token("1", 300, PULL_A), *pem, error[256];
	const char *reason;

	(void)state;
	pem = maker_public_pem(next);
	MUST(jwks_add_pem(other, pem, strlen(pem), error,
	    sizeof(error)) == 1);
	assert_non_null(bearer_verify(b, token, NOW, &reason));
	assert_int_equal(bearer_cached(b), 1);
	bearer_set_keys(b, other);
	assert_int_equal(bearer_cached(b), 0);
	assert_null(bearer_verify(b, token, NOW, &reason));
	bearer_set_keys(b, set);
	assert_non_null(bearer_verify(b, token, NOW, &reason));
	assert_int_equal(bearer_cached(b), 1);
	free(pem);
	free(token);
	bearer_free(b);
	jwks_free(other);
	EVP_PKEY_free(next);
}

static void
test_end_of_a_token(void **state)
{
	struct bearer *b = make_bearer(8);
	char *token = make_token("1", 100, PULL_A);
	const char *reason;

	(void)state;
	assert_non_null(bearer_verify(b, token, NOW, &reason));
	assert_int_equal(bearer_cached(b), 1);
	/* Past its end it is verified again, within the leeway. */
	assert_non_null(bearer_verify(b, token, NOW + 150, &reason));
	assert_null(bearer_verify(b, token, NOW + 200, &reason));
	assert_non_null(reason);
	assert_int_equal(bearer_cached(b), 0);
	free(token);
	bearer_free(b);
}

/* A clock that jumps: nothing lives longer for having been seen before. */
static void
test_clock_steps(void **state)
{
	struct bearer *b = make_bearer(8);
	char *token = make_token("1", 300, PULL_A);
	const char *reason;

	(void)state;
	assert_non_null(bearer_verify(b, token, NOW, &reason));
	/* An hour back it has not begun, cached or not. */
	assert_null(bearer_verify(b, token, NOW - 3600, &reason));
	assert_int_equal(bearer_cached(b), 0);
	/* A second back it is judged anew, and good. */
	assert_non_null(bearer_verify(b, token, NOW, &reason));
	assert_non_null(bearer_verify(b, token, NOW - 1, &reason));
	assert_int_equal(bearer_cached(b), 1);
	/* A day on it is over, and stays so when the clock is right again. */
	assert_null(bearer_verify(b, token, NOW + 86400, &reason));
	assert_int_equal(bearer_cached(b), 0);
	assert_null(bearer_verify(b, token, NOW + 361, &reason));
	assert_non_null(bearer_verify(b, token, NOW + 359, &reason));
	free(token);
	bearer_free(b);
}

/* An entry of the access claim may end before the token does. */
static void
test_end_of_an_entry(void **state)
{
	struct bearer *b = make_bearer(8);
	char access[256], *token;
	const struct bearer_verdict *v;
	const char *reason;

	(void)state;
	(void)snprintf(access, sizeof(access), "[{\"type\":\"repository\","
	    "\"name\":\"a\",\"actions\":[\"pull\"],\"exp\":%lld}]", NOW + 50);
	token = make_token("1", 300, access);
	v = bearer_verify(b, token, NOW, &reason);
	assert_non_null(v);
	assert_true(scope_set_allows(&v->access, "repository", "a",
	    ACTION_PULL));
	v = bearer_verify(b, token, NOW + 51, &reason);
	assert_non_null(v);
	assert_false(scope_set_allows(&v->access, "repository", "a",
	    ACTION_PULL));
	free(token);
	bearer_free(b);
}

static void
test_bounded(void **state)
{
	struct bearer *b = make_bearer(4);
	const struct bearer_verdict *v;
	char *tokens[10], id[8];
	const char *reason;
	int i;

	(void)state;
	for (i = 0; i < 10; i++) {
		(void)snprintf(id, sizeof(id), "%d", i);
		tokens[i] = make_token(id, 300, PULL_A);
		assert_non_null(bearer_verify(b, tokens[i], NOW, &reason));
		/* In use again and again: it must stay. */
		assert_non_null(bearer_verify(b, tokens[0], NOW, &reason));
		assert_in_range(bearer_cached(b), 1, 4);
	}
	for (i = 0; i < 10; i++) {
		(void)snprintf(id, sizeof(id), "%d", i);
		v = bearer_verify(b, tokens[i], NOW, &reason);
		assert_non_null(v);
		assert_string_equal(v->jti, id);
		free(tokens[i]);
	}
	bearer_free(b);
}

static void
test_without_cache(void **state)
{
	struct bearer *b = make_bearer(0);
	char *token = make_token("1", 300, PULL_A);
	const char *reason;
	int i;

	(void)state;
	for (i = 0; i < 3; i++)
		assert_non_null(bearer_verify(b, token, NOW, &reason));
	assert_int_equal(bearer_cached(b), 0);
	free(token);
	bearer_free(b);
}

static void
test_algorithms(void **state)
{
	static const char *const allowed[] = { "RS256", "ES256" };
	struct bearer_rules rules = {
		.jwks = set, .issuer = "authd", .audience = "reg",
		.leeway = 60, .max_lifetime = 86400, .algorithms = allowed,
	};
	char *token = make_token("1", 300, PULL_A);
	const char *reason;
	struct bearer *b;

	(void)state;
	for (rules.nalgorithms = 0; rules.nalgorithms <= 2;
	    rules.nalgorithms++) {
		b = bearer_new(&rules);
		if (rules.nalgorithms == 1) {
			assert_null(bearer_verify(b, token, NOW, &reason));
			assert_non_null(strstr(reason, "algorithm"));
		} else {
			assert_non_null(bearer_verify(b, token, NOW,
			    &reason));
		}
		bearer_free(b);
	}
	free(token);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_verdict),
		cmocka_unit_test(test_bad_tokens_are_not_kept),
		cmocka_unit_test(test_other_keys),
		cmocka_unit_test(test_end_of_a_token),
		cmocka_unit_test(test_clock_steps),
		cmocka_unit_test(test_end_of_an_entry),
		cmocka_unit_test(test_bounded),
		cmocka_unit_test(test_without_cache),
		cmocka_unit_test(test_algorithms),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
