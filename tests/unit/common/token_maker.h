/* SPDX-License-Identifier: ISC */
/*
 * Makes keys, certificates and tokens, good and bad, for the tests and the
 * fuzzer of the verifier.  Written apart from what it tests: it knows
 * nothing of jws.c, and it signs whatever it is told to.
 */
#ifndef TOKEN_MAKER_H
#define TOKEN_MAKER_H

#include <openssl/bn.h>
#include <openssl/ecdsa.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509v3.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "buf.h"
#include "encode.h"

/* What the tests cannot go on without. */
#define MUST(cond) do {							\
	if (!(cond)) {							\
		fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #cond); \
		abort();						\
	}								\
} while (0)

#define MAKER_UNUSED	__attribute__((__unused__))

/* "RSA2048", "RSA1024", "P-256", "P-384", "P-521", "secp256k1", "ED25519". */
MAKER_UNUSED static EVP_PKEY *
maker_key(const char *kind)
{
	EVP_PKEY	*pkey;

	if (strncmp(kind, "RSA", 3) == 0)
		pkey = EVP_PKEY_Q_keygen(NULL, NULL, "RSA",
		    (size_t)atoi(kind + 3));
	else if (strcmp(kind, "ED25519") == 0)
		pkey = EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
	else
		pkey = EVP_PKEY_Q_keygen(NULL, NULL, "EC", kind);
	MUST(pkey != NULL);
	return pkey;
}

MAKER_UNUSED static void
maker_add_base64url(struct buf *buf, const void *data, size_t len)
{
	char	*text;

	text = malloc(BASE64_LEN(len) + 1);
	MUST(text != NULL);
	base64url_encode(text, data, len);
	MUST(buf_addstr(buf, text) == 0);
	free(text);
}

/* DER to the two numbers side by side. */
static void
maker_add_ecdsa(struct buf *buf, const unsigned char *der, size_t len,
    int size)
{
	unsigned char	 raw[2 * 66];
	ECDSA_SIG	*sig;

	sig = d2i_ECDSA_SIG(NULL, &der, (long)len);
	MUST(sig != NULL);
	MUST(BN_bn2binpad(ECDSA_SIG_get0_r(sig), raw, size) == size);
	MUST(BN_bn2binpad(ECDSA_SIG_get0_s(sig), raw + size, size) == size);
	maker_add_base64url(buf, raw, 2 * (size_t)size);
	ECDSA_SIG_free(sig);
}

/*
 * ".signature" behind header and claims, by this key and digest, whatever
 * the header says.  digest NULL: EdDSA.  pss: of that salt length.
 */
static void
maker_sign(struct buf *buf, EVP_PKEY *pkey, const char *digest, bool pss)
{
	unsigned char	 sig[1024];
	size_t		 len = sizeof(sig);
	EVP_PKEY_CTX	*pctx;
	EVP_MD_CTX	*ctx;

	ctx = EVP_MD_CTX_new();
	MUST(ctx != NULL);
	MUST(EVP_DigestSignInit_ex(ctx, &pctx, digest, NULL, NULL, pkey,
	    NULL) == 1);
	if (pss)
		MUST(EVP_PKEY_CTX_set_rsa_padding(pctx,
		    RSA_PKCS1_PSS_PADDING) == 1 &&
		    EVP_PKEY_CTX_set_rsa_pss_saltlen(pctx,
		    RSA_PSS_SALTLEN_DIGEST) == 1);
	MUST(EVP_DigestSign(ctx, sig, &len, (unsigned char *)buf->data,
	    buf->len) == 1);
	EVP_MD_CTX_free(ctx);
	MUST(buf_addc(buf, '.') == 0);
	if (EVP_PKEY_get_base_id(pkey) == EVP_PKEY_EC)
		maker_add_ecdsa(buf, sig, len,
		    (EVP_PKEY_get_bits(pkey) + 7) / 8);
	else
		maker_add_base64url(buf, sig, len);
}

MAKER_UNUSED static void
maker_begin(struct buf *buf, const char *header, const char *claims)
{
	buf_init(buf, 1 << 22);
	maker_add_base64url(buf, header, strlen(header));
	MUST(buf_addc(buf, '.') == 0);
	maker_add_base64url(buf, claims, strlen(claims));
}

/* A token, to be freed; alg is how it is really signed ("RS256"). */
MAKER_UNUSED static char *
maker_token(const char *header, const char *claims, EVP_PKEY *pkey,
    const char *alg)
{
	char		 digest[8] = "SHA";
	struct buf	 buf;

	maker_begin(&buf, header, claims);
	if (strcmp(alg, "EdDSA") == 0)
		maker_sign(&buf, pkey, NULL, false);
	else {
		memcpy(digest + 3, alg + 2, 4);
		maker_sign(&buf, pkey, digest, alg[0] == 'P');
	}
	return buf_steal(&buf, NULL);
}

