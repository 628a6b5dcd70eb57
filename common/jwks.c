/* SPDX-License-Identifier: ISC */
/*
 * The set of keys whose tokens are trusted, and the table of their ids.
 * Filled at start and on reload from what the administrator configured, read
 * for each token.  Runs in registryd's worker.  A kid from a token is only
 * ever compared with this table.
 */
#include "jwks.h"

#include <errno.h>
#include <limits.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "encode.h"
#include "json.h"
#include "str.h"

/* RFC 7638, short, libtrust, generator, and two from JWKS documents. */
#define JWKS_MAX_IDS		(JWKS_MAX_KEYS * 6)
#define JWKS_MAX_ANCHORS	64
#define JWKS_MAX_CERTIFICATE	16384

struct jwks_id {
	char		 kid[JWK_KID_SIZE];
	size_t		 key;
	bool		 ambiguous;	/* names another key, too */
};

struct jwks {
	struct jwk	 keys[JWKS_MAX_KEYS];
	size_t		 nkeys;
	struct jwks_id	 ids[JWKS_MAX_IDS];
	size_t		 nids;
	X509_STORE	*store;
	X509		*anchors[JWKS_MAX_ANCHORS];	/* the store's own */
	size_t		 nanchors;
};

struct jwks *
jwks_new(void)
{
	struct jwks	*set;

	set = calloc(1, sizeof(*set));
	if (set == NULL)
		return NULL;
	set->store = X509_STORE_new();
	if (set->store == NULL) {
		free(set);
		return NULL;
	}
	return set;
}

void
jwks_free(struct jwks *set)
{
	size_t	 i;

	if (set == NULL)
		return;
	for (i = 0; i < set->nkeys; i++)
		EVP_PKEY_free(set->keys[i].pkey);
	for (i = 0; i < set->nanchors; i++)
		X509_free(set->anchors[i]);
	X509_STORE_free(set->store);
	free(set);
}

/* Index of an id; set->nids when there is none. */
static size_t
find_id(const struct jwks *set, const char *kid)
{
	size_t	 i;

	for (i = 0; i < set->nids; i++) {
		if (strcmp(set->ids[i].kid, kid) == 0)
			break;
	}
	return i;
}

static int
add_id(struct jwks *set, const char *kid, size_t key)
{
	struct jwks_id	*id;
	size_t		 i;

	i = find_id(set, kid);
	if (i == JWKS_MAX_IDS)
		return -1;
	id = &set->ids[i];
	if (i < set->nids) {
		if (id->key != key)
			id->ambiguous = true;
		return 0;
	}
	if (str_copy(id->kid, sizeof(id->kid), kid) == -1)
		return -1;
	id->key = key;
	id->ambiguous = false;
	set->nids++;
	return 0;
}

/* The ids that follow from the key itself. */
static int
add_own_ids(struct jwks *set, size_t key)
{
	char	 kid[JWK_KID_SIZE];
	struct jwk *jwk = &set->keys[key];

	if (jwk_thumbprint(jwk->pkey, kid, sizeof(kid)) == -1 ||
	    add_id(set, kid, key) == -1 ||
	    jwk_thumbprint_short(jwk->pkey, kid, sizeof(kid)) == -1 ||
	    add_id(set, kid, key) == -1 ||
	    jwk_libtrust_id(jwk->pkey, kid, sizeof(kid)) == -1 ||
	    add_id(set, kid, key) == -1)
		return -1;
	if (jwk_generator_id(jwk->type) == NULL)
		return 0;
	return add_id(set, jwk_generator_id(jwk->type), key);
}

/* Index of an equal key; set->nkeys when there is none. */
static size_t
find_key(const struct jwks *set, const EVP_PKEY *pkey)
{
	size_t	 i;

	for (i = 0; i < set->nkeys; i++) {
		if (EVP_PKEY_eq(set->keys[i].pkey, pkey) == 1)
			break;
	}
	return i;
}

