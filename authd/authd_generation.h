/* SPDX-License-Identifier: ISC */
/*
 * One configuration with everything that its children need: files, listening
 * sockets, the watch of the htpasswd file.
 */
#ifndef AUTHD_GENERATION_H
#define AUTHD_GENERATION_H

#include <stdio.h>

#include "conf.h"
#include "supervise.h"
#include "tls.h"

struct authd_generation;

/* What all generations share; the parent's. */
struct authd_parent {
	struct loop	*loop;
	struct supervise *supervise;
	const char	*program;
	bool		 verbose;		/* -v: debug level */
	unsigned char	 ticket_key[TLS_TICKET_KEY_SIZE];
	struct authd_generation *generations;	/* that have not ended */
};

/*
 * Takes ownership of conf.  Opens what it names, takes over listening
 * sockets that another generation has.  NULL when something is wrong; all
 * reasons go to "messages".
 */
struct authd_generation *authd_generation_new(struct authd_parent *,
		    struct authd_conf *, FILE *messages);
void		 authd_generation_free(struct authd_generation *);
/* Start its children; -1 with errno. */
int		 authd_generation_start(struct authd_generation *);

#endif
