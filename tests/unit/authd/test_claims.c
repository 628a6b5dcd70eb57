/* SPDX-License-Identifier: ISC */
/*
 * What the signer makes, held against both verifiers: our own, and libjwt as
 * the other opinion.  And what libjwt 1.10 takes though a verifier must not:
 * ours refuses each of these.
 */
#include "claims.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>

#include <cmocka.h>
#include <jwt.h>

#include "jwks.h"
#include "jws.h"

#include "../common/token_maker.h"

#define NOW	1800000000

static EVP_PKEY		*rsa, *other;
static X509		*cert;
static char		*key_pem, *cert_pem, *public_pem;
static struct claims_key *key;
static struct jwks	*trusted;

static int
setup(void **state)
{
	static const struct maker_cert spec = { .cn = "signer" };
	char	 error[256];

	(void)state;
	rsa = maker_key("RSA2048");
	other = maker_key("RSA2048");
	cert = maker_certificate(rsa, NULL, rsa, &spec);
	key_pem = maker_private_pem(rsa);
	cert_pem = maker_certificate_pem(cert);
	public_pem = maker_public_pem(rsa);
	key = claims_key_new(key_pem, strlen(key_pem), cert_pem,
	    strlen(cert_pem), error, sizeof(error));
	MUST(key != NULL);
	trusted = jwks_new();
	MUST(jwks_add_pem(trusted, cert_pem, strlen(cert_pem), error,
	    sizeof(error)) == 1);
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	claims_key_free(key);
	jwks_free(trusted);
	EVP_PKEY_free(rsa);
	EVP_PKEY_free(other);
	X509_free(cert);
	free(key_pem);
	free(cert_pem);
	free(public_pem);
	return 0;
}

static char *
sign_with(const struct claims_key *with, const char *kid, bool x5c,
    const char *subject, const char *scopes)
{
	struct scope_set set = { NULL, 0 };
	struct claims	 claims = { .issuer = "authd",
			    .audience = "registry.example.com",
			    .subject = subject, .access = &set, .now = NOW,
			    .lifetime = 300, .backdate = 10 };
	struct buf	 buf;
	char		*header = claims_key_header(with, kid, x5c);

	assert_non_null(header);
	claims.header = header;
	scope_set_add_list(&set, scopes);
	buf_init(&buf, 65536);
	assert_int_equal(claims_sign(with, &claims, &buf), 0);
	scope_set_done(&set);
	free(header);
	return buf_steal(&buf, NULL);
}

static char *
sign(const char *subject, const char *scopes)
{
	return sign_with(key, CLAIMS_KID_RFC7638, true, subject, scopes);
}

static json_t *
header_of(const char *token)
{
	unsigned char	 bytes[8192];
	const char	*dot;
	ssize_t		 n;

	dot = strchr(token, '.');
	n = base64url_decode(bytes, token, (size_t)(dot - token));
	assert_true(n > 0);
	return json_loadb((char *)bytes, (size_t)n, 0, NULL);
}

static void
test_claims_header(void **state)
{
	char		 kid[JWK_KID_SIZE], *token = sign("bob", "");
	struct buf	 x5c;
	json_t		*header, *want;

	(void)state;
	header = header_of(token);
	jwk_thumbprint(rsa, kid, sizeof(kid));
	buf_init(&x5c, 65536);
	buf_addc(&x5c, '[');
	maker_add_x5c(&x5c, cert);
	buf_addc(&x5c, ']');
	want = json_pack("{s:s,s:s,s:s,s:o}", "alg", "RS256", "typ", "JWT",
	    "kid", kid, "x5c", json_loads(buf_str(&x5c), 0, NULL));
	assert_true(json_equal(header, want));
	json_decref(header);
	json_decref(want);
	buf_done(&x5c);
	free(token);
}

