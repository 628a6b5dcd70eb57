/* SPDX-License-Identifier: ISC */
/*
 * The verifier against forged and confused tokens.  Every token here that
 * must be refused is refused with the right result, and each attack has a
 * good twin that passes, so that it fails for its own reason.
 */
#include "jws.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>

#include <cmocka.h>
#include <openssl/err.h>

#include "token_maker.h"

#define CLAIMS "{\"iss\":\"authd\",\"aud\":\"r\",\"exp\":2000000000}"

/* trusted, trusted only when alone, and not trusted */
static EVP_PKEY	*rsa, *p256, *p384, *p521, *ed, *evil, *evil_ec, *weak;
static struct jwks *set, *single;
static char	 rsa_kid[64], rsa_libtrust[64], p256_kid[64], p384_kid[64],
		 p521_kid[64], ed_kid[64], evil_kid[64];

static void
add_key(struct jwks *to, EVP_PKEY *pkey, char *kid)
{
	char	 error[256], *pem;

	pem = maker_public_pem(pkey);
	MUST(jwks_add_pem(to, pem, strlen(pem), error, sizeof(error)) == 1);
	MUST(jwk_thumbprint(pkey, kid, 64) == 0);
	free(pem);
}

static int
setup(void **state)
{
	(void)state;
	rsa = maker_key("RSA2048");
	evil = maker_key("RSA2048");
	weak = maker_key("RSA1024");
	p256 = maker_key("P-256");
	evil_ec = maker_key("P-256");
	p384 = maker_key("P-384");
	p521 = maker_key("P-521");
	ed = maker_key("ED25519");
	set = jwks_new();
	single = jwks_new();
	add_key(single, rsa, rsa_kid);
	add_key(set, rsa, rsa_kid);
	add_key(set, p256, p256_kid);
	add_key(set, p384, p384_kid);
	add_key(set, p521, p521_kid);
	add_key(set, ed, ed_kid);
	jwk_libtrust_id(rsa, rsa_libtrust, sizeof(rsa_libtrust));
	jwk_thumbprint(evil, evil_kid, sizeof(evil_kid));
	return 0;
}

static int
teardown(void **state)
{
	EVP_PKEY	*keys[] = { rsa, p256, p384, p521, ed, evil, evil_ec,
			    weak };
	size_t		 i;

	(void)state;
	for (i = 0; i < sizeof(keys) / sizeof(keys[0]); i++)
		EVP_PKEY_free(keys[i]);
	jwks_free(set);
	jwks_free(single);
	return 0;
}

/* Verify; what is not good must leave no claims behind. */
static enum jws_result
verify(const struct jwks *with, const char *token)
{
	enum jws_result	 result;
	json_t		*claims = NULL;

	result = jws_verify(with, token, strlen(token), &claims);
	if (result == JWS_OK)
		assert_true(json_is_object(claims));
	else
		assert_null(claims);
	json_decref(claims);
	return result;
}

static void
check(const struct jwks *with, const char *name, char *token,
    enum jws_result want)
{
	enum jws_result	 result;

	result = verify(with, token);
	if (result != want)
		fail_msg("%s: %s, not %s", name, jws_result_text(result),
		    jws_result_text(want));
	free(token);
}

/* Replace @R, @L, @2, @3, @5, @D, @X in a header by the kids.  Free it. */
static char *
fill_in(const char *header)
{
	struct buf	 buf;
	const char	*kid;

	buf_init(&buf, 65536);
	for (; *header != '\0'; header++) {
		if (*header != '@') {
			buf_addc(&buf, *header);
			continue;
		}
		switch (*++header) {
		case 'R':
			kid = rsa_kid;
			break;
		case 'L':
			kid = rsa_libtrust;
			break;
		case '2':
			kid = p256_kid;
			break;
		case '3':
			kid = p384_kid;
			break;
		case '5':
			kid = p521_kid;
			break;
		case 'D':
			kid = ed_kid;
			break;
		default:
			kid = evil_kid;
		}
		buf_addstr(&buf, kid);
	}
	return buf_steal(&buf, NULL);
}

