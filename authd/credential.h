/* SPDX-License-Identifier: ISC */
/*
 * Secrets that authd makes itself: personal access tokens ("adp_"), secrets
 * of robots ("adr_") and refresh tokens ("adf_").  Behind the prefix are 43
 * random characters of base62, 256 bits, and six more that hold the CRC-32
 * of all before them, so that a scanner for secrets can tell ours from
 * noise, and so that a typing error costs no question.  What is stored is
 * the SHA-256 of the whole text: of so much chance it needs no slow hash.
 */
#ifndef CREDENTIAL_H
#define CREDENTIAL_H

#include <stddef.h>

#define CREDENTIAL_PREFIX	4
#define CREDENTIAL_RANDOM	43
#define CREDENTIAL_CHECKSUM	6
#define CREDENTIAL_LEN	(CREDENTIAL_PREFIX + CREDENTIAL_RANDOM + \
			    CREDENTIAL_CHECKSUM)
#define CREDENTIAL_SIZE		(CREDENTIAL_LEN + 1)	/* with its NUL */
#define CREDENTIAL_HASH_SIZE	32
#define CREDENTIAL_ID_LEN	12
#define CREDENTIAL_ID_SIZE	(CREDENTIAL_ID_LEN + 1)

/* The numbers are those of the database. */
enum credential_kind {
	CREDENTIAL_PERSONAL = 1,
	CREDENTIAL_ROBOT,
	CREDENTIAL_REFRESH
};

enum credential_form {
	CREDENTIAL_FOREIGN,		/* not one of ours: a password */
	CREDENTIAL_BROKEN,		/* our prefix, and nothing we made */
	CREDENTIAL_GOOD			/* may be one */
};

/* A new one; the caller wipes it. */
void		 credential_make(enum credential_kind,
		    char text[CREDENTIAL_SIZE]);
/* What a text is; *kind is set with CREDENTIAL_GOOD only. */
enum credential_form credential_recognise(const char *text, size_t len,
		    enum credential_kind *kind);
/* -1: the library failed. */
int		 credential_hash(const char *text, size_t len,
		    unsigned char hash[CREDENTIAL_HASH_SIZE]);
/* By which administrators name one; tells nothing of the secret. */
void		 credential_make_id(char id[CREDENTIAL_ID_SIZE]);
/* "personal", "robot", "refresh" */
const char	*credential_kind_name(enum credential_kind);

/* ---- names of robots ---- */
#define CREDENTIAL_ROBOT_PREFIX	"robot$"
#define CREDENTIAL_ROBOT_MAX	64	/* bytes behind the prefix */

/*
 * NULL when this is the user name of a robot: "robot$" and 1 to 64 of a-z,
 * 0-9, '.', '_', '-', '/', the first and the last a letter or digit.  Else
 * what is wrong.
 */
const char	*credential_robot_wrong(const char *user);

#endif