/* Read by us: every claim as it has to be. */
static void
test_claims_verify_in_jws(void **state)
{
	static const char *const issuers[] = { "authd", NULL };
	struct jws_expect expect = { .issuers = issuers,
			    .audience = "registry.example.com", .leeway = 0,
			    .max_lifetime = 310, .now = NOW };
	char		*token, jti[33] = "";
	int64_t		 expires;
	json_t		*claims, *want;

	(void)state;
	token = sign("bob", "repository:a/b:pull,push registry:catalog:*");
	assert_int_equal(jws_verify(trusted, token, strlen(token), &claims),
	    JWS_OK);
	assert_null(jws_check_claims(claims, &expect, &expires));
	assert_int_equal(expires, NOW + 300);
	assert_int_equal(json_string_length(json_object_get(claims, "jti")),
	    32);
	snprintf(jti, sizeof(jti), "%s",
	    json_string_value(json_object_get(claims, "jti")));
	want = json_pack("{s:s,s:s,s:s,s:I,s:I,s:I,s:s,"
	    "s:[{s:s,s:s,s:[s,s]},{s:s,s:s,s:[s]}]}", "iss", "authd", "sub",
	    "bob", "aud", "registry.example.com", "exp",
	    (json_int_t)(NOW + 300), "nbf", (json_int_t)(NOW - 10), "iat",
	    (json_int_t)(NOW - 10), "jti", jti, "access", "type",
	    "repository", "name", "a/b", "actions", "pull", "push", "type",
	    "registry", "name", "catalog", "actions", "*");
	assert_non_null(want);
	assert_true(json_equal(claims, want));
	json_decref(claims);
	json_decref(want);
	free(token);

	/* Nobody, with nothing: still an array, still a string. */
	token = sign("", "");
	assert_int_equal(jws_verify(trusted, token, strlen(token), &claims),
	    JWS_OK);
	assert_string_equal(json_string_value(json_object_get(claims,
	    "sub")), "");
	assert_true(json_is_array(json_object_get(claims, "access")));
	assert_string_not_equal(json_string_value(json_object_get(claims,
	    "jti")), jti);
	json_decref(claims);
	free(token);
}

/* A key of a kind with its certificate. */
static struct claims_key *
make_key(EVP_PKEY *pkey)
{
	static const struct maker_cert spec = { .cn = "signer" };
	struct claims_key	*made;
	X509			*certificate;
	char			*pem, *chain, error[256];

	certificate = maker_certificate(pkey, NULL, pkey, &spec);
	pem = maker_private_pem(pkey);
	chain = maker_certificate_pem(certificate);
	made = claims_key_new(pem, strlen(pem), chain, strlen(chain), error,
	    sizeof(error));
	if (made == NULL)
		fail_msg("%s", error);
	free(pem);
	free(chain);
	X509_free(certificate);
	return made;
}

static void
check_in_libjwt(EVP_PKEY *pkey, jwt_alg_t alg)
{
	struct claims_key	*made = make_key(pkey);
	char			*pem = maker_public_pem(pkey), *token;
	jwt_t			*jwt;

	token = sign_with(made, CLAIMS_KID_LIBTRUST, false, "bob",
	    "repository:a:pull");
	assert_int_equal(jwt_decode(&jwt, token, (unsigned char *)pem,
	    (int)strlen(pem)), 0);
	assert_int_equal(jwt_get_alg(jwt), alg);
	assert_string_equal(jwt_get_grant(jwt, "sub"), "bob");
	assert_int_equal(jwt_get_grant_int(jwt, "exp"), NOW + 300);
	jwt_free(jwt);
	token[strlen(token) - 20] ^= 1;
	assert_int_not_equal(jwt_decode(&jwt, token, (unsigned char *)pem,
	    (int)strlen(pem)), 0);
	free(token);
	free(pem);
	claims_key_free(made);
}

/* Many times, as R and S of ECDSA have leading zeros now and then. */
static void
test_claims_verify_in_libjwt(void **state)
{
	EVP_PKEY	*ec;
	int		 i;

	(void)state;
	check_in_libjwt(rsa, JWT_ALG_RS256);
	for (i = 0; i < 600; i++) {
		ec = maker_key("P-256");
		check_in_libjwt(ec, JWT_ALG_ES256);
		EVP_PKEY_free(ec);
	}
}

/* The header that a profile asks for, and a set that takes the token. */
static void
check_profile(EVP_PKEY *pkey, const char *alg, const char *kid,
    const char *want, bool x5c)
{
	struct claims_key	*made = make_key(pkey);
	struct jwks		*set = jwks_new();
	struct buf		 buf;
	json_t			*header, *claims;
	char			 error[256], *token;

	assert_string_equal(claims_key_algorithm(made), alg);
	token = sign_with(made, kid, x5c, "bob", "repository:a:pull");
	header = header_of(token);
	assert_string_equal(json_string_value(json_object_get(header, "alg")),
	    alg);
	assert_string_equal(json_string_value(json_object_get(header, "kid")),
	    want);
	assert_int_equal(json_object_get(header, "x5c") != NULL, x5c);
	buf_init(&buf, 65536);
	buf_addstr(&buf, "{\"keys\":[");
	assert_int_equal(claims_key_jwk(made, kid, &buf), 0);
	buf_addstr(&buf, "]}");
	assert_int_equal(jwks_add_json(set, buf.data, buf.len, error,
	    sizeof(error)), 1);
	assert_int_equal(jws_verify(set, token, strlen(token), &claims),
	    JWS_OK);
	json_decref(claims);
	json_decref(header);
	buf_done(&buf);
	free(token);
	jwks_free(set);
	claims_key_free(made);
}

