/* SPDX-License-Identifier: ISC */
/*
 * The text of tokens: one spelling each, bounds, claims with one meaning,
 * forms of signatures, and the tokens that the RFCs print.
 */
#include "jws.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>

#include <cmocka.h>

#include "token_maker.h"

#define CLAIMS "{\"iss\":\"authd\",\"aud\":\"r\",\"exp\":2000000000}"

static EVP_PKEY	*rsa, *p256;
static struct jwks *set, *single;
static char	 rsa_kid[64], p256_kid[64];

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
	p256 = maker_key("P-256");
	set = jwks_new();
	single = jwks_new();
	add_key(single, rsa, rsa_kid);
	add_key(set, rsa, rsa_kid);
	add_key(set, p256, p256_kid);
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	EVP_PKEY_free(rsa);
	EVP_PKEY_free(p256);
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

static char *
good_token(void)
{
	char	 header[256];

	snprintf(header, sizeof(header), "{\"alg\":\"RS256\",\"kid\":\"%s\"}",
	    rsa_kid);
	return maker_token(header, CLAIMS, rsa, "RS256");
}

/* One token has one spelling: whatever is changed in it ruins it. */
static void
test_jws_has_one_spelling(void **state)
{
	static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
	    "abcdefghijklmnopqrstuvwxyz0123456789-_";
	static const char *const tails[] = { "=", "==", ".", "..", "!", "!!",
	    " ", "\n", "A", "AA", "AAAA", ".A", "%" };
	char	*token, *last, copy[2048], keep;
	size_t	 i, len;

	(void)state;
	token = good_token();
	len = strlen(token);
	assert_int_equal(verify(set, token), JWS_OK);
	for (i = 0; i < sizeof(tails) / sizeof(tails[0]); i++) {
		snprintf(copy, sizeof(copy), "%s%s", token, tails[i]);
		if (verify(set, copy) == JWS_OK)
			fail_msg("good with \"%s\" behind it", tails[i]);
		snprintf(copy, sizeof(copy), "%s%s", tails[i], token);
		if (verify(set, copy) == JWS_OK)
			fail_msg("good with \"%s\" before it", tails[i]);
	}
	/* Bits of the last character that no byte needs. */
	last = token + len - 1;
	keep = *last;
	for (i = 0; alphabet[i] != '\0'; i++) {
		*last = alphabet[i];
		if (*last != keep && verify(set, token) == JWS_OK)
			fail_msg("good with '%c' for '%c'", *last, keep);
	}
	*last = keep;
	/* Every single character, replaced by every kind of other one. */
	for (i = 0; i < len; i++) {
		keep = token[i];
		token[i] = keep == 'A' ? 'B' : 'A';
		assert_int_not_equal(verify(set, token), JWS_OK);
		token[i] = keep == '-' ? '+' : keep == '_' ? '/' : '=';
		assert_int_not_equal(verify(set, token), JWS_OK);
		token[i] = keep;
	}
	/* Cut off anywhere. */
	for (i = 0; i < len; i++) {
		snprintf(copy, i + 1, "%s", token);
		assert_int_not_equal(verify(set, copy), JWS_OK);
	}
	assert_int_equal(verify(set, token), JWS_OK);
	free(token);
}

static void
test_jws_refuses_other_base64_spellings(void **state)
{
	char	*token, *p;
	size_t	 n = 0;

	(void)state;
	/* A signature without '-' and '_' is rare: take several. */
	for (;;) {
		token = good_token();
		for (p = strrchr(token, '.'); *p != '\0'; p++) {
			if (*p == '-' || *p == '_') {
				*p = *p == '-' ? '+' : '/';
				n++;
			}
		}
		if (n > 0)
			break;
		free(token);
	}
	check(set, "standard alphabet", token, JWS_MALFORMED);
}

static void
test_jws_bounds(void **state)
{
	struct buf	 buf;
	char		*token, *claims;
	json_t		*json = NULL;
	size_t		 i;

	(void)state;
	token = malloc(20001);
	memset(token, '.', 20000);
	token[20000] = '\0';
	assert_int_equal(verify(set, token), JWS_MALFORMED);
	token[1000] = '\0';
	assert_int_equal(verify(set, token), JWS_MALFORMED);
	memset(token, 'A', 20000);
	assert_int_equal(verify(set, token), JWS_MALFORMED);
	assert_int_equal(jws_verify(set, "", 0, &json), JWS_MALFORMED);
	assert_int_equal(jws_verify(set, "..", 2, &json), JWS_MALFORMED);
	assert_int_equal(jws_verify(set, "a.b", 3, &json), JWS_MALFORMED);
	assert_int_equal(jws_verify(set, "a.b.c.d", 7, &json), JWS_MALFORMED);
	assert_null(json);
	free(token);

	/* Good in all but its size, at the bound and one beyond it. */
	for (i = 0; i < 2; i++) {
		buf_init(&buf, 65536);
		buf_addstr(&buf, "{\"a\":\"");
		while (buf.len < 5780 + 200 * i)
			buf_addc(&buf, 'a');
		buf_addstr(&buf, "\"}");
		claims = buf_steal(&buf, NULL);
		token = maker_token("{\"alg\":\"RS256\"}", claims, rsa,
		    "RS256");
		assert_int_equal(strlen(token) > JWS_MAX_SIZE, i);
		check(single, "size", token, i == 0 ? JWS_OK : JWS_MALFORMED);
		free(claims);
	}
}

