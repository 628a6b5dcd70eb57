/* SPDX-License-Identifier: ISC */
/*
 * Proxies in front of authd, and the client that they say they speak for.
 */
#ifndef PROXIES_H
#define PROXIES_H

#include <stdbool.h>
#include <stddef.h>

#include "http.h"
#include "listener.h"

#include "conf.h"

struct proxies;

/* NULL when good: a network, or "unix" for clients of a local socket. */
const char	*proxies_check(const char *network);
/* Of a configuration that was checked.  NULL: out of memory. */
struct proxies	*proxies_new(const struct authd_conf *);
void		 proxies_free(struct proxies *);	/* NULL is fine */
/*
 * The address of the client: that of the connection, but where a proxy made
 * it, the last one in the request's headers that is not a proxy's.
 * "unknown" when the proxies do not tell.  Returns dst.
 */
const char	*proxies_client(const struct proxies *,
		    const struct http_request *, char dst[PEER_SIZE]);

#endif
