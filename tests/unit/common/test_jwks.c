/* SPDX-License-Identifier: ISC */
/*
 * Key sets: what is taken from PEM and JWKS texts, what is refused, and by
 * which ids keys are found.
 */
#include "jwks.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>

#include <cmocka.h>

#include "token_maker.h"

/* RFC 7638 section 3.1. */
#define RFC7638_N \
	"0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAt" \
	"VT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCiFV4n3oknjhMstn6" \
	"4tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FD" \
	"W2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n9" \
	"1CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINH" \
	"aQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw"
#define RFC7638_KEY "{\"kty\":\"RSA\",\"n\":\"" RFC7638_N \
	"\",\"e\":\"AQAB\",\"alg\":\"RS256\",\"kid\":\"2011-04-29\"}"
#define RFC8037_KEY "{\"kty\":\"OKP\",\"crv\":\"Ed25519\"," \
	"\"x\":\"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo\"}"
#define RFC7515_P256 "\"kty\":\"EC\",\"crv\":\"P-256\"," \
	"\"x\":\"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU\"," \
	"\"y\":\"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0\""

static EVP_PKEY	*rsa, *weak, *p256, *p384, *k256;

static int
setup(void **state)
{
	(void)state;
	rsa = maker_key("RSA2048");
	weak = maker_key("RSA1024");
	p256 = maker_key("P-256");
	p384 = maker_key("P-384");
	k256 = maker_key("secp256k1");
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	EVP_PKEY_free(rsa);
	EVP_PKEY_free(weak);
	EVP_PKEY_free(p256);
	EVP_PKEY_free(p384);
	EVP_PKEY_free(k256);
	return 0;
}

static int
add_pem(struct jwks *set, char *pem, char *error, size_t errsize)
{
	int	 n;

	n = jwks_add_pem(set, pem, strlen(pem), error, errsize);
	free(pem);
	return n;
}

static void
test_jwks_pem_keys_have_all_their_ids(void **state)
{
	struct jwks	*set = jwks_new();
	char		 error[256], kid[JWK_KID_SIZE];

	(void)state;
	assert_non_null(set);
	assert_null(jwks_only(set));
	assert_int_equal(add_pem(set, maker_public_pem(p256), error,
	    sizeof(error)), 1);
	assert_non_null(jwks_only(set));
	assert_null(jwks_anchors(set));
	jwk_thumbprint(p256, kid, sizeof(kid));
	assert_ptr_equal(jwks_find(set, kid), jwks_only(set));
	jwk_thumbprint_short(p256, kid, sizeof(kid));
	assert_ptr_equal(jwks_find(set, kid), jwks_only(set));
	jwk_libtrust_id(p256, kid, sizeof(kid));
	assert_ptr_equal(jwks_find(set, kid), jwks_only(set));
	assert_ptr_equal(jwks_find(set, jwk_generator_id(JWK_P256)),
	    jwks_only(set));
	assert_null(jwks_find(set, ""));
	assert_null(jwks_find(set, "../../../../etc/passwd"));
	assert_ptr_equal(jwks_find_key(set, p256), jwks_only(set));
	assert_null(jwks_find_key(set, p384));
	/* The same key again is the same key. */
	assert_int_equal(add_pem(set, maker_public_pem(p256), error,
	    sizeof(error)), 1);
	assert_int_equal(jwks_count(set), 1);
	jwks_free(set);
}

/* One name for every key of a curve names none when there are two. */
static void
test_jwks_ambiguous_id_finds_nothing(void **state)
{
	EVP_PKEY	*other = maker_key("P-256");
	struct jwks	*set = jwks_new();
	char		 error[256], kid[JWK_KID_SIZE];

	(void)state;
	add_pem(set, maker_public_pem(p256), error, sizeof(error));
	assert_non_null(jwks_find(set, jwk_generator_id(JWK_P256)));
	add_pem(set, maker_public_pem(p384), error, sizeof(error));
	assert_non_null(jwks_find(set, jwk_generator_id(JWK_P256)));
	assert_null(jwks_only(set));
	add_pem(set, maker_public_pem(other), error, sizeof(error));
	assert_null(jwks_find(set, jwk_generator_id(JWK_P256)));
	jwk_thumbprint(other, kid, sizeof(kid));
	assert_non_null(jwks_find(set, kid));
	assert_int_equal(EVP_PKEY_eq(jwks_find(set, kid)->pkey, other), 1);
	jwks_free(set);
	EVP_PKEY_free(other);
}

