/* SPDX-License-Identifier: ISC */
/*
 * The decision: every route against every set of rights, and the challenges
 * as clients parse them.
 */
#include "access.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>

#include <cmocka.h>

#include "../common/token_maker.h"
#include "scope.h"

#define NOW	2000000000LL
#define HEADER	"{\"alg\":\"ES256\",\"typ\":\"JWT\"}"
#define REALM	"Bearer realm=\"https://auth.example/token\"," \
	"service=\"reg\""

static EVP_PKEY	*key;
static struct jwks *set;
static char	 realm[] = "https://auth.example/token", service[] = "reg",
		 issuer[] = "authd";

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

static void
conf_init(struct registry_conf *conf)
{
	memset(conf, 0, sizeof(*conf));
	conf->token_realm = realm;
	conf->token_service = service;
	conf->token_issuer = issuer;
	conf->max_lifetime_s = 86400;
	conf->leeway_s = 60;
	conf->token_cache = 64;
	conf->delete_enabled = true;
}

/* "Bearer TOKEN" with this access claim. */
static char *
make_header(const char *access)
{
	char claims[1024], *token, *header;

	(void)snprintf(claims, sizeof(claims), "{\"iss\":\"authd\","
	    "\"aud\":\"reg\",\"sub\":\"al\\u0001ice\",\"iat\":%lld,"
	    "\"exp\":%lld,\"access\":%s}", NOW, NOW + 300, access);
	token = maker_token(HEADER, claims, key, "ES256");
	header = malloc(strlen(token) + 8);
	(void)sprintf(header, "Bearer %s", token);
	free(token);
	return header;
}

static const struct route *
find_route(enum route_endpoint endpoint, enum http_method method)
{
	const struct route *r;
	size_t i, n;

	r = route_table(&n);
	for (i = 0; i < n; i++)
		if (r[i].endpoint == endpoint && r[i].method == method)
			return &r[i];
	fail_msg("no route");
	return NULL;
}

static struct access_query
make_query(const struct route *route, const char *header)
{
	const struct access_query q = {
		.route = route,
		.name = route->need == NEED_REPOSITORY ? "a/b" : "",
		.authorization = header,
		.nauthorization = header != NULL,
		.now = NOW,
	};

	return q;
}

static const struct {
	const char	*access;
	unsigned	 rights;	/* on the repository a/b */
	bool		 catalog;
} grants[] = {
	{ "[]", 0, false },
	{ "null", 0, false },
	{ "[{\"type\":\"repository\",\"name\":\"a/b\",\"actions\":[\"pull\"]"
	    "}]", ACTION_PULL, false },
	{ "[{\"type\":\"repository\",\"name\":\"a/b\",\"actions\":[\"push\"]"
	    "}]", ACTION_PUSH, false },
	{ "[{\"type\":\"repository\",\"name\":\"a/b\",\"actions\":[\"delete\""
	    "]}]", ACTION_DELETE, false },
	{ "[{\"type\":\"repository\",\"name\":\"a/b\",\"actions\":[\"pull\","
	    "\"push\"]}]", ACTION_PULL | ACTION_PUSH, false },
	{ "[{\"type\":\"repository\",\"name\":\"a/b\",\"actions\":[\"*\"]}]",
	    ACTION_PULL | ACTION_PUSH | ACTION_DELETE, false },
	{ "[{\"type\":\"repository\",\"name\":\"a\",\"actions\":[\"*\"]}]",
	    0, false },
	{ "[{\"type\":\"repository\",\"name\":\"a/b/c\",\"actions\":[\"*\"]"
	    "}]", 0, false },
	{ "[{\"type\":\"registry\",\"name\":\"catalog\",\"actions\":[\"*\"]"
	    "}]", 0, true },
	{ "[{\"type\":\"registry\",\"name\":\"catalog\",\"actions\":"
	    "[\"pull\"]}]", 0, false },
	{ "[{\"type\":\"registry\",\"name\":\"a/b\",\"actions\":[\"*\"]}]",
	    0, false },
};

static bool
should_pass(const struct route *r, size_t grant)
{
	switch (r->need) {
	case NEED_NOTHING:
	case NEED_LOGIN:
		return true;
	case NEED_REPOSITORY:
		return (grants[grant].rights & r->actions) == r->actions;
	case NEED_CATALOG:
		return grants[grant].catalog;
	}
	return false;
}

