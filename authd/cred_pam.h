/* SPDX-License-Identifier: ISC */
/*
 * The parts of the PAM driver to each other.  Modules run in a helper, a
 * child of the verifier, which may hang, crash or exit as it likes; nobody
 * outside cred_pam*.c includes this.
 */
#ifndef CRED_PAM_H
#define CRED_PAM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include <security/pam_appl.h>

#include "conf.h"
#include "cred.h"

#define CRED_PAM_MAX_PASSWORD	511	/* PAM_MAX_RESP_SIZE with its NUL */
#define CRED_PAM_MAX_GROUP_BYTES 49152	/* of the names of a user's groups */

/* What the helper answers. */
struct cred_pam_result {
	enum cred_verdict	 verdict;
	bool			 dirty;	/* a module left a process behind */
	struct cred_answer	 answer;
};

/* ---- cred_pam_conv.c: what modules ask the application ---- */
struct cred_pam_conv {
	const char	*user, *password;	/* NULL: there is none */
	bool		 answered;	/* the password has been given */
	bool		 refused;	/* and something else was asked for */
};
/* For struct pam_conv; appdata is a struct cred_pam_conv. */
int	 cred_pam_conv(int n, const struct pam_message **,
	    struct pam_response **, void *appdata);
/*
 * For PAM_FAIL_DELAY: returns at once, so that failures keep nobody waiting;
 * the broker sees to it that they cannot be told apart by their time.
 */
void	 cred_pam_delay(int status, unsigned usec, void *appdata);

/* ---- cred_pam_account.c: the account behind a name ---- */
enum cred_pam_account {
	ACCOUNT_FOUND,
	ACCOUNT_NONE,
	ACCOUNT_ERROR			/* the system cannot say now */
};
enum cred_pam_account cred_pam_account(const char *user, uid_t *, gid_t *);
/*
 * The names of a user's groups, gid being his primary one.  -1 when not all
 * are known: rules that deny must not miss one.
 */
int	 cred_pam_groups(const char *user, gid_t gid, struct cred_answer *);

/* The stamp of his password, where it can be read. */
void	 cred_pam_stamp(struct cred_answer *);
/* Has he a password that was locked, as by "usermod -L"? */
bool	 cred_pam_is_locked(const char *user);

/* ---- cred_pam_check.c: one check ---- */
/*
 * What a result of libpam means; *reason: for the log, or "".  account: of
 * pam_acct_mgmt(), when the password has been right.
 */
enum cred_verdict cred_pam_verdict(int error, bool account,
	    const char **reason);
/* password: len bytes without NUL, and a NUL behind them. */
enum cred_verdict cred_pam_check(const struct conf_pam *, const char *user,
	    const char *password, size_t len, const char *peer,
	    struct cred_answer *);

/* The same without a password, of a user with an account. */
enum cred_verdict cred_pam_lookup(const struct conf_pam *, const char *user,
	    const char *peer, struct cred_answer *);

/* ---- cred_pam_helper.c: the helper process ---- */
/* Serves checks that come through fd until it is closed.  No return. */
_Noreturn void cred_pam_helper(const struct conf_pam *, int fd);
/* The verifier's side of the socket: -1 with errno.  Password NULL: lookup. */
int	 cred_pam_send(int fd, const char *user, const char *password,
	    size_t len, const char *peer);
/* 0, -1 with errno; 1: the helper has gone.  Fills in an empty result. */
int	 cred_pam_recv(int fd, struct cred_pam_result *);

#endif
