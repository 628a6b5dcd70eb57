/* SPDX-License-Identifier: ISC */
/*
 * The certificate chain that a token carries (RFC 7515 section 4.1.6), held
 * against the anchors of a key set.  Runs in registryd's worker, on bytes
 * from anybody: bounded in number by JWS_MAX_X5C and in size by the token.
 */
#include "jws.h"

#include <openssl/x509.h>
#include <openssl/x509_vfy.h>
#include <openssl/x509v3.h>
#include <string.h>

#include "encode.h"

#define X5C_MAX_DER	(JWS_MAX_SIZE / 4 * 3 + 3)

/* What every public CA's certificates are for, and ours never. */
#define X5C_OTHER_USES	(XKU_SSL_SERVER | XKU_SSL_CLIENT | XKU_SMIME | \
			    XKU_CODE_SIGN | XKU_OCSP_SIGN | XKU_TIMESTAMP)

static X509 *
certificate_parse(const json_t *item)
{
	unsigned char		 der[X5C_MAX_DER];
	const unsigned char	*p = der;
	X509			*certificate;
	ssize_t			 n;

	if (!json_is_string(item) || json_string_length(item) > JWS_MAX_SIZE)
		return NULL;
	n = base64_decode(der, json_string_value(item),
	    json_string_length(item));
	if (n <= 0)
		return NULL;
	certificate = d2i_X509(NULL, &p, (long)n);
	if (certificate != NULL && p != der + n) {
		X509_free(certificate);
		return NULL;
	}
	return certificate;
}

/* All of x5c, the leaf first; NULL when any part of it is malformed. */
static STACK_OF(X509) *
chain_parse(const json_t *x5c)
{
	STACK_OF(X509)	*chain;
	X509		*certificate;
	size_t		 i;

	if (json_array_size(x5c) == 0 || json_array_size(x5c) > JWS_MAX_X5C)
		return NULL;
	chain = sk_X509_new_null();
	for (i = 0; chain != NULL && i < json_array_size(x5c); i++) {
		certificate = certificate_parse(json_array_get(x5c, i));
		if (certificate == NULL ||
		    sk_X509_push(chain, certificate) == 0) {
			X509_free(certificate);
			sk_X509_pop_free(chain, X509_free);
			return NULL;
		}
	}
	return chain;
}

/*
 * May the leaf's key sign tokens?  A certificate that is itself configured
 * may, whatever it says: openssl req -x509 makes a CA of each self-signed
 * certificate, and its key is trusted by its kid in any case.  One that only
 * an anchor vouches for must be no CA, for a CA's key signs certificates, and
 * must not be for TLS and the like: with a public CA among the anchors,
 * everybody who has a web server would have a key.
 */
static bool
leaf_may_sign(const struct jwks *set, X509 *leaf)
{
	uint32_t	 uses;

	if (jwks_has_anchor(set, leaf))
		return true;
	if (X509_check_ca(leaf) != 0)
		return false;
	/* Both are UINT32_MAX where the certificate does not say. */
	if ((X509_get_key_usage(leaf) & KU_DIGITAL_SIGNATURE) == 0)
		return false;
	uses = X509_get_extended_key_usage(leaf);
	return uses == UINT32_MAX || (uses & XKU_ANYEKU) != 0 ||
	    (uses & X5C_OTHER_USES) == 0;
}

static int
chain_verify(const struct jwks *set, STACK_OF(X509) *chain)
{
	X509_STORE_CTX		*ctx;
	X509_VERIFY_PARAM	*param;
	int			 ok;

	ctx = X509_STORE_CTX_new();
	if (ctx == NULL)
		return -1;
	ok = X509_STORE_CTX_init(ctx, jwks_anchors(set),
	    sk_X509_value(chain, 0), chain);
	if (ok == 1) {
		param = X509_STORE_CTX_get0_param(ctx);
		/* Any anchor ends a chain, not only a self-signed one. */
		ok = X509_VERIFY_PARAM_set_flags(param,
		    X509_V_FLAG_PARTIAL_CHAIN);
		X509_VERIFY_PARAM_set_depth(param, JWS_MAX_X5C);
		/* 112 bits: RSA of 2048, no SHA-1. */
		X509_VERIFY_PARAM_set_auth_level(param, 2);
		ok = ok == 1 && X509_VERIFY_PARAM_set_purpose(param,
		    X509_PURPOSE_ANY) == 1 && X509_verify_cert(ctx) == 1;
	}
	X509_STORE_CTX_free(ctx);
	return ok == 1 ? 0 : -1;
}

enum jws_result
jws_x5c_verify(const struct jwks *set, const json_t *x5c, EVP_PKEY **leaf)
{
	STACK_OF(X509)	*chain;
	enum jws_result	 result = JWS_CERTIFICATE;

	if (jwks_anchors(set) == NULL)
		return JWS_CERTIFICATE;
	chain = chain_parse(x5c);
	if (chain == NULL)
		return JWS_CERTIFICATE;
	if (leaf_may_sign(set, sk_X509_value(chain, 0)) &&
	    chain_verify(set, chain) == 0) {
		*leaf = X509_get_pubkey(sk_X509_value(chain, 0));
		if (*leaf != NULL)
			result = JWS_OK;
	}
	sk_X509_pop_free(chain, X509_free);
	return result;
}
