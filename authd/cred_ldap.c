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
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "cred.h"
#include "ldap_escape.h"
#include "ldap_groups.h"
#include "ldap_search.h"
#include "ldap_session.h"
#include "log.h"
#include "privdrop.h"
#include "str.h"

#define MAX_PASSWORD_FILE	4096
#define SPARE_MS		250	/* to answer before the process ends */

static const char	 no_such_user[] = "no such user";

struct cred_ldap {
	struct ldap_session	 session;
	uint64_t		 total_ms;
};

/* One check of one user. */
struct check {
	struct ldap_session	*session;
	const struct conf_ldap	*conf;
	const char		*typed;
	struct ldap_bind	 bind;
	uint64_t		 deadline;
	const char		*own_dn;	/* known entry, or NULL */
	const char		*account;	/* Active Directory's name of
						   who has logged in, or NULL */
	struct ldap_user	 user;
	const char		*reason;	/* why it failed */
	struct cred_answer	*answer;
};

/* ---- questions ---- */

/* A name that cannot be a user's, or is too long; or there is no memory. */
static enum ldap_status
not_expanded(void)
{
	return errno == ENOMEM ? LDAP_STATUS_BROKEN : LDAP_STATUS_NO;
}

/* By the filter, or the entry of a DN or an account that is known. */
static enum ldap_status
find_user(struct ldap_conn *conn, uint64_t deadline, void *arg)
{
	struct check		*check = arg;
	struct ldap_name	 name = { "user", check->typed };
	enum ldap_status	 status;
	char			*filter;

	if (check->own_dn != NULL)
		return ldap_search_user(conn, check->conf, check->own_dn,
		    LDAP_SCOPE_BASE, "(objectClass=*)", deadline,
		    &check->user);
	if (check->account != NULL)
		name.value = check->account;
	filter = ldap_escape_expand(check->account != NULL ?
	    "(sAMAccountName={user})" : check->conf->filter,
	    LDAP_SYNTAX_FILTER, &name, 1);
	if (filter == NULL)
		return not_expanded();
	status = ldap_search_user(conn, check->conf, check->conf->base,
	    LDAP_SCOPE_SUBTREE, filter, deadline, &check->user);
	free(filter);
	return status;
}

static enum ldap_status
find_groups(struct ldap_conn *conn, uint64_t deadline, void *arg)
{
	struct check	*check = arg;

	return ldap_groups_find(conn, check->conf, &check->user, deadline,
	    check->answer);
}

static enum ldap_status
ask_service(struct check *check, ldap_ask_fn *ask)
{
	return ldap_session_ask(check->session, check->deadline, ask, check);
}

static enum ldap_status
bind_user(struct check *check, const char *dn, struct ldap_conn **kept)
{
	enum ldap_status	 status;

	check->bind.dn = dn;
	status = ldap_session_bind(check->session, check->deadline,
	    &check->bind, kept);
	check->reason = check->bind.reason;
	return status;
}

/* ---- a check ---- */

/* The service finds the entry, its password is tried, then groups. */
static enum ldap_status
check_by_search(struct check *check)
{
	enum ldap_status	 status;

	status = ask_service(check, find_user);
	if (status == LDAP_STATUS_NO && check->user.nfound > 1) {
		check->reason = "more than one entry";
		log_warnx("ldap.filter finds more than one entry for a user");
	}
	if (status == LDAP_STATUS_OK)
		status = bind_user(check, check->user.dn, NULL);
	if (status == LDAP_STATUS_OK)
		status = ask_service(check, find_groups);
	return status;
}

/* As the user himself, where there is no service. */
static enum ldap_status
ask_own(struct check *check, struct ldap_conn *conn, ldap_ask_fn *ask)
{
	enum ldap_status	 status;

	status = ask(conn, ldap_session_step(check->deadline,
	    check->conf->operation_ms), check);
	if (status == LDAP_STATUS_REFUSED)
		log_error("%s: %s", conn->server->name, conn->why);
	return status;
}

