/* SPDX-License-Identifier: ISC */
/*
 * Credential drivers: each checks a user and a password, may block, and
 * runs in a verifier process of its own.
 */
#ifndef CRED_H
#define CRED_H

#include <stddef.h>

#include "conf.h"
#include "messages.h"
#include "proc.h"
#include "sandbox.h"

#define CRED_REASON_SIZE	65

/* The user and the groups mean something with CRED_OK only. */
struct cred_answer {
	char		 user[MAX_USER + 1];	/* canonical */
	char		 reason[CRED_REASON_SIZE];	/* for the log, or "" */
	char		**groups;		/* malloc()ed by the driver */
	size_t		 ngroups;
};

/* Deep copy into an empty answer; -1: out of memory (dst stays empty). */
int		 cred_answer_copy(struct cred_answer *dst,
		    const struct cred_answer *src);
void		 cred_answer_done(struct cred_answer *);

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
	/*
	 * password: len bytes without NUL, len >= 1 (checked before).  peer:
	 * the client's address.  The process is killed at its deadline.
	 */
	enum cred_verdict (*verify)(void *state, const char *user,
			    const char *password, size_t len,
			    const char *peer, struct cred_answer *);
	void		(*free)(void *state);
};

extern const struct cred_ops cred_htpasswd;
extern const struct cred_ops cred_ldap;

#endif
