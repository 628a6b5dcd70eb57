/* SPDX-License-Identifier: ISC */
/*
 * A connection to a directory server, by libldap.  Runs in the verifiers for
 * LDAP.
 *
 * The library's own waiting cannot be relied upon: a handshake with a server
 * that says nothing blocks or spins.  So the socket is connected before, it
 * never blocks, and the library is told a network timeout and that
 * connecting is asynchronous; then every wait here has an end.  Referrals
 * are not followed: they would send passwords to servers nobody configured.
 */
#include "ldap_conn.h"

#include <openldap.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "clock.h"
#include "ldap_ppolicy.h"
#include "secret.h"
#include "str.h"

#define MAX_MESSAGE	(16 << 20)

/* At least a millisecond: zero would be "forever" or an error. */
static struct timeval
time_left(uint64_t deadline)
{
	uint64_t	 now = clock_monotonic_ms(), ms;

	ms = deadline > now ? deadline - now : 1;
	return (struct timeval){ .tv_sec = (time_t)(ms / 1000),
	    .tv_usec = (suseconds_t)(ms % 1000 * 1000) };
}

static void
set_why(struct ldap_conn *conn, const char *what, int code)
{
	char	*text = NULL, shown[96] = "";

	if (ldap_get_option(conn->ld, LDAP_OPT_DIAGNOSTIC_MESSAGE, &text) ==
	    LDAP_OPT_SUCCESS && text != NULL && *text != '\0')
		str_vis(shown, sizeof(shown), text, strlen(text));
	ldap_memfree(text);
	snprintf(conn->why, sizeof(conn->why), "%s: %s%s%s", what,
	    ldap_err2string(code), *shown != '\0' ? ": " : "", shown);
}

/* ---- opening ---- */

static bool
has_tls(const struct ldap_server *server, const struct conf_ldap *conf)
{
	return server->uri.ldaps || strcmp(conf->tls, "none") != 0;
}

static int
set_int(LDAP *ld, int option, int value)
{
	return ldap_set_option(ld, option, &value) == LDAP_OPT_SUCCESS ? 0 :
	    -1;
}

/* A message longer than this is no answer to any question of ours. */
static int
limit_messages(LDAP *ld)
{
	ber_len_t	 max = MAX_MESSAGE;
	Sockbuf		*sb = NULL;

	return ldap_get_option(ld, LDAP_OPT_SOCKBUF, &sb) == 0 &&
	    sb != NULL && ber_sockbuf_ctrl(sb,
	    LBER_SB_OPT_SET_MAX_INCOMING, &max) == 1 ? 0 : -1;
}

static int
set_options(LDAP *ld, uint64_t deadline)
{
	struct timeval	 tv = time_left(deadline);

	if (set_int(ld, LDAP_OPT_PROTOCOL_VERSION, LDAP_VERSION3) == -1 ||
	    set_int(ld, LDAP_OPT_DEREF, LDAP_DEREF_NEVER) == -1 ||
	    ldap_set_option(ld, LDAP_OPT_REFERRALS, LDAP_OPT_OFF) != 0 ||
	    ldap_set_option(ld, LDAP_OPT_RESTART, LDAP_OPT_OFF) != 0 ||
	    ldap_set_option(ld, LDAP_OPT_CONNECT_ASYNC, LDAP_OPT_ON) != 0 ||
	    ldap_set_option(ld, LDAP_OPT_NETWORK_TIMEOUT, &tv) != 0 ||
	    ldap_set_option(ld, LDAP_OPT_TIMEOUT, &tv) != 0 ||
	    limit_messages(ld) == -1)
		return -1;
	return 0;
}

/*
 * The library wants the name of a file and reads it each time; the
 * descriptor may be shared with siblings, so its offset is not relied upon
 * where opening the name gives a description of its own.
 */
