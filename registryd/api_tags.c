/* SPDX-License-Identifier: ISC */
/*
 * The tags of a repository, in byte order.  Runs in the worker.
 */
#include <stdio.h>

#include "api_page.h"
#include "repo.h"
#include "tag.h"

/* No tags: is it a repository at all? */
static enum step
answer_empty(struct api_request *r, const char *head)
{
	struct http_response resp;
	enum store_result result = repo_stat(r->store, api_name(r));

	if (result == STORE_NOTFOUND)
		return api_fail_with(r, NULL, API_NAME_UNKNOWN,
		    json_pack("{s:s}", "name", api_name(r)), false);
	if (result != STORE_OK)
		return api_fail_store(r, result, API_NAME_UNKNOWN,
		    API_UNKNOWN, "find repository");
	http_response_init(&resp, 200);
	api_page_respond(r, &resp, head, NULL, 0);
	return STEP_DONE;
}

enum step
api_tags_get(struct api_request *r)
{
	struct http_response resp;
	struct api_page_link link = { NULL, NULL, NULL, 0 };
	enum store_result result = STORE_OK;
	char **names = NULL;
	char head[REPO_NAME_SIZE + 32], path[REPO_NAME_SIZE + 32];
	size_t n, nnames = 0;
	bool more = false;

	if (!api_page_size(r, r->conf->tags_max, r->conf->tags_max, &n))
		return STEP_DONE;
	if (n > 0)
		result = tag_list(r->store, api_name(r),
		    uri_param(&r->uri, "last"), n, &names, &nnames, &more);
	if (result != STORE_OK && result != STORE_NOTFOUND)
		return api_fail_store(r, result, API_NAME_UNKNOWN,
		    API_UNKNOWN, "list tags");
	(void)snprintf(head, sizeof(head), "{\"name\":\"%s\",\"tags\":",
	    api_name(r));
	if (nnames == 0) {
		store_names_free(names, nnames);
		return answer_empty(r, head);
	}
	http_response_init(&resp, 200);
	if (more) {
		(void)snprintf(path, sizeof(path), "/v2/%s/tags/list",
		    api_name(r));
		link.path = path;
		link.last = names[nnames - 1];
		link.n = n;
		api_page_link(r, &resp, &link);
	}
	api_page_respond(r, &resp, head, names, nnames);
	return STEP_DONE;
}
