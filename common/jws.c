/* SPDX-License-Identifier: ISC */
/*
 * Verification of one token, in an order that leaves a forger nothing to
 * choose: form, algorithm, key, signature, and only then the claims are
 * parsed.  Runs in registryd's worker, on bytes from anybody.  There is no
 * HMAC here, and no key but those of the set is ever used.
 */
#include "jws.h"

#include <limits.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/rsa.h>
#include <string.h>

#include "encode.h"
#include "json.h"
#include "str.h"

#define JWS_MAX_BYTES	(JWS_MAX_SIZE / 4 * 3 + 3)	/* decoded */
#define JWS_MAX_DER	160		/* two integers of 66 bytes */

struct jws_segment {
	const char	*text;
	size_t		 len;
};

/* The key that must have signed. */
struct jws_key {
	EVP_PKEY	*pkey;			/* a reference of its own */
	int		 type;			/* enum jwk_type, or -1 */
	const char	*bound;			/* its algorithm, "" for any */
};

struct jws_header {
	json_t			*json;		/* what kid points into */
	const struct jwk_alg	*alg;
	const char		*kid;		/* NULL when absent */
	const json_t		*x5c;		/* NULL when absent */
};

const char *
jws_result_text(enum jws_result result)
{
	switch (result) {
	case JWS_OK:
		return "good";
	case JWS_MALFORMED:
		return "malformed token";
	case JWS_ALGORITHM:
		return "signature algorithm not allowed";
	case JWS_UNKNOWN_KEY:
		return "signed by an unknown key";
	case JWS_CERTIFICATE:
		return "certificate chain not trusted";
	case JWS_SIGNATURE:
		return "wrong signature";
	case JWS_NOMEM:
		return "out of memory";
	}
	return "unknown result";
}

/* Exactly three segments, none of them empty. */
static int
split(const char *token, size_t len, struct jws_segment seg[3])
{
	const char	*dot;
	size_t		 i;

	if (len > JWS_MAX_SIZE)
		return -1;
	for (i = 0; i < 3; i++) {
		dot = memchr(token, '.', len);
		if ((dot == NULL) != (i == 2))
			return -1;
		seg[i].text = token;
		seg[i].len = dot == NULL ? len : (size_t)(dot - token);
		if (seg[i].len == 0)
			return -1;
		token += seg[i].len + 1;
		len -= dot == NULL ? len : seg[i].len + 1;
	}
	return 0;
}

static json_t *
segment_json(const struct jws_segment *seg)
{
	unsigned char	 bytes[JWS_MAX_BYTES];
	char		 reason[80];
	json_t		*json;
	ssize_t		 n;

	n = base64url_decode(bytes, seg->text, seg->len);
	if (n <= 0)
		return NULL;
	json = json_load_strict((const char *)bytes, (size_t)n, reason,
	    sizeof(reason));
	if (!json_is_object(json)) {
		json_decref(json);
		return NULL;
	}
	return json;
}

/* A member that may be absent but must be a string. */
static int
optional_string(const json_t *object, const char *key, const char **value)
{
	const json_t	*member;

	member = json_object_get(object, key);
	*value = json_string_value(member);
	return member != NULL && *value == NULL ? -1 : 0;
}

/*
 * crit names extensions that must be understood, and we have none; b64 and
 * zip change what the bytes are.  jwk, jku and x5u would let the token bring
 * its own key: they are not even looked at.
 */
static enum jws_result
header_check(struct jws_header *header)
{
	const char	*typ, *alg;

	if (json_object_get(header->json, "crit") != NULL ||
	    json_object_get(header->json, "b64") != NULL ||
	    json_object_get(header->json, "zip") != NULL)
		return JWS_MALFORMED;
	if (optional_string(header->json, "typ", &typ) == -1 ||
	    optional_string(header->json, "kid", &header->kid) == -1 ||
	    optional_string(header->json, "alg", &alg) == -1 || alg == NULL)
		return JWS_MALFORMED;
	if (typ != NULL && !str_equal_nocase(typ, "JWT") &&
	    !str_equal_nocase(typ, "at+jwt"))
		return JWS_MALFORMED;
	header->x5c = json_object_get(header->json, "x5c");
	header->alg = jwk_alg_find(alg);
	return header->alg == NULL ? JWS_ALGORITHM : JWS_OK;
}

/* RFC 7518 section 3.4: R and S of the field's size, side by side. */
static ssize_t
signature_to_der(unsigned char der[JWS_MAX_DER], const unsigned char *raw,
    size_t len, enum jwk_type type)
{
	ECDSA_SIG	*sig;
	BIGNUM		*r, *s;
	size_t		 size;
	int		 n = -1;

	size = type == JWK_P256 ? 32 : type == JWK_P384 ? 48 : 66;
	if (len != 2 * size)
		return -1;
	sig = ECDSA_SIG_new();
	r = BN_bin2bn(raw, (int)size, NULL);
	s = BN_bin2bn(raw + size, (int)size, NULL);
	if (sig == NULL || r == NULL || s == NULL ||
	    ECDSA_SIG_set0(sig, r, s) != 1) {
		BN_free(r);
		BN_free(s);
	} else if (i2d_ECDSA_SIG(sig, NULL) <= JWS_MAX_DER)
		n = i2d_ECDSA_SIG(sig, &der);
	ECDSA_SIG_free(sig);
	return n;
}