static int
set_tls_options(LDAP *ld, int ca)
{
	char	 path[32];

	snprintf(path, sizeof(path), "/dev/fd/%d", ca);
	lseek(ca, 0, SEEK_SET);
	if (ldap_set_option(ld, LDAP_OPT_X_TLS_CACERTFILE, path) != 0 ||
	    set_int(ld, LDAP_OPT_X_TLS_REQUIRE_CERT,
	    LDAP_OPT_X_TLS_DEMAND) == -1 ||
	    set_int(ld, LDAP_OPT_X_TLS_REQUIRE_SAN,
	    LDAP_OPT_X_TLS_DEMAND) == -1 ||
	    set_int(ld, LDAP_OPT_X_TLS_PROTOCOL_MIN,
	    LDAP_OPT_X_TLS_PROTOCOL_TLS1_2) == -1 ||
	    set_int(ld, LDAP_OPT_X_TLS_NEWCTX, 0) == -1)
		return -1;
	return 0;
}

/* The answer to one request; *res is set with OK only. */
static enum ldap_status
wait_result(struct ldap_conn *conn, const char *what, int id,
    uint64_t deadline, LDAPMessage **res)
{
	struct timeval	 tv = time_left(deadline);
	LDAPMessage	*found = NULL;
	int		 n, code = LDAP_SERVER_DOWN;

	n = ldap_result(conn->ld, id, LDAP_MSG_ALL, &tv, &found);
	if (n > 0) {
		*res = found;
		return LDAP_STATUS_OK;
	}
	ldap_msgfree(found);
	if (n == 0) {
		snprintf(conn->why, sizeof(conn->why), "%s: no answer in time",
		    what);
		return LDAP_STATUS_BROKEN;
	}
	ldap_get_option(conn->ld, LDAP_OPT_RESULT_CODE, &code);
	set_why(conn, what, code);
	return LDAP_STATUS_BROKEN;
}

/* The server must agree; nothing was sent so far that matters. */
static int
ask_for_tls(struct ldap_conn *conn, uint64_t deadline)
{
	LDAPMessage	*res = NULL;
	int		 id, code;

	code = ldap_start_tls(conn->ld, NULL, NULL, &id);
	if (code == LDAP_SUCCESS) {
		if (wait_result(conn, "StartTLS", id, deadline, &res) !=
		    LDAP_STATUS_OK)
			return -1;
		if (ldap_parse_result(conn->ld, res, &code, NULL, NULL, NULL,
		    NULL, 1) != LDAP_SUCCESS)
			code = LDAP_DECODING_ERROR;
	}
	if (code == LDAP_SUCCESS)
		return 0;
	set_why(conn, "StartTLS", code);
	return -1;
}

static int
start_tls(struct ldap_conn *conn, int ca, uint64_t deadline)
{
	struct timeval	 tv;
	int		 code;

	if (set_tls_options(conn->ld, ca) == -1) {
		str_copy(conn->why, sizeof(conn->why),
		    "TLS: ldap.ca cannot be used");
		return -1;
	}
	if (!conn->server->uri.ldaps && ask_for_tls(conn, deadline) == -1)
		return -1;
	tv = time_left(deadline);
	ldap_set_option(conn->ld, LDAP_OPT_NETWORK_TIMEOUT, &tv);
	code = ldap_install_tls(conn->ld);
	if (code == LDAP_SUCCESS)
		return 0;
	set_why(conn, "TLS", code);
	return -1;
}

struct ldap_conn *
ldap_conn_open(struct ldap_server *server, const struct conf_ldap *conf,
    int ca, uint64_t deadline, char *why, size_t size)
{
	struct ldap_conn	*conn;
	int			 fd;

	if ((fd = ldap_server_connect(server, deadline, why, size)) == -1)
		return NULL;
	if ((conn = calloc(1, sizeof(*conn))) == NULL || ldap_init_fd(fd,
	    LDAP_PROTO_TCP, server->url, &conn->ld) != LDAP_SUCCESS) {
		snprintf(why, size, "out of memory");
		free(conn);
		close(fd);
		return NULL;
	}
	conn->server = server;
	str_copy(conn->why, sizeof(conn->why), "cannot set options");
	if (set_options(conn->ld, deadline) == 0 &&
	    (!has_tls(server, conf) || start_tls(conn, ca, deadline) == 0))
		return conn;
	snprintf(why, size, "%s", conn->why);
	ldap_conn_close(conn);
	return NULL;
}