/*
 * Add a key, or bind the equal one to "alg" when that is not "".  Returns
 * its index, or -1 with a reason.
 */
static int
add_key(struct jwks *set, EVP_PKEY *pkey, const char *alg, char *error,
    size_t errsize)
{
	struct jwk	*jwk;
	size_t		 key;
	int		 type;

	type = jwk_type_of(pkey);
	if (type == -1) {
		snprintf(error, errsize, "neither RSA of 2048 to 16384 bits, "
		    "EC on P-256, P-384 or P-521, nor Ed25519");
		return -1;
	}
	key = find_key(set, pkey);
	if (key == JWKS_MAX_KEYS) {
		snprintf(error, errsize, "more than %d keys", JWKS_MAX_KEYS);
		return -1;
	}
	jwk = &set->keys[key];
	if (key < set->nkeys) {
		if (*alg != '\0' && *jwk->alg != '\0' &&
		    strcmp(jwk->alg, alg) != 0) {
			snprintf(error, errsize, "bound to both %s and %s",
			    jwk->alg, alg);
			return -1;
		}
	} else {
		jwk->pkey = pkey;
		EVP_PKEY_up_ref(pkey);
		jwk->type = (enum jwk_type)type;
		set->nkeys++;
		if (add_own_ids(set, key) == -1) {
			snprintf(error, errsize, "its ids cannot be computed");
			return -1;
		}
	}
	if (*alg != '\0')
		str_copy(jwk->alg, sizeof(jwk->alg), alg);
	return (int)key;
}

static int
add_anchor(struct jwks *set, X509 *certificate, char *error, size_t errsize)
{
	if (jwks_has_anchor(set, certificate))
		return 0;
	if (set->nanchors == JWKS_MAX_ANCHORS ||
	    X509_STORE_add_cert(set->store, certificate) != 1) {
		snprintf(error, errsize, "not taken as a trust anchor");
		return -1;
	}
	X509_up_ref(certificate);
	set->anchors[set->nanchors++] = certificate;
	return 0;
}

/* ---- PEM ---- */

static int
add_pem_certificate(struct jwks *set, const unsigned char *der, long len,
    char *error, size_t errsize)
{
	X509	*certificate;
	int	 ret = -1;

	certificate = d2i_X509(NULL, &der, len);
	if (certificate == NULL) {
		snprintf(error, errsize, "malformed certificate");
		return -1;
	}
	if (X509_get0_pubkey(certificate) == NULL)
		snprintf(error, errsize, "unknown type of key");
	else if (add_key(set, X509_get0_pubkey(certificate), "", error,
	    errsize) != -1)
		ret = add_anchor(set, certificate, error, errsize);
	X509_free(certificate);
	return ret;
}

static int
add_pem_key(struct jwks *set, const unsigned char *der, long len, bool rsa,
    char *error, size_t errsize)
{
	EVP_PKEY	*pkey;
	int		 ret;

	pkey = rsa ? d2i_PublicKey(EVP_PKEY_RSA, NULL, &der, len) :
	    d2i_PUBKEY(NULL, &der, len);
	if (pkey == NULL) {
		snprintf(error, errsize, "malformed public key");
		return -1;
	}
	ret = add_key(set, pkey, "", error, errsize);
	EVP_PKEY_free(pkey);
	return ret == -1 ? -1 : 0;
}

/* 1 when it was taken, 0 when it was passed over, -1 with a reason. */
static int
add_pem_block(struct jwks *set, const char *name, const unsigned char *der,
    long len, char *error, size_t errsize)
{
	int	 ret;

	if (strcmp(name, PEM_STRING_X509) == 0 ||
	    strcmp(name, PEM_STRING_X509_OLD) == 0)
		ret = add_pem_certificate(set, der, len, error, errsize);
	else if (strcmp(name, PEM_STRING_PUBLIC) == 0)
		ret = add_pem_key(set, der, len, false, error, errsize);
	else if (strcmp(name, PEM_STRING_RSA_PUBLIC) == 0)
		ret = add_pem_key(set, der, len, true, error, errsize);
	else if (strstr(name, "PRIVATE KEY") != NULL) {
		snprintf(error, errsize, "a private key, which does not "
		    "belong here");
		ret = -1;
	} else
		return 0;
	return ret == -1 ? -1 : 1;
}

