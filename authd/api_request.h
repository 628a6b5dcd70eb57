/* SPDX-License-Identifier: ISC */
/*
 * One request, as request.c makes it and the endpoints see it.
 */
#ifndef API_REQUEST_H
#define API_REQUEST_H

#include <stdbool.h>

#include "api_error.h"
#include "broker_client.h"
#include "buf.h"
#include "conf.h"
#include "http.h"
#include "listener.h"
#include "proxies.h"
#include "random.h"
#include "uri.h"

/* What requests work with.  All borrowed: they outlive the requests. */
struct request_env {
	const struct authd_conf *conf;	/* what a worker may know of it */
	struct broker_client *broker;
	const char	*jwks;		/* the public keys, JSON */
	struct proxies	*proxies;
};

struct request {
	struct http_exchange *ex;	/* borrowed */
	const struct request_env *env;
	char		 id[UUID_SIZE];
	char		 client[PEER_SIZE];	/* address, behind proxies */
	struct uri	 uri;
	struct buf	 body;		/* of a POST; wiped */
	uint64_t	 question;	/* to the broker, 0: none */
	bool		 answered;
	enum api_error	 error;		/* what was answered */
	char		 user[MAX_USER + 1];
};

/* Answer with an error and keep it for the log. */
void		 api_refuse(struct request *, enum api_error,
		    uint32_t retry_after);

/* The endpoints: each answers, at once or later. */
void		 api_token_get(struct request *);
void		 api_token_post(struct request *);
void		 api_keys_get(struct request *);
void		 api_health_get(struct request *);

#endif
