/* SPDX-License-Identifier: ISC */
/*
 * The htpasswd file as a credential backend.  Runs in its verifiers, which
 * compute and nothing else.
 */
#include <stdio.h>

#include "cred.h"
#include "htpasswd.h"
#include "str.h"

static void *
cred_htpasswd_start(const struct authd_conf *conf, const int *files,
    char *error, size_t errsize)
{
	struct htpasswd	*users;

	(void)conf;
	/* The parent has reported what is wrong; here stdout is /dev/null. */
	users = htpasswd_load(files[CONF_FILE_HTPASSWD], "htpasswd", stdout);
	if (users == NULL)
		snprintf(error, errsize, "the file is refused");
	return users;
}

static enum cred_verdict
cred_htpasswd_verify(void *state, const char *user, const char *password,
    size_t len, const char *peer, struct cred_answer *answer)
{
	(void)peer;
	switch (htpasswd_check(state, user, password, len)) {
	case HTPASSWD_GOOD:
		str_copy(answer->user, sizeof(answer->user), user);
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

static void
cred_htpasswd_free(void *state)
{
	htpasswd_free(state);
}

const struct cred_ops	cred_htpasswd = {
	.name = "htpasswd",
	.level = SANDBOX_VERIFIER,
	.start = cred_htpasswd_start,
	.verify = cred_htpasswd_verify,
	.free = cred_htpasswd_free
};
