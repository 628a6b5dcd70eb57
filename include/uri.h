/* SPDX-License-Identifier: ISC */
/*
 * Request targets: origin form only (RFC 9112 section 3.2.1), decoded once.
 */
#ifndef URI_H
#define URI_H

#include <stdbool.h>
#include <stddef.h>

#include "buf.h"

#define URI_MAX_PARAMS	128

struct uri_param {
	char	*name;			/* decoded */
	char	*value;			/* decoded; "" when there is no '=' */
};

/* A decoded target.  Owned by the caller: uri_done(). */
struct uri {
	char	*path;			/* decoded, NUL-terminated */
	char	*raw_query;		/* as sent, NULL when none */
	struct uri_param *params;
	size_t	 nparams;
};

/*
 * 0, or -1 with errno: EINVAL (not starting with one '/', bad percent
 * encoding, control characters, '#', a decoded NUL), E2BIG (too many
 * parameters), ENOMEM.  An encoded slash is a slash: what is decoded once is
 * what access control and store both see.
 */
int		 uri_parse(struct uri *, const char *target, size_t len);
void		 uri_done(struct uri *);
/* First value of a parameter, NULL if absent. */
const char	*uri_param(const struct uri *, const char *name);
size_t		 uri_param_count(const struct uri *, const char *name);
/* application/x-www-form-urlencoded, into the params of "uri". */
int		 uri_parse_form(struct uri *, const char *body, size_t len);
/* Percent-encode everything but unreserved characters (RFC 3986 2.3). */
int		 uri_encode(struct buf *, const char *);

#endif
