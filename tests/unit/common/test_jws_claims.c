/* SPDX-License-Identifier: ISC */
/*
 * The registered claims: issuer, audience and times, at their very edges.
 */
#include "jws.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define NOW	1800000000LL

static const char *const issuers[] = { "auth.example.com", "other", NULL };

static const struct jws_expect expect = {
	.issuers = issuers, .audience = "registry.example.com",
	.leeway = 60, .max_lifetime = 86400, .now = NOW,
};

/* "@+59" and "@-59" in the text are times around now. */
static json_t *
claims_of(const char *text)
{
	char		 json[2048], *end;
	const char	*p;
	size_t		 n = 0;
	json_t		*claims;

	for (p = text; *p != '\0'; p++) {
		if (*p == '@') {
			n += (size_t)snprintf(json + n, sizeof(json) - n,
			    "%lld", NOW + strtoll(p + 1, &end, 10));
			p = end - 1;
		} else
			json[n++] = *p == '\'' ? '"' : *p;
	}
	json[n] = '\0';
	claims = json_loads(json, 0, NULL);
	if (claims == NULL)
		fail_msg("%s is not JSON", json);
	return claims;
}

static void
check(const char *text, const char *want)
{
	const char	*wrong;
	json_t		*claims;
	int64_t		 expires = -1;

	claims = claims_of(text);
	wrong = jws_check_claims(claims, &expect, &expires);
	if ((wrong == NULL) != (want == NULL) ||
	    (want != NULL && strcmp(wrong, want) != 0))
		fail_msg("%s: %s", text, wrong == NULL ? "good" : wrong);
	if (wrong != NULL)
		assert_int_equal(expires, -1);
	json_decref(claims);
}

#define GOOD_ISS	"'iss':'auth.example.com',"
#define GOOD_AUD	"'aud':'registry.example.com',"
#define ISSUER		"token is from another issuer"
#define AUDIENCE	"token is for another audience"
#define NO_EXPIRY	"token has no expiry"
#define EXPIRED		"token has expired"
#define EARLY		"token is not valid yet"
#define BAD_TIME	"a time of the token is malformed"
#define LONG		"token lives too long"

static void
test_claims_issuer(void **state)
{
	(void)state;
	check("{" GOOD_ISS GOOD_AUD "'exp':@+300}", NULL);
	check("{'iss':'other'," GOOD_AUD "'exp':@+300}", NULL);
	check("{" GOOD_AUD "'exp':@+300}", ISSUER);
	check("{'iss':''," GOOD_AUD "'exp':@+300}", ISSUER);
	check("{'iss':null," GOOD_AUD "'exp':@+300}", ISSUER);
	check("{'iss':['other']," GOOD_AUD "'exp':@+300}", ISSUER);
	check("{'iss':'auth.example.com.evil'," GOOD_AUD "'exp':@+300}",
	    ISSUER);
	check("{'iss':'auth.example.co'," GOOD_AUD "'exp':@+300}", ISSUER);
	check("{'iss':'AUTH.example.com'," GOOD_AUD "'exp':@+300}", ISSUER);
	check("{'iss':'http://auth.example.com'," GOOD_AUD "'exp':@+300}",
	    ISSUER);
}

static void
test_claims_audience(void **state)
{
	(void)state;
	check("{" GOOD_ISS "'aud':['a','registry.example.com'],"
	    "'exp':@+300}", NULL);
	check("{" GOOD_ISS "'aud':[1,'registry.example.com'],"
	    "'exp':@+300}", NULL);
	check("{" GOOD_ISS "'exp':@+300}", AUDIENCE);
	check("{" GOOD_ISS "'aud':[],'exp':@+300}", AUDIENCE);
	check("{" GOOD_ISS "'aud':{},'exp':@+300}", AUDIENCE);
	check("{" GOOD_ISS "'aud':{'registry.example.com':1},'exp':@+300}",
	    AUDIENCE);
	check("{" GOOD_ISS "'aud':null,'exp':@+300}", AUDIENCE);
	check("{" GOOD_ISS "'aud':1,'exp':@+300}", AUDIENCE);
	check("{" GOOD_ISS "'aud':'','exp':@+300}", AUDIENCE);
	check("{" GOOD_ISS "'aud':'registry','exp':@+300}", AUDIENCE);
	check("{" GOOD_ISS "'aud':'registry.example.com.evil','exp':@+300}",
	    AUDIENCE);
	check("{" GOOD_ISS "'aud':[['registry.example.com']],'exp':@+300}",
	    AUDIENCE);
}

