/* SPDX-License-Identifier: ISC */
/*
 * The servers of a directory: which one is asked next, and connecting to it.
 */
#ifndef LDAP_SERVER_H
#define LDAP_SERVER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "ldap_uri.h"

#define LDAP_MAX_SERVERS	8
#define LDAP_SERVER_DOWN_MS	30000	/* then it is tried again */
#define LDAP_SERVER_PAUSE_MS	1000	/* also when no other is left */
#define LDAP_WHY_SIZE		160

struct addrinfo;

/* Plain data; what is in it is this module's. */
struct ldap_server {
	char		 name[280];	/* as configured, for the log */
	char		 url[280];	/* "ldap://host:port", for libldap */
	struct ldap_uri	 uri;
	bool		 down;
	uint64_t	 down_at;
	struct addrinfo	*addresses;	/* known from before */
	uint64_t	 resolved_at;
};

struct ldap_servers {
	struct ldap_server	 all[LDAP_MAX_SERVERS];
	size_t			 n;
};

/* One walk over the servers that may be asked. */
struct ldap_walk {
	struct ldap_servers	*servers;
	uint64_t		 now;
	bool			 done[LDAP_MAX_SERVERS];
	struct ldap_server	*first;
};

/* -1: an address is malformed, or there are too many. */
int	 ldap_servers_init(struct ldap_servers *, char *const *uris,
	    size_t n);
void	 ldap_servers_done(struct ldap_servers *);
/*
 * "first" (or NULL), then those that are up or were down for long enough, in
 * order, then those that are down; but none that failed a moment ago.
 */
void	 ldap_walk_start(struct ldap_walk *, struct ldap_servers *,
	    struct ldap_server *first, uint64_t now);
/* NULL: no more. */
struct ldap_server *ldap_walk_next(struct ldap_walk *);

/* Both log a change, and only that. */
void	 ldap_server_set_down(struct ldap_server *, const char *why,
	    uint64_t now);
void	 ldap_server_set_up(struct ldap_server *);

/*
 * A connection to one of its addresses, until the deadline (monotonic, in
 * ms), that does not block.  -1 with a reason.
 */
int	 ldap_server_connect(struct ldap_server *, uint64_t deadline,
	    char *why, size_t size);

#endif
