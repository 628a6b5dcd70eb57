/* SPDX-License-Identifier: ISC */
/*
 * Keys that sign tokens, and their certificates: made in memory.  What is
 * written where is in authctl_key.c.
 *
 * The certificate of a key is no CA: registryd, and distribution 2.8 and 3,
 * take a self-signed leaf that is itself in rootcertbundle, and what is no
 * CA vouches for nothing but its own key.
 */
#include "authctl_cert.h"

#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/x509v3.h>
#include <stdbool.h>
#include <string.h>

#include "jwks.h"
#include "random.h"

#define RSA_BITS	2048		/* RS256: what every verifier takes */
#define CERT_BEFORE	3600		/* s: a clock may be behind */
#define CERT_SERIAL	16		/* bytes */
#define P256_BITS	256

/*
 * Distribution 3 writes coordinates without leading zero bytes, and so has
 * another name for a key with such a one than everybody else.
 */
static bool
has_short_coordinate(const EVP_PKEY *pkey)
{
	static const char *const names[] = { OSSL_PKEY_PARAM_EC_PUB_X,
	    OSSL_PKEY_PARAM_EC_PUB_Y };
	BIGNUM	*number;
	bool	 is_short = false;
	size_t	 i;

	for (i = 0; i < 2; i++) {
		number = NULL;
		if (EVP_PKEY_get_bn_param(pkey, names[i], &number) != 1 ||
		    BN_num_bits(number) <= P256_BITS - 8)
			is_short = true;
		BN_free(number);
	}
	return is_short;
}

static EVP_PKEY *
make_ec(void)
{
	EVP_PKEY	*pkey;

	while ((pkey = EVP_PKEY_Q_keygen(NULL, NULL, "EC",
	    "P-256")) != NULL && has_short_coordinate(pkey))
		EVP_PKEY_free(pkey);
	return pkey;
}

EVP_PKEY *
authctl_make_key(const char *algorithm)
{
	if (strcmp(algorithm, "rs256") == 0)
		return EVP_PKEY_Q_keygen(NULL, NULL, "RSA", (size_t)RSA_BITS);
	if (strcmp(algorithm, "es256") == 0)
		return make_ec();
	return EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
}

const char *
authctl_algorithm_of(const EVP_PKEY *pkey)
{
	switch (jwk_type_of(pkey)) {
	case JWK_RSA:
		return "rs256";
	case JWK_P256:
		return "es256";
	case JWK_ED25519:
		return "eddsa";
	default:
		return NULL;
	}
}

static int
add_extension(X509 *cert, X509 *issuer, int nid, const char *value)
{
	X509_EXTENSION	*ext;
	X509V3_CTX	 ctx;
	int		 ok;

	X509V3_set_ctx(&ctx, issuer, cert, NULL, NULL, 0);
	ext = X509V3_EXT_conf_nid(NULL, &ctx, nid, value);
	ok = ext != NULL && X509_add_ext(cert, ext, -1) == 1;
	X509_EXTENSION_free(ext);
	return ok ? 0 : -1;
}

static int
set_serial(X509 *cert)
{
	unsigned char	 bytes[CERT_SERIAL];
	BIGNUM		*number;
	int		 ok;

	random_bytes(bytes, sizeof(bytes));
	bytes[0] &= 0x7f;
	bytes[0] |= 0x40;
	number = BN_bin2bn(bytes, sizeof(bytes), NULL);
	ok = number != NULL && BN_to_ASN1_INTEGER(number,
	    X509_get_serialNumber(cert)) != NULL;
	BN_free(number);
	return ok ? 0 : -1;
}

/* From an hour ago on; never longer than its issuer's. */
static int
set_times(X509 *cert, const X509 *issuer, int days)
{
	if (X509_gmtime_adj(X509_getm_notBefore(cert), -CERT_BEFORE) == NULL ||
	    X509_time_adj_ex(X509_getm_notAfter(cert), days, 0, NULL) == NULL)
		return -1;
	if (ASN1_TIME_compare(X509_get0_notAfter(cert),
	    X509_get0_notAfter(issuer)) > 0 && X509_set1_notAfter(cert,
	    X509_get0_notAfter(issuer)) != 1)
		return -1;
	return 0;
}

static int
set_extensions(X509 *cert, X509 *issuer, bool ca)
{
	if (add_extension(cert, issuer, NID_basic_constraints, ca ?
	    "critical,CA:TRUE,pathlen:0" : "critical,CA:FALSE") == -1 ||
	    add_extension(cert, issuer, NID_key_usage, ca ?
	    "critical,keyCertSign,cRLSign" :
	    "critical,digitalSignature") == -1 ||
	    add_extension(cert, issuer, NID_subject_key_identifier,
	    "hash") == -1)
		return -1;
	return issuer == cert ? 0 : add_extension(cert, issuer,
	    NID_authority_key_identifier, "keyid:always");
}

X509 *
authctl_make_certificate(EVP_PKEY *pkey, const struct cert_spec *spec)
{
	EVP_PKEY	*signer = spec->ca_key == NULL ? pkey : spec->ca_key;
	X509_NAME	*name;
	X509		*cert, *issuer;

	cert = X509_new();
	if (cert == NULL)
		return NULL;
	issuer = spec->ca_cert == NULL ? cert : spec->ca_cert;
	name = X509_get_subject_name(cert);
	if (X509_set_version(cert, X509_VERSION_3) == 1 &&
	    set_serial(cert) == 0 &&
	    X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_UTF8,
	    (const unsigned char *)spec->cn, -1, -1, 0) == 1 &&
	    X509_set_issuer_name(cert, X509_get_subject_name(issuer)) == 1 &&
	    X509_set_pubkey(cert, pkey) == 1 &&
	    set_times(cert, issuer, spec->days) == 0 &&
	    set_extensions(cert, issuer, spec->is_ca) == 0 &&
	    X509_sign(cert, signer, jwk_type_of(signer) == JWK_ED25519 ?
	    NULL : EVP_sha256()) > 0)
		return cert;
	X509_free(cert);
	return NULL;
}