static enum ldap_status
look_up(struct check *check, struct ldap_conn *conn)
{
	bool			 own = check->session->password == NULL;
	enum ldap_status	 status;

	status = own ? ask_own(check, conn, find_user) :
	    ask_service(check, find_user);
	if (status == LDAP_STATUS_OK)
		return own ? ask_own(check, conn, find_groups) :
		    ask_service(check, find_groups);
	if (status != LDAP_STATUS_NO)
		return status;
	/* Who he is cannot be known: what was typed is not enough. */
	log_error("%s: a user who was let in has %s that can be read",
	    conn->server->name, check->user.nfound == 0 ? "no entry" :
	    "more than one entry");
	return LDAP_STATUS_REFUSED;
}

/*
 * A principal name says which password was tried, and not whose: one user's
 * may be another's account name.  The directory knows who has logged in.
 */
static enum ldap_status
look_up_principal(struct check *check, struct ldap_conn *conn)
{
	enum ldap_status	 status;
	char			*who = NULL;

	status = ldap_conn_who(conn, ldap_session_step(check->deadline,
	    check->conf->operation_ms), &who);
	if (status != LDAP_STATUS_OK) {
		log_error("%s: %s", conn->server->name, conn->why);
		return status;
	}
	if (strncmp(who, "dn:", 3) == 0)
		check->own_dn = who + 3;
	else if (strncmp(who, "u:", 2) == 0 && strchr(who, '\\') != NULL)
		check->account = strrchr(who, '\\') + 1;
	if (check->own_dn != NULL || check->account != NULL)
		status = look_up(check, conn);
	else {
		log_error("%s: does not say who has logged in in a way that "
		    "is understood", conn->server->name);
		status = LDAP_STATUS_REFUSED;
	}
	check->own_dn = check->account = NULL;
	free(who);
	return status;
}

/* The name makes the DN, or, without "=", what Active Directory takes. */
static enum ldap_status
check_by_template(struct check *check)
{
	const char		*template = check->conf->template;
	struct ldap_name	 name = { "user", check->typed };
	bool			 is_dn = strchr(template, '=') != NULL;
	struct ldap_conn	*conn = NULL;
	enum ldap_status	 status;
	char			*dn;

	dn = ldap_escape_expand(template, is_dn ? LDAP_SYNTAX_DN :
	    LDAP_SYNTAX_PLAIN, &name, 1);
	if (dn == NULL)
		return not_expanded();
	status = bind_user(check, dn, &conn);
	if (status == LDAP_STATUS_OK) {
		check->own_dn = is_dn ? dn : NULL;
		status = is_dn ? look_up(check, conn) :
		    look_up_principal(check, conn);
		ldap_conn_close(conn);
	}
	free(dn);
	return status;
}

/* ---- a lookup ---- */

static enum ldap_status
find_and_judge(struct check *check)
{
	enum ldap_status	 status = ask_service(check, find_user);

	if (status != LDAP_STATUS_OK)
		return status;
	if (check->user.state.locked != NULL) {
		check->reason = check->user.state.locked;
		return LDAP_STATUS_NO;
	}
	return ask_service(check, find_groups);
}

/* Nobody binds as the user: the service finds him by his name. */
static enum ldap_status
look_up_user(struct check *check)
{
	const struct conf_ldap	*conf = check->conf;
	struct ldap_name	 name = { "user", check->typed };
	bool			 search = strcmp(conf->mode, "search") == 0;
	enum ldap_status	 status;
	char			*dn = NULL;

	if (!search && check->session->password == NULL) {
		log_error("ldap.bind_dn is missing: without it no owner of a "
		    "token can be looked up");
		return LDAP_STATUS_REFUSED;
	}
	if (!search && strchr(conf->template, '=') != NULL) {
		dn = ldap_escape_expand(conf->template, LDAP_SYNTAX_DN,
		    &name, 1);
		if (dn == NULL)
			return not_expanded();
	}
	check->own_dn = dn;
	status = find_and_judge(check);
	free(dn);
	return status;
}

