/* SPDX-License-Identifier: ISC */
/*
 * Errors as clients see them: the only table of results to HTTP status, code
 * and message.
 */
#ifndef API_ERROR_H
#define API_ERROR_H

#include <jansson.h>

#include "buf.h"
#include "http.h"
#include "route.h"
#include "store.h"

enum api_error {
	API_UNKNOWN,			/* 500: our fault */
	API_UNAVAILABLE,		/* 503: later */
	API_BUSY,			/* 503: others change it, too */
	API_THROTTLED,			/* 429: too many wrong passwords */
	API_NOSPACE,			/* 507 */
	API_BAD_REQUEST,
	API_NO_ENDPOINT,
	API_UNSUPPORTED,		/* 405 */
	API_ENCODING,			/* 415 */
	API_UNAUTHORIZED,
	API_NAME_INVALID,
	API_NAME_UNKNOWN,
	API_DIGEST_INVALID,
	API_SIZE_INVALID,
	API_RANGE_INVALID,
	API_BLOB_UNKNOWN,
	API_BLOB_IN_USE,
	API_BLOB_TOO_LARGE,
	API_UPLOAD_UNKNOWN,
	API_UPLOAD_BUSY,
	API_UPLOAD_REMOVED,
	API_MANIFEST_UNKNOWN,
	API_MANIFEST_INVALID,
	API_MANIFEST_TOO_LARGE,
	API_MANIFEST_BLOB_UNKNOWN,
	API_TAG_INVALID,
	API_TOO_MANY_TAGS,
	API_PAGE_INVALID,
	API_NERRORS
};

int		 api_error_status(enum api_error);
const char	*api_error_code(enum api_error);
const char	*api_error_message(enum api_error);
/* What a store's result means; NOTFOUND and MISMATCH as the caller says. */
enum api_error	 api_error_of(enum store_result, enum api_error notfound,
		    enum api_error mismatch);
/*
 * The body.  Takes the reference to detail (NULL: none).  With "each",
 * detail is an array and every element becomes an error of its own.
 */
void		 api_error_format(struct buf *, enum api_error, json_t *detail,
		    bool each);
/* The body of an answer to what never became a request. */
void		 api_error_format_status(struct buf *, int status,
		    const char *reason);

/* Answer with an error; all return STEP_DONE. */
enum step	 api_fail(struct api_request *, enum api_error);
/* detail is text of ours or a client's: it is made safe. */
enum step	 api_fail_text(struct api_request *, enum api_error,
		    const char *detail);
/*
 * With a response that has headers already (status is set here; NULL: none);
 * detail and each as above.
 */
enum step	 api_fail_with(struct api_request *, struct http_response *,
		    enum api_error, json_t *detail, bool each);
/* As api_error_of(), answered; what was done goes to the log. */
enum step	 api_fail_store(struct api_request *, enum store_result,
		    enum api_error notfound, enum api_error mismatch,
		    const char *what);
/*
 * What is stored is damaged: HEAD says that it is not there, because whoever
 * is told so pushes it, which heals it.  The log tells.
 */
enum step	 api_fail_damaged(struct api_request *,
		    enum api_error notfound, const char *what);
/* There was no lease to be had, as the keeper says: come again later. */
enum step	 api_fail_lease(struct api_request *, enum store_result);

#endif
