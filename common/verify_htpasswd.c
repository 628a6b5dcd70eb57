/* SPDX-License-Identifier: ISC */
/*
 * An htpasswd file as what a verifier checks against.  Runs in verifier
 * processes, which then compute and nothing else.
 */
#include "htpasswd.h"
#include "str.h"
#include "verify.h"

static void
set_user(const struct htpasswd *users, const char *user,
    struct cred_answer *answer)
{
	const char	*hash;

	str_copy(answer->user, sizeof(answer->user), user);
	if (htpasswd_find(users, user, &hash) != HTPASSWD_UNKNOWN)
		cred_answer_stamp(answer, hash);
}

enum cred_verdict
verify_htpasswd_lookup(void *state, const char *user, const char *peer,
    struct cred_answer *answer)
{
	(void)peer;
	switch (htpasswd_find(state, user, NULL)) {
	case HTPASSWD_GOOD:
		set_user(state, user, answer);
		return CRED_OK;
	case HTPASSWD_LOCKED:
		str_copy(answer->reason, sizeof(answer->reason), "locked");
		return CRED_BAD;
	default:
		return CRED_UNKNOWN;
	}
}

enum cred_verdict
verify_htpasswd(void *state, const char *user, const char *password,
    size_t len, const char *peer, struct cred_answer *answer)
{
	(void)peer;
	switch (htpasswd_check(state, user, password, len)) {
	case HTPASSWD_GOOD:
		set_user(state, user, answer);
		return CRED_OK;
	case HTPASSWD_UNKNOWN:
		return CRED_UNKNOWN;
	case HTPASSWD_LOCKED:
		str_copy(answer->reason, sizeof(answer->reason), "locked");
		return CRED_BAD;
	case HTPASSWD_WRONG:
		return CRED_BAD;
	case HTPASSWD_BROKEN:
		break;
	}
	str_copy(answer->reason, sizeof(answer->reason),
	    "the hash cannot be computed");
	return CRED_UNAVAILABLE;
}