int
jwks_add_pem(struct jwks *set, const char *text, size_t len, char *error,
    size_t errsize)
{
	unsigned char	*der;
	char		*name, *header, reason[128];
	BIO		*bio;
	long		 derlen;
	int		 block = 0, taken = 0, ret = 0;

	bio = len > INT_MAX ? NULL : BIO_new_mem_buf(text, (int)len);
	if (bio == NULL) {
		snprintf(error, errsize, "out of memory");
		return -1;
	}
	while (ret != -1 &&
	    PEM_read_bio(bio, &name, &header, &der, &derlen) == 1) {
		block++;
		ret = add_pem_block(set, name, der, derlen, reason,
		    sizeof(reason));
		if (ret == -1)
			snprintf(error, errsize, "PEM block %d: %s", block,
			    reason);
		else
			taken += ret;
		OPENSSL_free(name);
		OPENSSL_free(header);
		OPENSSL_clear_free(der, (size_t)derlen);
	}
	if (ret != -1 && ERR_GET_REASON(ERR_peek_last_error()) !=
	    PEM_R_NO_START_LINE) {
		snprintf(error, errsize, "PEM block %d: malformed", block + 1);
		ret = -1;
	} else if (ret != -1 && taken == 0) {
		snprintf(error, errsize, "no certificate and no public key");
		ret = -1;
	}
	ERR_clear_error();
	BIO_free(bio);
	return ret == -1 ? -1 : taken;
}

/* ---- JWKS ---- */

/* Is the key for signatures, as far as it says? */
static bool
usable(const json_t *object, const char *alg, int type)
{
	const struct jwk_alg	*known;
	const json_t		*ops;
	const char		*use, *op;
	size_t			 i;

	use = json_string_at(object, "use");
	if (use != NULL && strcmp(use, "sig") != 0)
		return false;
	ops = json_object_get(object, "key_ops");
	for (i = 0; i < json_array_size(ops); i++) {
		op = json_string_value(json_array_get(ops, i));
		if (op != NULL && strcmp(op, "verify") == 0)
			break;
	}
	if (ops != NULL && i == json_array_size(ops))
		return false;
	if (*alg == '\0')
		return true;
	known = jwk_alg_find(alg);
	return known != NULL && (int)known->type == type;
}

/*
 * The first certificate of x5c must hold this key (RFC 7517 section 4.7).
 * A CA's is not taken: that would trust whatever else the CA signs.
 */
static int
add_json_certificate(struct jwks *set, const json_t *object, EVP_PKEY *pkey,
    char *error, size_t errsize)
{
	unsigned char		 der[JWKS_MAX_CERTIFICATE];
	const unsigned char	*p = der;
	const char		*text;
	X509			*certificate = NULL;
	ssize_t			 n = -1;
	int			 ret = -1;

	if (json_object_get(object, "x5c") == NULL)
		return 0;
	text = json_string_value(json_array_get(json_object_get(object,
	    "x5c"), 0));
	if (text != NULL && strlen(text) / 4 * 3 + 3 <= sizeof(der))
		n = base64_decode(der, text, strlen(text));
	if (n > 0)
		certificate = d2i_X509(NULL, &p, (long)n);
	if (certificate == NULL || p != der + n ||
	    X509_get0_pubkey(certificate) == NULL ||
	    EVP_PKEY_eq(X509_get0_pubkey(certificate), pkey) != 1)
		snprintf(error, errsize, "x5c is not this key's certificate");
	else if (X509_check_ca(certificate) != 0)
		ret = 0;
	else
		ret = add_anchor(set, certificate, error, errsize);
	X509_free(certificate);
	return ret;
}