static void
test_jwks_pem_certificates_are_anchors(void **state)
{
	static const struct maker_cert spec = { .cn = "a", .ca = false };
	struct jwks	*set = jwks_new();
	struct buf	 bundle;
	X509		*a, *b, *other;
	char		 error[256], *pem;

	(void)state;
	a = maker_certificate(rsa, NULL, rsa, &spec);
	b = maker_certificate(p384, NULL, p384, &spec);
	other = maker_certificate(rsa, NULL, rsa, &spec);
	buf_init(&bundle, 65536);
	buf_addstr(&bundle, "a comment\n");
	buf_addstr(&bundle, pem = maker_certificate_pem(a));
	free(pem);
	buf_addstr(&bundle, "\nanother\n");
	buf_addstr(&bundle, pem = maker_certificate_pem(b));
	free(pem);
	assert_int_equal(jwks_add_pem(set, bundle.data, bundle.len, error,
	    sizeof(error)), 2);
	assert_int_equal(jwks_count(set), 2);
	assert_non_null(jwks_anchors(set));
	assert_true(jwks_has_anchor(set, a));
	assert_true(jwks_has_anchor(set, b));
	assert_false(jwks_has_anchor(set, other));
	buf_done(&bundle);
	X509_free(a);
	X509_free(b);
	X509_free(other);
	jwks_free(set);
}

static void
refuse_pem(char *pem, const char *why)
{
	struct jwks	*set = jwks_new();
	char		 error[256] = "";

	assert_int_equal(jwks_add_pem(set, pem, strlen(pem), error,
	    sizeof(error)), -1);
	if (strstr(error, why) == NULL)
		fail_msg("\"%s\" does not say \"%s\"", error, why);
	jwks_free(set);
	free(pem);
}

static void
test_jwks_refuses_bad_pem(void **state)
{
	static const struct maker_cert spec = { .cn = "weak" };
	X509	*cert;
	char	*pem;

	(void)state;
	refuse_pem(strdup(""), "no certificate and no public key");
	refuse_pem(strdup("nothing here"), "no certificate and no public key");
	refuse_pem(maker_public_pem(weak), "neither RSA of 2048");
	refuse_pem(maker_public_pem(k256), "neither RSA of 2048");
	refuse_pem(maker_private_pem(rsa), "private key");
	refuse_pem(strdup("-----BEGIN CERTIFICATE-----\nAAAA\n"
	    "-----END CERTIFICATE-----\n"), "PEM block 1: malformed cert");
	refuse_pem(strdup("-----BEGIN PUBLIC KEY-----\nAAAA\n"
	    "-----END PUBLIC KEY-----\n"), "PEM block 1: malformed public");
	pem = maker_public_pem(rsa);
	pem[strlen(pem) - 30] = '\0';
	refuse_pem(pem, "PEM block 1: malformed");
	cert = maker_certificate(weak, NULL, weak, &spec);
	refuse_pem(maker_certificate_pem(cert), "neither RSA of 2048");
	X509_free(cert);
}

static void
test_jwks_limits_the_number_of_keys(void **state)
{
	struct jwks	*set = jwks_new();
	EVP_PKEY	*key;
	char		 error[256];
	int		 i;

	(void)state;
	for (i = 0; i <= JWKS_MAX_KEYS; i++) {
		key = maker_key("ED25519");
		assert_int_equal(add_pem(set, maker_public_pem(key), error,
		    sizeof(error)), i < JWKS_MAX_KEYS ? 1 : -1);
		EVP_PKEY_free(key);
	}
	assert_non_null(strstr(error, "more than 64 keys"));
	jwks_free(set);
}

