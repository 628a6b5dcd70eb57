/* SPDX-License-Identifier: ISC */
/*
 * Single keys: the ids of RFC 7638, RFC 8037, libtrust and distribution,
 * types, algorithms, and JSON that is read again.
 */
#include "jwks.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>

#include <cmocka.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>

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

static EVP_PKEY	*rsa, *weak, *p256, *p384, *p521, *k256, *ed;

static int
setup(void **state)
{
	(void)state;
	rsa = maker_key("RSA2048");
	weak = maker_key("RSA1024");
	p256 = maker_key("P-256");
	p384 = maker_key("P-384");
	p521 = maker_key("P-521");
	k256 = maker_key("secp256k1");
	ed = maker_key("ED25519");
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
	EVP_PKEY_free(p521);
	EVP_PKEY_free(k256);
	EVP_PKEY_free(ed);
	return 0;
}

static EVP_PKEY *
parse(const char *text)
{
	EVP_PKEY	*pkey;
	json_t		*json;

	json = json_loads(text, 0, NULL);
	assert_non_null(json);
	pkey = jwk_parse(json);
	json_decref(json);
	return pkey;
}

static void
test_jwk_thumbprints_of_the_rfcs(void **state)
{
	static const struct {
		const char	*key, *want;
	} cases[] = {
		{ RFC7638_KEY, "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs" },
		{ RFC8037_KEY, "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k" },
	};
	EVP_PKEY	*pkey;
	char		 kid[44];
	size_t		 i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		pkey = parse(cases[i].key);
		assert_non_null(pkey);
		assert_int_equal(jwk_thumbprint(pkey, kid, sizeof(kid)), 0);
		assert_string_equal(kid, cases[i].want);
		assert_int_equal(jwk_thumbprint(pkey, kid, 43), -1);
		EVP_PKEY_free(pkey);
	}
}

/* A public EC key from coordinates that may have leading zeros. */
static EVP_PKEY *
ec_key_of_point(const char *group_name, const EC_GROUP *group,
    const EC_POINT *point)
{
	unsigned char	 octets[133];
	EVP_PKEY_CTX	*ctx;
	EVP_PKEY	*pkey = NULL;
	OSSL_PARAM	 params[3];
	char		 name[16];
	size_t		 len;

	len = EC_POINT_point2oct(group, point, POINT_CONVERSION_UNCOMPRESSED,
	    octets, sizeof(octets), NULL);
	assert_true(len > 0);
	snprintf(name, sizeof(name), "%s", group_name);
	params[0] = OSSL_PARAM_construct_utf8_string(
	    OSSL_PKEY_PARAM_GROUP_NAME, name, 0);
	params[1] = OSSL_PARAM_construct_octet_string(
	    OSSL_PKEY_PARAM_PUB_KEY, octets, len);
	params[2] = OSSL_PARAM_construct_end();
	ctx = EVP_PKEY_CTX_new_from_name(NULL, "EC", NULL);
	assert_int_equal(EVP_PKEY_fromdata_init(ctx), 1);
	assert_int_equal(EVP_PKEY_fromdata(ctx, &pkey, EVP_PKEY_PUBLIC_KEY,
	    params), 1);
	EVP_PKEY_CTX_free(ctx);
	return pkey;
}

/* distribution 3.0 hashes the generator, without its leading zeros. */
static void
test_jwk_generator_ids_are_of_the_generators(void **state)
{
	static const struct {
		enum jwk_type	 type;
		int		 nid;
		const char	*name;
	} cases[] = {
		{ JWK_P256, NID_X9_62_prime256v1, "P-256" },
		{ JWK_P384, NID_secp384r1, "P-384" },
		{ JWK_P521, NID_secp521r1, "P-521" },
	};
	EVP_PKEY	*pkey;
	EC_GROUP	*group;
	char		 kid[44];
	size_t		 i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		group = EC_GROUP_new_by_curve_name(cases[i].nid);
		pkey = ec_key_of_point(cases[i].name, group,
		    EC_GROUP_get0_generator(group));
		assert_int_equal(jwk_thumbprint_short(pkey, kid,
		    sizeof(kid)), 0);
		assert_string_equal(kid, jwk_generator_id(cases[i].type));
		EVP_PKEY_free(pkey);
		EC_GROUP_free(group);
	}
	assert_null(jwk_generator_id(JWK_RSA));
	assert_null(jwk_generator_id(JWK_ED25519));
}

