/* SPDX-License-Identifier: ISC */
/*
 * What the log says of a request.
 */
#ifndef REQUEST_LOG_H
#define REQUEST_LOG_H

struct api_request;

/* When it is over: the access line, and before it the error, if any. */
void	 request_log(const struct api_request *);

#endif