static void
test_jwks_json_documents(void **state)
{
	static const struct {
		const char	*text;
		int		 want;
		const char	*why;
	} cases[] = {
		{ "{\"keys\":[" RFC7638_KEY "," RFC8037_KEY "]}", 2, NULL },
		/* for another use, of another kind: passed over */
		{ "{\"keys\":[" RFC8037_KEY ",{\"kty\":\"EC\",\"crv\":"
		    "\"secp256k1\",\"x\":\"AA\",\"y\":\"AA\"}]}", 1, NULL },
		{ "{\"keys\":[" RFC8037_KEY ",{\"kty\":\"OKP\",\"crv\":"
		    "\"X25519\",\"x\":\"AA\"},{\"kty\":\"AKP\"}]}", 1, NULL },
		{ "{\"keys\":[" RFC8037_KEY ",{" RFC7515_P256
		    ",\"use\":\"enc\"}]}", 1, NULL },
		{ "{\"keys\":[" RFC8037_KEY ",{" RFC7515_P256
		    ",\"alg\":\"ECDH-ES\"}]}", 1, NULL },
		{ "{\"keys\":[" RFC8037_KEY ",{" RFC7515_P256
		    ",\"alg\":\"HS256\"}]}", 1, NULL },
		{ "{\"keys\":[" RFC8037_KEY ",{" RFC7515_P256
		    ",\"key_ops\":[\"sign\"]}]}", 1, NULL },
		{ "{\"keys\":[{" RFC7515_P256
		    ",\"key_ops\":[\"verify\"],\"use\":\"sig\"}]}", 1, NULL },
		/* one key twice, with two names */
		{ "{\"keys\":[{" RFC7515_P256 ",\"kid\":\"a\"},{" RFC7515_P256
		    ",\"kid\":\"b\"}]}", 2, NULL },
		{ "", -1, "" },
		{ "[]", -1, "no key that can" },
		{ "{}", -1, "no key that can" },
		{ "{\"keys\":[]}", -1, "no key that can" },
		{ "{\"keys\":{}}", -1, "no key that can" },
		{ "{\"keys\":[],\"keys\":[]}", -1, "duplicate" },
		{ "{\"keys\":[1]}", -1, "key 1: not an object" },
		{ "{\"keys\":[{}]}", -1, "key 1: not an object" },
		{ "{\"keys\":[{\"kty\":\"oct\",\"k\":\"AAAA\"}]}", -1,
		    "symmetric" },
		/* a symmetric key in disguise, as libjwt once took it */
		{ "{\"keys\":[{\"kty\":\"RSA\",\"k\":\"AAAA\"}]}", -1,
		    "symmetric" },
		{ "{\"keys\":[{" RFC7515_P256 ",\"d\":\"AAAA\"}]}", -1,
		    "private" },
		{ "{\"keys\":[{\"kty\":\"RSA\"}]}", -1, "key 1: malformed" },
		{ "{\"keys\":[{\"kty\":\"RSA\",\"n\":\"" RFC7638_N
		    "\",\"e\":\"AQ\"}]}", -1, "neither RSA of 2048" },
		{ "{\"keys\":[{\"kty\":\"RSA\",\"n\":\"" RFC7638_N
		    "\",\"e\":\"Ag\"}]}", -1, "neither RSA of 2048" },
		{ "{\"keys\":[{\"kty\":\"RSA\",\"n\":\"" RFC7638_N
		    "==\",\"e\":\"AQAB\"}]}", -1, "malformed" },
		{ "{\"keys\":[{\"kty\":\"RSA\",\"n\":\"0vx7agoebGcQSuuPiLJX"
		    "\",\"e\":\"AQAB\"}]}", -1, "neither RSA of 2048" },
		/* not on the curve, and too short */
		{ "{\"keys\":[{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":"
		    "\"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU\",\"y\":"
		    "\"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU\"}]}", -1,
		    "key 1: malformed" },
		{ "{\"keys\":[{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"f83O"
		    "\",\"y\":\"f83O\"}]}", -1, "key 1: malformed" },
		{ "{\"keys\":[{\"kty\":\"OKP\",\"crv\":\"Ed25519\","
		    "\"x\":\"AAAA\"}]}", -1, "key 1: malformed" },
		{ "{\"keys\":[{" RFC7515_P256 ",\"x5c\":[\"AAAA\"]}]}", -1,
		    "not this key's certificate" },
		{ "{\"keys\":[{" RFC7515_P256 ",\"x5c\":\"AAAA\"}]}", -1,
		    "not this key's certificate" },
	};
	struct jwks	*set;
	char		 error[256];
	size_t		 i;
	int		 n;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		set = jwks_new();
		error[0] = '\0';
		n = jwks_add_json(set, cases[i].text, strlen(cases[i].text),
		    error, sizeof(error));
		if (n != cases[i].want)
			fail_msg("%s: %d (%s)", cases[i].text, n, error);
		if (n == -1 && strstr(error, cases[i].why) == NULL)
			fail_msg("%s: \"%s\"", cases[i].text, error);
		jwks_free(set);
	}
}

