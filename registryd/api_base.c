/* SPDX-License-Identifier: ISC */
/*
 * GET / for those who ask whether somebody is there, GET /v2/ for those who
 * ask what and with which token.  Runs in the worker.
 */
#include "api.h"

enum step
api_root_get(struct api_request *r)
{
	struct http_response resp;

	http_response_init(&resp, 200);
	http_response_header(&resp, "Cache-Control", "no-cache");
	api_respond(r, &resp);
	return STEP_DONE;
}

enum step
api_base_get(struct api_request *r)
{
	struct http_response resp;

	http_response_init(&resp, 200);
	http_response_header(&resp, "Content-Type", "application/json");
	http_response_body(&resp, "{}", 2);
	api_respond(r, &resp);
	return STEP_DONE;
}