void
ldap_conn_close(struct ldap_conn *conn)
{
	ber_socket_t	 fd = -1;

	if (conn == NULL)
		return;
	/* So that nothing waits for a server that no longer listens. */
	if (ldap_get_option(conn->ld, LDAP_OPT_DESC, &fd) == 0 && fd != -1)
		shutdown(fd, SHUT_RDWR);
	ldap_unbind_ext(conn->ld, NULL, NULL);
	free(conn);
}

/* ---- asking ---- */

static int
send_bind(struct ldap_conn *conn, const char *dn, const char *password,
    size_t len, LDAPControl **controls, int *id)
{
	struct berval	 credential;
	char		*copy;
	int		 code;

	/* The library's type is not const; it only reads. */
	if ((copy = malloc(len + 1)) == NULL)
		return LDAP_NO_MEMORY;
	memcpy(copy, password, len);
	copy[len] = '\0';
	credential.bv_val = copy;
	credential.bv_len = len;
	code = ldap_sasl_bind(conn->ld, dn, LDAP_SASL_SIMPLE, &credential,
	    controls, NULL, id);
	secret_wipe(copy, len);
	free(copy);
	return code;
}

enum ldap_status
ldap_conn_bind_service(struct ldap_conn *conn, const char *dn,
    const char *password, size_t len, uint64_t deadline)
{
	enum ldap_status	 status;
	LDAPMessage		*res = NULL;
	int			 id, code;

	code = send_bind(conn, dn, password, len, NULL, &id);
	if (code == LDAP_SUCCESS) {
		status = wait_result(conn, "bind", id, deadline, &res);
		if (status != LDAP_STATUS_OK)
			return status;
		if (ldap_parse_result(conn->ld, res, &code, NULL, NULL, NULL,
		    NULL, 1) != LDAP_SUCCESS)
			code = LDAP_DECODING_ERROR;
	}
	if (code != LDAP_SUCCESS)
		set_why(conn, "bind as ldap.bind_dn", code);
	return ldap_result_of_search(code);
}

/* Read and free the response of a bind. */
static enum ldap_status
read_bind(struct ldap_conn *conn, LDAPMessage *res, const char **reason)
{
	enum ldap_policy	 policy = LDAP_POLICY_NONE;
	enum ldap_status	 status;
	LDAPControl		**controls = NULL;
	char			*diagnostic = NULL;
	int			 code;

	if (ldap_parse_result(conn->ld, res, &code, NULL, &diagnostic, NULL,
	    &controls, 1) != LDAP_SUCCESS)
		code = LDAP_DECODING_ERROR;
	if (controls != NULL)
		policy = ldap_ppolicy_read(conn->ld, controls);
	status = ldap_result_of_bind(code, policy, diagnostic, reason);
	if (status == LDAP_STATUS_BROKEN || status == LDAP_STATUS_REFUSED)
		set_why(conn, "bind as the user", code);
	ldap_controls_free(controls);
	ldap_memfree(diagnostic);
	return status;
}

enum ldap_status
ldap_conn_bind_user(struct ldap_conn *conn, const char *dn,
    const char *password, size_t len, bool ppolicy, uint64_t deadline,
    const char **reason)
{
	LDAPControl		*controls[2] = { NULL, NULL };
	LDAPMessage		*res = NULL;
	enum ldap_status	 status;
	int			 id, code;

	*reason = "";
	if (ppolicy && (controls[0] = ldap_ppolicy_request(conn->ld)) == NULL)
		return LDAP_STATUS_BROKEN;
	code = send_bind(conn, dn, password, len, controls, &id);
	if (controls[0] != NULL)
		ldap_control_free(controls[0]);
	if (code == LDAP_INVALID_DN_SYNTAX)
		return ldap_result_of_bind(code, LDAP_POLICY_NONE, NULL,
		    reason);
	if (code != LDAP_SUCCESS) {
		set_why(conn, "bind as the user", code);
		return ldap_result_of_search(code);
	}
	status = wait_result(conn, "bind as the user", id, deadline, &res);
	return status == LDAP_STATUS_OK ? read_bind(conn, res, reason) :
	    status;
}

