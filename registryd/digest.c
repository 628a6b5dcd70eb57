/* SPDX-License-Identifier: ISC */
/*
 * Content digests: their text form and the hashing behind them, by OpenSSL.
 * Runs in workers, keepers and the collector; knows nothing of the store.
 */
#include "digest.h"

#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>

#include "encode.h"
#include "str.h"

struct digest_ctx {
	EVP_MD_CTX	*md;
	enum digest_alg	 alg;
};

static const struct {
	const char	*name;
	size_t		 size;
} algs[] = {
	[DIGEST_SHA256] = { "sha256", 32 },
	[DIGEST_SHA512] = { "sha512", 64 }
};

static const EVP_MD *
digest_evp(enum digest_alg alg)
{
	return alg == DIGEST_SHA512 ? EVP_sha512() : EVP_sha256();
}

const char *
digest_alg_name(enum digest_alg alg)
{
	return algs[alg].name;
}

size_t
digest_alg_size(enum digest_alg alg)
{
	return algs[alg].size;
}

int
digest_alg_parse(enum digest_alg *alg, const char *name)
{
	if (strcmp(name, algs[DIGEST_SHA256].name) == 0)
		*alg = DIGEST_SHA256;
	else if (strcmp(name, algs[DIGEST_SHA512].name) == 0)
		*alg = DIGEST_SHA512;
	else
		return -1;
	return 0;
}

int
digest_parse(struct digest *d, const char *text)
{
	struct digest res;
	const char *hex;

	memset(&res, 0, sizeof(res));
	if (str_starts(text, "sha256:"))
		res.alg = DIGEST_SHA256;
	else if (str_starts(text, "sha512:"))
		res.alg = DIGEST_SHA512;
	else
		return -1;
	hex = text + strlen("sha256:");
	if (strlen(hex) != 2 * algs[res.alg].size)
		return -1;
	if (hex_decode(res.bytes, hex, 2 * algs[res.alg].size) == -1)
		return -1;
	*d = res;
	return 0;
}

char *
digest_hex(char dst[DIGEST_HEX_SIZE], const struct digest *d)
{
	hex_encode(dst, d->bytes, algs[d->alg].size);
	return dst;
}

char *
digest_format(char dst[DIGEST_STR_SIZE], const struct digest *d)
{
	size_t len = strlen(algs[d->alg].name);

	memcpy(dst, algs[d->alg].name, len);
	dst[len++] = ':';
	hex_encode(dst + len, d->bytes, algs[d->alg].size);
	return dst;
}

bool
digest_equal(const struct digest *a, const struct digest *b)
{
	return a->alg == b->alg &&
	    memcmp(a->bytes, b->bytes, algs[a->alg].size) == 0;
}

int
digest_of(struct digest *d, enum digest_alg alg, const void *data, size_t len)
{
	struct digest res;

	memset(&res, 0, sizeof(res));
	res.alg = alg;
	if (EVP_Digest(data, len, res.bytes, NULL, digest_evp(alg), NULL) != 1)
		return -1;
	*d = res;
	return 0;
}

struct digest_ctx *
digest_ctx_new(enum digest_alg alg)
{
	struct digest_ctx *c;

	if ((c = calloc(1, sizeof(*c))) == NULL)
		return NULL;
	c->alg = alg;
	if ((c->md = EVP_MD_CTX_new()) == NULL ||
	    EVP_DigestInit_ex(c->md, digest_evp(alg), NULL) != 1) {
		digest_ctx_free(c);
		return NULL;
	}
	return c;
}

struct digest_ctx *
digest_ctx_copy(const struct digest_ctx *from)
{
	struct digest_ctx *c;

	if ((c = calloc(1, sizeof(*c))) == NULL)
		return NULL;
	c->alg = from->alg;
	if ((c->md = EVP_MD_CTX_new()) == NULL ||
	    EVP_MD_CTX_copy_ex(c->md, from->md) != 1) {
		digest_ctx_free(c);
		return NULL;
	}
	return c;
}

enum digest_alg
digest_ctx_alg(const struct digest_ctx *c)
{
	return c->alg;
}

int
digest_ctx_update(struct digest_ctx *c, const void *data, size_t len)
{
	return EVP_DigestUpdate(c->md, data, len) == 1 ? 0 : -1;
}

int
digest_ctx_result(const struct digest_ctx *c, struct digest *d)
{
	struct digest_ctx *end;
	struct digest res;
	int ok;

	if ((end = digest_ctx_copy(c)) == NULL)
		return -1;
	memset(&res, 0, sizeof(res));
	res.alg = c->alg;
	ok = EVP_DigestFinal_ex(end->md, res.bytes, NULL) == 1;
	digest_ctx_free(end);
	if (!ok)
		return -1;
	*d = res;
	return 0;
}

void
digest_ctx_free(struct digest_ctx *c)
{
	if (c == NULL)
		return;
	EVP_MD_CTX_free(c->md);
	free(c);
}
