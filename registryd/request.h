/* SPDX-License-Identifier: ISC */
/*
 * The life of a request in a worker: route, access, API handler.
 */
#ifndef REQUEST_H
#define REQUEST_H

#include "conf.h"
#include "http.h"
#include "jwks.h"
#include "keeper_client.h"
#include "loop.h"
#include "metrics.h"
#include "store.h"
#include "throttle.h"

/* What requests work with.  All borrowed: they outlive the context. */
struct request_env {
	struct loop	*loop;
	const struct registry_conf *conf;
	struct store	*store;		/* read-only */
	struct keepers	*keepers;
	struct throttle	*throttle;	/* NULL: no password is counted */
	struct verifiers *verifiers;	/* NULL unless auth.htpasswd is set */
	const struct jwks *jwks;	/* NULL unless auth.token is set */
};

struct request_ctx;

/* Callbacks for http_server_new(); its argument is the struct request_ctx. */
extern const struct http_server_ops request_ops;

/* NULL: out of memory, or the route table is not sound (logged). */
struct request_ctx *request_ctx_new(const struct request_env *);
/* The users of auth.htpasswd are others now. */
void		 request_forget_users(struct request_ctx *);
/* Other keys (borrowed): what the old ones verified is forgotten. */
void		 request_set_keys(struct request_ctx *, const struct jwks *);
/* What was counted; all but METRIC_CONNECTIONS. */
void		 request_counts(const struct request_ctx *,
		    uint64_t v[METRIC_WORKER_N]);
/* After http_server_free(): no request may be left. */
void		 request_ctx_free(struct request_ctx *);

#endif