static void
test_claims_profiles(void **state)
{
	static const struct {
		const char	*kind, *alg;
	} kinds[] = { { "RSA2048", "RS256" }, { "P-256", "ES256" },
	    { "ED25519", "EdDSA" } };
	char		 id[JWK_KID_SIZE];
	EVP_PKEY	*pkey;
	size_t		 i;

	(void)state;
	for (i = 0; i < 3; i++) {
		pkey = maker_key(kinds[i].kind);
		jwk_thumbprint(pkey, id, sizeof(id));
		check_profile(pkey, kinds[i].alg, CLAIMS_KID_RFC7638, id,
		    true);
		check_profile(pkey, kinds[i].alg, CLAIMS_KID_RFC7638, id,
		    false);
		jwk_libtrust_id(pkey, id, sizeof(id));
		check_profile(pkey, kinds[i].alg, CLAIMS_KID_LIBTRUST, id,
		    false);
		check_profile(pkey, kinds[i].alg, "of:our/own", "of:our/own",
		    false);
		EVP_PKEY_free(pkey);
	}
}

/* A certificate alone: published, and never signing. */
static void
test_claims_public_key(void **state)
{
	struct claims_key	*public;
	struct buf		 buf;
	char			 error[256];

	(void)state;
	public = claims_key_new(NULL, 0, cert_pem, strlen(cert_pem), error,
	    sizeof(error));
	assert_non_null(public);
	assert_true(claims_key_is_same(public, key));
	buf_init(&buf, 65536);
	assert_int_equal(claims_key_jwk(public, CLAIMS_KID_RFC7638, &buf), 0);
	buf_reset(&buf);
	assert_int_equal(claims_key_sign(public, "text", 4, &buf), -1);
	buf_done(&buf);
	claims_key_free(public);
}

/* A subject that is not UTF-8 is not signed in some other spelling. */
static void
test_claims_refuse_bad_text(void **state)
{
	struct scope_set set = { NULL, 0 };
	struct claims	 claims = { .header = "e30", .issuer = "a",
			    .audience = "b", .subject = "\xff",
			    .access = &set, .now = NOW, .lifetime = 300 };
	struct buf	 buf;

	(void)state;
	buf_init(&buf, 65536);
	assert_int_equal(claims_sign(key, &claims, &buf), -1);
	claims.subject = "b\xc3\xa4r \"quoted\" \\ and more";
	assert_int_equal(claims_sign(key, &claims, &buf), 0);
	buf_done(&buf);
	/* There is a bound, and it shows. */
	buf_init(&buf, 100);
	assert_int_equal(claims_sign(key, &claims, &buf), -1);
	buf_done(&buf);
}

/* GET /jwks: what a registry with jwks alone needs, x5c or not. */
static void
test_claims_jwks_serves_verifiers(void **state)
{
	struct jwks	*set = jwks_new();
	struct buf	 buf;
	json_t		*claims;
	char		 error[256], kid[JWK_KID_SIZE], *token;

	(void)state;
	buf_init(&buf, 65536);
	buf_addstr(&buf, "{\"keys\":[");
	assert_int_equal(claims_key_jwk(key, CLAIMS_KID_RFC7638, &buf), 0);
	buf_addc(&buf, ',');
	assert_int_equal(claims_key_jwk(key, CLAIMS_KID_LIBTRUST, &buf), 0);
	buf_addstr(&buf, "]}");
	assert_int_equal(jwks_add_json(set, buf.data, buf.len, error,
	    sizeof(error)), 2);
	assert_int_equal(jwks_count(set), 1);
	jwk_libtrust_id(rsa, kid, sizeof(kid));
	assert_non_null(strstr(buf_str(&buf), kid));
	jwk_thumbprint(rsa, kid, sizeof(kid));
	assert_non_null(strstr(buf_str(&buf), kid));
	assert_null(strstr(buf_str(&buf), "\"d\""));
	token = sign("bob", "");
	assert_int_equal(jws_verify(set, token, strlen(token), &claims),
	    JWS_OK);
	json_decref(claims);
	free(token);
	buf_done(&buf);
	jwks_free(set);
}