/* Route by route, right by right. */
static void
test_matrix(void **state)
{
	const struct route *r;
	struct registry_conf conf;
	struct access_answer answer;
	struct access *a;
	size_t i, j, n;
	char *header;

	(void)state;
	conf_init(&conf);
	a = access_new(&conf, set);
	r = route_table(&n);
	for (j = 0; j < sizeof(grants) / sizeof(grants[0]); j++) {
		header = make_header(grants[j].access);
		for (i = 0; i < n; i++) {
			struct access_query q = make_query(&r[i], header);
			enum access_result got = access_check(a, &q, &answer);
			enum access_result want = should_pass(&r[i], j) ?
			    ACCESS_ALLOWED : ACCESS_UNAUTHORIZED;

			if (got != want)
				fail_msg("route %zu, grant %zu: %d", i, j,
				    got);
			if (want == ACCESS_UNAUTHORIZED)
				assert_non_null(strstr(buf_str(
				    &answer.challenge),
				    ",error=\"insufficient_scope\""));
			access_answer_done(&answer);
		}
		free(header);
	}
	access_free(a);
}

/* Without a token, or with a bad one, only "/" answers. */
static void
test_no_token(void **state)
{
	static const struct {
		const char	*header;
		bool		 error;
	} cases[] = {
		{ NULL, false },
		{ "", false },
		{ "Bearer", false },
		{ "Bearer ", false },
		{ "Bearer\tx", false },
		{ "Basic YTpi", false },
		{ "Negotiate x", false },
		{ "Bearer a.b.c", true },
		{ "bearer eyJhbGciOiJub25lIn0.e30.", true },
	};
	const struct route *r;
	struct registry_conf conf;
	struct access_answer answer;
	struct access *a;
	size_t i, j, n;

	(void)state;
	conf_init(&conf);
	a = access_new(&conf, set);
	r = route_table(&n);
	for (j = 0; j < sizeof(cases) / sizeof(cases[0]); j++)
		for (i = 0; i < n; i++) {
			struct access_query q = make_query(&r[i],
			    cases[j].header);
			enum access_result got = access_check(a, &q, &answer);
			bool error;

			assert_int_equal(got, r[i].need == NEED_NOTHING ?
			    ACCESS_ALLOWED : ACCESS_UNAUTHORIZED);
			error = strstr(buf_str(&answer.challenge),
			    "error=\"invalid_token\"") != NULL;
			assert_int_equal(error, cases[j].error &&
			    r[i].need != NEED_NOTHING);
			access_answer_done(&answer);
		}
	access_free(a);
}

static void
test_challenges(void **state)
{
	static const struct {
		enum route_endpoint endpoint;
		enum http_method method;
		const char	*from, *want;
		size_t		 ndetail;
	} cases[] = {
		{ ENDPOINT_BASE, HTTP_GET, NULL, REALM, 0 },
		{ ENDPOINT_MANIFEST, HTTP_GET, NULL,
		    REALM ",scope=\"repository:a/b:pull\"", 1 },
		{ ENDPOINT_TAGS, HTTP_GET, NULL,
		    REALM ",scope=\"repository:a/b:pull\"", 1 },
		{ ENDPOINT_MANIFEST, HTTP_PUT, NULL,
		    REALM ",scope=\"repository:a/b:pull,push\"", 2 },
		{ ENDPOINT_UPLOAD, HTTP_GET, NULL,
		    REALM ",scope=\"repository:a/b:pull,push\"", 2 },
		{ ENDPOINT_UPLOAD, HTTP_DELETE, NULL,
		    REALM ",scope=\"repository:a/b:pull,push\"", 2 },
		{ ENDPOINT_BLOB, HTTP_DELETE, NULL,
		    REALM ",scope=\"repository:a/b:delete\"", 1 },
		{ ENDPOINT_CATALOG, HTTP_GET, NULL,
		    REALM ",scope=\"registry:catalog:*\"", 1 },
		{ ENDPOINT_UPLOADS, HTTP_POST, "x/y",
		    REALM ",scope=\"repository:a/b:pull,push "
		    "repository:x/y:pull\"", 3 },
	};
	struct registry_conf conf;
	struct access_answer answer;
	struct access *a;
	size_t i;

	(void)state;
	conf_init(&conf);
	a = access_new(&conf, set);
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct access_query q = make_query(find_route(
		    cases[i].endpoint, cases[i].method), NULL);

		q.from = cases[i].from;
		assert_int_equal(access_check(a, &q, &answer),
		    ACCESS_UNAUTHORIZED);
		assert_string_equal(buf_str(&answer.challenge),
		    cases[i].want);
		assert_int_equal(json_array_size(answer.detail),
		    cases[i].ndetail);
		access_answer_done(&answer);
	}
	access_free(a);
}