static const struct {
	const char	 *header;
	EVP_PKEY	**pkey;
	const char	 *alg;		/* how it is really signed */
	enum jws_result	  want;
} headers[] = {
	/* each algorithm with its key */
	{ "{'alg':'RS256','kid':'@R'}", &rsa, "RS256", JWS_OK },
	{ "{'alg':'RS384','kid':'@R'}", &rsa, "RS384", JWS_OK },
	{ "{'alg':'RS512','kid':'@R'}", &rsa, "RS512", JWS_OK },
	{ "{'alg':'PS256','kid':'@R'}", &rsa, "PS256", JWS_OK },
	{ "{'alg':'PS384','kid':'@R'}", &rsa, "PS384", JWS_OK },
	{ "{'alg':'PS512','kid':'@R'}", &rsa, "PS512", JWS_OK },
	{ "{'alg':'ES256','kid':'@2'}", &p256, "ES256", JWS_OK },
	{ "{'alg':'ES384','kid':'@3'}", &p384, "ES384", JWS_OK },
	{ "{'alg':'ES512','kid':'@5'}", &p521, "ES512", JWS_OK },
	{ "{'alg':'EdDSA','kid':'@D'}", &ed, "EdDSA", JWS_OK },
	{ "{'alg':'RS256','kid':'@L'}", &rsa, "RS256", JWS_OK },
	/* the header is not how it was signed */
	{ "{'alg':'RS256','kid':'@R'}", &rsa, "RS512", JWS_SIGNATURE },
	{ "{'alg':'RS256','kid':'@R'}", &rsa, "PS256", JWS_SIGNATURE },
	{ "{'alg':'PS256','kid':'@R'}", &rsa, "RS256", JWS_SIGNATURE },
	{ "{'alg':'PS256','kid':'@R'}", &rsa, "PS512", JWS_SIGNATURE },
	/* algorithms that are not there, however they are spelled */
	{ "{'alg':'none','kid':'@R'}", &rsa, "RS256", JWS_ALGORITHM },
	{ "{'alg':'NoNe','kid':'@R'}", &rsa, "RS256", JWS_ALGORITHM },
	{ "{'alg':'None','kid':'@R'}", &rsa, "RS256", JWS_ALGORITHM },
	{ "{'alg':'NONE','kid':'@R'}", &rsa, "RS256", JWS_ALGORITHM },
	{ "{'alg':'rs256','kid':'@R'}", &rsa, "RS256", JWS_ALGORITHM },
	{ "{'alg':'RS1','kid':'@R'}", &rsa, "RS256", JWS_ALGORITHM },
	{ "{'alg':'','kid':'@R'}", &rsa, "RS256", JWS_ALGORITHM },
	{ "{'alg':'HS256','kid':'@R'}", &rsa, "RS256", JWS_ALGORITHM },
	{ "{'alg':'ES256K','kid':'@2'}", &p256, "ES256", JWS_ALGORITHM },
	{ "{'kid':'@R'}", &rsa, "RS256", JWS_MALFORMED },
	{ "{'alg':null,'kid':'@R'}", &rsa, "RS256", JWS_MALFORMED },
	{ "{'alg':['RS256'],'kid':'@R'}", &rsa, "RS256", JWS_MALFORMED },
	{ "{'alg':256,'kid':'@R'}", &rsa, "RS256", JWS_MALFORMED },
	/* an algorithm of another type of key */
	{ "{'alg':'RS256','kid':'@2'}", &rsa, "RS256", JWS_ALGORITHM },
	{ "{'alg':'RS256','kid':'@2'}", &p256, "ES256", JWS_ALGORITHM },
	{ "{'alg':'ES256','kid':'@R'}", &p256, "ES256", JWS_ALGORITHM },
	{ "{'alg':'ES256','kid':'@3'}", &p384, "ES256", JWS_ALGORITHM },
	{ "{'alg':'ES384','kid':'@2'}", &p256, "ES384", JWS_ALGORITHM },
	{ "{'alg':'ES512','kid':'@3'}", &p384, "ES512", JWS_ALGORITHM },
	{ "{'alg':'EdDSA','kid':'@2'}", &p256, "ES256", JWS_ALGORITHM },
	{ "{'alg':'RS256','kid':'@D'}", &ed, "EdDSA", JWS_ALGORITHM },
	/* keys that are not trusted */
	{ "{'alg':'RS256','kid':'@R'}", &evil, "RS256", JWS_SIGNATURE },
	{ "{'alg':'RS256','kid':'@R'}", &weak, "RS256", JWS_SIGNATURE },
	{ "{'alg':'ES256','kid':'@2'}", &evil_ec, "ES256",
	    JWS_SIGNATURE },
	{ "{'alg':'ES384','kid':'@3'}", &p256, "ES384", JWS_SIGNATURE },
	{ "{'alg':'RS256','kid':'@X'}", &evil, "RS256",
	    JWS_UNKNOWN_KEY },
	{ "{'alg':'RS256'}", &rsa, "RS256", JWS_UNKNOWN_KEY },
	/* a kid is a name, and a string */
	{ "{'alg':'RS256','kid':''}", &rsa, "RS256", JWS_UNKNOWN_KEY },
	{ "{'alg':'RS256','kid':'../../../../etc/passwd'}", &rsa,
	    "RS256", JWS_UNKNOWN_KEY },
	{ "{'alg':'RS256','kid':'; DROP TABLE keys --'}", &rsa, "RS256",
	    JWS_UNKNOWN_KEY },
	{ "{'alg':'RS256','kid':'@R '}", &rsa, "RS256",
	    JWS_UNKNOWN_KEY },
	{ "{'alg':'RS256','kid':'@R\\u0000'}", &rsa, "RS256",
	    JWS_MALFORMED },
	{ "{'alg':'RS256','kid':1}", &rsa, "RS256", JWS_MALFORMED },
	{ "{'alg':'RS256','kid':null}", &rsa, "RS256", JWS_MALFORMED },
	{ "{'alg':'RS256','kid':['@R']}", &rsa, "RS256",
	    JWS_MALFORMED },
	/* extensions, compression */
	{ "{'alg':'RS256','kid':'@R','crit':['exp'],'exp':1}", &rsa,
	    "RS256", JWS_MALFORMED },
	{ "{'alg':'RS256','kid':'@R','crit':['bork']}", &rsa, "RS256",
	    JWS_MALFORMED },
	{ "{'alg':'RS256','kid':'@R','crit':null}", &rsa, "RS256",
	    JWS_MALFORMED },
	{ "{'alg':'RS256','kid':'@R','b64':false}", &rsa, "RS256",
	    JWS_MALFORMED },
	{ "{'alg':'RS256','kid':'@R','zip':'DEF'}", &rsa, "RS256",
	    JWS_MALFORMED },
	{ "{'alg':'RS256','kid':'@R','made-up':{'x':1}}", &rsa, "RS256",
	    JWS_OK },
	/* types */
	{ "{'typ':'JWT','alg':'RS256','kid':'@R'}", &rsa, "RS256",
	    JWS_OK },
	{ "{'typ':'jwt','alg':'RS256','kid':'@R'}", &rsa, "RS256",
	    JWS_OK },
	{ "{'typ':'at+jwt','alg':'RS256','kid':'@R'}", &rsa, "RS256",
	    JWS_OK },
	{ "{'typ':'JOSE+JSON','alg':'RS256','kid':'@R'}", &rsa, "RS256",
	    JWS_MALFORMED },
	{ "{'typ':'','alg':'RS256','kid':'@R'}", &rsa, "RS256",
	    JWS_MALFORMED },
	{ "{'typ':null,'alg':'RS256','kid':'@R'}", &rsa, "RS256",
	    JWS_MALFORMED },
	/* keys and places of keys that the token brings */
	{ "{'alg':'RS256','kid':'@R','jwk':{'kty':'RSA','e':'AQAB',"
	    "'n':'AAAA'}}", &evil, "RS256", JWS_SIGNATURE },
	{ "{'alg':'RS256','kid':'@R','jwk':{'kty':'RSA','e':'AQAB',"
	    "'n':'AAAA'}}", &rsa, "RS256", JWS_OK },
	{ "{'alg':'RS256','kid':'@X','jku':'http://127.0.0.1:1/',"
	    "'x5u':'http://127.0.0.1:1/'}", &evil, "RS256",
	    JWS_UNKNOWN_KEY },
	/* not JSON, or not only one meaning */
	{ "{'alg':'none','alg':'RS256','kid':'@R'}", &rsa, "RS256",
	    JWS_MALFORMED },
	{ "{'alg':'RS256','kid':'@X','kid':'@R'}", &rsa, "RS256",
	    JWS_MALFORMED },
	{ "['RS256','@R']", &rsa, "RS256", JWS_MALFORMED },
	{ "'RS256'", &rsa, "RS256", JWS_MALFORMED },
	{ "{'alg':'RS256','kid':'@R'}x", &rsa, "RS256",
	    JWS_MALFORMED },
	{ "{'alg':'RS256','kid':'@R','\xff':1}", &rsa, "RS256",
	    JWS_MALFORMED },
	{ "{'alg':'RS256','kid':'@R','x':'\\ud800'}", &rsa, "RS256",
	    JWS_MALFORMED },
	/* x5c without anchors is refused, whatever the kid */
	{ "{'alg':'RS256','kid':'@R','x5c':[]}", &rsa, "RS256",
	    JWS_CERTIFICATE },
	{ "{'alg':'RS256','kid':'@R','x5c':null}", &rsa, "RS256",
	    JWS_CERTIFICATE },
};

