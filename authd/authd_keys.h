/* SPDX-License-Identifier: ISC */
/*
 * The keys of tokens that a configuration comes to, opened and checked by
 * the parent: those that sign, those that are only published, and those that
 * signed until a moment ago, whose last token has not expired yet.
 */
#ifndef AUTHD_KEYS_H
#define AUTHD_KEYS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <sys/stat.h>
#include <time.h>

#include "claims.h"
#include "conf.h"

#define AUTHD_MAX_RETIRED	4
#define AUTHD_MAX_KEYS		(1 + CONF_MAX_KEYS + AUTHD_MAX_RETIRED)

struct authd_key {
	int		 key, certificate;	/* copies; key -1: signs not */
	struct claims_key *public;
	time_t		 until;		/* retired: published so long; or 0 */
};

struct authd_keys {
	struct authd_key items[AUTHD_MAX_KEYS];
	size_t		 n;
	char		*jwks;		/* what is published, JSON */
};

/* How one opening of files goes on. */
struct authd_opening {
	FILE	*messages;
	bool	 check;			/* what is absent is only noted */
	bool	 failed;
};

/* What is wrong goes where the opening says. */
void		 authd_keys_open(struct authd_keys *, const struct authd_conf *,
		    struct authd_opening *);
void		 authd_keys_close(struct authd_keys *);
/*
 * The first key that signs with an algorithm (NULL: any); its place among
 * those that sign, which is how the signer knows it.  -1: there is none.
 */
int		 authd_keys_find(const struct authd_keys *,
		    const char *algorithm);
const struct authd_key *authd_keys_signing(const struct authd_keys *,
		    unsigned place);
/*
 * Go on publishing what was before: the older configuration's keys that are
 * not among the new ones.
 */
void		 authd_keys_retire(struct authd_keys *,
		    const struct authd_conf *, const struct authd_keys *old,
		    const struct authd_conf *oldconf, time_t now);
/* Drop what is past its time; true when something was. */
bool		 authd_keys_expire(struct authd_keys *,
		    const struct authd_conf *, time_t now);
/* When the next one is; 0: none. */
time_t		 authd_keys_next(const struct authd_keys *);

/* ---- authd_files.c ---- */
/* A copy that stays as it is, for reading; -1 after a message. */
int		 authd_file_open(struct authd_opening *, const char *key,
		    const char *path, struct stat *);

#endif
