/* SPDX-License-Identifier: ISC */
/*
 * Which handler a request goes to, and what it must be allowed to do.
 */
#ifndef ROUTE_H
#define ROUTE_H

#include <stddef.h>

#include "http.h"
#include "reference.h"

struct api_request;

/* How a step of a request ended: see request.c. */
enum step {
	STEP_NEXT,
	STEP_WAIT,			/* answered later */
	STEP_DONE			/* answered */
};

typedef enum step api_handler_fn(struct api_request *);

enum route_endpoint {
	ENDPOINT_ROOT = 1,		/* / */
	ENDPOINT_BASE,			/* /v2/ */
	ENDPOINT_CATALOG,		/* /v2/_catalog */
	ENDPOINT_TAGS,			/* /v2/<name>/tags/list */
	ENDPOINT_REFERRERS,		/* /v2/<name>/referrers/<digest> */
	ENDPOINT_MANIFEST,		/* /v2/<name>/manifests/<reference> */
	ENDPOINT_BLOB,			/* /v2/<name>/blobs/<digest> */
	ENDPOINT_UPLOADS,		/* /v2/<name>/blobs/uploads/ */
	ENDPOINT_UPLOAD			/* /v2/<name>/blobs/uploads/<id> */
};

/* No value is zero: a row that leaves one out is refused by route_check(). */
enum route_need {
	NEED_NOTHING = 1,		/* open to everyone */
	NEED_LOGIN,			/* any valid token */
	NEED_REPOSITORY,		/* actions on the repository named */
	NEED_CATALOG			/* registry:catalog:* */
};

enum route_effect {
	EFFECT_READ = 1,
	EFFECT_WRITE,			/* not in read-only mode */
	EFFECT_DELETE			/* only with storage.delete.enabled */
};

struct route {
	enum route_endpoint endpoint;
	enum http_method method;
	enum route_need	 need;
	unsigned	 actions;	/* ACTION_*, all of them required */
	unsigned	 asked;		/* those that a challenge names */
	enum route_effect effect;
	api_handler_fn	*handler;
};

struct route_match {
	const struct route *route;
	enum route_endpoint endpoint;
	char		 name[REPO_NAME_SIZE];	/* "" when there is none */
	const char	*arg;		/* last component: points into path */
};

enum route_result {
	ROUTE_FOUND,
	ROUTE_UNKNOWN,			/* 404 */
	ROUTE_METHOD,			/* 405: endpoint is set */
	ROUTE_NAME,			/* 400: not a repository name */
	ROUTE_REDIRECT			/* 301 to /v2/ */
};

/*
 * Find the route of a decoded path below "prefix" ("" or "/some/path",
 * without a slash at its end).
 */
enum route_result route_find(enum http_method, const char *path,
		    const char *prefix, struct route_match *);
/* The methods of an endpoint, "GET, HEAD", for Allow; size >= 48. */
char		*route_allow(enum route_endpoint, char *dst, size_t size);
/* Is every row of the table complete and sound?  NULL, or what is wrong. */
const char	*route_check(void);
/* The rows, for tests. */
const struct route *route_table(size_t *n);

#endif