static int
add_json_pkey(struct jwks *set, const json_t *object, EVP_PKEY *pkey,
    char *error, size_t errsize)
{
	const char	*alg, *kid;
	int		 key;

	alg = json_string_at(object, "alg");
	if (alg == NULL)
		alg = "";
	kid = json_string_at(object, "kid");
	if (jwk_type_of(pkey) != -1 &&
	    !usable(object, alg, jwk_type_of(pkey)))
		return 0;
	key = add_key(set, pkey, alg, error, errsize);
	if (key == -1)
		return -1;
	if (kid != NULL && add_id(set, kid, (size_t)key) == -1) {
		snprintf(error, errsize, "kid too long, or too many ids");
		return -1;
	}
	if (add_json_certificate(set, object, pkey, error, errsize) == -1)
		return -1;
	return 1;
}

/* 1 when it was taken, 0 when it was passed over, -1 with a reason. */
static int
add_json_key(struct jwks *set, const json_t *object, char *error,
    size_t errsize)
{
	const char	*kty;
	EVP_PKEY	*pkey;
	int		 ret;

	kty = json_string_at(object, "kty");
	if (kty == NULL) {
		snprintf(error, errsize, "not an object with a kty");
		return -1;
	}
	if (strcmp(kty, "oct") == 0 || json_object_get(object, "k") != NULL ||
	    json_object_get(object, "d") != NULL) {
		snprintf(error, errsize, "a symmetric or private key, which "
		    "does not belong here");
		return -1;
	}
	pkey = jwk_parse(object);
	if (pkey == NULL && errno == ENOTSUP)
		return 0;
	if (pkey == NULL) {
		snprintf(error, errsize, "malformed");
		return -1;
	}
	ret = add_json_pkey(set, object, pkey, error, errsize);
	EVP_PKEY_free(pkey);
	return ret;
}

int
jwks_add_json(struct jwks *set, const char *text, size_t len, char *error,
    size_t errsize)
{
	char		 reason[128];
	const json_t	*keys;
	json_t		*document;
	size_t		 i;
	int		 ret = 0, taken = 0;

	document = json_load_strict(text, len, reason, sizeof(reason));
	if (document == NULL) {
		snprintf(error, errsize, "%s", reason);
		return -1;
	}
	keys = json_object_get(document, "keys");
	for (i = 0; ret != -1 && i < json_array_size(keys); i++) {
		ret = add_json_key(set, json_array_get(keys, i), reason,
		    sizeof(reason));
		if (ret == -1)
			snprintf(error, errsize, "key %zu: %s", i + 1, reason);
		else
			taken += ret;
	}
	if (ret != -1 && taken == 0) {
		snprintf(error, errsize, "no key that can verify tokens");
		ret = -1;
	}
	json_decref(document);
	ERR_clear_error();
	return ret == -1 ? -1 : taken;
}

/* ---- looking up ---- */

size_t
jwks_count(const struct jwks *set)
{
	return set->nkeys;
}

const struct jwk *
jwks_find(const struct jwks *set, const char *kid)
{
	size_t	 i;

	i = find_id(set, kid);
	if (i == set->nids || set->ids[i].ambiguous)
		return NULL;
	return &set->keys[set->ids[i].key];
}

const struct jwk *
jwks_only(const struct jwks *set)
{
	return set->nkeys == 1 ? &set->keys[0] : NULL;
}

const struct jwk *
jwks_find_key(const struct jwks *set, const EVP_PKEY *pkey)
{
	size_t	 i;

	i = find_key(set, pkey);
	return i == set->nkeys ? NULL : &set->keys[i];
}

X509_STORE *
jwks_anchors(const struct jwks *set)
{
	return set->nanchors == 0 ? NULL : set->store;
}

bool
jwks_has_anchor(const struct jwks *set, const X509 *certificate)
{
	size_t	 i;

	for (i = 0; i < set->nanchors; i++) {
		if (X509_cmp(set->anchors[i], certificate) == 0)
			return true;
	}
	return false;
}
