/* SPDX-License-Identifier: ISC */
/*
 * One check of a user and a password by PAM.  Runs in the PAM helper: any
 * call into a module may block for ever, crash, or never return.
 */
#include "cred_pam.h"

#include <stdint.h>
#include <string.h>

#include "str.h"

#define FLAGS	(PAM_SILENT | PAM_DISALLOW_NULL_AUTHTOK)

enum cred_verdict
cred_pam_verdict(int error, bool account, const char **reason)
{
	*reason = "";
	switch (error) {
	case PAM_SUCCESS:
		return CRED_OK;
	case PAM_USER_UNKNOWN:
		*reason = "no account";
		return account ? CRED_BAD : CRED_UNKNOWN;
	case PAM_AUTH_ERR:
		return CRED_BAD;
	case PAM_MAXTRIES:
		*reason = "too many tries";
		return CRED_BAD;
	case PAM_PERM_DENIED:
		*reason = "denied";
		return CRED_BAD;
	case PAM_ACCT_EXPIRED:
		*reason = "account expired";
		return CRED_BAD;
	case PAM_CRED_EXPIRED:
	case PAM_AUTHTOK_EXPIRED:
		*reason = "password expired";
		return CRED_BAD;
	case PAM_NEW_AUTHTOK_REQD:
		*reason = "must change password";
		return CRED_BAD;
	default:
		*reason = pam_strerror(NULL, error);
		return CRED_UNAVAILABLE;
	}
}

/*
 * Modules use names for files and name services; what could mislead them
 * there is nobody's name.
 */
static bool
is_name(const char *user)
{
	const unsigned char	*s;

	if (*user == '\0' || strchr("-+~.", *user) != NULL)
		return false;
	for (s = (const unsigned char *)user; *s != '\0'; s++)
		if (*s < 0x20 || *s == 0x7f || *s == '/' || *s == ':')
			return false;
	return true;
}

static void
set_reason(struct cred_answer *answer, const char *reason)
{
	snprintf(answer->reason, sizeof(answer->reason), "%s", reason);
}

/* The name that modules have settled on. */
static int
get_user(pam_handle_t *pamh, struct cred_answer *answer)
{
	const void	*user = NULL;

	if (pam_get_item(pamh, PAM_USER, &user) != PAM_SUCCESS ||
	    user == NULL || !is_name(user) || str_copy(answer->user,
	    sizeof(answer->user), user) == -1)
		return -1;
	return 0;
}

static int
set_items(pam_handle_t *pamh, const char *peer)
{
	union {
		void		(*fn)(int, unsigned, void *);
		const void	*item;
	} delay = { .fn = cred_pam_delay };
	int	 error;

	error = pam_set_item(pamh, PAM_TTY, "authd");
	if (error == PAM_SUCCESS)
		error = pam_set_item(pamh, PAM_FAIL_DELAY, delay.item);
	/* A client of a unix socket has no address. */
	if (error == PAM_SUCCESS && strcmp(peer, "unix") != 0)
		error = pam_set_item(pamh, PAM_RHOST, peer);
	return error;
}

/* The transaction, begun and not yet ended. */
static enum cred_verdict
transact(pam_handle_t *pamh, const struct cred_pam_conv *conv,
    const char *peer, struct cred_answer *answer, int *error)
{
	enum cred_verdict	 verdict;
	const char		*reason = "";
	bool			 account = false;

	*error = set_items(pamh, peer);
	if (*error == PAM_SUCCESS && conv->password != NULL)
		*error = pam_authenticate(pamh, FLAGS);
	if (*error == PAM_SUCCESS) {
		account = true;
		*error = pam_acct_mgmt(pamh, FLAGS);
	}
	verdict = cred_pam_verdict(*error, account, &reason);
	if (verdict == CRED_UNAVAILABLE && conv->refused) {
		verdict = CRED_BAD;
		reason = "asked for more than a password";
	}
	if (verdict == CRED_OK && get_user(pamh, answer) == -1) {
		verdict = CRED_UNAVAILABLE;
		reason = "modules gave no user name";
	}
	set_reason(answer, reason);
	return verdict;
}

