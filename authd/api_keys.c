/* SPDX-License-Identifier: ISC */
/*
 * The endpoints that tell anybody the same: the public keys that tokens are
 * signed with, and that the service is up.  Runs in the worker.
 */
#include <openssl/evp.h>
#include <string.h>

#include "api_request.h"
#include "encode.h"

#define ETAG_BYTES	16		/* of the SHA-256 of the keys */
#define ETAG_SIZE	(2 * ETAG_BYTES + 3)

/* In quotes; "": none. */
static void
make_etag(char etag[ETAG_SIZE], const char *text)
{
	unsigned char	 digest[EVP_MAX_MD_SIZE];

	*etag = '\0';
	if (EVP_Digest(text, strlen(text), digest, NULL, EVP_sha256(),
	    NULL) != 1)
		return;
	*etag = '"';
	hex_encode(etag + 1, digest, ETAG_BYTES);
	memcpy(etag + 1 + 2 * ETAG_BYTES, "\"", 2);
}

/* An ETag of ours has no part that could be mistaken for it. */
static bool
is_known(const struct request *r, const char *etag)
{
	const char	*known = http_request_header(r->ex, "If-None-Match");

	return known != NULL && *etag != '\0' &&
	    (strcmp(known, "*") == 0 || strstr(known, etag) != NULL);
}

void
api_keys_get(struct request *r)
{
	struct http_response	 res;
	char			 etag[ETAG_SIZE];
	bool			 known;

	make_etag(etag, r->env->jwks);
	known = is_known(r, etag);
	http_response_init(&res, known ? 304 : 200);
	http_response_header(&res, "Cache-Control", "public, max-age=60");
	if (*etag != '\0')
		http_response_header(&res, "ETag", "%s", etag);
	if (!known) {
		http_response_header(&res, "Content-Type",
		    "application/jwk-set+json");
		http_response_body(&res, r->env->jwks, strlen(r->env->jwks));
	}
	r->answered = true;
	http_respond(r->ex, &res);
}

void
api_health_get(struct request *r)
{
	struct http_response	 res;

	http_response_init(&res, 200);
	http_response_header(&res, "Content-Type", "application/json");
	http_response_header(&res, "Cache-Control", "no-store");
	http_response_body(&res, "{}", 2);
	r->answered = true;
	http_respond(r->ex, &res);
}
