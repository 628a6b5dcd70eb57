/* SPDX-License-Identifier: ISC */
/*
 * What the log says of a request.
 */
#ifndef REQUEST_LOG_H
#define REQUEST_LOG_H

#include <stdbool.h>

struct api_request;
struct peer;

/* When it is over: the access line, and before it the error, if any. */
void	 request_log(const struct api_request *);
/* The same of what never became a request; the access line if wanted. */
void	 request_log_refused(const struct peer *, int status,
	    const char *reason, bool access);

#endif
