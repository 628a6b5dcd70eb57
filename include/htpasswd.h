/* SPDX-License-Identifier: ISC */
/*
 * Users of an htpasswd file and the check of their passwords.  A check takes
 * as long as the hash wants: only a verifier process may call it.
 */
#ifndef HTPASSWD_H
#define HTPASSWD_H

#include <stddef.h>
#include <stdio.h>
#include <sys/types.h>

#define HTPASSWD_MAX_SIZE	((off_t)128 << 20)	/* bytes of a file */
#define HTPASSWD_MAX_USER	255

enum htpasswd_result {
	HTPASSWD_GOOD,
	HTPASSWD_WRONG,
	HTPASSWD_LOCKED,		/* the user's hash matches nothing */
	HTPASSWD_UNKNOWN,		/* there is no such user */
	HTPASSWD_BROKEN			/* the hash could not be computed */
};

struct htpasswd;

/*
 * Parse a file from fd (not closed; its offset does not matter).  Errors
 * name file and line; the whole file is refused.  NULL when there are any.
 */
struct htpasswd	*htpasswd_load(int fd, const char *name, FILE *messages);
/* Same from bytes in memory. */
struct htpasswd	*htpasswd_parse(const char *text, size_t len,
		    const char *name, FILE *messages);
void		 htpasswd_free(struct htpasswd *);	/* NULL is fine */
/* Number of users. */
size_t		 htpasswd_count(const struct htpasswd *);
/*
 * password: len bytes.  All results but HTPASSWD_BROKEN take alike long; an
 * empty password, one with a NUL or of more than PWHASH_MAX bytes is wrong.
 */
enum htpasswd_result htpasswd_check(struct htpasswd *, const char *user,
		    const char *password, size_t len);
/*
 * Is he there: HTPASSWD_GOOD, LOCKED or UNKNOWN, without any password.
 * *hash (NULL is fine) is set unless he is unknown, and borrowed.
 */
enum htpasswd_result htpasswd_find(const struct htpasswd *,
		    const char *user, const char **hash);

#endif
