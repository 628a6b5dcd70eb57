/* SPDX-License-Identifier: ISC */
/*
 * What became of the check of a user and a password.
 */
#ifndef CRED_ANSWER_H
#define CRED_ANSWER_H

#include <stddef.h>

#include "msg.h"

#define CRED_MAX_USER		255
#define CRED_MAX_PASSWORD	8192
#define CRED_REASON_SIZE	65
#define CRED_STAMP_SIZE		65
#define CRED_MAX_GROUPS		1024	/* of one user */

enum cred_verdict {
	CRED_OK,
	CRED_BAD,			/* wrong password, locked, expired */
	CRED_UNKNOWN,			/* no such user: the next backend is
					   asked; clients see CRED_BAD */
	CRED_UNAVAILABLE		/* could not be checked: 503 */
};

/* The user and the groups mean something with CRED_OK only. */
struct cred_answer {
	char		 user[CRED_MAX_USER + 1];	/* canonical */
	char		 reason[CRED_REASON_SIZE];	/* for the log, or "" */
	char		 stamp[CRED_STAMP_SIZE];	/* another one when the
						   password is; "" unknown */
	char		**groups;		/* malloc()ed by the driver */
	size_t		 ngroups;
	unsigned	 role;		/* of the verifier; set by who asked */
};

/* Deep copy into an empty answer; -1: out of memory (dst stays empty). */
int		 cred_answer_copy(struct cred_answer *dst,
		    const struct cred_answer *src);
void		 cred_answer_done(struct cred_answer *);
/* Make the stamp from the hash of a password, or from when it was set. */
void		 cred_answer_stamp(struct cred_answer *, const char *);

/*
 * On the wire: verdict u8, user str, reason str, stamp str, ngroups u32,
 * ngroups * str.
 * cred_answer_get() reads to the end of the message into an empty answer; -1
 * when that is not well-formed, and cred_answer_done() in any case.
 */
void		 cred_answer_put(struct msg_out *, enum cred_verdict,
		    const struct cred_answer *);
int		 cred_answer_get(struct msg *, enum cred_verdict *,
		    struct cred_answer *);

#endif