/* The two spellings differ exactly when a coordinate begins with zeros. */
static void
test_jwk_short_thumbprint_drops_zeros(void **state)
{
	EC_GROUP	*group;
	EC_POINT	*point;
	EVP_PKEY	*pkey;
	BIGNUM		*k, *x, *y;
	char		 full[44], cut[44];
	unsigned	 i, seen = 0;

	(void)state;
	group = EC_GROUP_new_by_curve_name(NID_X9_62_prime256v1);
	point = EC_POINT_new(group);
	k = BN_new();
	x = BN_new();
	y = BN_new();
	for (i = 1; i < 2000 && seen < 3; i++) {
		BN_set_word(k, i);
		EC_POINT_mul(group, point, k, NULL, NULL, NULL);
		EC_POINT_get_affine_coordinates(group, point, x, y, NULL);
		pkey = ec_key_of_point("P-256", group, point);
		assert_int_equal(jwk_thumbprint(pkey, full, 44), 0);
		assert_int_equal(jwk_thumbprint_short(pkey, cut, 44), 0);
		if (BN_num_bytes(x) < 32 || BN_num_bytes(y) < 32) {
			seen++;
			assert_string_not_equal(full, cut);
		} else
			assert_string_equal(full, cut);
		EVP_PKEY_free(pkey);
	}
	assert_true(seen > 0);
	BN_free(k);
	BN_free(x);
	BN_free(y);
	EC_POINT_free(point);
	EC_GROUP_free(group);
}

/* The formula of docker/libtrust, computed here another way. */
static void
test_jwk_libtrust_id(void **state)
{
	static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
	unsigned char	 hash[32], *der = NULL;
	char		 want[60], got[60];
	unsigned	 bit, value;
	size_t		 i, n = 0;
	int		 len;

	(void)state;
	len = i2d_PUBKEY(p256, &der);
	EVP_Digest(der, (size_t)len, hash, NULL, EVP_sha256(), NULL);
	OPENSSL_free(der);
	for (i = 0; i < 48; i++) {
		value = 0;
		for (bit = 0; bit < 5; bit++)
			value = value << 1 | ((hash[(5 * i + bit) / 8] >>
			    (7 - (5 * i + bit) % 8)) & 1u);
		if (i > 0 && i % 4 == 0)
			want[n++] = ':';
		want[n++] = alphabet[value];
	}
	want[n] = '\0';
	assert_int_equal(jwk_libtrust_id(p256, got, sizeof(got)), 0);
	assert_string_equal(got, want);
	assert_int_equal(jwk_libtrust_id(p256, got, 59), -1);
}

static void
test_jwk_types(void **state)
{
	(void)state;
	assert_int_equal(jwk_type_of(rsa), JWK_RSA);
	assert_int_equal(jwk_type_of(weak), -1);
	assert_int_equal(jwk_type_of(p256), JWK_P256);
	assert_int_equal(jwk_type_of(p384), JWK_P384);
	assert_int_equal(jwk_type_of(p521), JWK_P521);
	assert_int_equal(jwk_type_of(k256), -1);
	assert_int_equal(jwk_type_of(ed), JWK_ED25519);
}

static void
test_jwk_algorithms(void **state)
{
	static const char *const none[] = {
		"none", "None", "NONE", "", "HS256", "HS384", "HS512",
		"rs256", "RS256 ", "RS1", "ES256K", "Ed25519", "RSA-OAEP",
	};
	size_t	 i;

	(void)state;
	for (i = 0; i < sizeof(none) / sizeof(none[0]); i++)
		assert_null(jwk_alg_find(none[i]));
	assert_int_equal(jwk_alg_find("RS512")->type, JWK_RSA);
	assert_true(jwk_alg_find("PS384")->pss);
	assert_int_equal(jwk_alg_find("ES256")->type, JWK_P256);
	assert_int_equal(jwk_alg_find("ES384")->type, JWK_P384);
	assert_int_equal(jwk_alg_find("ES512")->type, JWK_P521);
	assert_int_equal(jwk_alg_find("EdDSA")->type, JWK_ED25519);
}

/* What is written is read again, for each type. */
static void
test_jwk_format_parses_again(void **state)
{
	EVP_PKEY	*keys[] = { rsa, p256, p384, p521, ed }, *back;
	struct buf	 buf;
	size_t		 i;

	(void)state;
	for (i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
		buf_init(&buf, 8192);
		assert_int_equal(jwk_format(&buf, keys[i], "the-kid", "RS256",
		    NULL), 0);
		back = parse(buf_str(&buf));
		assert_non_null(back);
		assert_int_equal(EVP_PKEY_eq(back, keys[i]), 1);
		EVP_PKEY_free(back);
		buf_done(&buf);
	}
	buf_init(&buf, 100);
	assert_int_equal(jwk_format(&buf, rsa, "k", "RS256", NULL), -1);
	buf_done(&buf);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_jwk_thumbprints_of_the_rfcs),
		cmocka_unit_test(test_jwk_generator_ids_are_of_the_generators),
		cmocka_unit_test(test_jwk_short_thumbprint_drops_zeros),
		cmocka_unit_test(test_jwk_libtrust_id),
		cmocka_unit_test(test_jwk_types),
		cmocka_unit_test(test_jwk_algorithms),
		cmocka_unit_test(test_jwk_format_parses_again),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
