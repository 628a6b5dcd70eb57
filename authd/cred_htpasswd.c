/* SPDX-License-Identifier: ISC */
/*
 * The htpasswd file as a credential backend.  Runs in its verifiers, which
 * compute and nothing else.
 */
#include <stdio.h>

#include "htpasswd.h"
#include "verify.h"

#include "cred.h"

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

static void
cred_htpasswd_free(void *state)
{
	htpasswd_free(state);
}

const struct cred_ops	cred_htpasswd = {
	.name = "htpasswd",
	.level = SANDBOX_VERIFIER,
	.start = cred_htpasswd_start,
	.verify = verify_htpasswd,
	.lookup = verify_htpasswd_lookup,
	.free = cred_htpasswd_free
};