/* What is signed, yet is no object with one meaning. */
static void
test_jws_refuses_claims_that_are_not_strict(void **state)
{
	static const char *const bad[] = {
		"[]", "null", "1", "\"a\"", "{", "{}x", "{} {}",
		"{\"iss\":\"a\",\"iss\":\"b\"}",
		"{\"access\":[],\"access\":[]}",
		"{\"a\":{\"b\":1,\"b\":2}}",
		"{\"a\":\"\\u0000\"}", "{\"a\\u0000\":1}",
		"{\"a\":\"\\ud800\"}", "{\"a\":\"\xff\"}",
		"{\"a\":\"\xc0\x80\"}", "{\"exp\":1e400}",
		"{\"exp\":9223372036854775808}", "{\"exp\":NaN}",
		"{'a':1}", "{\"a\":1,}",
	};
	struct buf	 buf;
	char		*claims;
	size_t		 i;

	(void)state;
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		check(single, bad[i], maker_token("{\"alg\":\"RS256\"}",
		    bad[i], rsa, "RS256"), JWS_MALFORMED);
	buf_init(&buf, 65536);
	buf_addstr(&buf, "{\"a\":");
	for (i = 0; i < 2000; i++)
		buf_addc(&buf, '[');
	for (i = 0; i < 2000; i++)
		buf_addc(&buf, ']');
	buf_addc(&buf, '}');
	claims = buf_steal(&buf, NULL);
	check(single, "deep", maker_token("{\"alg\":\"RS256\"}", claims, rsa,
	    "RS256"), JWS_MALFORMED);
	free(claims);
	check(single, "empty", maker_token("{\"alg\":\"RS256\"}", "{}", rsa,
	    "RS256"), JWS_OK);
}

/* ---- ECDSA signatures ---- */

static char *
ec_token(const unsigned char *sig, size_t len)
{
	struct buf	 buf;
	char		 header[256];

	snprintf(header, sizeof(header), "{\"alg\":\"ES256\",\"kid\":\"%s\"}",
	    p256_kid);
	maker_begin(&buf, header, CLAIMS);
	buf_addc(&buf, '.');
	maker_add_base64url(&buf, sig, len);
	return buf_steal(&buf, NULL);
}

/* The DER form of a good signature over what ec_token() signs. */
static size_t
ec_sign(unsigned char *der, size_t size)
{
	struct buf	 buf;
	EVP_MD_CTX	*ctx;
	char		 header[256];

	snprintf(header, sizeof(header), "{\"alg\":\"ES256\",\"kid\":\"%s\"}",
	    p256_kid);
	maker_begin(&buf, header, CLAIMS);
	ctx = EVP_MD_CTX_new();
	MUST(EVP_DigestSignInit(ctx, NULL, EVP_sha256(), NULL, p256) == 1);
	MUST(EVP_DigestSign(ctx, der, &size, (unsigned char *)buf.data,
	    buf.len) == 1);
	EVP_MD_CTX_free(ctx);
	buf_done(&buf);
	return size;
}

static void
test_jws_ecdsa_signature_forms(void **state)
{
	static const char order[] =
	    "FFFFFFFF00000000FFFFFFFFFFFFFFFF"
	    "BCE6FAADA7179E84F3B9CAC2FC632551";
	const unsigned char	*p;
	unsigned char		 der[160], raw[66] = { 0 }, bad[66];
	ECDSA_SIG		*sig;
	BIGNUM			*n = NULL, *s;
	size_t			 len;

	(void)state;
	len = ec_sign(der, sizeof(der));
	p = der;
	sig = d2i_ECDSA_SIG(NULL, &p, (long)len);
	MUST(sig != NULL);
	BN_bn2binpad(ECDSA_SIG_get0_r(sig), raw, 32);
	BN_bn2binpad(ECDSA_SIG_get0_s(sig), raw + 32, 32);
	check(set, "r, s", ec_token(raw, 64), JWS_OK);
	check(set, "DER", ec_token(der, len), JWS_SIGNATURE);
	check(set, "63 bytes", ec_token(raw, 63), JWS_SIGNATURE);
	check(set, "65 bytes", ec_token(raw, 65), JWS_SIGNATURE);
	memcpy(bad, raw, 64);
	memset(bad, 0, 32);
	check(set, "r = 0", ec_token(bad, 64), JWS_SIGNATURE);
	memset(bad, 0, 64);
	check(set, "r = s = 0", ec_token(bad, 64), JWS_SIGNATURE);
	memcpy(bad, raw, 64);
	memset(bad + 32, 0, 32);
	check(set, "s = 0", ec_token(bad, 64), JWS_SIGNATURE);
	/*
	 * (r, n - s) is the other signature that ECDSA always has.  RFC 7518
	 * does not prefer one, signers make either: both are taken.
	 */
	BN_hex2bn(&n, order);
	s = BN_new();
	BN_sub(s, n, ECDSA_SIG_get0_s(sig));
	memcpy(bad, raw, 64);
	BN_bn2binpad(s, bad + 32, 32);
	check(set, "r, n - s", ec_token(bad, 64), JWS_OK);
	/* The same numbers, not reduced. */
	BN_add(s, n, ECDSA_SIG_get0_s(sig));
	if (BN_num_bytes(s) == 32) {
		BN_bn2binpad(s, bad + 32, 32);
		check(set, "r, n + s", ec_token(bad, 64), JWS_SIGNATURE);
	}
	BN_free(n);
	BN_free(s);
	ECDSA_SIG_free(sig);
}

