/* SPDX-License-Identifier: ISC */
/*
 * The files that a configuration names, opened and checked by the parent.
 */
#ifndef AUTHD_FILES_H
#define AUTHD_FILES_H

#include <stdbool.h>
#include <stdio.h>
#include <sys/stat.h>

#include "authd_keys.h"
#include "conf.h"

/* All are copies: what was checked stays, whatever becomes of the files. */
struct authd_files {
	struct authd_keys keys;			/* of tokens */
	int		 htpasswd;		/* -1: not open */
	struct stat	 htpasswd_from;		/* the file itself, before */
	int		 tls_key, tls_certificate;
	int		 ldap_password, ldap_ca;
	int		 audit;			/* the file itself */
};

/*
 * Open all and look into each.  What is wrong goes to "messages", all of it,
 * and -1 is returned.  With "check" a file that is absent or may not be read
 * is only noted.  authd_files_close() in any case.
 */
int		 authd_files_open(struct authd_files *,
		    const struct authd_conf *, bool check, FILE *messages);
void		 authd_files_close(struct authd_files *);

#endif
