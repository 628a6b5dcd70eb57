/* SPDX-License-Identifier: ISC */
/*
 * The Authorization request header and the WWW-Authenticate challenge
 * (RFC 7235, RFC 7617, RFC 6750).
 */
#ifndef HTTP_AUTH_H
#define HTTP_AUTH_H

#include <stddef.h>

#include "buf.h"
#include "secret.h"

enum http_auth_scheme {
	HTTP_AUTH_NONE,			/* header absent */
	HTTP_AUTH_BASIC,
	HTTP_AUTH_BEARER,
	HTTP_AUTH_OTHER,		/* a scheme that we do not know */
	HTTP_AUTH_MALFORMED
};

#define HTTP_AUTH_MAX_USER	255
#define HTTP_AUTH_MAX_PASSWORD	8192

struct http_auth {
	enum http_auth_scheme scheme;
	char		*token;		/* Bearer: the raw token */
	char		*user;		/* Basic */
	struct secret	*password;	/* Basic; may be empty */
};

/*
 * Parse the value (NULL: NONE).  Scheme ignores case; one or more spaces
 * follow it.  Basic: canonical base64 of "user:password" without NUL and in
 * valid UTF-8, within the maxima, else MALFORMED.
 */
void	 http_auth_parse(struct http_auth *, const char *value);
void	 http_auth_done(struct http_auth *);
/* name="value" with quoting, ","-joined; for building a challenge. */
int	 http_auth_add_param(struct buf *, const char *name,
	    const char *value);

#endif
