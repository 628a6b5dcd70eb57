/* SPDX-License-Identifier: ISC */
/*
 * The life of a request in a worker: route, endpoint, access line.
 */
#ifndef REQUEST_H
#define REQUEST_H

#include "api_request.h"
#include "http.h"

/* Callbacks for http_server_new(); its argument is a struct request_env. */
extern const struct http_server_ops request_ops;

#endif
