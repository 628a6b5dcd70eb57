/* SPDX-License-Identifier: ISC */
/*
 * One public key as RFC 7517 sees it: its type, its algorithms, its ids and
 * its text.  Runs in registryd's worker and in authd's signer and parent.
 * Only OpenSSL's EVP interface, so that a key may live in a provider.
 */
#include "jwks.h"

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/sha.h>
#include <string.h>

#include "encode.h"
#include "str.h"

#define JWK_MIN_RSA_BITS	2048
#define JWK_MAX_RSA_BITS	16384	/* OpenSSL verifies none above */
#define JWK_MAX_TEXT		16384	/* of a key's members or certificate */

static const struct jwk_alg jwk_algs[] = {
	{ "RS256",	JWK_RSA,	EVP_sha256,	false },
	{ "RS384",	JWK_RSA,	EVP_sha384,	false },
	{ "RS512",	JWK_RSA,	EVP_sha512,	false },
	{ "PS256",	JWK_RSA,	EVP_sha256,	true },
	{ "PS384",	JWK_RSA,	EVP_sha384,	true },
	{ "PS512",	JWK_RSA,	EVP_sha512,	true },
	{ "ES256",	JWK_P256,	EVP_sha256,	false },
	{ "ES384",	JWK_P384,	EVP_sha384,	false },
	{ "ES512",	JWK_P521,	EVP_sha512,	false },
	{ "EdDSA",	JWK_ED25519,	NULL,		false },
};

/* Group is OpenSSL's name of the curve, crv that of RFC 7518. */
static const struct jwk_curve {
	enum jwk_type	 type;
	const char	*group;
	const char	*crv;
	size_t		 size;			/* bytes of a coordinate */
	const char	*generator_id;
} jwk_curves[] = {
	{ JWK_P256, "prime256v1", "P-256", 32,
	    "xx0BcA-wMohw8atYDJOe6peGModklG2wRHBlXHMvl0M" },
	{ JWK_P384, "secp384r1", "P-384", 48,
	    "-W6Wzot_wuerYbKBVKfGEks3iY2EALna-hBqObnPuJE" },
	{ JWK_P521, "secp521r1", "P-521", 66,
	    "67t2ktf21o_Z2-ygUyR0zriEF9PMHtlT1l4q9rGSYOM" },
};
#define JWK_NCURVES	(sizeof(jwk_curves) / sizeof(jwk_curves[0]))

const struct jwk_alg *
jwk_alg_find(const char *name)
{
	size_t	 i;

	for (i = 0; i < sizeof(jwk_algs) / sizeof(jwk_algs[0]); i++) {
		if (strcmp(jwk_algs[i].name, name) == 0)
			return &jwk_algs[i];
	}
	return NULL;
}

static const struct jwk_curve *
curve_of_type(int type)
{
	size_t	 i;

	for (i = 0; i < JWK_NCURVES; i++) {
		if ((int)jwk_curves[i].type == type)
			return &jwk_curves[i];
	}
	return NULL;
}

const char *
jwk_generator_id(enum jwk_type type)
{
	const struct jwk_curve	*curve;

	curve = curve_of_type((int)type);
	return curve == NULL ? NULL : curve->generator_id;
}

static int
ec_type(const EVP_PKEY *pkey)
{
	char	 group[32];
	size_t	 i;
	int	 explicit = 0;

	/* A curve spelled out in numbers is not a named curve. */
	if (EVP_PKEY_get_int_param(pkey,
	    OSSL_PKEY_PARAM_EC_DECODED_FROM_EXPLICIT_PARAMS, &explicit) == 1 &&
	    explicit != 0)
		return -1;
	if (EVP_PKEY_get_group_name(pkey, group, sizeof(group), NULL) != 1)
		return -1;
	for (i = 0; i < JWK_NCURVES; i++) {
		if (strcmp(jwk_curves[i].group, group) == 0)
			return (int)jwk_curves[i].type;
	}
	return -1;
}

/* With e = 1, or even, anybody could sign. */
static int
rsa_type(const EVP_PKEY *pkey)
{
	BIGNUM	*e = NULL;
	int	 type = -1;

	if (EVP_PKEY_get_bits(pkey) >= JWK_MIN_RSA_BITS &&
	    EVP_PKEY_get_bits(pkey) <= JWK_MAX_RSA_BITS &&
	    EVP_PKEY_get_bn_param(pkey, OSSL_PKEY_PARAM_RSA_E, &e) == 1 &&
	    BN_is_odd(e) && !BN_is_one(e))
		type = JWK_RSA;
	BN_free(e);
	return type;
}

int
jwk_type_of(const EVP_PKEY *pkey)
{
	int	 type;

	switch (EVP_PKEY_get_base_id(pkey)) {
	case EVP_PKEY_RSA:
		type = rsa_type(pkey);
		break;
	case EVP_PKEY_EC:
		type = ec_type(pkey);
		break;
	case EVP_PKEY_ED25519:
		type = JWK_ED25519;
		break;
	default:
		type = -1;
	}
	if (type == -1)
		ERR_clear_error();
	return type;
}

