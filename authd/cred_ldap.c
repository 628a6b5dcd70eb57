/* SPDX-License-Identifier: ISC */
/*
 * The LDAP driver: checks a password by a bind at a directory server.  Runs
 * in verifiers of its own, the only processes of authd that may connect.
 *
 * They keep the root directory, under a user of their own: finding a server
 * by name takes files (resolv.conf, hosts, nsswitch.conf and what it names)
 * that an empty root has not, and the TLS library wants the bundle of
 * certificates by a file name, which is /dev/fd here.  The password of the
 * service and the bundle were opened by the parent all the same.
 *
 * A service connection stays open for searches; each user's bind has one of
 * its own.  What a server has refused is not asked again at another: that
 * would count a wrong password twice.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "clock.h"
#include "cred.h"
#include "ldap_conn.h"
#include "ldap_escape.h"
#include "ldap_groups.h"
#include "ldap_search.h"
#include "log.h"
#include "privdrop.h"
#include "secret.h"
#include "str.h"

#define MAX_PASSWORD_FILE	4096
#define IDLE_MS			300000	/* of the service connection */
#define REFUSED_MS		10000	/* the service itself was refused */
#define SPARE_MS		250	/* to answer before the process ends */

struct cred_ldap {
	const struct conf_ldap	*conf;
	struct ldap_servers	 servers;
	struct ldap_conn	*service;	/* NULL: none open */
	uint64_t		 service_used;
	uint64_t		 refused_at;	/* 0: it was not */
	struct secret		*password;	/* of bind_dn; NULL: none */
	uint64_t		 total_ms;
	int			 ca;		/* certificates; -1: none */
};

/* One check of one user. */
struct check {
	struct cred_ldap	*ldap;
	const char		*typed;
	const char		*password;
	size_t			 len;
	uint64_t		 deadline;
	struct ldap_user	 user;
	const char		*reason;	/* why it failed */
	struct cred_answer	*answer;
	char			*own_dn;	/* searched as the user */
};

typedef enum ldap_status ask_fn(struct check *, struct ldap_conn *,
		    uint64_t deadline);