/* A token with an HMAC of these bytes as the key. */
MAKER_UNUSED static char *
maker_hmac_token(const char *header, const char *claims, const void *key,
    size_t keylen)
{
	unsigned char	 mac[32];
	struct buf	 buf;

	maker_begin(&buf, header, claims);
	MUST(EVP_Q_mac(NULL, "HMAC", NULL, "SHA256", NULL, key, keylen,
	    (unsigned char *)buf.data, buf.len, mac, sizeof(mac),
	    NULL) != NULL);
	MUST(buf_addc(&buf, '.') == 0);
	maker_add_base64url(&buf, mac, sizeof(mac));
	return buf_steal(&buf, NULL);
}

struct maker_cert {
	const char	*cn;
	bool		 ca;
	const char	*eku;		/* "serverAuth", NULL for none */
	const char	*usage;		/* "keyEncipherment", NULL for none */
	long		 from, until;	/* seconds from now; until 0: a year */
};

static void
maker_add_extension(X509 *cert, int nid, const char *value)
{
	X509_EXTENSION	*ext;

	ext = X509V3_EXT_conf_nid(NULL, NULL, nid, value);
	MUST(ext != NULL && X509_add_ext(cert, ext, -1) == 1);
	X509_EXTENSION_free(ext);
}

/* issuer NULL: self-signed. */
MAKER_UNUSED static X509 *
maker_certificate(EVP_PKEY *pkey, X509 *issuer, EVP_PKEY *issuer_key,
    const struct maker_cert *spec)
{
	static long	 serial = 1;
	X509_NAME	*name;
	X509		*cert;

	cert = X509_new();
	MUST(cert != NULL && X509_set_version(cert, 2) == 1);
	ASN1_INTEGER_set(X509_get_serialNumber(cert), serial++);
	name = X509_get_subject_name(cert);
	MUST(X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC,
	    (const unsigned char *)spec->cn, -1, -1, 0) == 1);
	X509_set_issuer_name(cert, issuer == NULL ? name :
	    X509_get_subject_name(issuer));
	X509_gmtime_adj(X509_getm_notBefore(cert), spec->from);
	X509_gmtime_adj(X509_getm_notAfter(cert),
	    spec->until == 0 ? 365L * 86400 : spec->until);
	MUST(X509_set_pubkey(cert, pkey) == 1);
	maker_add_extension(cert, NID_basic_constraints,
	    spec->ca ? "critical,CA:TRUE" : "critical,CA:FALSE");
	if (spec->eku != NULL)
		maker_add_extension(cert, NID_ext_key_usage, spec->eku);
	if (spec->usage != NULL)
		maker_add_extension(cert, NID_key_usage, spec->usage);
	MUST(X509_sign(cert, issuer_key, EVP_PKEY_get_base_id(issuer_key) ==
	    EVP_PKEY_ED25519 ? NULL : EVP_sha256()) > 0);
	return cert;
}

/* '"base64"' of the certificate, as x5c lists it. */
MAKER_UNUSED static void
maker_add_x5c(struct buf *buf, X509 *cert)
{
	unsigned char	*der = NULL;
	char		*text;
	int		 len;

	len = i2d_X509(cert, &der);
	MUST(len > 0);
	text = malloc(BASE64_LEN((size_t)len) + 1);
	MUST(text != NULL);
	base64_encode(text, der, (size_t)len);
	MUST(buf_addf(buf, "\"%s\"", text) == 0);
	free(text);
	OPENSSL_free(der);
}

static char *
maker_bio_text(BIO *bio)
{
	char	*data, *text;
	long	 len;

	len = BIO_get_mem_data(bio, &data);
	text = strndup(data, (size_t)len);
	MUST(text != NULL);
	BIO_free(bio);
	return text;
}

MAKER_UNUSED static char *
maker_certificate_pem(X509 *cert)
{
	BIO	*bio = BIO_new(BIO_s_mem());

	MUST(bio != NULL && PEM_write_bio_X509(bio, cert) == 1);
	return maker_bio_text(bio);
}

MAKER_UNUSED static char *
maker_public_pem(EVP_PKEY *pkey)
{
	BIO	*bio = BIO_new(BIO_s_mem());

	MUST(bio != NULL && PEM_write_bio_PUBKEY(bio, pkey) == 1);
	return maker_bio_text(bio);
}

MAKER_UNUSED static char *
maker_private_pem(EVP_PKEY *pkey)
{
	BIO	*bio = BIO_new(BIO_s_mem());

	MUST(bio != NULL && PEM_write_bio_PKCS8PrivateKey(bio, pkey, NULL,
	    NULL, 0, NULL, NULL) == 1);
	return maker_bio_text(bio);
}

#endif
