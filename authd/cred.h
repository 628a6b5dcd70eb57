/* SPDX-License-Identifier: ISC */
/*
 * Credential drivers: each checks a user and a password, may block, and
 * runs in a verifier process of its own.
 */
#ifndef CRED_H
#define CRED_H

#include <stddef.h>

#include "cred_answer.h"
#include "proc.h"
#include "sandbox.h"
#include "verify.h"

#include "conf.h"
#include "messages.h"

struct cred_ops {
	const char	*name;			/* "htpasswd" */
	enum sandbox_level level;
	/* Give up privilege; NULL: privdrop(), which hides all files. */
	void		(*enter)(const struct proc_args *);
	/*
	 * When the process is configured, and anew, with all its files, when
	 * one of them has changed: then the old state stays in use if this
	 * fails.  files: by enum conf_file, -1 where there is none; they are
	 * closed afterwards.  NULL with a reason.
	 */
	void		*(*start)(const struct authd_conf *, const int *files,
			    char *error, size_t errsize);
	/* ms until a check ends the process; NULL: limits.check_timeout. */
	uint64_t	(*limit)(const struct authd_conf *);
	verify_fn	*verify;
	/* Without a password: of what authd itself has given the user. */
	verify_lookup_fn *lookup;
	void		(*free)(void *state);
};

extern const struct cred_ops cred_htpasswd;
extern const struct cred_ops cred_ldap;
extern const struct cred_ops cred_pam;

#endif
