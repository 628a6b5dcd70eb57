/* SPDX-License-Identifier: ISC */
/*
 * The endpoints that tell anybody the same: the public keys that tokens are
 * signed with, and that the service is up.  Runs in the worker.
 */
#include <string.h>

#include "api_request.h"

static void
respond(struct request *r, const char *type, const char *cache,
    const char *text)
{
	struct http_response	 res;

	http_response_init(&res, 200);
	http_response_header(&res, "Content-Type", "%s", type);
	http_response_header(&res, "Cache-Control", "%s", cache);
	http_response_body(&res, text, strlen(text));
	r->answered = true;
	http_respond(r->ex, &res);
}

void
api_keys_get(struct request *r)
{
	respond(r, "application/jwk-set+json", "public, max-age=60",
	    r->env->jwks);
}

void
api_health_get(struct request *r)
{
	respond(r, "application/json", "no-store", "{}");
}