static void
test_jwks_json_kid_and_binding(void **state)
{
	static const char one[] = "{\"keys\":[" RFC7638_KEY "]}";
	static const char other[] = "{\"keys\":[{\"kty\":\"RSA\",\"n\":\""
	    RFC7638_N "\",\"e\":\"AQAB\",\"alg\":\"PS256\"}]}";
	static const char plain[] = "{\"keys\":[{\"kty\":\"RSA\",\"n\":\""
	    RFC7638_N "\",\"e\":\"AQAB\",\"kid\":\"x\"}]}";
	struct jwks	*set = jwks_new();
	char		 error[256], longkid[400];

	(void)state;
	assert_int_equal(jwks_add_json(set, plain, strlen(plain), error,
	    sizeof(error)), 1);
	assert_string_equal(jwks_find(set, "x")->alg, "");
	assert_int_equal(jwks_add_json(set, one, strlen(one), error,
	    sizeof(error)), 1);
	assert_int_equal(jwks_count(set), 1);
	assert_string_equal(jwks_find(set, "2011-04-29")->alg, "RS256");
	assert_ptr_equal(jwks_find(set, "x"), jwks_find(set, "2011-04-29"));
	assert_int_equal(jwks_add_json(set, other, strlen(other), error,
	    sizeof(error)), -1);
	assert_non_null(strstr(error, "bound to both RS256 and PS256"));
	jwks_free(set);

	set = jwks_new();
	snprintf(longkid, sizeof(longkid), "{\"keys\":[{" RFC7515_P256
	    ",\"kid\":\"%0127d\"}]}", 0);
	assert_int_equal(jwks_add_json(set, longkid, strlen(longkid), error,
	    sizeof(error)), 1);
	snprintf(longkid, sizeof(longkid), "{\"keys\":[{" RFC7515_P256
	    ",\"kid\":\"%0128d\"}]}", 0);
	assert_int_equal(jwks_add_json(set, longkid, strlen(longkid), error,
	    sizeof(error)), -1);
	jwks_free(set);
}

/* The certificate of a key is an anchor, unless it is a CA's. */
static void
test_jwks_json_certificates(void **state)
{
	struct maker_cert spec = { .cn = "signer" };
	struct jwks	*set;
	struct buf	 buf;
	X509		*cert;
	char		 error[256];
	int		 ca;

	(void)state;
	for (ca = 0; ca < 2; ca++) {
		spec.ca = ca == 1;
		cert = maker_certificate(rsa, NULL, rsa, &spec);
		set = jwks_new();
		buf_init(&buf, 65536);
		buf_addstr(&buf, "{\"keys\":[");
		assert_int_equal(jwk_format(&buf, rsa, "a", "RS256", cert), 0);
		buf_addstr(&buf, "]}");
		assert_int_equal(jwks_add_json(set, buf.data, buf.len, error,
		    sizeof(error)), 1);
		assert_int_equal(jwks_has_anchor(set, cert), ca == 0);
		buf_done(&buf);
		jwks_free(set);
		X509_free(cert);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_jwks_pem_keys_have_all_their_ids),
		cmocka_unit_test(test_jwks_ambiguous_id_finds_nothing),
		cmocka_unit_test(test_jwks_pem_certificates_are_anchors),
		cmocka_unit_test(test_jwks_refuses_bad_pem),
		cmocka_unit_test(test_jwks_limits_the_number_of_keys),
		cmocka_unit_test(test_jwks_json_documents),
		cmocka_unit_test(test_jwks_json_kid_and_binding),
		cmocka_unit_test(test_jwks_json_certificates),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
