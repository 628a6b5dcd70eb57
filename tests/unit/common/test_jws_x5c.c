/* SPDX-License-Identifier: ISC */
/*
 * Certificate chains in tokens: which end in an anchor, which leaf may sign,
 * and that nothing else is tried when the chain is not good.
 */
#include "jws.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>

#include <cmocka.h>

#include "token_maker.h"

#define CLAIMS	"{\"iss\":\"authd\",\"aud\":\"r\",\"exp\":2000000000}"
#define HOUR	3600L

/* The token CA is an anchor, and so is the self-signed certificate. */
static EVP_PKEY	*ca_key, *mid_key, *leaf_key, *self_key, *evil_key, *rsa_key,
		*weak_key;
static X509	*ca, *mid, *self;
static struct jwks *set;

static void
add_anchor(X509 *cert)
{
	char	 error[256], *pem;

	pem = maker_certificate_pem(cert);
	MUST(jwks_add_pem(set, pem, strlen(pem), error, sizeof(error)) == 1);
	free(pem);
}

static int
setup(void **state)
{
	static const struct maker_cert ca_spec = { .cn = "token CA",
	    .ca = true, .usage = "critical,keyCertSign" };
	static const struct maker_cert mid_spec = { .cn = "intermediate",
	    .ca = true, .usage = "critical,keyCertSign" };
	static const struct maker_cert self_spec = { .cn = "self",
	    .ca = true };

	(void)state;
	ca_key = maker_key("P-256");
	mid_key = maker_key("P-256");
	leaf_key = maker_key("P-256");
	self_key = maker_key("P-256");
	evil_key = maker_key("P-256");
	rsa_key = maker_key("RSA2048");
	weak_key = maker_key("RSA1024");
	ca = maker_certificate(ca_key, NULL, ca_key, &ca_spec);
	mid = maker_certificate(mid_key, ca, ca_key, &mid_spec);
	/* As openssl req -x509 makes them: a CA in name. */
	self = maker_certificate(self_key, NULL, self_key, &self_spec);
	set = jwks_new();
	add_anchor(ca);
	add_anchor(self);
	return 0;
}

static int
teardown(void **state)
{
	EVP_PKEY	*keys[] = { ca_key, mid_key, leaf_key, self_key,
			    evil_key, rsa_key, weak_key };
	size_t		 i;

	(void)state;
	for (i = 0; i < sizeof(keys) / sizeof(keys[0]); i++)
		EVP_PKEY_free(keys[i]);
	X509_free(ca);
	X509_free(mid);
	X509_free(self);
	jwks_free(set);
	return 0;
}

/* A token with these n certificates, signed by pkey. */
static char *
x5c_token(X509 *const *certs, size_t n, const char *kid, EVP_PKEY *pkey,
    const char *alg)
{
	struct buf	 header;
	char		*token;
	size_t		 i;

	buf_init(&header, 1 << 22);
	buf_addf(&header, "{\"alg\":\"%s\",\"x5c\":[", alg);
	for (i = 0; i < n; i++) {
		if (i > 0)
			buf_addc(&header, ',');
		maker_add_x5c(&header, certs[i]);
	}
	buf_addc(&header, ']');
	if (kid != NULL)
		buf_addf(&header, ",\"kid\":\"%s\"", kid);
	buf_addc(&header, '}');
	token = maker_token(buf_str(&header), CLAIMS, pkey, alg);
	buf_done(&header);
	return token;
}

static enum jws_result
verify(char *token)
{
	enum jws_result	 result;
	json_t		*claims = NULL;

	result = jws_verify(set, token, strlen(token), &claims);
	json_decref(claims);
	free(token);
	return result;
}

/* A leaf of the CA as the spec says, and a token by its key. */
static void
check_leaf(const struct maker_cert *spec, EVP_PKEY *pkey, const char *alg,
    enum jws_result want)
{
	enum jws_result	 result;
	X509		*leaf;

	leaf = maker_certificate(pkey, ca, ca_key, spec);
	result = verify(x5c_token(&leaf, 1, NULL, pkey, alg));
	if (result != want)
		fail_msg("%s: %s, not %s", spec->cn, jws_result_text(result),
		    jws_result_text(want));
	X509_free(leaf);
}

