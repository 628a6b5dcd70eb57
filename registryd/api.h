/* SPDX-License-Identifier: ISC */
/*
 * One request as its handlers see it, and the handlers.
 */
#ifndef API_H
#define API_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "access.h"
#include "api_error.h"
#include "conf.h"
#include "http.h"
#include "keeper_client.h"
#include "manifest_types.h"
#include "route.h"
#include "store.h"
#include "uri.h"
#include "throttle.h"
#include "verifiers.h"

#define REQUEST_ID_SIZE	33

struct api_request {
	struct loop	*loop;
	struct http_exchange *exchange;
	const struct http_request *head;
	const struct registry_conf *conf;
	struct store	*store;
	struct keepers	*keepers;
	struct throttle	*throttle;	/* or NULL */
	struct verifiers *verifiers;
	struct access	*access;
	struct manifest_types *types;
	const char	*prefix;	/* of paths, without slash at its end */

	char		 id[REQUEST_ID_SIZE];
	struct uri	 uri;
	struct route_match match;
	struct access_answer grant;
	size_t		 step;
	struct password_check *password_check;	/* while one runs */
	uint64_t	 penalty_ms;	/* no password of this address counts */
	bool		 checked;	/* a password was: */
	enum cred_verdict verdict;
	char		 why[CRED_REASON_SIZE];

	/* What a handler leaves until its keeper answers. */
	struct keeper_call *call;
	void		*state;
	void		(*state_free)(void *);

	/* For the log: the error that was answered. */
	bool		 failed;
	enum api_error	 error;
	char		 detail[256];
};

/* ---- handlers, one for each row of the route table ---- */
api_handler_fn	 api_root_get;
api_handler_fn	 api_base_get;
api_handler_fn	 api_catalog_get;
api_handler_fn	 api_tags_get;
api_handler_fn	 api_referrers_get;
api_handler_fn	 api_manifest_get;
api_handler_fn	 api_manifest_put;
api_handler_fn	 api_manifest_delete;
api_handler_fn	 api_blob_get;
api_handler_fn	 api_blob_delete;
api_handler_fn	 api_upload_post;
api_handler_fn	 api_upload_get;
api_handler_fn	 api_upload_patch;
api_handler_fn	 api_upload_put;
api_handler_fn	 api_upload_delete;

/* ---- api_response.c: what every answer has ---- */
/* Send; adds the headers that all answers of the API have. */
void		 api_respond(struct api_request *, struct http_response *);
void		 api_respond_stream(struct api_request *,
		    struct http_response *, http_produce_fn *, void *arg);
/* Location: "/v2/..." below the prefix, absolute where configured. */
void		 api_location(struct api_request *, struct http_response *,
		    const char *path);
/* Warning: 299 - "text"; the text is ours. */
void		 api_warn(struct http_response *, const char *text);
/* Does If-None-Match hold this digest (quoted, weak, bare or a star)? */
bool		 api_etag_matches(const char *header, const char *digest);
/* The repository's name. */
const char	*api_name(const struct api_request *);
/* The one value of a parameter; NULL when absent; *several is set if so. */
const char	*api_param(const struct api_request *, const char *name,
		    bool *several);

#endif