/* '"name":"number in base64url"', at least "size" bytes long. */
static void
add_number(struct buf *buf, EVP_PKEY *pkey, const char *name,
    const char *param, size_t size)
{
	unsigned char	 bytes[JWK_MAX_RSA_BITS / 8];
	BIGNUM		*number = NULL;
	char		*text;
	size_t		 len;

	if (EVP_PKEY_get_bn_param(pkey, param, &number) != 1) {
		buf->failed = true;
		return;
	}
	len = (size_t)BN_num_bytes(number);
	if (len < size)
		len = size;
	buf_addf(buf, "\"%s\":\"", name);
	text = buf_reserve(buf, BASE64_LEN(len) + 1);
	if (len > sizeof(bytes) || text == NULL ||
	    BN_bn2binpad(number, bytes, (int)len) == -1)
		buf->failed = true;
	else
		buf_commit(buf, base64url_encode(text, bytes, len));
	buf_addc(buf, '"');
	BN_free(number);
}

static void
add_okp(struct buf *buf, EVP_PKEY *pkey)
{
	unsigned char	 bytes[32];
	char		 text[BASE64_LEN(sizeof(bytes)) + 1];
	size_t		 len = sizeof(bytes);

	if (EVP_PKEY_get_raw_public_key(pkey, bytes, &len) != 1) {
		buf->failed = true;
		return;
	}
	base64url_encode(text, bytes, len);
	buf_addf(buf, "\"crv\":\"Ed25519\",\"kty\":\"OKP\",\"x\":\"%s\"", text);
}

/* The members that RFC 7638 hashes, in its order, without braces. */
static int
add_members(struct buf *buf, EVP_PKEY *pkey, bool padded)
{
	const struct jwk_curve	*curve;
	int			 type;

	type = jwk_type_of(pkey);
	curve = curve_of_type(type);
	if (curve != NULL) {
		buf_addf(buf, "\"crv\":\"%s\",\"kty\":\"EC\",", curve->crv);
		add_number(buf, pkey, "x", OSSL_PKEY_PARAM_EC_PUB_X,
		    padded ? curve->size : 0);
		buf_addc(buf, ',');
		add_number(buf, pkey, "y", OSSL_PKEY_PARAM_EC_PUB_Y,
		    padded ? curve->size : 0);
	} else if (type == JWK_RSA) {
		add_number(buf, pkey, "e", OSSL_PKEY_PARAM_RSA_E, 0);
		buf_addstr(buf, ",\"kty\":\"RSA\",");
		add_number(buf, pkey, "n", OSSL_PKEY_PARAM_RSA_N, 0);
	} else if (type == JWK_ED25519)
		add_okp(buf, pkey);
	else
		return -1;
	return buf_failed(buf) ? -1 : 0;
}

static int
thumbprint(EVP_PKEY *pkey, bool padded, char *dst, size_t size)
{
	unsigned char	 hash[SHA256_DIGEST_LENGTH];
	char		 id[BASE64_LEN(sizeof(hash)) + 1];
	struct buf	 text;
	int		 ret = -1;

	buf_init(&text, JWK_MAX_TEXT);
	buf_addc(&text, '{');
	if (add_members(&text, pkey, padded) == 0 &&
	    buf_addc(&text, '}') == 0 &&
	    EVP_Digest(text.data, text.len, hash, NULL, EVP_sha256(),
	    NULL) == 1) {
		base64url_encode(id, hash, sizeof(hash));
		ret = str_copy(dst, size, id);
	}
	buf_done(&text);
	return ret;
}

int
jwk_thumbprint(EVP_PKEY *pkey, char *dst, size_t size)
{
	return thumbprint(pkey, true, dst, size);
}

int
jwk_thumbprint_short(EVP_PKEY *pkey, char *dst, size_t size)
{
	return thumbprint(pkey, false, dst, size);
}

int
jwk_libtrust_id(EVP_PKEY *pkey, char *dst, size_t size)
{
	unsigned char	 hash[SHA256_DIGEST_LENGTH];
	unsigned char	*der = NULL;
	char		 text[49];		/* base32 of 30 bytes */
	size_t		 i;
	int		 len, ok;

	len = i2d_PUBKEY(pkey, &der);
	if (len <= 0)
		return -1;
	ok = EVP_Digest(der, (size_t)len, hash, NULL, EVP_sha256(), NULL);
	OPENSSL_free(der);
	if (ok != 1 || size < 60)
		return -1;
	base32_encode(text, hash, 30);
	for (i = 0; i < 12; i++) {
		memcpy(dst + 5 * i, text + 4 * i, 4);
		dst[5 * i + 4] = ':';
	}
	dst[59] = '\0';
	return 0;
}

static void
add_x5c(struct buf *buf, X509 *certificate)
{
	unsigned char	*der = NULL;
	char		*text;
	int		 len;

	len = i2d_X509(certificate, &der);
	if (len <= 0) {
		buf->failed = true;
		return;
	}
	buf_addstr(buf, ",\"x5c\":[\"");
	text = buf_reserve(buf, BASE64_LEN((size_t)len) + 1);
	if (text != NULL)
		buf_commit(buf, base64_encode(text, der, (size_t)len));
	buf_addstr(buf, "\"]");
	OPENSSL_free(der);
}

int
jwk_format(struct buf *buf, EVP_PKEY *pkey, const char *kid, const char *alg,
    X509 *certificate)
{
	buf_addc(buf, '{');
	if (add_members(buf, pkey, true) == -1)
		return -1;
	buf_addf(buf, ",\"use\":\"sig\",\"alg\":\"%s\",\"kid\":\"%s\"", alg,
	    kid);
	if (certificate != NULL)
		add_x5c(buf, certificate);
	buf_addc(buf, '}');
	return buf_failed(buf) ? -1 : 0;
}