static void
test_x5c_leaves(void **state)
{
	const struct {
		struct maker_cert spec;
		EVP_PKEY	*pkey;
		const char	*alg;
		enum jws_result	 want;
	} cases[] = {
		{ { .cn = "plain" }, leaf_key, "ES256", JWS_OK },
		{ { .cn = "RSA" }, rsa_key, "RS256", JWS_OK },
		{ { .cn = "RSA, PSS" }, rsa_key, "PS256", JWS_OK },
		{ { .cn = "usage", .usage = "critical,digitalSignature" },
		    leaf_key, "ES256", JWS_OK },
		{ { .cn = "any extended", .eku = "anyExtendedKeyUsage" },
		    leaf_key, "ES256", JWS_OK },
		{ { .cn = "private extended", .eku = "1.3.6.1.4.1.99999.1" },
		    leaf_key, "ES256", JWS_OK },
		{ { .cn = "expired", .from = -3 * HOUR, .until = -2 * HOUR },
		    leaf_key, "ES256", JWS_CERTIFICATE },
		{ { .cn = "not yet", .from = 2 * HOUR, .until = 3 * HOUR },
		    leaf_key, "ES256", JWS_CERTIFICATE },
		{ { .cn = "CA", .ca = true }, leaf_key, "ES256",
		    JWS_CERTIFICATE },
		{ { .cn = "usage", .usage = "critical,keyEncipherment" },
		    leaf_key, "ES256", JWS_CERTIFICATE },
		/* what a public CA among the anchors would hand out */
		{ { .cn = "server", .eku = "serverAuth" }, leaf_key, "ES256",
		    JWS_CERTIFICATE },
		{ { .cn = "both", .eku = "serverAuth,clientAuth" }, leaf_key,
		    "ES256", JWS_CERTIFICATE },
		{ { .cn = "mail", .eku = "emailProtection" }, leaf_key,
		    "ES256", JWS_CERTIFICATE },
		{ { .cn = "weak" }, weak_key, "RS256", JWS_CERTIFICATE },
	};
	size_t	 i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		check_leaf(&cases[i].spec, cases[i].pkey, cases[i].alg,
		    cases[i].want);
}

static void
test_x5c_chains(void **state)
{
	static const struct maker_cert spec = { .cn = "leaf" };
	static const struct maker_cert fake = { .cn = "token CA",
	    .ca = true };
	X509	*leaf, *fake_ca, *fake_leaf, *chain[20];
	size_t	 i;

	(void)state;
	leaf = maker_certificate(leaf_key, mid, mid_key, &spec);
	fake_ca = maker_certificate(evil_key, NULL, evil_key, &fake);
	fake_leaf = maker_certificate(leaf_key, fake_ca, evil_key, &spec);

	chain[0] = leaf;
	chain[1] = mid;
	chain[2] = ca;
	assert_int_equal(verify(x5c_token(chain, 2, NULL, leaf_key, "ES256")),
	    JWS_OK);
	assert_int_equal(verify(x5c_token(chain, 3, NULL, leaf_key, "ES256")),
	    JWS_OK);
	/* The intermediate is missing. */
	assert_int_equal(verify(x5c_token(chain, 1, NULL, leaf_key, "ES256")),
	    JWS_CERTIFICATE);
	/* The leaf's key signs, not the CA's. */
	assert_int_equal(verify(x5c_token(chain, 2, NULL, mid_key, "ES256")),
	    JWS_SIGNATURE);
	assert_int_equal(verify(x5c_token(chain, 2, NULL, evil_key, "ES256")),
	    JWS_SIGNATURE);
	/* A CA with the right name and the wrong key. */
	chain[0] = fake_leaf;
	chain[1] = fake_ca;
	assert_int_equal(verify(x5c_token(chain, 2, NULL, leaf_key, "ES256")),
	    JWS_CERTIFICATE);
	assert_int_equal(verify(x5c_token(&fake_ca, 1, NULL, evil_key,
	    "ES256")), JWS_CERTIFICATE);
	/* An intermediate CA's own key signs no tokens. */
	assert_int_equal(verify(x5c_token(&mid, 1, NULL, mid_key, "ES256")),
	    JWS_CERTIFICATE);
	/* A leaf issues nothing. */
	X509_free(fake_leaf);
	fake_leaf = maker_certificate(evil_key, leaf, leaf_key, &spec);
	chain[0] = fake_leaf;
	chain[1] = leaf;
	chain[2] = mid;
	assert_int_equal(verify(x5c_token(chain, 3, NULL, evil_key, "ES256")),
	    JWS_CERTIFICATE);
	/* Too many of them, though the first ones would do. */
	chain[0] = leaf;
	for (i = 1; i < 20; i++)
		chain[i] = mid;
	assert_int_equal(verify(x5c_token(chain, JWS_MAX_X5C, NULL, leaf_key,
	    "ES256")), JWS_OK);
	assert_int_equal(verify(x5c_token(chain, JWS_MAX_X5C + 1, NULL,
	    leaf_key, "ES256")), JWS_CERTIFICATE);
	assert_int_equal(verify(x5c_token(chain, 20, NULL, leaf_key,
	    "ES256")), JWS_MALFORMED);
	X509_free(leaf);
	X509_free(fake_ca);
	X509_free(fake_leaf);
}

