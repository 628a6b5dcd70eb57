/* SPDX-License-Identifier: ISC */
/*
 * A key of tokens with its certificate chain: checked, parsed once, and then
 * used for every signature.  Runs in the signer; in the parent only to see
 * that key and certificate fit, and to publish the public half.
 */
#include <jansson.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "claims.h"
#include "encode.h"
#include "jwks.h"
#include "jws.h"

#define CLAIMS_MAX_PEM		(1 << 20)
#define CLAIMS_MAX_CERT		16384
#define CLAIMS_MAX_SIGNATURE	2048	/* RSA of 16384 bits */
#define WRONG_TYPE	"neither RSA of 2048 bits or more, EC on P-256, " \
			    "nor Ed25519"

struct claims_key {
	unsigned	 nrefs;
	EVP_PKEY	*pkey;
	bool		 is_private;
	enum jwk_type	 type;
	const char	*algorithm;
	X509		*leaf;
	json_t		*x5c;		/* the chain, the leaf first */
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

/* The private key; NULL when there is none to be read. */
static EVP_PKEY *
read_key(const char *text, size_t len)
{
	EVP_PKEY	*pkey = NULL;
	BIO		*in;

	in = len > CLAIMS_MAX_PEM ? NULL : BIO_new_mem_buf(text, (int)len);
	if (in != NULL)
		pkey = PEM_read_bio_PrivateKey(in, NULL, no_passphrase, NULL);
	BIO_free(in);
	return pkey;
}

static int
set_algorithm(struct claims_key *key)
{
	static const char *const names[] = { [JWK_RSA] = "RS256",
	    [JWK_P256] = "ES256", [JWK_ED25519] = "EdDSA" };
	int	 type = jwk_type_of(key->pkey);

	if (type == -1 || names[type] == NULL)
		return -1;
	key->type = (enum jwk_type)type;
	key->algorithm = names[type];
	return 0;
}

static const char *
load_key(struct claims_key *key, const char *text, size_t len)
{
	if ((key->pkey = read_key(text, len)) == NULL)
		return "no private key in PEM form without a passphrase";
	key->is_private = true;
	return NULL;
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
leaf_wrong(struct claims_key *key)
{
	if (X509_get0_pubkey(key->leaf) == NULL || (key->is_private &&
	    EVP_PKEY_eq(X509_get0_pubkey(key->leaf), key->pkey) != 1))
		return "the first certificate is not that of the key";
	/* What signs no more may well have expired. */
	if (key->is_private &&
	    X509_cmp_current_time(X509_get0_notAfter(key->leaf)) < 0)
		return "the certificate has expired: no registry would take "
		    "its tokens";
	if (!key->is_private)
		key->pkey = X509_get_pubkey(key->leaf);
	return NULL;
}

/*
 * Read the chain into x5c.  Each certificate has to be issued by the next:
 * verifiers take them in this order.
 */
static const char *
chain_wrong(struct claims_key *key, BIO *in)
{
	const char	*wrong = NULL;
	X509		*certificate, *last = NULL;

	while (wrong == NULL && (certificate = PEM_read_bio_X509(in, NULL,
	    no_passphrase, NULL)) != NULL) {
		if (json_array_size(key->x5c) == JWS_MAX_X5C)
			wrong = "the chain is too long";
		else if (last != NULL &&
		    X509_check_issued(certificate, last) != X509_V_OK)
			wrong = "the chain is not in order, the leaf first";
		else if (add_certificate(key->x5c, certificate) == -1)
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

static const char *
load_chain(struct claims_key *key, const char *text, size_t len)
{
	const char	*wrong;
	BIO		*in;

	key->x5c = json_array();
	in = len > CLAIMS_MAX_PEM ? NULL : BIO_new_mem_buf(text, (int)len);
	wrong = key->x5c == NULL || in == NULL ? "out of memory" :
	    chain_wrong(key, in);
	BIO_free(in);
	return wrong;
}

/* NULL, or what is wrong and with which of the two. */
static const char *
load(struct claims_key *key, const char *text, size_t len, const char *chain,
    size_t chainlen, const char **which)
{
	const char	*wrong = NULL;

	*which = "key";
	if (text != NULL && (wrong = load_key(key, text, len)) != NULL)
		return wrong;
	if (text != NULL && set_algorithm(key) == -1)
		return WRONG_TYPE;
	*which = "certificate";
	if ((wrong = load_chain(key, chain, chainlen)) != NULL)
		return wrong;
	if (text == NULL && set_algorithm(key) == -1)
		return WRONG_TYPE;
	if (jwk_thumbprint(key->pkey, key->kid, sizeof(key->kid)) == -1 ||
	    jwk_libtrust_id(key->pkey, key->libtrust,
	    sizeof(key->libtrust)) == -1)
		return "its ids cannot be computed";
	return NULL;
}

struct claims_key *
claims_key_new(const char *text, size_t len, const char *chain,
    size_t chainlen, char *error, size_t errsize)
{
	struct claims_key	*key;
	const char		*wrong, *which;

	key = calloc(1, sizeof(*key));
	if (key == NULL) {
		snprintf(error, errsize, "out of memory");
		return NULL;
	}
	key->nrefs = 1;
	wrong = load(key, text, len, chain, chainlen, &which);
	ERR_clear_error();
	if (wrong == NULL)
		return key;
	snprintf(error, errsize, "%s: %s", which, wrong);
	claims_key_free(key);
	return NULL;
}

struct claims_key *
claims_key_ref(struct claims_key *key)
{
	key->nrefs++;
	return key;
}

void
claims_key_free(struct claims_key *key)
{
	if (key == NULL || --key->nrefs > 0)
		return;
	EVP_PKEY_free(key->pkey);
	X509_free(key->leaf);
	json_decref(key->x5c);
	free(key);
}

const char *
claims_key_algorithm(const struct claims_key *key)
{
	return key->algorithm;
}

int
claims_key_days_left(const struct claims_key *key)
{
	int	 days = 0, seconds = 0;

	ASN1_TIME_diff(&days, &seconds, NULL, X509_get0_notAfter(key->leaf));
	return seconds < 0 ? days - 1 : days;
}

bool
claims_key_is_same(const struct claims_key *a, const struct claims_key *b)
{
	return EVP_PKEY_eq(a->pkey, b->pkey) == 1;
}

/* ---- what is told of it ---- */

static const char *
find_kid(const struct claims_key *key, const char *kid)
{
	if (strcmp(kid, CLAIMS_KID_RFC7638) == 0)
		return key->kid;
	return strcmp(kid, CLAIMS_KID_LIBTRUST) == 0 ? key->libtrust : kid;
}

char *
claims_key_header(const struct claims_key *key, const char *kid, bool x5c)
{
	json_t	*header;
	char	*json = NULL, *text = NULL;
	size_t	 len;

	header = json_pack("{s:s, s:s, s:s}", "alg", key->algorithm, "typ",
	    "JWT", "kid", find_kid(key, kid));
	if (header != NULL && (!x5c ||
	    json_object_set(header, "x5c", key->x5c) == 0))
		json = json_dumps(header, JSON_COMPACT);
	json_decref(header);
	if (json == NULL)
		return NULL;
	len = strlen(json);
	if ((text = malloc(BASE64_LEN(len) + 1)) != NULL)
		base64url_encode(text, json, len);
	free(json);
	return text;
}

int
claims_key_jwk(const struct claims_key *key, const char *kid, struct buf *buf)
{
	return jwk_format(buf, key->pkey, find_kid(key, kid), key->algorithm,
	    key->leaf);
}

/* ---- signing ---- */

/* RFC 7518 section 3.4: R and S of 32 bytes each, side by side. */
static int
signature_from_der(unsigned char *sig, size_t *len)
{
	const unsigned char	*p = sig;
	ECDSA_SIG		*parsed;
	int			 ok;

	if ((parsed = d2i_ECDSA_SIG(NULL, &p, (long)*len)) == NULL)
		return -1;
	ok = BN_bn2binpad(ECDSA_SIG_get0_r(parsed), sig, 32) == 32 &&
	    BN_bn2binpad(ECDSA_SIG_get0_s(parsed), sig + 32, 32) == 32;
	ECDSA_SIG_free(parsed);
	*len = 64;
	return ok ? 0 : -1;
}

int
claims_key_sign(const struct claims_key *key, const char *text, size_t len,
    struct buf *buf)
{
	unsigned char	 sig[CLAIMS_MAX_SIGNATURE];
	EVP_MD_CTX	*ctx;
	char		*room;
	size_t		 n = sizeof(sig);
	int		 ok;

	if (!key->is_private || (ctx = EVP_MD_CTX_new()) == NULL)
		return -1;
	ok = EVP_DigestSignInit(ctx, NULL, key->type == JWK_ED25519 ? NULL :
	    EVP_sha256(), NULL, key->pkey) == 1 && EVP_DigestSign(ctx, sig,
	    &n, (const unsigned char *)text, len) == 1;
	EVP_MD_CTX_free(ctx);
	if (ok && key->type == JWK_P256)
		ok = signature_from_der(sig, &n) == 0;
	ERR_clear_error();
	if (!ok || (room = buf_reserve(buf, BASE64_LEN(n) + 1)) == NULL)
		return -1;
	buf_commit(buf, base64url_encode(room, sig, n));
	return 0;
}
