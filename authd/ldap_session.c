/* SPDX-License-Identifier: ISC */
/*
 * Finds a server that serves, within the time of a login.  Runs in the
 * verifiers for LDAP.
 *
 * What a server has refused is not asked again at another: that would count
 * a wrong password twice.
 */
#include "ldap_session.h"

#include <string.h>
#include <unistd.h>

#include "clock.h"
#include "log.h"
#include "str.h"

#define IDLE_MS		300000		/* of the service connection */
#define REFUSED_MS	10000		/* the service itself was refused */

int
ldap_session_init(struct ldap_session *session, const struct conf_ldap *conf,
    struct secret *password, int ca)
{
	memset(session, 0, sizeof(*session));
	session->conf = conf;
	session->password = password;
	session->ca = ca;
	return ldap_servers_init(&session->servers, conf->uris.items,
	    conf->uris.n);
}

static void
close_service(struct ldap_session *session)
{
	ldap_conn_close(session->service);
	session->service = NULL;
}

void
ldap_session_done(struct ldap_session *session)
{
	close_service(session);
	ldap_servers_done(&session->servers);
	secret_free(session->password);
	if (session->ca != -1)
		close(session->ca);
}

static uint64_t
earlier(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

uint64_t
ldap_session_step(uint64_t deadline, uint64_t ms)
{
	return earlier(deadline, clock_monotonic_ms() + ms);
}

/* ---- connections ---- */

static void
set_down(struct ldap_conn *conn)
{
	ldap_server_set_down(conn->server, conn->why, clock_monotonic_ms());
}

static void
log_refused(const struct ldap_conn *conn)
{
	log_error("%s: %s", conn->server->name, conn->why);
}

static enum ldap_status
bind_service(struct ldap_session *session, struct ldap_conn *conn,
    uint64_t deadline)
{
	enum ldap_status	 status;

	if (session->password == NULL)
		return ldap_conn_probe(conn, deadline);
	status = ldap_conn_bind_service(conn, session->conf->bind_dn,
	    secret_data(session->password), secret_len(session->password),
	    deadline);
	if (status == LDAP_STATUS_REFUSED) {
		log_refused(conn);
		session->refused_at = clock_monotonic_ms();
	}
	return status;
}

/*
 * A connection that is known to serve: TCP, TLS and the first answer share
 * one deadline.  *conn is set with OK only; BROKEN: the server is down.
 */
static enum ldap_status
open_server(struct ldap_session *session, struct ldap_server *server,
    bool service, uint64_t deadline, struct ldap_conn **conn)
{
	char			 why[LDAP_WHY_SIZE] = "";
	enum ldap_status	 status = LDAP_STATUS_BROKEN;
	struct ldap_conn	*opened;

	deadline = ldap_session_step(deadline, session->conf->connect_ms);
	opened = ldap_conn_open(server, session->conf, session->ca, deadline,
	    why, sizeof(why));
	if (opened == NULL) {
		ldap_server_set_down(server, why, clock_monotonic_ms());
		return status;
	}
	status = service ? bind_service(session, opened, deadline) :
	    ldap_conn_probe(opened, deadline);
	if (status == LDAP_STATUS_OK) {
		*conn = opened;
		return status;
	}
	if (status == LDAP_STATUS_BROKEN)
		set_down(opened);
	ldap_conn_close(opened);
	return status;
}

/* The next server of the walk that serves. */
static enum ldap_status
open_next(struct ldap_session *session, struct ldap_walk *walk, bool service,
    uint64_t deadline, struct ldap_conn **conn)
{
	struct ldap_server	*server;
	enum ldap_status	 status = LDAP_STATUS_BROKEN;

	while (status == LDAP_STATUS_BROKEN &&
	    clock_monotonic_ms() < deadline &&
	    (server = ldap_walk_next(walk)) != NULL)
		status = open_server(session, server, service, deadline,
		    conn);
	return status;
}

/* ---- as the service ---- */

/*
 * On the connection from before.  It may have been closed at the other end:
 * then nobody is to blame.  A server that says nothing on it is down, and
 * where there is another is not given the time of a search that may be slow.
 */
static enum ldap_status
ask_open(struct ldap_session *session, uint64_t deadline, ldap_ask_fn *ask,
    void *arg)
{
	const struct conf_ldap	*conf = session->conf;
	enum ldap_status	 status;
	uint64_t		 now = clock_monotonic_ms();

	if (session->service != NULL && now - session->service_used > IDLE_MS)
		close_service(session);
	if (session->service == NULL)
		return LDAP_STATUS_BROKEN;
	deadline = ldap_session_step(deadline, session->servers.n > 1 ?
	    earlier(conf->connect_ms, conf->operation_ms) :
	    conf->operation_ms);
	status = ask(session->service, deadline, arg);
	now = clock_monotonic_ms();
	session->service_used = now;
	if (status != LDAP_STATUS_BROKEN) {
		if (status == LDAP_STATUS_REFUSED)
			log_refused(session->service);
		return status;
	}
	if (now >= deadline)
		set_down(session->service);
	else
		log_debug("%s: %s; connecting again",
		    session->service->server->name, session->service->why);
	close_service(session);
	return status;
}

/* On a new one. */
static enum ldap_status
ask_fresh(struct ldap_session *session, uint64_t deadline, ldap_ask_fn *ask,
    void *arg)
{
	struct ldap_conn	*conn = NULL;
	struct ldap_walk	 walk;
	enum ldap_status	 status;

	ldap_walk_start(&walk, &session->servers, NULL, clock_monotonic_ms());
	for (;;) {
		status = open_next(session, &walk, true, deadline, &conn);
		if (status != LDAP_STATUS_OK)
			return status;
		status = ask(conn, ldap_session_step(deadline,
		    session->conf->operation_ms), arg);
		if (status != LDAP_STATUS_BROKEN)
			break;
		set_down(conn);
		ldap_conn_close(conn);
	}
	if (status == LDAP_STATUS_REFUSED)
		log_refused(conn);
	ldap_server_set_up(conn->server);
	session->service = conn;
	session->service_used = clock_monotonic_ms();
	return status;
}

enum ldap_status
ldap_session_ask(struct ldap_session *session, uint64_t deadline,
    ldap_ask_fn *ask, void *arg)
{
	enum ldap_status	 status;

	/* Not so often that the directory locks the service out. */
	if (session->refused_at != 0 &&
	    clock_monotonic_ms() - session->refused_at < REFUSED_MS)
		return LDAP_STATUS_REFUSED;
	session->refused_at = 0;
	status = ask_open(session, deadline, ask, arg);
	return status == LDAP_STATUS_BROKEN ?
	    ask_fresh(session, deadline, ask, arg) : status;
}

/* ---- as a user ---- */

enum ldap_status
ldap_session_bind(struct ldap_session *session, uint64_t deadline,
    struct ldap_bind *user, struct ldap_conn **kept)
{
	struct ldap_conn	*conn = NULL;
	struct ldap_walk	 walk;
	enum ldap_status	 status;

	ldap_walk_start(&walk, &session->servers, session->service != NULL ?
	    session->service->server : NULL, clock_monotonic_ms());
	for (;;) {
		status = open_next(session, &walk, false, deadline, &conn);
		if (status != LDAP_STATUS_OK)
			return status;
		status = ldap_conn_bind_user(conn, user->dn, user->password,
		    user->len, session->conf->ppolicy,
		    ldap_session_step(deadline, session->conf->operation_ms),
		    &user->reason);
		if (status != LDAP_STATUS_BROKEN)
			break;
		set_down(conn);
		ldap_conn_close(conn);
	}
	if (status == LDAP_STATUS_REFUSED)
		log_refused(conn);
	ldap_server_set_up(conn->server);
	if (status == LDAP_STATUS_OK && kept != NULL)
		*kept = conn;
	else
		ldap_conn_close(conn);
	return status;
}