/* The anchor itself as the leaf: authctl's and openssl's certificates. */
static void
test_x5c_leaf_is_an_anchor(void **state)
{
	static const struct maker_cert old = { .cn = "old", .from = -3 * HOUR,
	    .until = -2 * HOUR };
	static const struct maker_cert pinned_spec = { .cn = "pinned",
	    .eku = "serverAuth" };
	X509	*expired, *pinned;

	(void)state;
	assert_int_equal(verify(x5c_token(&self, 1, NULL, self_key, "ES256")),
	    JWS_OK);
	assert_int_equal(verify(x5c_token(&self, 1, "whatever", self_key,
	    "ES256")), JWS_OK);
	assert_int_equal(verify(x5c_token(&self, 1, NULL, evil_key, "ES256")),
	    JWS_SIGNATURE);
	expired = maker_certificate(evil_key, NULL, evil_key, &old);
	add_anchor(expired);
	assert_int_equal(verify(x5c_token(&expired, 1, NULL, evil_key,
	    "ES256")), JWS_CERTIFICATE);
	/* Configured by name, though it is a server's and the CA's, too. */
	pinned = maker_certificate(rsa_key, ca, ca_key, &pinned_spec);
	assert_int_equal(verify(x5c_token(&pinned, 1, NULL, rsa_key,
	    "RS256")), JWS_CERTIFICATE);
	add_anchor(pinned);
	assert_int_equal(verify(x5c_token(&pinned, 1, NULL, rsa_key,
	    "RS256")), JWS_OK);
	X509_free(expired);
	X509_free(pinned);
}

/* A bad chain is the end: a good kid beside it does not help. */
static void
test_x5c_bad_chain_does_not_fall_back(void **state)
{
	static const char *const bad[] = {
		"[]", "null", "{}", "\"AAAA\"", "[1]", "[\"\"]", "[\"AAAA\"]",
		"[\"MIIB\\n\"]", "[\"!\"]", "[null]", "[[]]", "true",
	};
	static const struct maker_cert spec = { .cn = "attacker" };
	char	 kid[64], header[256];
	X509	*cert;
	size_t	 i;

	(void)state;
	jwk_thumbprint(self_key, kid, sizeof(kid));
	snprintf(header, sizeof(header), "{\"alg\":\"ES256\",\"kid\":\"%s\"}",
	    kid);
	assert_int_equal(verify(maker_token(header, CLAIMS, self_key,
	    "ES256")), JWS_OK);
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		snprintf(header, sizeof(header), "{\"alg\":\"ES256\","
		    "\"kid\":\"%s\",\"x5c\":%s}", kid, bad[i]);
		if (verify(maker_token(header, CLAIMS, self_key, "ES256")) !=
		    JWS_CERTIFICATE)
			fail_msg("x5c %s", bad[i]);
	}
	cert = maker_certificate(evil_key, NULL, evil_key, &spec);
	assert_int_equal(verify(x5c_token(&cert, 1, kid, evil_key, "ES256")),
	    JWS_CERTIFICATE);
	assert_int_equal(verify(x5c_token(&cert, 1, kid, self_key, "ES256")),
	    JWS_CERTIFICATE);
	X509_free(cert);
}

/* One certificate has one spelling, too. */
static void
test_x5c_is_canonical(void **state)
{
	struct buf	 cert, header;
	unsigned char	*der = NULL, more[2048];
	char		*text;
	int		 len;

	(void)state;
	buf_init(&cert, 65536);
	maker_add_x5c(&cert, self);
	text = buf_steal(&cert, NULL);
	/* A line break, as openssl's base64 has. */
	buf_init(&header, 65536);
	buf_addf(&header, "{\"alg\":\"ES256\",\"x5c\":[%.40s\\n%s]}", text,
	    text + 40);
	assert_int_equal(verify(maker_token(buf_str(&header), CLAIMS,
	    self_key, "ES256")), JWS_CERTIFICATE);
	buf_done(&header);
	free(text);
	/* Bytes behind the certificate. */
	len = i2d_X509(self, &der);
	memcpy(more, der, (size_t)len);
	memset(more + len, 0, 3);
	text = malloc(BASE64_LEN((size_t)len + 3) + 1);
	base64_encode(text, more, (size_t)len + 3);
	buf_init(&header, 65536);
	buf_addf(&header, "{\"alg\":\"ES256\",\"x5c\":[\"%s\"]}", text);
	assert_int_equal(verify(maker_token(buf_str(&header), CLAIMS,
	    self_key, "ES256")), JWS_CERTIFICATE);
	buf_done(&header);
	free(text);
	OPENSSL_free(der);
}

/* The algorithm still has to be the leaf's. */
static void
test_x5c_algorithm_is_the_leafs(void **state)
{
	static const struct maker_cert spec = { .cn = "leaf" };
	struct buf	 header;
	X509		*leaf;

	(void)state;
	leaf = maker_certificate(rsa_key, ca, ca_key, &spec);
	buf_init(&header, 65536);
	buf_addstr(&header, "{\"alg\":\"ES256\",\"x5c\":[");
	maker_add_x5c(&header, leaf);
	buf_addstr(&header, "]}");
	assert_int_equal(verify(maker_token(buf_str(&header), CLAIMS, rsa_key,
	    "RS256")), JWS_ALGORITHM);
	buf_done(&header);
	X509_free(leaf);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_x5c_leaves),
		cmocka_unit_test(test_x5c_chains),
		cmocka_unit_test(test_x5c_leaf_is_an_anchor),
		cmocka_unit_test(test_x5c_bad_chain_does_not_fall_back),
		cmocka_unit_test(test_x5c_is_canonical),
		cmocka_unit_test(test_x5c_algorithm_is_the_leafs),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