static void
test_jws_algorithms_and_headers(void **state)
{
	char	*header;
	size_t	 i, j;

	(void)state;
	for (i = 0; i < sizeof(headers) / sizeof(headers[0]); i++) {
		header = fill_in(headers[i].header);
		for (j = 0; header[j] != '\0'; j++) {
			if (header[j] == '\'')
				header[j] = '"';
		}
		check(set, headers[i].header, maker_token(header, CLAIMS,
		    *headers[i].pkey, headers[i].alg), headers[i].want);
		free(header);
	}
}

static void
test_jws_without_kid_only_with_one_key(void **state)
{
	static const char header[] = "{\"alg\":\"RS256\"}";

	(void)state;
	check(single, "one key", maker_token(header, CLAIMS, rsa, "RS256"),
	    JWS_OK);
	check(single, "one key, another signs", maker_token(header, CLAIMS,
	    evil, "RS256"), JWS_SIGNATURE);
	check(single, "one key, another algorithm",
	    maker_token("{\"alg\":\"ES256\"}", CLAIMS, p256, "ES256"),
	    JWS_ALGORITHM);
	check(set, "several keys", maker_token(header, CLAIMS, rsa, "RS256"),
	    JWS_UNKNOWN_KEY);
}

/* The public key is no secret: HMACs by it prove nothing. */
static void
test_jws_refuses_hmac_with_public_keys(void **state)
{
	char		 header[256], *pem;
	unsigned char	*der = NULL, modulus[256];
	BIGNUM		*n = NULL;
	int		 len;

	(void)state;
	snprintf(header, sizeof(header), "{\"alg\":\"HS256\",\"kid\":\"%s\"}",
	    rsa_kid);
	pem = maker_public_pem(rsa);
	check(set, "PEM", maker_hmac_token(header, CLAIMS, pem, strlen(pem)),
	    JWS_ALGORITHM);
	check(set, "PEM without its last newline", maker_hmac_token(header,
	    CLAIMS, pem, strlen(pem) - 1), JWS_ALGORITHM);
	len = i2d_PUBKEY(rsa, &der);
	check(set, "DER", maker_hmac_token(header, CLAIMS, der, (size_t)len),
	    JWS_ALGORITHM);
	MUST(EVP_PKEY_get_bn_param(rsa, "n", &n) == 1);
	BN_bn2bin(n, modulus);
	check(set, "modulus", maker_hmac_token(header, CLAIMS, modulus,
	    sizeof(modulus)), JWS_ALGORITHM);
	check(set, "empty key", maker_hmac_token(header, CLAIMS, "", 0),
	    JWS_ALGORITHM);
	check(single, "empty key, no kid", maker_hmac_token(
	    "{\"alg\":\"HS256\"}", CLAIMS, "", 0), JWS_ALGORITHM);
	/* The same HMAC under the name of a signature. */
	snprintf(header, sizeof(header), "{\"alg\":\"RS256\",\"kid\":\"%s\"}",
	    rsa_kid);
	check(set, "RS256 in name", maker_hmac_token(header, CLAIMS, pem,
	    strlen(pem)), JWS_SIGNATURE);
	BN_free(n);
	OPENSSL_free(der);
	free(pem);
}

