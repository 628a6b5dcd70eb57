/* SPDX-License-Identifier: ISC */
/*
 * One connection to a directory server, and what is asked on it.  Every step
 * ends by its deadline: milliseconds of the monotonic clock.
 */
#ifndef LDAP_CONN_H
#define LDAP_CONN_H

#include <ldap.h>
#include <stddef.h>
#include <stdint.h>

#include "conf.h"
#include "ldap_result.h"
#include "ldap_server.h"

struct ldap_conn {
	LDAP			*ld;
	struct ldap_server	*server;
	char			 why[LDAP_WHY_SIZE];	/* last failure */
};

/*
 * Connected and, where it has to be, with TLS and the server's certificate
 * verified against the bundle at "ca" (a descriptor, -1: none).  NULL with a
 * reason.
 */
struct ldap_conn *ldap_conn_open(struct ldap_server *,
		    const struct conf_ldap *, int ca, uint64_t deadline,
		    char *why, size_t size);
/* Without any wait for the server; NULL is fine. */
void		 ldap_conn_close(struct ldap_conn *);

/* As the service; LDAP_STATUS_REFUSED when it is not let in. */
enum ldap_status ldap_conn_bind_service(struct ldap_conn *, const char *dn,
		    const char *password, size_t len, uint64_t deadline);
/* As the user.  The reason is for the log. */
enum ldap_status ldap_conn_bind_user(struct ldap_conn *, const char *dn,
		    const char *password, size_t len, bool ppolicy,
		    uint64_t deadline, const char **reason);
/*
 * Who it is bound as, in the directory's own words (RFC 4532): "dn:" and a
 * DN, or "u:" and a name.  *who is set with OK only; free it.
 */
enum ldap_status ldap_conn_who(struct ldap_conn *, uint64_t deadline,
		    char **who);
/* Does it answer anything?  For connections that no TLS has proved alive. */
enum ldap_status ldap_conn_probe(struct ldap_conn *, uint64_t deadline);
/*
 * Entries, at most "limit"; *result (ldap_msgfree()) is set with OK only.
 * When there are more it is OK, and *more is set.
 */
enum ldap_status ldap_conn_search(struct ldap_conn *, const char *base,
		    int scope, const char *filter, char **attrs, int limit,
		    uint64_t deadline, LDAPMessage **result, bool *more);

#endif
