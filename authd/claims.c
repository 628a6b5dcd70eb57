/* SPDX-License-Identifier: ISC */
/*
 * A token: its claims, and libjwt's signature over them.  Runs in the signer,
 * which alone has the key while authd serves; the parent builds the JWKS and
 * checks that key and certificate fit.  libjwt is only ever asked to sign:
 * what verifies tokens is jws.c.
 */
#include "claims.h"

#include <jansson.h>
#include <jwt.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "encode.h"
#include "jwks.h"
#include "jws.h"
#include "random.h"
#include "secret.h"

#define CLAIMS_MAX_PEM	(1 << 20)
#define CLAIMS_MAX_CERT	16384
#define JTI_BYTES	16

struct claims_key {
	EVP_PKEY	*pkey;		/* public half of it is published */
	struct secret	*pem;		/* as libjwt wants it */
	X509		*leaf;
	char		*headers;	/* kid and x5c, JSON */
	char		 kid[JWK_KID_SIZE];
	char		 libtrust[JWK_KID_SIZE];
};

/* Without this, OpenSSL would ask at the terminal. */
static int
no_passphrase(char *dst, int size, int writing, void *arg)
{
	(void)dst;
	(void)size;
	(void)writing;
	(void)arg;
	return -1;
}

/* The private key; its PEM is written anew, without what was around it. */
static int
load_key(struct claims_key *key, const char *text, size_t len, char *error,
    size_t errsize)
{
	BIO	*in, *out;
	char	*pem;
	long	 pemlen;

	in = len > CLAIMS_MAX_PEM ? NULL : BIO_new_mem_buf(text, (int)len);
	if (in != NULL)
		key->pkey = PEM_read_bio_PrivateKey(in, NULL, no_passphrase,
		    NULL);
	BIO_free(in);
	if (key->pkey == NULL) {
		snprintf(error, errsize, "no private key in PEM form without "
		    "a passphrase");
		return -1;
	}
	if (jwk_type_of(key->pkey) != JWK_RSA) {
		snprintf(error, errsize, "not an RSA key of 2048 bits or more");
		return -1;
	}
	out = BIO_new(BIO_s_secmem());
	if (out != NULL && PEM_write_bio_PKCS8PrivateKey(out, key->pkey, NULL,
	    NULL, 0, NULL, NULL) == 1) {
		pemlen = BIO_get_mem_data(out, &pem);
		key->pem = secret_new(pem, (size_t)pemlen);
	}
	BIO_free(out);
	if (key->pem == NULL)
		snprintf(error, errsize, "out of memory");
	return key->pem == NULL ? -1 : 0;
}

/* Append one certificate to x5c. */
static int
add_certificate(json_t *x5c, X509 *certificate)
{
	unsigned char	*der = NULL;
	char		*text;
	int		 len, ret = -1;

	len = i2d_X509(certificate, &der);
	if (len <= 0)
		return -1;
	text = len > CLAIMS_MAX_CERT ? NULL :
	    malloc(BASE64_LEN((size_t)len) + 1);
	if (text != NULL) {
		base64_encode(text, der, (size_t)len);
		ret = json_array_append_new(x5c, json_string(text));
	}
	free(text);
	OPENSSL_free(der);
	return ret;
}

static const char *
leaf_wrong(const struct claims_key *key)
{
	if (X509_get0_pubkey(key->leaf) == NULL ||
	    EVP_PKEY_eq(X509_get0_pubkey(key->leaf), key->pkey) != 1)
		return "the first certificate is not that of the key";
	if (X509_cmp_current_time(X509_get0_notAfter(key->leaf)) < 0)
		return "the certificate has expired: no registry would take "
		    "its tokens";
	return NULL;
}

/*
 * Read the chain into x5c.  Each certificate has to be issued by the next:
 * verifiers take them in this order.
 */
static const char *
chain_wrong(struct claims_key *key, BIO *in, json_t *x5c)
{
	const char	*wrong = NULL;
	X509		*certificate, *last = NULL;

	while (wrong == NULL && (certificate = PEM_read_bio_X509(in, NULL,
	    no_passphrase, NULL)) != NULL) {
		if (json_array_size(x5c) == JWS_MAX_X5C)
			wrong = "the chain is too long";
		else if (last != NULL &&
		    X509_check_issued(certificate, last) != X509_V_OK)
			wrong = "the chain is not in order, the leaf first";
		else if (add_certificate(x5c, certificate) == -1)
			wrong = "a certificate is too large";
		if (key->leaf == NULL) {
			X509_up_ref(certificate);
			key->leaf = certificate;
			wrong = wrong == NULL ? leaf_wrong(key) : wrong;
		}
		X509_free(last);
		last = certificate;
	}
	X509_free(last);
	if (wrong == NULL && key->leaf == NULL)
		return "no certificate in PEM form";
	if (wrong == NULL && ERR_GET_REASON(ERR_peek_last_error()) !=
	    PEM_R_NO_START_LINE)
		return "a certificate is malformed";
	return wrong;
}