static void
refuse_key(const char *pem, const char *chain, const char *why)
{
	struct claims_key	*bad;
	char			 error[256] = "";

	bad = claims_key_new(pem, strlen(pem), chain, strlen(chain), error,
	    sizeof(error));
	assert_null(bad);
	if (strstr(error, why) == NULL)
		fail_msg("\"%s\" does not say \"%s\"", error, why);
}

static char *
encrypted_pem(EVP_PKEY *pkey)
{
	BIO	*bio = BIO_new(BIO_s_mem());

	MUST(PEM_write_bio_PKCS8PrivateKey(bio, pkey, EVP_aes_128_cbc(),
	    "secret", 6, NULL, NULL) == 1);
	return maker_bio_text(bio);
}

static void
test_claims_key_and_certificate(void **state)
{
	static const struct maker_cert ca_spec = { .cn = "CA", .ca = true };
	static const struct maker_cert spec = { .cn = "leaf" };
	static const struct maker_cert old = { .cn = "old", .from = -7200,
	    .until = -3600 };
	EVP_PKEY	*weak = maker_key("RSA1024"), *ec = maker_key("P-256"),
			*wide = maker_key("P-384");
	X509		*ca, *leaf, *expired;
	char		*pem, *ca_pem, *leaf_pem, chain[8192], error[256];
	struct claims_key *good;
	json_t		*header, *claims;
	struct jwks	*set;
	char		*token;

	(void)state;
	refuse_key("", cert_pem, "key: no private key");
	refuse_key(public_pem, cert_pem, "key: no private key");
	refuse_key(key_pem, "", "certificate: no certificate");
	refuse_key(key_pem, key_pem, "certificate: no certificate");
	/* It must not stop to ask for the passphrase. */
	pem = encrypted_pem(rsa);
	refuse_key(pem, cert_pem, "without a passphrase");
	free(pem);
	pem = maker_private_pem(weak);
	refuse_key(pem, cert_pem, "neither RSA of 2048");
	free(pem);
	pem = maker_private_pem(wide);
	refuse_key(pem, cert_pem, "EC on P-256");
	free(pem);
	pem = maker_private_pem(other);
	refuse_key(pem, cert_pem, "not that of the key");
	free(pem);
	expired = maker_certificate(rsa, NULL, rsa, &old);
	pem = maker_certificate_pem(expired);
	refuse_key(key_pem, pem, "has expired");
	free(pem);

	/* A leaf and its CA: in this order, and both in x5c. */
	ca = maker_certificate(ec, NULL, ec, &ca_spec);
	leaf = maker_certificate(rsa, ca, ec, &spec);
	ca_pem = maker_certificate_pem(ca);
	leaf_pem = maker_certificate_pem(leaf);
	snprintf(chain, sizeof(chain), "%s%s", ca_pem, leaf_pem);
	refuse_key(key_pem, chain, "not that of the key");
	snprintf(chain, sizeof(chain), "%s%s", leaf_pem, cert_pem);
	refuse_key(key_pem, chain, "not in order");
	snprintf(chain, sizeof(chain), "%s%.100s", leaf_pem, ca_pem);
	refuse_key(key_pem, chain, "malformed");
	snprintf(chain, sizeof(chain), "%s%s", leaf_pem, ca_pem);
	good = claims_key_new(key_pem, strlen(key_pem), chain, strlen(chain),
	    error, sizeof(error));
	assert_non_null(good);
	claims_key_free(key);
	key = good;
	token = sign("bob", "");
	header = header_of(token);
	assert_int_equal(json_array_size(json_object_get(header, "x5c")), 2);
	/* Whoever trusts the CA alone takes it. */
	set = jwks_new();
	assert_int_equal(jwks_add_pem(set, ca_pem, strlen(ca_pem), error,
	    sizeof(error)), 1);
	assert_int_equal(jws_verify(set, token, strlen(token), &claims),
	    JWS_OK);
	json_decref(claims);
	json_decref(header);
	jwks_free(set);
	free(token);
	free(ca_pem);
	free(leaf_pem);
	X509_free(ca);
	X509_free(leaf);
	X509_free(expired);
	EVP_PKEY_free(weak);
	EVP_PKEY_free(wide);
	EVP_PKEY_free(ec);
}

/* ---- what libjwt takes and a verifier must not ---- */

