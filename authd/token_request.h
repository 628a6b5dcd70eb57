/* SPDX-License-Identifier: ISC */
/*
 * What a client asks of the token endpoint: parsed from the query of a GET
 * or the form of a POST, and nothing decided.
 */
#ifndef TOKEN_REQUEST_H
#define TOKEN_REQUEST_H

#include <stdbool.h>

#include "http_auth.h"
#include "messages.h"
#include "msg.h"
#include "scope.h"
#include "secret.h"
#include "uri.h"

struct token_request {
	char		 service[MAX_SERVICE + 1];	/* "": absent */
	struct scope_set scopes;
	bool		 asked;		/* for a scope, be it a senseless one */
	bool		 offline;	/* a refresh token is wanted */
	char		 client[MAX_CLIENT + 1];	/* client_id, or "" */
	enum cred_kind	 kind;
	char		 user[MAX_USER + 1];	/* with CRED_PASSWORD */
	struct secret	*password;	/* or refresh token */
};

enum token_parse {
	TOKEN_PARSE_OK,
	TOKEN_PARSE_BAD,		/* 400: not a request at all */
	TOKEN_PARSE_GRANT_TYPE,		/* 400 unsupported_grant_type */
	TOKEN_PARSE_SERVICE,		/* 400: cannot be a service's name */
	TOKEN_PARSE_SCOPES,		/* 400: too many */
	TOKEN_PARSE_CREDENTIALS,	/* 401: cannot be anybody's */
	TOKEN_PARSE_NOMEM		/* 503 */
};

/*
 * All zero before; token_request_done() after, whatever the result.  refresh:
 * are there refresh tokens?
 */
enum token_parse token_request_from_query(struct token_request *,
		    const struct uri *, const char *authorization,
		    bool refresh);
enum token_parse token_request_from_form(struct token_request *,
		    const char *body, size_t len, bool refresh);
void		 token_request_done(struct token_request *);

/* The fields of MSG_TOKEN_REQUEST, and back.  -1: malformed, or no memory. */
void		 token_request_put(struct msg_out *,
		    const struct token_request *, const char *peer);
int		 token_request_get(struct msg *, struct token_request *,
		    char *peer, size_t peersize);
/* nscopes u32, nscopes * (type str, name str, actions u32) */
void		 token_scopes_put(struct msg_out *, const struct scope_set *);
int		 token_scopes_get(struct msg *, struct scope_set *);

#endif
