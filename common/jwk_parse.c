/* SPDX-License-Identifier: ISC */
/*
 * A public key from a JSON Web Key (RFC 7517, RFC 7518 section 6, RFC 8037).
 * Runs where key sets are loaded: on documents that the administrator
 * trusts, yet strictly.  Private and symmetric keys are not keys here.
 */
#include "jwks.h"

#include <errno.h>
#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/param_build.h>
#include <string.h>

#include "encode.h"
#include "json.h"

#define JWK_MAX_NUMBER	2048		/* bytes: 16384 bits */
#define JWK_MAX_COORD	66		/* of P-521 */

/* Bytes of a base64url member into dst; 0 when absent or malformed. */
static size_t
member_bytes(const json_t *object, const char *key, unsigned char *dst,
    size_t max)
{
	unsigned char	 bytes[JWK_MAX_NUMBER + 3];
	const char	*text;
	ssize_t		 n;
	size_t		 len;

	text = json_string_at(object, key);
	if (text == NULL)
		return 0;
	len = strlen(text);
	if (len > BASE64_LEN(max))
		return 0;
	n = base64url_decode(bytes, text, len);
	if (n <= 0 || (size_t)n > max)
		return 0;
	memcpy(dst, bytes, (size_t)n);
	return (size_t)n;
}

/* Build a key of this type from parameters; frees them. */
static EVP_PKEY *
key_from_params(const char *type, OSSL_PARAM_BLD *build)
{
	OSSL_PARAM	*params;
	EVP_PKEY_CTX	*ctx;
	EVP_PKEY	*pkey = NULL;

	params = OSSL_PARAM_BLD_to_param(build);
	ctx = EVP_PKEY_CTX_new_from_name(NULL, type, NULL);
	if (params == NULL || ctx == NULL ||
	    EVP_PKEY_fromdata_init(ctx) != 1 ||
	    EVP_PKEY_fromdata(ctx, &pkey, EVP_PKEY_PUBLIC_KEY, params) != 1)
		pkey = NULL;
	EVP_PKEY_CTX_free(ctx);
	OSSL_PARAM_free(params);
	OSSL_PARAM_BLD_free(build);
	return pkey;
}

static EVP_PKEY *
parse_rsa(const json_t *object)
{
	unsigned char	 bytes[JWK_MAX_NUMBER];
	OSSL_PARAM_BLD	*build;
	BIGNUM		*n, *e;
	EVP_PKEY	*pkey = NULL;
	size_t		 len;

	len = member_bytes(object, "n", bytes, sizeof(bytes));
	n = len == 0 ? NULL : BN_bin2bn(bytes, (int)len, NULL);
	len = member_bytes(object, "e", bytes, 8);
	e = len == 0 ? NULL : BN_bin2bn(bytes, (int)len, NULL);
	build = OSSL_PARAM_BLD_new();
	if (n != NULL && e != NULL && build != NULL &&
	    OSSL_PARAM_BLD_push_BN(build, OSSL_PKEY_PARAM_RSA_N, n) == 1 &&
	    OSSL_PARAM_BLD_push_BN(build, OSSL_PKEY_PARAM_RSA_E, e) == 1)
		pkey = key_from_params("RSA", build);
	else
		OSSL_PARAM_BLD_free(build);
	BN_free(n);
	BN_free(e);
	return pkey;
}

static EVP_PKEY *
parse_ec(const json_t *object)
{
	static const struct {
		const char	*crv;
		const char	*group;
		size_t		 size;
	} curves[] = {
		{ "P-256", "prime256v1", 32 },
		{ "P-384", "secp384r1", 48 },
		{ "P-521", "secp521r1", 66 },
	};
	unsigned char	 point[1 + 2 * JWK_MAX_COORD];
	const char	*crv;
	OSSL_PARAM_BLD	*build;
	size_t		 i, size;

	crv = json_string_at(object, "crv");
	for (i = 0; i < 3; i++) {
		if (crv != NULL && strcmp(curves[i].crv, crv) == 0)
			break;
	}
	if (i == 3) {
		errno = crv == NULL ? EINVAL : ENOTSUP;
		return NULL;
	}
	size = curves[i].size;
	point[0] = 0x04;		/* uncompressed */
	if (member_bytes(object, "x", point + 1, size) != size ||
	    member_bytes(object, "y", point + 1 + size, size) != size)
		return NULL;
	build = OSSL_PARAM_BLD_new();
	if (build == NULL || OSSL_PARAM_BLD_push_utf8_string(build,
	    OSSL_PKEY_PARAM_GROUP_NAME, curves[i].group, 0) != 1 ||
	    OSSL_PARAM_BLD_push_octet_string(build, OSSL_PKEY_PARAM_PUB_KEY,
	    point, 1 + 2 * size) != 1) {
		OSSL_PARAM_BLD_free(build);
		return NULL;
	}
	return key_from_params("EC", build);
}

static EVP_PKEY *
parse_okp(const json_t *object)
{
	unsigned char	 bytes[32];
	const char	*crv;

	crv = json_string_at(object, "crv");
	if (crv == NULL)
		return NULL;
	if (strcmp(crv, "Ed25519") != 0) {
		errno = ENOTSUP;
		return NULL;
	}
	if (member_bytes(object, "x", bytes, sizeof(bytes)) != sizeof(bytes))
		return NULL;
	return EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, NULL, bytes,
	    sizeof(bytes));
}

EVP_PKEY *
jwk_parse(const json_t *object)
{
	const char	*kty;
	EVP_PKEY	*pkey = NULL;

	errno = EINVAL;
	kty = json_string_at(object, "kty");
	if (kty == NULL)
		return NULL;
	if (strcmp(kty, "RSA") == 0)
		pkey = parse_rsa(object);
	else if (strcmp(kty, "EC") == 0)
		pkey = parse_ec(object);
	else if (strcmp(kty, "OKP") == 0)
		pkey = parse_okp(object);
	else
		errno = ENOTSUP;
	if (pkey == NULL)
		ERR_clear_error();
	return pkey;
}