static enum cred_verdict
authenticate(const struct conf_pam *pam, const char *user,
    const char *password, const char *peer, struct cred_answer *answer)
{
	struct cred_pam_conv	 data = { .user = user,
				    .password = password };
	struct pam_conv		 conv = { cred_pam_conv, &data };
	pam_handle_t		*pamh = NULL;
	enum cred_verdict	 verdict;
	int			 error;

	if (pam->confdir == NULL)
		error = pam_start(pam->service, user, &conv, &pamh);
	else
		error = pam_start_confdir(pam->service, user, &conv,
		    pam->confdir, &pamh);
	if (error != PAM_SUCCESS || pamh == NULL) {
		set_reason(answer, pam_strerror(NULL, error));
		return CRED_UNAVAILABLE;
	}
	verdict = transact(pamh, &data, peer, answer, &error);
	pam_end(pamh, error);
	return verdict;
}

/*
 * Whether the user may come in at all: CRED_OK, or what he is.  Without
 * pam.min_uid a user needs no account.
 */
static enum cred_verdict
check_account(const struct conf_pam *pam, const char *user,
    struct cred_answer *answer, gid_t *gid)
{
	uid_t	 uid;

	switch (cred_pam_account(user, &uid, gid)) {
	case ACCOUNT_FOUND:
		if (uid >= pam->min_uid)
			return CRED_OK;
		set_reason(answer, "beneath pam.min_uid");
		return CRED_BAD;
	case ACCOUNT_NONE:
		*gid = (gid_t)-1;
		return pam->min_uid == 0 ? CRED_OK : CRED_UNKNOWN;
	case ACCOUNT_ERROR:
		break;
	}
	set_reason(answer, "no answer from the name service");
	return CRED_UNAVAILABLE;
}

/* The password was right; the name may be another than the one given. */
static enum cred_verdict
finish(const struct conf_pam *pam, struct cred_answer *answer)
{
	enum cred_verdict	 verdict;
	gid_t			 gid;

	verdict = check_account(pam, answer->user, answer, &gid);
	if (verdict == CRED_UNKNOWN) {
		set_reason(answer, "no account");
		return CRED_BAD;
	}
	if (verdict == CRED_OK)
		cred_pam_stamp(answer);
	if (verdict == CRED_OK && pam->groups && gid != (gid_t)-1 &&
	    cred_pam_groups(answer->user, gid, answer) == -1) {
		set_reason(answer, "cannot tell the user's groups");
		return CRED_UNAVAILABLE;
	}
	return verdict;
}

enum cred_verdict
cred_pam_check(const struct conf_pam *pam, const char *user,
    const char *password, size_t len, const char *peer,
    struct cred_answer *answer)
{
	enum cred_verdict	 known, verdict;
	gid_t			 gid;

	if (!is_name(user))
		return CRED_UNKNOWN;
	known = check_account(pam, user, answer, &gid);
	if (known == CRED_BAD || known == CRED_UNAVAILABLE)
		return known;
	if (len > CRED_PAM_MAX_PASSWORD) {
		set_reason(answer, "password too long");
		return known == CRED_UNKNOWN ? known : CRED_BAD;
	}
	/*
	 * Modules see unknown users as well, so that these take as long as
	 * others.  Stacks often end in a plain refusal for them.
	 */
	verdict = authenticate(pam, user, password, peer, answer);
	if (verdict == CRED_BAD && known == CRED_UNKNOWN)
		return CRED_UNKNOWN;
	return verdict == CRED_OK ? finish(pam, answer) : verdict;
}

enum cred_verdict
cred_pam_lookup(const struct conf_pam *pam, const char *user,
    const char *peer, struct cred_answer *answer)
{
	enum cred_verdict	 verdict;
	gid_t			 gid;

	if (!is_name(user))
		return CRED_UNKNOWN;
	verdict = check_account(pam, user, answer, &gid);
	if (verdict != CRED_OK)
		return verdict;
	/* Without an account nothing but a password could prove him. */
	if (gid == (gid_t)-1)
		return CRED_UNKNOWN;
	if (cred_pam_is_locked(user)) {
		set_reason(answer, "locked");
		return CRED_BAD;
	}
	verdict = authenticate(pam, user, NULL, peer, answer);
	return verdict == CRED_OK ? finish(pam, answer) : verdict;
}