static void
test_mount_source(void **state)
{
	static const struct {
		const char	*access;
		enum access_result result;
		bool		 from;
	} cases[] = {
		{ "[{\"type\":\"repository\",\"name\":\"a/b\",\"actions\":"
		    "[\"push\"]}]", ACCESS_ALLOWED, false },
		{ "[{\"type\":\"repository\",\"name\":\"a/b\",\"actions\":"
		    "[\"push\"]},{\"type\":\"repository\",\"name\":\"x/y\","
		    "\"actions\":[\"push\"]}]", ACCESS_ALLOWED, false },
		{ "[{\"type\":\"repository\",\"name\":\"a/b\",\"actions\":"
		    "[\"push\"]},{\"type\":\"repository\",\"name\":\"x/y\","
		    "\"actions\":[\"pull\"]}]", ACCESS_ALLOWED, true },
		{ "[{\"type\":\"repository\",\"name\":\"x/y\",\"actions\":"
		    "[\"pull\",\"push\"]}]", ACCESS_UNAUTHORIZED, false },
	};
	struct registry_conf conf;
	struct access_answer answer;
	struct access *a;
	char *header;
	size_t i;

	(void)state;
	conf_init(&conf);
	a = access_new(&conf, set);
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct access_query q;

		header = make_header(cases[i].access);
		q = make_query(find_route(ENDPOINT_UPLOADS, HTTP_POST),
		    header);
		q.from = "x/y";
		assert_int_equal(access_check(a, &q, &answer),
		    cases[i].result);
		assert_int_equal(answer.from_allowed, cases[i].from);
		access_answer_done(&answer);
		free(header);
	}
	access_free(a);
}

static void
test_policy(void **state)
{
	struct registry_conf conf;
	const struct route *r;
	struct access_answer answer;
	struct access *a;
	size_t i, n;
	int mode;

	(void)state;
	r = route_table(&n);
	for (mode = 0; mode < 3; mode++) {
		conf_init(&conf);
		conf.token_realm = NULL;
		conf.readonly = mode == 1;
		conf.delete_enabled = mode != 2;
		a = access_new(&conf, NULL);
		for (i = 0; i < n; i++) {
			struct access_query q = make_query(&r[i], NULL);
			enum access_result want = ACCESS_ALLOWED;

			if (mode == 1 && r[i].effect != EFFECT_READ)
				want = ACCESS_READONLY;
			if (mode == 2 && r[i].effect == EFFECT_DELETE)
				want = ACCESS_NODELETE;
			q.from = "x/y";
			assert_int_equal(access_check(a, &q, &answer), want);
			assert_true(answer.from_allowed);
			access_answer_done(&answer);
		}
		access_free(a);
	}
}

static void
test_several_headers(void **state)
{
	struct registry_conf conf;
	struct access_answer answer;
	struct access_query q;
	struct access *a;
	char *header = make_header("[]");

	(void)state;
	conf_init(&conf);
	a = access_new(&conf, set);
	q = make_query(find_route(ENDPOINT_BASE, HTTP_GET), header);
	q.nauthorization = 2;
	assert_int_equal(access_check(a, &q, &answer), ACCESS_MALFORMED);
	access_answer_done(&answer);
	q.nauthorization = 1;
	assert_int_equal(access_check(a, &q, &answer), ACCESS_ALLOWED);
	assert_string_equal(answer.user, "al\\x01ice");
	access_answer_done(&answer);
	free(header);
	access_free(a);
}

/* ---- auth.htpasswd ---- */

#define ALICE	"Basic YWxpY2U6YWxpY2UtcHc="	/* alice:alice-pw */
#define WRONG	"Basic YWxpY2U6d3Jvbmc="	/* alice:wrong */
#define BASIC	"Basic realm=\"our \\\"reg\\\"\""

static void
conf_init_basic(struct registry_conf *conf)
{
	static char basic[] = "our \"reg\"", path[] = "/htpasswd";

	conf_init(conf);
	conf->token_realm = NULL;
	conf->htpasswd_realm = basic;
	conf->htpasswd_path = path;
	conf->user_cache = 16;
	conf->user_cache_ttl_ms = 60000;
}

