/* SPDX-License-Identifier: ISC */
/*
 * Asking a directory of several servers: as the service, on a connection
 * that stays open, and as a user, on one for each.
 */
#ifndef LDAP_SESSION_H
#define LDAP_SESSION_H

#include <stddef.h>
#include <stdint.h>

#include "conf.h"
#include "ldap_conn.h"
#include "ldap_server.h"
#include "secret.h"

struct ldap_session {
	const struct conf_ldap	*conf;		/* borrowed */
	struct ldap_servers	 servers;
	struct secret		*password;	/* of bind_dn; NULL: none */
	int			 ca;		/* certificates; -1: none */
	struct ldap_conn	*service;	/* NULL: none open */
	uint64_t		 service_used;
	uint64_t		 refused_at;	/* 0: the service was not */
};

/* What a user is tried with. */
struct ldap_bind {
	const char	*dn;
	const char	*password;
	size_t		 len;
	const char	*reason;	/* out: why not, for the log */
};

/*
 * One question on a connection, until the deadline.  It may be asked again
 * on another one after LDAP_STATUS_BROKEN.
 */
typedef enum ldap_status ldap_ask_fn(struct ldap_conn *, uint64_t deadline,
		    void *arg);

/* password and ca become the session's, also on failure: -1. */
int	 ldap_session_init(struct ldap_session *, const struct conf_ldap *,
	    struct secret *password, int ca);
void	 ldap_session_done(struct ldap_session *);
/*
 * Ask as the service, at the first server that serves.  A server that does
 * not is marked; what is REFUSED is logged.
 */
enum ldap_status ldap_session_ask(struct ldap_session *, uint64_t deadline,
		    ldap_ask_fn *, void *arg);
/*
 * Bind as a user, at the server of the searches first.  Another one is tried
 * only where there was no answer.  With "kept" the connection of a user who
 * was let in stays open: ldap_conn_close() it.
 */
enum ldap_status ldap_session_bind(struct ldap_session *, uint64_t deadline,
		    struct ldap_bind *, struct ldap_conn **kept);
/* When a step that begins now has to end. */
uint64_t	 ldap_session_step(uint64_t deadline, uint64_t ms);

#endif
