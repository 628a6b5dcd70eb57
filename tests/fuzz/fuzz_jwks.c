/* SPDX-License-Identifier: ISC */
/*
 * Key sets: any text is taken or refused with a reason, and a key that is
 * taken is strong, is found by its ids, and survives being written as JSON.
 * The first byte says what the rest is: 'p' PEM, else JSON.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "jwks.h"

#include "../unit/common/token_maker.h"

int	LLVMFuzzerTestOneInput(const uint8_t *, size_t);

static void
check_key(const struct jwks *set, const struct jwk *key)
{
	EVP_PKEY	*back;
	struct buf	 text;
	json_t		*json;
	char		 kid[JWK_KID_SIZE];

	MUST(jwk_type_of(key->pkey) == (int)key->type);
	MUST(EVP_PKEY_get_bits(key->pkey) >= 253);
	MUST(jwk_thumbprint(key->pkey, kid, sizeof(kid)) == 0);
	MUST(jwks_find(set, kid) == key);
	MUST(jwk_libtrust_id(key->pkey, kid, sizeof(kid)) == 0);
	MUST(jwks_find(set, kid) == key);
	MUST(*key->alg == '\0' ||
	    jwk_alg_find(key->alg)->type == key->type);
	buf_init(&text, 65536);
	MUST(jwk_format(&text, key->pkey, "kid", "x", NULL) == 0);
	json = json_loadb(text.data, text.len, 0, NULL);
	MUST(json != NULL);
	back = jwk_parse(json);
	MUST(back != NULL && EVP_PKEY_eq(back, key->pkey) == 1);
	EVP_PKEY_free(back);
	json_decref(json);
	buf_done(&text);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct jwks	*set;
	char		 error[256] = "";
	int		 n;

	if (size == 0)
		return 0;
	set = jwks_new();
	MUST(set != NULL);
	if (data[0] == 'p')
		n = jwks_add_pem(set, (const char *)data + 1, size - 1, error,
		    sizeof(error));
	else
		n = jwks_add_json(set, (const char *)data + 1, size - 1,
		    error, sizeof(error));
	MUST(n == -1 ? error[0] != '\0' : n > 0 && jwks_count(set) > 0);
	MUST(jwks_count(set) <= JWKS_MAX_KEYS);
	if (n != -1 && jwks_only(set) != NULL)
		check_key(set, jwks_only(set));
	jwks_free(set);
	return 0;
}