/* Read and free the response. */
static int
read_who(struct ldap_conn *conn, LDAPMessage *res, char **who)
{
	struct berval	*id = NULL;
	int		 code;

	*who = NULL;
	if (ldap_parse_result(conn->ld, res, &code, NULL, NULL, NULL, NULL,
	    0) != LDAP_SUCCESS)
		code = LDAP_DECODING_ERROR;
	if (code == LDAP_SUCCESS)
		code = ldap_parse_whoami(conn->ld, res, &id);
	ldap_msgfree(res);
	if (code == LDAP_SUCCESS && id != NULL && id->bv_len > 0 &&
	    memchr(id->bv_val, '\0', id->bv_len) == NULL &&
	    (*who = strndup(id->bv_val, id->bv_len)) == NULL)
		code = LDAP_NO_MEMORY;
	ber_bvfree(id);
	return code == LDAP_SUCCESS && *who == NULL ? LDAP_DECODING_ERROR :
	    code;
}

enum ldap_status
ldap_conn_who(struct ldap_conn *conn, uint64_t deadline, char **who)
{
	static const char	 what[] = "asking who has logged in";
	LDAPMessage		*res = NULL;
	enum ldap_status	 status;
	int			 id, code;

	code = ldap_whoami(conn->ld, NULL, NULL, &id);
	if (code == LDAP_SUCCESS) {
		status = wait_result(conn, what, id, deadline, &res);
		if (status != LDAP_STATUS_OK)
			return status;
		code = read_who(conn, res, who);
	}
	if (code == LDAP_SUCCESS)
		return LDAP_STATUS_OK;
	set_why(conn, what, code);
	status = ldap_result_of_search(code);
	return status == LDAP_STATUS_BROKEN ? status : LDAP_STATUS_REFUSED;
}

enum ldap_status
ldap_conn_probe(struct ldap_conn *conn, uint64_t deadline)
{
	char		 none[] = LDAP_NO_ATTRS;
	char		*attrs[] = { none, NULL };
	LDAPMessage	*res = NULL;
	enum ldap_status status;
	int		 id, code;

	code = ldap_search_ext(conn->ld, "", LDAP_SCOPE_BASE,
	    "(objectClass=*)", attrs, 0, NULL, NULL, NULL, 1, &id);
	if (code != LDAP_SUCCESS) {
		set_why(conn, "first request", code);
		return LDAP_STATUS_BROKEN;
	}
	/* Whatever it answers: it does. */
	status = wait_result(conn, "first request", id, deadline, &res);
	if (status == LDAP_STATUS_OK)
		ldap_msgfree(res);
	return status;
}

enum ldap_status
ldap_conn_search(struct ldap_conn *conn, const char *base, int scope,
    const char *filter, char **attrs, int limit, uint64_t deadline,
    LDAPMessage **result, bool *more)
{
	struct timeval		 tv = time_left(deadline);
	LDAPMessage		*res = NULL;
	enum ldap_status	 status;
	int			 id, code;

	*more = false;
	tv.tv_sec++;			/* whole seconds go to the server */
	code = ldap_search_ext(conn->ld, base, scope, filter, attrs, 0, NULL,
	    NULL, &tv, limit, &id);
	if (code == LDAP_SUCCESS) {
		status = wait_result(conn, "search", id, deadline, &res);
		if (status != LDAP_STATUS_OK)
			return status;
		if (ldap_parse_result(conn->ld, res, &code, NULL, NULL, NULL,
		    NULL, 0) != LDAP_SUCCESS)
			code = LDAP_DECODING_ERROR;
	}
	/* An entry that was asked for by its name, and is not there. */
	if (code == LDAP_NO_SUCH_OBJECT && scope == LDAP_SCOPE_BASE)
		code = LDAP_SUCCESS;
	if (code == LDAP_SIZELIMIT_EXCEEDED) {
		*more = true;
		code = LDAP_SUCCESS;
	}
	status = ldap_result_of_search(code);
	if (status == LDAP_STATUS_OK) {
		*result = res;
		return status;
	}
	set_why(conn, "search", code);
	ldap_msgfree(res);
	return status;
}