static uint64_t
earlier(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

static uint64_t
step_deadline(const struct check *check, uint64_t ms)
{
	return earlier(check->deadline, clock_monotonic_ms() + ms);
}

/* What went wrong with the answer, not with the server: for the log. */
static void
log_refused(const struct ldap_conn *conn)
{
	log_error("%s: %s", conn->server->name, conn->why);
}

/* ---- connections ---- */

static void
close_service(struct cred_ldap *ldap)
{
	ldap_conn_close(ldap->service);
	ldap->service = NULL;
}

static enum ldap_status
bind_service(struct cred_ldap *ldap, struct ldap_conn *conn,
    uint64_t deadline)
{
	enum ldap_status	 status;

	if (ldap->password == NULL)
		return ldap_conn_probe(conn, deadline);
	status = ldap_conn_bind_service(conn, ldap->conf->bind_dn,
	    secret_data(ldap->password), secret_len(ldap->password),
	    deadline);
	if (status == LDAP_STATUS_REFUSED) {
		log_refused(conn);
		ldap->refused_at = clock_monotonic_ms();
	}
	return status;
}

/*
 * A connection that is known to serve: TCP, TLS and the first answer share
 * one deadline.  *conn is set with OK only; BROKEN: the server is down.
 */
static enum ldap_status
open_server(struct check *check, struct ldap_server *server, bool service,
    struct ldap_conn **conn)
{
	struct cred_ldap	*ldap = check->ldap;
	uint64_t		 deadline;
	char			 why[LDAP_WHY_SIZE] = "";
	enum ldap_status	 status = LDAP_STATUS_BROKEN;
	struct ldap_conn	*opened;

	deadline = step_deadline(check, ldap->conf->connect_ms);
	opened = ldap_conn_open(server, ldap->conf, ldap->ca, deadline, why,
	    sizeof(why));
	if (opened != NULL) {
		status = service ? bind_service(ldap, opened, deadline) :
		    ldap_conn_probe(opened, deadline);
		if (status == LDAP_STATUS_OK) {
			*conn = opened;
			return status;
		}
		str_copy(why, sizeof(why), opened->why);
		ldap_conn_close(opened);
	}
	if (status == LDAP_STATUS_BROKEN)
		ldap_server_set_down(server, why, clock_monotonic_ms());
	return status;
}

/* The next server of the walk that serves. */
static enum ldap_status
open_next(struct check *check, struct ldap_walk *walk, bool service,
    struct ldap_conn **conn)
{
	struct ldap_server	*server;
	enum ldap_status	 status = LDAP_STATUS_BROKEN;

	while (status == LDAP_STATUS_BROKEN &&
	    clock_monotonic_ms() < check->deadline &&
	    (server = ldap_walk_next(walk)) != NULL)
		status = open_server(check, server, service, conn);
	return status;
}

static void
drop_broken(struct ldap_conn *conn)
{
	ldap_server_set_down(conn->server, conn->why, clock_monotonic_ms());
	ldap_conn_close(conn);
}

/* ---- asking as the service ---- */

/*
 * On the connection from before.  It may have been closed at the other end:
 * then nobody is to blame.  A server that says nothing on it is down, and is
 * not given the time of a search that may be slow.
 */
static enum ldap_status
ask_open(struct check *check, ask_fn *ask)
{
	struct cred_ldap	*ldap = check->ldap;
	uint64_t		 now = clock_monotonic_ms(), deadline;
	enum ldap_status	 status;

	if (ldap->service != NULL && now - ldap->service_used > IDLE_MS)
		close_service(ldap);
	if (ldap->service == NULL)
		return LDAP_STATUS_BROKEN;
	deadline = step_deadline(check, ldap->servers.n > 1 ?
	    earlier(ldap->conf->connect_ms, ldap->conf->operation_ms) :
	    ldap->conf->operation_ms);
	status = ask(check, ldap->service, deadline);
	now = clock_monotonic_ms();
	if (status != LDAP_STATUS_BROKEN) {
		ldap->service_used = now;
		return status;
	}
	if (now >= deadline)
		ldap_server_set_down(ldap->service->server,
		    ldap->service->why, now);
	else
		log_debug("%s: %s; connecting again",
		    ldap->service->server->name, ldap->service->why);
	close_service(ldap);
	return status;
}

static enum ldap_status
ask_service(struct check *check, ask_fn *ask)
{
	struct cred_ldap	*ldap = check->ldap;
	struct ldap_conn	*conn = NULL;
	struct ldap_walk	 walk;
	enum ldap_status	 status;
	uint64_t		 now = clock_monotonic_ms();

	if (ldap->refused_at != 0 && now - ldap->refused_at < REFUSED_MS)
		return LDAP_STATUS_REFUSED;
	ldap->refused_at = 0;
	status = ask_open(check, ask);
	ldap_walk_start(&walk, &ldap->servers, NULL, clock_monotonic_ms());
	while (status == LDAP_STATUS_BROKEN) {
		status = open_next(check, &walk, true, &conn);
		if (status != LDAP_STATUS_OK)
			break;
		status = ask(check, conn, step_deadline(check,
		    ldap->conf->operation_ms));
		if (status == LDAP_STATUS_BROKEN) {
			drop_broken(conn);
			continue;
		}
		ldap_server_set_up(conn->server);
		ldap->service = conn;
		ldap->service_used = clock_monotonic_ms();
	}
	return status;
}

static enum ldap_status
report(struct ldap_conn *conn, enum ldap_status status)
{
	if (status == LDAP_STATUS_REFUSED)
		log_refused(conn);
	return status;
}

/* An ask_fn: by the filter, or the entry of a DN that is known. */
static enum ldap_status
find_user(struct check *check, struct ldap_conn *conn, uint64_t deadline)
{
	const struct conf_ldap	*conf = check->ldap->conf;
	struct ldap_name	 name = { "user", check->typed };
	enum ldap_status	 status;
	char			*filter;

	if (check->own_dn != NULL)
		return report(conn, ldap_search_user(conn, conf,
		    check->own_dn, LDAP_SCOPE_BASE, "(objectClass=*)",
		    deadline, &check->user));
	filter = ldap_escape_expand(conf->filter, LDAP_SYNTAX_FILTER, &name,
	    1);
	if (filter == NULL)
		return LDAP_STATUS_NO;
	status = ldap_search_user(conn, conf, conf->base, LDAP_SCOPE_SUBTREE,
	    filter, deadline, &check->user);
	free(filter);
	return report(conn, status);
}

/* An ask_fn. */
static enum ldap_status
find_groups(struct check *check, struct ldap_conn *conn, uint64_t deadline)
{
	return report(conn, ldap_groups_find(conn, check->ldap->conf,
	    &check->user, deadline, check->answer));
}

/* ---- binding as the user ---- */

/*
 * At the server of the searches first.  Another one is asked only where the
 * first gave no answer.  The connection stays open when *kept is wanted.
 */
static enum ldap_status
bind_user(struct check *check, const char *dn, struct ldap_conn **kept)
{
	struct cred_ldap	*ldap = check->ldap;
	struct ldap_conn	*conn = NULL;
	struct ldap_walk	 walk;
	enum ldap_status	 status = LDAP_STATUS_BROKEN;

	ldap_walk_start(&walk, &ldap->servers, ldap->service != NULL ?
	    ldap->service->server : NULL, clock_monotonic_ms());
	while (status == LDAP_STATUS_BROKEN) {
		status = open_next(check, &walk, false, &conn);
		if (status != LDAP_STATUS_OK)
			return status;
		status = ldap_conn_bind_user(conn, dn, check->password,
		    check->len, ldap->conf->ppolicy, step_deadline(check,
		    ldap->conf->operation_ms), &check->reason);
		if (status == LDAP_STATUS_BROKEN)
			drop_broken(conn);
	}
	report(conn, status);
	ldap_server_set_up(conn->server);
	if (status == LDAP_STATUS_OK && kept != NULL)
		*kept = conn;
	else
		ldap_conn_close(conn);
	return status;
}

/* ---- a check ---- */

static enum ldap_status
check_found(struct check *check, enum ldap_status status)
{
	if (status != LDAP_STATUS_NO)
		return status;
	check->reason = check->user.nfound == 0 ? "no such user" :
	    "more than one entry";
	if (check->user.nfound > 1)
		log_warnx("ldap.filter finds more than one entry for a user");
	return status;
}

/* The service finds the entry, its password is tried, then groups. */
static enum ldap_status
check_by_search(struct check *check)
{
	enum ldap_status	 status;

	status = check_found(check, ask_service(check, find_user));
	if (status == LDAP_STATUS_OK)
		status = bind_user(check, check->user.dn, NULL);
	if (status == LDAP_STATUS_OK)
		status = ask_service(check, find_groups);
	return status;
}

/* As the service where there is one, else as the user himself. */
static enum ldap_status
look_up(struct check *check, struct ldap_conn *conn)
{
	uint64_t		 ms = check->ldap->conf->operation_ms;
	enum ldap_status	 status;

	if (check->ldap->password != NULL) {
		status = ask_service(check, find_user);
		if (status == LDAP_STATUS_OK)
			status = ask_service(check, find_groups);
	} else {
		status = find_user(check, conn, step_deadline(check, ms));
		if (status == LDAP_STATUS_OK)
			status = find_groups(check, conn,
			    step_deadline(check, ms));
	}
	if (status != LDAP_STATUS_NO)
		return status;
	/* Who he is cannot be known: what was typed is not enough. */
	log_error("%s: a user who was let in has %s that can be read",
	    conn->server->name, check->user.nfound == 0 ? "no entry" :
	    "more than one entry");
	return LDAP_STATUS_REFUSED;
}

/* The name makes the DN, or, without "=", what Active Directory takes. */
static enum ldap_status
check_by_template(struct check *check)
{
	const struct conf_ldap	*conf = check->ldap->conf;
	struct ldap_name	 name = { "user", check->typed };
	bool			 is_dn = strchr(conf->template, '=') != NULL;
	struct ldap_conn	*conn = NULL;
	enum ldap_status	 status;
	char			*dn;

	dn = ldap_escape_expand(conf->template, is_dn ? LDAP_SYNTAX_DN :
	    LDAP_SYNTAX_PLAIN, &name, 1);
	if (dn == NULL) {
		check->reason = "no such user";
		return errno == EINVAL ? LDAP_STATUS_NO : LDAP_STATUS_BROKEN;
	}
	status = bind_user(check, dn, &conn);
	if (status == LDAP_STATUS_OK) {
		check->own_dn = is_dn ? dn : NULL;
		status = look_up(check, conn);
		check->own_dn = NULL;
		ldap_conn_close(conn);
	}
	free(dn);
	return status;
}

static bool
is_in_group(const struct cred_answer *answer, const char *group)
{
	size_t	 i;

	for (i = 0; i < answer->ngroups; i++)
		if (strcmp(answer->groups[i], group) == 0)
			return true;
	return false;
}

/* Blanks at an end are nothing to a directory, but they are a name here. */
static bool
is_name(const char *typed)
{
	size_t	 len = strlen(typed), i;

	for (i = 0; i < len; i++)
		if ((unsigned char)typed[i] < 0x20 || typed[i] == 0x7f)
			return false;
	return len > 0 && typed[0] != ' ' && typed[len - 1] != ' ';
}

static enum cred_verdict
finish(struct check *check, enum ldap_status status)
{
	const struct conf_ldap	*conf = check->ldap->conf;
	struct cred_answer	*answer = check->answer;
	enum cred_verdict	 verdict = CRED_UNAVAILABLE;

	if (status == LDAP_STATUS_OK && conf->require_group != NULL &&
	    !is_in_group(answer, conf->require_group)) {
		check->reason = "not in ldap.require_group";
		status = LDAP_STATUS_NO;
	}
	if (status == LDAP_STATUS_OK) {
		str_copy(answer->user, sizeof(answer->user),
		    check->user.name);
		str_lower(answer->user);
		verdict = CRED_OK;
	} else {
		cred_answer_done(answer);
		if (status == LDAP_STATUS_NO)
			verdict = strcmp(check->reason, "no such user") == 0 ?
			    CRED_UNKNOWN : CRED_BAD;
		else
			check->reason = "directory unavailable";
		str_copy(answer->reason, sizeof(answer->reason),
		    check->reason);
	}
	ldap_user_done(&check->user);
	return verdict;
}

static enum cred_verdict
ldap_verify(void *state, const char *user, const char *password, size_t len,
    const char *peer, struct cred_answer *answer)
{
	struct cred_ldap	*ldap = state;
	struct check		 check = { .ldap = ldap, .typed = user,
				    .password = password, .len = len,
				    .reason = "no such user",
				    .answer = answer };
	enum ldap_status	 status = LDAP_STATUS_NO;

	(void)peer;
	/* A bind without a password succeeds and proves nothing. */
	if (len == 0)
		return CRED_BAD;
	check.deadline = clock_monotonic_ms() + ldap->total_ms;
	if (!is_name(user))
		return finish(&check, status);
	if (strcmp(ldap->conf->mode, "search") == 0)
		status = check_by_search(&check);
	else
		status = check_by_template(&check);
	return finish(&check, status);
}

/* ---- the driver ---- */

static void
ldap_free(void *state)
{
	struct cred_ldap	*ldap = state;

	if (ldap == NULL)
		return;
	close_service(ldap);
	ldap_servers_done(&ldap->servers);
	secret_free(ldap->password);
	if (ldap->ca != -1)
		close(ldap->ca);
	free(ldap);
}

/* The first line of the file. */
static struct secret *
read_password(int fd, char *error, size_t errsize)
{
	struct secret	*file, *password = NULL;
	size_t		 len;

	if ((file = secret_read(fd, MAX_PASSWORD_FILE)) == NULL) {
		snprintf(error, errsize, "ldap.bind_password_file: %s",
		    strerror(errno));
		return NULL;
	}
	len = strcspn(secret_data(file), "\r\n");
	if (len == 0)
		snprintf(error, errsize,
		    "ldap.bind_password_file: the first line is empty");
	else if ((password = secret_new(secret_data(file), len)) == NULL)
		snprintf(error, errsize, "out of memory");
	secret_free(file);
	return password;
}

static void *
ldap_start(const struct authd_conf *conf, const int *files, char *error,
    size_t errsize)
{
	struct cred_ldap	*ldap;

	/* Only this configuration counts, no ldap.conf and no .ldaprc. */
	setenv("LDAPNOINIT", "1", 1);
	/* A name server that is gone must not use up a login's time. */
	setenv("RES_OPTIONS", "timeout:1 attempts:1", 1);
	if ((ldap = calloc(1, sizeof(*ldap))) == NULL) {
		snprintf(error, errsize, "out of memory");
		return NULL;
	}
	ldap->conf = &conf->ldap;
	ldap->ca = -1;
	if (files[CONF_FILE_LDAP_CA] != -1)
		ldap->ca = fcntl(files[CONF_FILE_LDAP_CA], F_DUPFD_CLOEXEC, 3);
	ldap->total_ms = conf->ldap.total_ms;
	if (ldap->total_ms > conf->check_timeout_ms - SPARE_MS)
		ldap->total_ms = conf->check_timeout_ms - SPARE_MS;
	if (ldap_servers_init(&ldap->servers, conf->ldap.uris.items,
	    conf->ldap.uris.n) == -1) {
		snprintf(error, errsize, "ldap.uris cannot be used");
		ldap_free(ldap);
		return NULL;
	}
	if (conf->ldap.bind_dn != NULL &&
	    (ldap->password = read_password(files[CONF_FILE_LDAP_PASSWORD],
	    error, errsize)) == NULL) {
		ldap_free(ldap);
		return NULL;
	}
	return ldap;
}

const struct cred_ops	cred_ldap = {
	.name = "ldap",
	.level = SANDBOX_VERIFIER_LDAP,
	.enter = privdrop_keep_root,
	.start = ldap_start,
	.verify = ldap_verify,
	.free = ldap_free
};