static void
test_jws_refuses_unsigned(void **state)
{
	static const char *const unsafe[] = {
		"{\"alg\":\"none\"}", "{\"alg\":\"NoNe\"}",
		"{\"alg\":\"None\"}", "{\"alg\":\"NONE\"}",
	};
	struct buf	 buf;
	size_t		 i;

	(void)state;
	for (i = 0; i < sizeof(unsafe) / sizeof(unsafe[0]); i++) {
		maker_begin(&buf, unsafe[i], CLAIMS);
		assert_int_equal(verify(single, buf_str(&buf)),
		    JWS_MALFORMED);
		buf_addc(&buf, '.');
		assert_int_equal(verify(single, buf_str(&buf)),
		    JWS_MALFORMED);
		buf_addstr(&buf, "AAAA");
		assert_int_equal(verify(single, buf_str(&buf)),
		    JWS_ALGORITHM);
		buf_done(&buf);
	}
}

static char *
good_token(void)
{
	char	 header[256];

	snprintf(header, sizeof(header), "{\"alg\":\"RS256\",\"kid\":\"%s\"}",
	    rsa_kid);
	return maker_token(header, CLAIMS, rsa, "RS256");
}

/* A key bound to one algorithm by its JWKS verifies no other. */
static void
test_jws_key_bound_to_algorithm(void **state)
{
	struct jwks	*bound = jwks_new();
	struct buf	 buf;
	char		 error[256];

	(void)state;
	buf_init(&buf, 65536);
	buf_addstr(&buf, "{\"keys\":[");
	jwk_format(&buf, rsa, "k", "PS256", NULL);
	buf_addstr(&buf, "]}");
	assert_int_equal(jwks_add_json(bound, buf.data, buf.len, error,
	    sizeof(error)), 1);
	check(bound, "its own", maker_token("{\"alg\":\"PS256\"}", CLAIMS,
	    rsa, "PS256"), JWS_OK);
	check(bound, "another", maker_token("{\"alg\":\"RS256\"}", CLAIMS,
	    rsa, "RS256"), JWS_ALGORITHM);
	check(bound, "another, by kid", maker_token("{\"alg\":\"RS256\","
	    "\"kid\":\"k\"}", CLAIMS, rsa, "RS256"), JWS_ALGORITHM);
	buf_done(&buf);
	jwks_free(bound);
}

/* The queue of errors is TLS's, too. */
static void
test_jws_leaves_no_errors(void **state)
{
	char	*token;

	(void)state;
	token = good_token();
	token[strlen(token) - 10] ^= 1;
	ERR_clear_error();
	assert_int_not_equal(verify(set, token), JWS_OK);
	assert_int_equal(ERR_peek_error(), 0);
	free(token);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_jws_algorithms_and_headers),
		cmocka_unit_test(test_jws_without_kid_only_with_one_key),
		cmocka_unit_test(test_jws_refuses_hmac_with_public_keys),
		cmocka_unit_test(test_jws_refuses_unsigned),
		cmocka_unit_test(test_jws_key_bound_to_algorithm),
		cmocka_unit_test(test_jws_leaves_no_errors),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
