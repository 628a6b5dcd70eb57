/* SPDX-License-Identifier: ISC */
/*
 * The registered claims of a verified token (RFC 7519 section 4.1): who
 * issued it, for whom, and when.  Runs in registryd's worker.  The time is
 * the caller's, so that a cached verdict and a test can bring their own.
 */
#include "jws.h"

#include <string.h>

/* The largest integer whose neighbours a double still tells apart. */
#define CLAIM_MAX_TIME	9007199254740992

enum rounding { ROUND_DOWN, ROUND_UP };

/* Is this string one of the list?  A NUL cannot be inside it. */
static bool
issuer_known(const json_t *iss, const char *const *issuers)
{
	if (!json_is_string(iss))
		return false;
	for (; *issuers != NULL; issuers++) {
		if (strcmp(json_string_value(iss), *issuers) == 0)
			return true;
	}
	return false;
}

static bool
audience_has(const json_t *aud, const char *audience)
{
	const char	*item;
	size_t		 i;

	if (json_is_string(aud))
		return strcmp(json_string_value(aud), audience) == 0;
	for (i = 0; i < json_array_size(aud); i++) {
		item = json_string_value(json_array_get(aud, i));
		if (item != NULL && strcmp(item, audience) == 0)
			return true;
	}
	return false;
}

/* Seconds of a NumericDate, rounded to the strict side.  -1: not a time. */
static int
claim_time(const json_t *claim, enum rounding rounding, int64_t *seconds)
{
	double	 real;
	int64_t	 n;

	if (json_is_integer(claim)) {
		n = json_integer_value(claim);
		if (n < -CLAIM_MAX_TIME || n > CLAIM_MAX_TIME)
			return -1;
	} else if (json_is_real(claim)) {
		real = json_real_value(claim);
		if (!(real >= -CLAIM_MAX_TIME && real <= CLAIM_MAX_TIME))
			return -1;
		n = (int64_t)real;
		if (rounding == ROUND_DOWN && (double)n > real)
			n--;
		if (rounding == ROUND_UP && (double)n < real)
			n++;
	} else
		return -1;
	*seconds = n;
	return 0;
}

/* A claim that may be absent but must not be later than "limit". */
static const char *
not_after(const json_t *claims, const char *key, int64_t limit,
    int64_t *seconds)
{
	const json_t	*claim;

	claim = json_object_get(claims, key);
	if (claim == NULL)
		return NULL;
	if (claim_time(claim, ROUND_UP, seconds) == -1)
		return "a time of the token is malformed";
	if (*seconds > limit)
		return "token is not valid yet";
	return NULL;
}

const char *
jws_check_claims(const json_t *claims, const struct jws_expect *expect,
    int64_t *expires)
{
	const char	*wrong;
	int64_t		 exp, nbf, iat;

	if (!issuer_known(json_object_get(claims, "iss"), expect->issuers))
		return "token is from another issuer";
	if (!audience_has(json_object_get(claims, "aud"), expect->audience))
		return "token is for another audience";
	if (claim_time(json_object_get(claims, "exp"), ROUND_DOWN, &exp) == -1)
		return "token has no expiry";
	if (exp < expect->now - expect->leeway)
		return "token has expired";
	wrong = not_after(claims, "nbf", expect->now + expect->leeway, &nbf);
	if (wrong != NULL)
		return wrong;
	/* Without it, what is left of the lifetime must not be too long. */
	iat = expect->now;
	wrong = not_after(claims, "iat", expect->now + expect->leeway, &iat);
	if (wrong != NULL)
		return wrong;
	if (expect->max_lifetime > 0 && exp - iat > expect->max_lifetime)
		return "token lives too long";
	*expires = exp;
	return NULL;
}