static void
test_claims_expiry(void **state)
{
	static const struct {
		const char	*exp, *want;
	} cases[] = {
		{ "@-59", NULL },
		{ "@-60", NULL },
		{ "@-61", EXPIRED },
		{ "@-59.5", NULL },		/* read as now - 58.5 */
		{ "-1", EXPIRED },
		{ "0", EXPIRED },
		{ "1800000000.5", NULL },
		{ "1799999940.5", NULL },
		{ "1799999939.9", EXPIRED },	/* floor */
		{ "1.8e9", NULL },
		{ "null", NO_EXPIRY },
		{ "true", NO_EXPIRY },
		{ "'1800000300'", NO_EXPIRY },
		{ "[1800000300]", NO_EXPIRY },
		{ "1e300", NO_EXPIRY },
		{ "-1e300", NO_EXPIRY },
		{ "9223372036854775807", NO_EXPIRY },
		{ "-9223372036854775808", NO_EXPIRY },
		{ "9007199254740992", LONG },
	};
	char	 text[256];
	size_t	 i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		snprintf(text, sizeof(text), "{" GOOD_ISS GOOD_AUD "'exp':%s}",
		    cases[i].exp);
		check(text, cases[i].want);
	}
	check("{" GOOD_ISS GOOD_AUD "'sub':''}", NO_EXPIRY);
}

static void
test_claims_not_before_and_issued_at(void **state)
{
	static const struct {
		const char	*value, *want;
	} cases[] = {
		{ "0", NULL },
		{ "@+59", NULL },
		{ "@+60", NULL },
		{ "@+61", EARLY },
		{ "1800000060.5", EARLY },	/* ceil; libjwt lets it pass */
		{ "1800000059.5", NULL },
		{ "1e12", EARLY },
		{ "1e300", BAD_TIME },
		{ "null", BAD_TIME },
		{ "'1'", BAD_TIME },
		{ "9223372036854775807", BAD_TIME },
	};
	char	 text[256];
	size_t	 i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		snprintf(text, sizeof(text), "{" GOOD_ISS GOOD_AUD
		    "'exp':@+300,'nbf':%s}", cases[i].value);
		check(text, cases[i].want);
		/* An old iat makes the lifetime too long, not the iat bad. */
		snprintf(text, sizeof(text), "{" GOOD_ISS GOOD_AUD
		    "'exp':@+300,'iat':%s}", cases[i].value);
		check(text, i == 0 ? LONG : cases[i].want);
	}
}

static void
test_claims_lifetime(void **state)
{
	struct jws_expect	 unlimited = expect;
	json_t			*claims;
	int64_t			 expires;

	(void)state;
	check("{" GOOD_ISS GOOD_AUD "'iat':@+0,'exp':@+86400}", NULL);
	check("{" GOOD_ISS GOOD_AUD "'iat':@+0,'exp':@+86401}", LONG);
	check("{" GOOD_ISS GOOD_AUD "'iat':@-10,'exp':@+86391}", LONG);
	check("{" GOOD_ISS GOOD_AUD "'exp':@+86400}", NULL);
	check("{" GOOD_ISS GOOD_AUD "'exp':@+86401}", LONG);
	unlimited.max_lifetime = 0;
	claims = claims_of("{" GOOD_ISS GOOD_AUD "'iat':0,'exp':@+9999999}");
	assert_null(jws_check_claims(claims, &unlimited, &expires));
	assert_int_equal(expires, NOW + 9999999);
	json_decref(claims);
}

/* Leeway makes a token live longer, not the time that it names. */
static void
test_claims_expires_without_leeway(void **state)
{
	json_t	*claims;
	int64_t	 expires = 0;

	(void)state;
	claims = claims_of("{" GOOD_ISS GOOD_AUD "'exp':@-30}");
	assert_null(jws_check_claims(claims, &expect, &expires));
	assert_int_equal(expires, NOW - 30);
	json_decref(claims);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_claims_issuer),
		cmocka_unit_test(test_claims_audience),
		cmocka_unit_test(test_claims_expiry),
		cmocka_unit_test(test_claims_not_before_and_issued_at),
		cmocka_unit_test(test_claims_lifetime),
		cmocka_unit_test(test_claims_expires_without_leeway),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