static int
load_chain(struct claims_key *key, const char *text, size_t len, char *error,
    size_t errsize)
{
	const char	*wrong;
	json_t		*headers, *x5c;
	BIO		*in;

	x5c = json_array();
	in = len > CLAIMS_MAX_PEM ? NULL : BIO_new_mem_buf(text, (int)len);
	wrong = x5c == NULL || in == NULL ? "out of memory" :
	    chain_wrong(key, in, x5c);
	BIO_free(in);
	if (wrong == NULL) {
		headers = json_pack("{s:s, s:O}", "kid", key->kid, "x5c", x5c);
		key->headers = json_dumps(headers, JSON_COMPACT);
		json_decref(headers);
		if (key->headers == NULL)
			wrong = "out of memory";
	}
	json_decref(x5c);
	if (wrong != NULL)
		snprintf(error, errsize, "%s", wrong);
	return wrong == NULL ? 0 : -1;
}

struct claims_key *
claims_key_new(const char *text, size_t len, const char *chain,
    size_t chainlen, char *error, size_t errsize)
{
	struct claims_key	*key;
	char			 reason[128];

	key = calloc(1, sizeof(*key));
	if (key == NULL) {
		snprintf(error, errsize, "out of memory");
		return NULL;
	}
	if (load_key(key, text, len, reason, sizeof(reason)) == -1)
		snprintf(error, errsize, "key: %s", reason);
	else if (jwk_thumbprint(key->pkey, key->kid,
	    sizeof(key->kid)) == -1 || jwk_libtrust_id(key->pkey,
	    key->libtrust, sizeof(key->libtrust)) == -1)
		snprintf(error, errsize, "key: its ids cannot be computed");
	else if (load_chain(key, chain, chainlen, reason,
	    sizeof(reason)) == -1)
		snprintf(error, errsize, "certificate: %s", reason);
	else {
		ERR_clear_error();
		return key;
	}
	ERR_clear_error();
	claims_key_free(key);
	return NULL;
}

void
claims_key_free(struct claims_key *key)
{
	if (key == NULL)
		return;
	EVP_PKEY_free(key->pkey);
	secret_free(key->pem);
	X509_free(key->leaf);
	free(key->headers);
	free(key);
}

int
claims_key_jwks(const struct claims_key *key, struct buf *buf)
{
	buf_addstr(buf, "{\"keys\":[");
	jwk_format(buf, key->pkey, key->kid, "RS256", key->leaf);
	buf_addc(buf, ',');
	jwk_format(buf, key->pkey, key->libtrust, "RS256", key->leaf);
	buf_addstr(buf, "]}");
	return buf_failed(buf) ? -1 : 0;
}

/* The claims as JSON text (free it), NULL when memory is out. */
static char *
claims_format(const struct claims *claims)
{
	char		 jti[2 * JTI_BYTES + 1];
	char		*text;
	json_int_t	 begin, end;
	json_t		*object;

	random_hex(jti, JTI_BYTES);
	/* iat is put back, too: zot refuses one that its clock has not seen. */
	begin = (json_int_t)claims->now - (json_int_t)claims->backdate;
	end = (json_int_t)claims->now + (json_int_t)claims->lifetime;
	object = json_pack("{s:s, s:s, s:s, s:I, s:I, s:I, s:s, s:o}",
	    "iss", claims->issuer, "sub", claims->subject,
	    "aud", claims->audience, "exp", end, "nbf", begin, "iat", begin,
	    "jti", jti, "access", scope_set_to_claim(claims->access));
	text = json_dumps(object, JSON_COMPACT);
	json_decref(object);
	return text;
}

int
claims_sign(const struct claims_key *key, const struct claims *claims,
    struct buf *out)
{
	jwt_t	*jwt = NULL;
	char	*text, *token = NULL;

	text = claims_format(claims);
	if (text != NULL && jwt_new(&jwt) == 0 &&
	    jwt_add_headers_json(jwt, key->headers) == 0 &&
	    jwt_add_grants_json(jwt, text) == 0 &&
	    jwt_set_alg(jwt, JWT_ALG_RS256,
	    (const unsigned char *)secret_data(key->pem),
	    (int)secret_len(key->pem)) == 0)
		token = jwt_encode_str(jwt);
	jwt_free(jwt);
	free(text);
	ERR_clear_error();
	if (token == NULL)
		return -1;
	buf_addstr(out, token);
	free(token);
	return buf_failed(out) ? -1 : 0;
}
