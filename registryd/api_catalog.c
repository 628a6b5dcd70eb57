/* SPDX-License-Identifier: ISC */
/*
 * The repositories of this registry, in distribution's order.  Runs in the
 * worker.  Costs as much as the page, not as the store.
 */
#include "api_page.h"
#include "repo.h"

#define DEFAULT_PAGE	100

enum step
api_catalog_get(struct api_request *r)
{
	struct http_response resp;
	struct api_page_link link = { "/v2/_catalog", NULL, NULL, 0 };
	enum store_result result = STORE_OK;
	char **names = NULL;
	size_t n, nnames = 0;
	bool more = false;

	if (!api_page_size(r, DEFAULT_PAGE, r->conf->catalog_max, &n))
		return STEP_DONE;
	if (n > 0)
		result = repo_list(r->store, uri_param(&r->uri, "last"), n,
		    &names, &nnames, &more);
	if (result != STORE_OK && result != STORE_NOTFOUND)
		return api_fail_store(r, result, API_UNKNOWN, API_UNKNOWN,
		    "list repositories");
	http_response_init(&resp, 200);
	if (more && nnames > 0) {
		link.last = names[nnames - 1];
		link.n = n;
		api_page_link(r, &resp, &link);
	}
	api_page_respond(r, &resp, "{\"repositories\":", names, nnames);
	return STEP_DONE;
}