/* ---- what others have signed: RFC 7515 appendix A, RFC 8037 A.4 ---- */

#define JOE ".eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9" \
	"leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ."
#define RSA_N \
	"ofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd_wWJcyQoTbji9k0l8W26mPddxHmfHQp-" \
	"Vaw-4qPCJrcS2mJPMEzP1Pt0Bm4d4QlL-yRT-SFd2lZS-pCgNMsD1W_YpRPEwOWvG" \
	"6b32690r2jZ47soMZo9wGzjb_7OMg0LOL-bSf63kpaSHSXndS5z5rexMdbBYUsLA9" \
	"e-KXBdQOS-UTo7WTBEMa2R2CapHg665xsmtdVMTBQY4uDZlxvb3qCo5ZwKh9kG4LT" \
	"6_I5IhlJH7aGhyxXFvUK-DWNmoudF8NAco9_h9iaGNj8q2ethFkMLs91kzk2PAcDT" \
	"W9gb54h4FRWyuXpoQ"

static void
test_jws_tokens_of_the_rfcs(void **state)
{
	static const struct {
		const char	*key, *token;
		enum jws_result	 want;
	} cases[] = {
		{ "{\"keys\":[{\"kty\":\"RSA\",\"e\":\"AQAB\",\"n\":\""
		    RSA_N "\"}]}",
		    "eyJhbGciOiJSUzI1NiJ9" JOE
		    "cC4hiUPoj9Eetdgtv3hF80EGrhuB__dzERat0XF9g2VtQgr9PJbu3XOi"
		    "Zj5RZmh7AAuHIm4Bh-0Qc_lF5YKt_O8W2Fp5jujGbds9uJdbF9CUAr7t"
		    "1dnZcAcQjbKBYNX4BAynRFdiuB--f_nZLgrnbyTyWzO75vRK5h6xBArL"
		    "IARNPvkSjtQBMHlb1L07Qe7K0GarZRmB_eSN9383LcOLn6_dO--xi12j"
		    "zDwusC-eOkHWEsqtFZESc6BfI7noOPqvhJ1phCnvWh6IeYI2w9QOYEUi"
		    "pUTI8np6LbgGY9Fs98rqVt5AXLIhWkWywlVmtVrBp0igcN_IoypGlUPQ"
		    "Ge77Rw", JWS_OK },
		{ "{\"keys\":[{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":"
		    "\"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU\",\"y\":"
		    "\"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0\"}]}",
		    "eyJhbGciOiJFUzI1NiJ9" JOE
		    "DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djx"
		    "La8ISlSApmWQxfKTUJqPP3-Kg6NU1Q", JWS_OK },
		/* well signed, but what is signed is no object */
		{ "{\"keys\":[{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"x\":"
		    "\"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo\"}]}",
		    "eyJhbGciOiJFZERTQSJ9."
		    "RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc."
		    "hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4"
		    "iylGjg5BhVsPt9g7sVvpAr_MuM0KAg", JWS_MALFORMED },
		{ "{\"keys\":[{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"x\":"
		    "\"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo\"}]}",
		    "eyJhbGciOiJFZERTQSJ9."
		    "RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmd."
		    "hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4"
		    "iylGjg5BhVsPt9g7sVvpAr_MuM0KAg", JWS_SIGNATURE },
	};
	struct jwks	*keys;
	char		 error[256];
	size_t		 i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		keys = jwks_new();
		assert_int_equal(jwks_add_json(keys, cases[i].key,
		    strlen(cases[i].key), error, sizeof(error)), 1);
		assert_int_equal(verify(keys, cases[i].token), cases[i].want);
		jwks_free(keys);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_jws_has_one_spelling),
		cmocka_unit_test(test_jws_refuses_other_base64_spellings),
		cmocka_unit_test(test_jws_bounds),
		cmocka_unit_test(test_jws_refuses_claims_that_are_not_strict),
		cmocka_unit_test(test_jws_ecdsa_signature_forms),
		cmocka_unit_test(test_jws_tokens_of_the_rfcs),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