/* The decision on a query, with the verdict or without (-1). */
static enum access_result
decide(struct access *a, const char *header, int verdict,
    struct access_answer *answer)
{
	enum cred_verdict value = (enum cred_verdict)verdict;
	struct access_query q;

	q = make_query(find_route(ENDPOINT_MANIFEST, HTTP_PUT), header);
	q.from = "x/y";
	q.verdict = verdict == -1 ? NULL : &value;
	q.why = "";
	return access_check(a, &q, answer);
}

static void
test_basic_is_asked(void **state)
{
	static const struct {
		const char		*header;
		int			 verdict;
		enum access_result	 want;
		const char		*reason;
	} cases[] = {
		{ NULL, -1, ACCESS_UNAUTHORIZED, "no password" },
		{ "Bearer abc", -1, ACCESS_UNAUTHORIZED,
		    "no user and password" },
		{ "Basic ???", -1, ACCESS_UNAUTHORIZED,
		    "no user and password" },
		{ "Basic OnB3", -1, ACCESS_UNAUTHORIZED,	/* :pw */
		    "no user and password" },
		{ "Basic YWxpY2U6", -1, ACCESS_UNAUTHORIZED,	/* alice: */
		    "no user and password" },
		{ ALICE, -1, ACCESS_ASK, NULL },
		{ ALICE, CRED_BAD, ACCESS_UNAUTHORIZED, "wrong password" },
		{ ALICE, CRED_UNKNOWN, ACCESS_UNAUTHORIZED, "unknown user" },
		{ ALICE, CRED_UNAVAILABLE, ACCESS_UNCHECKED, NULL },
		{ ALICE, CRED_OK, ACCESS_ALLOWED, NULL },
	};
	struct registry_conf conf;
	struct access_answer answer;
	struct access *a;
	size_t i;

	(void)state;
	conf_init_basic(&conf);
	a = access_new(&conf, NULL);
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		assert_int_equal(decide(a, cases[i].header, cases[i].verdict,
		    &answer), cases[i].want);
		if (cases[i].want == ACCESS_UNAUTHORIZED) {
			assert_string_equal(buf_str(&answer.challenge), BASIC);
			assert_string_equal(answer.reason, cases[i].reason);
			assert_int_equal(json_array_size(answer.detail), 3);
		}
		assert_string_equal(answer.user,
		    cases[i].want == ACCESS_ALLOWED ? "alice" : "");
		assert_int_equal(answer.from_allowed,
		    cases[i].want == ACCESS_ALLOWED);
		if (cases[i].want == ACCESS_ASK) {
			assert_string_equal(answer.claimed, "alice");
			assert_memory_equal(secret_data(answer.password),
			    "alice-pw", 8);
		}
		access_answer_done(&answer);
	}
	access_free(a);
}

/* A password that was right is known until users change. */
static void
test_basic_is_known(void **state)
{
	struct registry_conf conf;
	struct access_answer answer;
	struct access *a;

	(void)state;
	conf_init_basic(&conf);
	a = access_new(&conf, NULL);
	assert_int_equal(decide(a, ALICE, CRED_OK, &answer), ACCESS_ALLOWED);
	access_answer_done(&answer);
	assert_int_equal(decide(a, ALICE, -1, &answer), ACCESS_ALLOWED);
	assert_string_equal(answer.user, "alice");
	access_answer_done(&answer);
	assert_int_equal(decide(a, WRONG, -1, &answer), ACCESS_ASK);
	access_answer_done(&answer);
	access_forget_users(a);
	assert_int_equal(decide(a, ALICE, -1, &answer), ACCESS_ASK);
	access_answer_done(&answer);
	access_free(a);
	/* Without a cache the verdict alone lets in. */
	conf.user_cache = 0;
	a = access_new(&conf, NULL);
	assert_int_equal(decide(a, ALICE, CRED_OK, &answer), ACCESS_ALLOWED);
	access_answer_done(&answer);
	assert_int_equal(decide(a, ALICE, -1, &answer), ACCESS_ASK);
	access_answer_done(&answer);
	access_free(a);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_matrix),
		cmocka_unit_test(test_no_token),
		cmocka_unit_test(test_challenges),
		cmocka_unit_test(test_mount_source),
		cmocka_unit_test(test_policy),
		cmocka_unit_test(test_several_headers),
		cmocka_unit_test(test_basic_is_asked),
		cmocka_unit_test(test_basic_is_known),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
