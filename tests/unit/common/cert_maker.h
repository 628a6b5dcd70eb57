/* SPDX-License-Identifier: ISC */
/*
 * Keys and certificates made by a test for itself, and the client's side of
 * a TLS connection.
 */
#ifndef CERT_MAKER_H
#define CERT_MAKER_H

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>
#include <stdlib.h>
#include <string.h>

struct identity {
	EVP_PKEY	*key;
	X509		*cert;
	char		*key_pem;
	size_t		 key_len;
	char		*cert_pem;
	size_t		 cert_len;
};

static char *
bio_steal(BIO *bio, size_t *len)
{
	char *data, *copy;
	long n;

	n = BIO_get_mem_data(bio, &data);
	assert_true(n > 0);
	assert_non_null(copy = malloc((size_t)n + 1));
	memcpy(copy, data, (size_t)n);
	copy[n] = '\0';
	*len = (size_t)n;
	BIO_free(bio);
	return copy;
}

static void
add_extension(X509 *cert, int nid, const char *value)
{
	X509_EXTENSION *ext;

	ext = X509V3_EXT_conf_nid(NULL, NULL, nid, value);
	assert_non_null(ext);
	assert_int_equal(X509_add_ext(cert, ext, -1), 1);
	X509_EXTENSION_free(ext);
}

/* Signed by "by", or by itself when that is NULL. */
static void
identity_new(struct identity *id, const char *name, const struct identity *by)
{
	X509_NAME *subject;
	BIO *bio;

	assert_non_null(id->key = EVP_EC_gen("P-256"));
	assert_non_null(id->cert = X509_new());
	X509_set_version(id->cert, X509_VERSION_3);
	ASN1_INTEGER_set(X509_get_serialNumber(id->cert),
	    (long)(strlen(name) + (by != NULL)));
	X509_gmtime_adj(X509_getm_notBefore(id->cert), -3600);
	X509_gmtime_adj(X509_getm_notAfter(id->cert), 3600);
	X509_set_pubkey(id->cert, id->key);
	subject = X509_get_subject_name(id->cert);
	X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_ASC,
	    (const unsigned char *)name, -1, -1, 0);
	X509_set_issuer_name(id->cert, by != NULL ?
	    X509_get_subject_name(by->cert) : subject);
	add_extension(id->cert, NID_basic_constraints,
	    by == NULL ? "critical,CA:TRUE" : "critical,CA:FALSE");
	assert_true(X509_sign(id->cert, by != NULL ? by->key : id->key,
	    EVP_sha256()) > 0);

	assert_non_null(bio = BIO_new(BIO_s_mem()));
	assert_int_equal(PEM_write_bio_X509(bio, id->cert), 1);
	id->cert_pem = bio_steal(bio, &id->cert_len);
	assert_non_null(bio = BIO_new(BIO_s_mem()));
	assert_int_equal(PEM_write_bio_PrivateKey(bio, id->key, NULL, NULL, 0,
	    NULL, NULL), 1);
	id->key_pem = bio_steal(bio, &id->key_len);
}

static void
identity_done(struct identity *id)
{
	EVP_PKEY_free(id->key);
	X509_free(id->cert);
	free(id->key_pem);
	free(id->cert_pem);
	memset(id, 0, sizeof(*id));
}

#endif
