/* SPDX-License-Identifier: ISC */
/*
 * Tokens: what was not signed by a trusted key never verifies, and a token
 * that does verify has one spelling and a header without tricks.
 *
 * The first byte says what the rest is: 'r' a token; 'h' a header, to be
 * signed by somebody else; 't' a header, to be signed by a trusted key;
 * 'c' claims, to be signed and checked; 'm' pairs of bytes that change a
 * good token.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "json.h"
#include "jws.h"

#include "../unit/common/token_maker.h"

#define CLAIMS	"{\"iss\":\"a\",\"aud\":\"b\",\"exp\":2000000000}"

static struct jwks	*set;
static EVP_PKEY		*trusted, *evil;
static char		*good;
static size_t		 goodlen;

int	LLVMFuzzerTestOneInput(const uint8_t *, size_t);

static void
start(void)
{
	static const struct maker_cert spec = { .cn = "fuzz", .ca = true };
	char	 kid[64], header[128], error[256], *pem;
	X509	*cert;

	trusted = maker_key("P-256");
	evil = maker_key("P-256");
	cert = maker_certificate(trusted, NULL, trusted, &spec);
	pem = maker_certificate_pem(cert);
	set = jwks_new();
	MUST(jwks_add_pem(set, pem, strlen(pem), error, sizeof(error)) == 1);
	MUST(jwk_thumbprint(trusted, kid, sizeof(kid)) == 0);
	snprintf(header, sizeof(header), "{\"alg\":\"ES256\",\"kid\":\"%s\"}",
	    kid);
	good = maker_token(header, CLAIMS, trusted, "ES256");
	goodlen = strlen(good);
	X509_free(cert);
	free(pem);
}

static enum jws_result
verify(const char *token, size_t len, json_t **claims)
{
	enum jws_result	 result;

	*claims = NULL;
	result = jws_verify(set, token, len, claims);
	MUST((result == JWS_OK) == (*claims != NULL));
	MUST(jws_result_text(result) != NULL);
	return result;
}

/* "text" as header or claims, the other being plain, signed by pkey. */
static enum jws_result
verify_signed(const char *header, const char *claims, EVP_PKEY *pkey,
    json_t **parsed)
{
	enum jws_result	 result;
	char		*token;

	token = maker_token(header, claims, pkey, "ES256");
	result = verify(token, strlen(token), parsed);
	free(token);
	return result;
}

static void
try_header(const char *text, EVP_PKEY *pkey)
{
	const char	*alg;
	char		 error[80];
	json_t		*claims, *header;

	if (verify_signed(text, CLAIMS, pkey, &claims) != JWS_OK)
		return;
	MUST(pkey == trusted);
	json_decref(claims);
	header = json_load_strict(text, strlen(text), error, sizeof(error));
	MUST(header != NULL);
	alg = json_string_at(header, "alg");
	MUST(alg != NULL && strcmp(alg, "ES256") == 0);
	MUST(json_object_get(header, "crit") == NULL &&
	    json_object_get(header, "b64") == NULL &&
	    json_object_get(header, "zip") == NULL);
	json_decref(header);
}

static void
try_claims(const char *text)
{
	static const char *const issuers[] = { "a", "c", NULL };
	struct jws_expect expect = { .issuers = issuers, .audience = "b",
			    .leeway = 60, .max_lifetime = 86400,
			    .now = 1999999999 };
	const char	*wrong;
	int64_t		 expires = 0;
	json_t		*claims;

	if (verify_signed("{\"alg\":\"ES256\"}", text, trusted,
	    &claims) != JWS_OK)
		return;
	wrong = jws_check_claims(claims, &expect, &expires);
	if (wrong == NULL)
		MUST(expires >= expect.now - 60 &&
		    expires <= expect.now + 60 + 86400);
	json_decref(claims);
}

static void
try_changed(const uint8_t *data, size_t size)
{
	enum jws_result	 result;
	json_t		*claims;
	char		*token;
	size_t		 i;

	token = malloc(goodlen);
	MUST(token != NULL);
	memcpy(token, good, goodlen);
	for (i = 0; i + 2 < size; i += 3)
		token[(data[i] << 8 | data[i + 1]) % (int)goodlen] =
		    (char)data[i + 2];
	result = verify(token, goodlen, &claims);
	MUST((result == JWS_OK) == (memcmp(token, good, goodlen) == 0));
	json_decref(claims);
	free(token);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	json_t	*claims;
	char	*text;

	if (set == NULL)
		start();
	if (size == 0)
		return 0;
	text = strndup((const char *)data + 1, size - 1);
	MUST(text != NULL);
	switch (data[0]) {
	case 'h':
		try_header(text, evil);
		break;
	case 't':
		try_header(text, trusted);
		break;
	case 'c':
		try_claims(text);
		break;
	case 'm':
		try_changed(data + 1, size - 1);
		break;
	default:
		MUST(verify((const char *)data + 1, size - 1, &claims) !=
		    JWS_OK);
	}
	free(text);
	return 0;
}