static bool
jws_takes(const char *token)
{
	json_t	*claims = NULL;
	bool	 taken;

	taken = jws_verify(trusted, token, strlen(token), &claims) == JWS_OK;
	json_decref(claims);
	return taken;
}

/* libjwt 1.10 takes all of them; a later one may have become stricter. */
static void
check_trap(const char *name, const char *token, const char *pem)
{
	jwt_t	*jwt = NULL;

	if (jwt_decode(&jwt, token, (const unsigned char *)pem,
	    pem == NULL ? 0 : (int)strlen(pem)) == 0)
		jwt_free(jwt);
	else
		print_message("libjwt refuses it, too: %s\n", name);
	if (jws_takes(token))
		fail_msg("taken: %s", name);
}

static void
test_claims_traps_of_libjwt(void **state)
{
	static const char hs[] = "{\"alg\":\"HS256\",\"typ\":\"JWT\"}";
	static const char rs[] = "{\"alg\":\"RS256\",\"typ\":\"JWT\"}";
	static const char none[] = "{\"alg\":\"NoNe\"}";
	static const char body[] = "{\"iss\":\"authd\"}";
	static const struct {
		const char	*name, *header, *body;
	} signed_well[] = {
		{ "two issuers", rs, "{\"iss\":\"evil\",\"iss\":\"authd\"}" },
		{ "small letters", "{\"alg\":\"rs256\"}", body },
		{ "crit", "{\"alg\":\"RS256\",\"crit\":[\"x\"]}", body },
	};
	char		*token, *longer;
	struct buf	 buf;
	size_t		 i;

	(void)state;
	token = maker_hmac_token(hs, body, public_pem, strlen(public_pem));
	check_trap("HMAC by the public key", token, public_pem);
	free(token);
	maker_begin(&buf, none, body);
	buf_addc(&buf, '.');
	check_trap("no signature, in odd letters", buf_str(&buf), NULL);
	buf_done(&buf);

	token = maker_token(rs, body, rsa, "RS256");
	assert_true(jws_takes(token));
	longer = malloc(strlen(token) + 8);
	sprintf(longer, "%s==", token);
	check_trap("padding", longer, public_pem);
	sprintf(longer, "%s!", token);
	check_trap("a letter behind it", longer, public_pem);
	sprintf(longer, "%s.", token);
	check_trap("a dot behind it", longer, public_pem);
	free(longer);
	free(token);

	for (i = 0; i < sizeof(signed_well) / sizeof(signed_well[0]); i++) {
		token = maker_token(signed_well[i].header,
		    signed_well[i].body, rsa, "RS256");
		check_trap(signed_well[i].name, token, public_pem);
		free(token);
	}
}

/* Each claim that is no integer, where libjwt's getter says 0. */
static void
test_claims_real_times(void **state)
{
	static const char rs[] = "{\"alg\":\"RS256\",\"typ\":\"JWT\"}";
	static const char *const issuers[] = { "authd", NULL };
	struct jws_expect expect = { .issuers = issuers, .audience = "r",
			    .leeway = 60, .now = NOW };
	const char	*body = "{\"iss\":\"authd\",\"aud\":\"r\","
			    "\"exp\":1900000000.5,\"nbf\":1899999999.5}";
	int64_t		 expires;
	json_t		*claims;
	jwt_t		*jwt;
	char		*token;

	(void)state;
	token = maker_token(rs, body, rsa, "RS256");
	assert_int_equal(jwt_decode(&jwt, token, (unsigned char *)public_pem,
	    (int)strlen(public_pem)), 0);
	assert_int_equal(jwt_get_grant_int(jwt, "nbf"), 0);
	jwt_free(jwt);
	assert_int_equal(jws_verify(trusted, token, strlen(token), &claims),
	    JWS_OK);
	assert_string_equal(jws_check_claims(claims, &expect, &expires),
	    "token is not valid yet");
	json_decref(claims);
	free(token);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_claims_header),
		cmocka_unit_test(test_claims_verify_in_jws),
		cmocka_unit_test(test_claims_verify_in_libjwt),
		cmocka_unit_test(test_claims_profiles),
		cmocka_unit_test(test_claims_public_key),
		cmocka_unit_test(test_claims_refuse_bad_text),
		cmocka_unit_test(test_claims_jwks_serves_verifiers),
		cmocka_unit_test(test_claims_traps_of_libjwt),
		cmocka_unit_test(test_claims_real_times),
		cmocka_unit_test(test_claims_key_and_certificate),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