/* ---- what came of it ---- */

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
	const char		*group = check->conf->require_group;
	struct cred_answer	*answer = check->answer;
	enum cred_verdict	 verdict = CRED_UNAVAILABLE;

	if (status == LDAP_STATUS_OK && group != NULL &&
	    !is_in_group(answer, group)) {
		check->reason = "not in ldap.require_group";
		status = LDAP_STATUS_NO;
	}
	if (status == LDAP_STATUS_OK) {
		str_copy(answer->user, sizeof(answer->user),
		    check->user.name);
		str_lower(answer->user);
		if (*check->user.state.since != '\0')
			cred_answer_stamp(answer, check->user.state.since);
		verdict = CRED_OK;
	} else {
		cred_answer_done(answer);
		if (status == LDAP_STATUS_NO)
			verdict = strcmp(check->reason, no_such_user) == 0 ?
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
	struct check		 check = { .session = &ldap->session,
				    .conf = ldap->session.conf,
				    .typed = user,
				    .bind = { .password = password,
				    .len = len }, .reason = no_such_user,
				    .answer = answer };
	enum ldap_status	 status = LDAP_STATUS_NO;

	(void)peer;
	/* A bind without a password succeeds and proves nothing. */
	if (len == 0)
		return CRED_BAD;
	check.deadline = clock_monotonic_ms() + ldap->total_ms;
	if (!is_name(user))
		return finish(&check, status);
	if (strcmp(check.conf->mode, "search") == 0)
		status = check_by_search(&check);
	else
		status = check_by_template(&check);
	return finish(&check, status);
}

static enum cred_verdict
ldap_lookup(void *state, const char *user, const char *peer,
    struct cred_answer *answer)
{
	struct cred_ldap	*ldap = state;
	struct check		 check = { .session = &ldap->session,
				    .conf = ldap->session.conf,
				    .typed = user, .reason = no_such_user,
				    .answer = answer };
	enum ldap_status	 status = LDAP_STATUS_NO;

	(void)peer;
	check.deadline = clock_monotonic_ms() + ldap->total_ms;
	if (is_name(user))
		status = look_up_user(&check);
	return finish(&check, status);
}

/* ---- the driver ---- */

static void
ldap_free(void *state)
{
	struct cred_ldap	*ldap = state;

	if (ldap == NULL)
		return;
	ldap_session_done(&ldap->session);
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
	struct secret		*password = NULL;
	int			 ca = files[CONF_FILE_LDAP_CA];

	/* Only this configuration counts, no ldap.conf and no .ldaprc. */
	setenv("LDAPNOINIT", "1", 1);
	/* A name server that is gone must not use up a login's time. */
	setenv("RES_OPTIONS", "timeout:1 attempts:1", 1);
	if (conf->ldap.bind_dn != NULL && (password = read_password(
	    files[CONF_FILE_LDAP_PASSWORD], error, errsize)) == NULL)
		return NULL;
	if (ca != -1)
		ca = fcntl(ca, F_DUPFD_CLOEXEC, 3);
	if ((ldap = calloc(1, sizeof(*ldap))) == NULL)
		fatal("ldap");
	if (ldap_session_init(&ldap->session, &conf->ldap, password,
	    ca) == -1) {
		snprintf(error, errsize, "ldap.uris cannot be used");
		ldap_free(ldap);
		return NULL;
	}
	ldap->total_ms = conf->ldap.total_ms;
	if (ldap->total_ms > conf->check_timeout_ms - SPARE_MS)
		ldap->total_ms = conf->check_timeout_ms - SPARE_MS;
	return ldap;
}

const struct cred_ops	cred_ldap = {
	.name = "ldap",
	.level = SANDBOX_VERIFIER_LDAP,
	.enter = privdrop_keep_root,
	.start = ldap_start,
	.verify = ldap_verify,
	.lookup = ldap_lookup,
	.free = ldap_free
};
