/* SPDX-License-Identifier: ISC */
/*
 * The one table from what went wrong to status, headers and body.
 */
#ifndef API_ERROR_H
#define API_ERROR_H

#include <stdint.h>

#include "buf.h"
#include "http.h"
#include "log.h"

enum api_error {
	API_OK,
	API_BAD_REQUEST,
	API_BAD_CREDENTIALS,
	API_NO_CREDENTIALS,
	API_UNKNOWN_SERVICE,
	API_GRANT_TYPE,
	API_TOO_MANY_SCOPES,
	API_NOT_FOUND,
	API_METHOD,			/* needs "allow" */
	API_TOO_LARGE,
	API_THROTTLED,
	API_UNAVAILABLE
};

struct api_error_args {
	const char	*realm;		/* of the challenge of a 401 */
	const char	*allow;		/* methods, for 405 */
	uint32_t	 retry_after;	/* seconds, for 429 and 503 */
};

/* Answer the exchange. */
void		 api_error_respond(struct http_exchange *, enum api_error,
		    const struct api_error_args *);
/* Body for a request that never became one (http_server_ops). */
void		 api_error_bad_request(int status, const char *reason,
		    struct buf *body, const char **content_type);
/* For the log: "UNAUTHORIZED", "incorrect username or password". */
const char	*api_error_code(enum api_error);
const char	*api_error_message(enum api_error);
enum log_level	 api_error_level(enum api_error);

#endif