static enum jws_result
digest_verify(const struct jwk_alg *alg, EVP_PKEY *pkey,
    const struct jws_segment *input, const unsigned char *sig, size_t siglen)
{
	EVP_MD_CTX	*ctx;
	EVP_PKEY_CTX	*pctx;
	enum jws_result	 result = JWS_SIGNATURE;

	ctx = EVP_MD_CTX_new();
	if (ctx == NULL)
		return JWS_NOMEM;
	if (EVP_DigestVerifyInit(ctx, &pctx,
	    alg->digest == NULL ? NULL : alg->digest(), NULL, pkey) != 1)
		goto out;
	if (alg->pss && (EVP_PKEY_CTX_set_rsa_padding(pctx,
	    RSA_PKCS1_PSS_PADDING) != 1 ||
	    EVP_PKEY_CTX_set_rsa_pss_saltlen(pctx,
	    RSA_PSS_SALTLEN_DIGEST) != 1))
		goto out;
	if (EVP_DigestVerify(ctx, sig, siglen,
	    (const unsigned char *)input->text, input->len) == 1)
		result = JWS_OK;
out:
	EVP_MD_CTX_free(ctx);
	return result;
}

static enum jws_result
signature_verify(const struct jwk_alg *alg, EVP_PKEY *pkey,
    const struct jws_segment *input, const struct jws_segment *signature)
{
	unsigned char	 raw[JWS_MAX_BYTES], der[JWS_MAX_DER];
	ssize_t		 n;

	n = base64url_decode(raw, signature->text, signature->len);
	if (n <= 0)
		return JWS_MALFORMED;
	if (alg->type == JWK_RSA || alg->type == JWK_ED25519)
		return digest_verify(alg, pkey, input, raw, (size_t)n);
	n = signature_to_der(der, raw, (size_t)n, alg->type);
	if (n == -1)
		return JWS_SIGNATURE;
	return digest_verify(alg, pkey, input, der, (size_t)n);
}

static enum jws_result
find_key(const struct jwks *set, const struct jws_header *header,
    struct jws_key *found)
{
	const struct jwk	*key;
	enum jws_result		 result;

	if (header->x5c != NULL) {
		result = jws_x5c_verify(set, header->x5c, &found->pkey);
		if (result != JWS_OK)
			return result;
		found->type = jwk_type_of(found->pkey);
		key = jwks_find_key(set, found->pkey);
		found->bound = key == NULL ? "" : key->alg;
		return JWS_OK;
	}
	key = header->kid != NULL ? jwks_find(set, header->kid) :
	    jwks_only(set);
	if (key == NULL)
		return JWS_UNKNOWN_KEY;
	EVP_PKEY_up_ref(key->pkey);
	found->pkey = key->pkey;
	found->type = (int)key->type;
	found->bound = key->alg;
	return JWS_OK;
}

/* The key is found and fits, then the signature is good. */
static enum jws_result
key_verify(const struct jwks *set, const struct jws_header *header,
    const struct jws_segment *input, const struct jws_segment *signature)
{
	struct jws_key	 key = { NULL, -1, "" };
	enum jws_result	 result;

	result = find_key(set, header, &key);
	if (result != JWS_OK)
		return result;
	if (key.type != (int)header->alg->type || (*key.bound != '\0' &&
	    strcmp(key.bound, header->alg->name) != 0))
		result = JWS_ALGORITHM;
	else
		result = signature_verify(header->alg, key.pkey, input,
		    signature);
	EVP_PKEY_free(key.pkey);
	return result;
}

enum jws_result
jws_verify(const struct jwks *set, const char *token, size_t len,
    json_t **claims)
{
	struct jws_header	 header = { NULL, NULL, NULL, NULL };
	struct jws_segment	 seg[3], input;
	enum jws_result		 result;
	json_t			*body;

	if (split(token, len, seg) == -1)
		return JWS_MALFORMED;
	header.json = segment_json(&seg[0]);
	if (header.json == NULL)
		return JWS_MALFORMED;
	input.text = token;
	input.len = seg[0].len + 1 + seg[1].len;
	result = header_check(&header);
	if (result == JWS_OK)
		result = key_verify(set, &header, &input, &seg[2]);
	/* TLS looks at the same queue of errors. */
	ERR_clear_error();
	json_decref(header.json);
	if (result != JWS_OK)
		return result;
	body = segment_json(&seg[1]);
	if (body == NULL)
		return JWS_MALFORMED;
	*claims = body;
	return JWS_OK;
}
