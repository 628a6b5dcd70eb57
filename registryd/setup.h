/* SPDX-License-Identifier: ISC */
/*
 * One configuration with everything that it names opened: users looked up,
 * sockets bound, files and the root of the store open.  The parent makes it
 * while it may still do anything, and hands the parts to its children.
 */
#ifndef SETUP_H
#define SETUP_H

#include <sys/types.h>

#include <stdio.h>

#include "conf.h"
#include "listener.h"
#include "messages.h"
#include "msg.h"
#include "setup_keys.h"
#include "setup_users.h"
#include "supervise.h"

#define SETUP_MAX_FILES	32

struct setup_file {
	enum conf_file	 kind;
	int		 fd;
};

struct setup_sockets {			/* that listen at one address */
	int		 fds[LISTENER_MAX];
	size_t		 n;
	bool		 inherited;	/* they are an older one's */
};

struct setup {
	struct registry_conf *conf;
	struct setup_sockets listeners;	/* http.addr */
	struct setup_sockets debug;	/* http.debug.addr; often none */
	int		 rootfd;
	int		 controlfd;	/* -1: none */
	struct setup_file files[SETUP_MAX_FILES];
	size_t		 nfiles;
	struct setup_users *users;	/* NULL unless auth.htpasswd is set */
	struct setup_keys *keys;	/* NULL unless auth.token is set */
	struct supervise_role roles[ROLE_MAX];
	size_t		 nroles;
	struct supervise_link links[4];
	size_t		 nlinks;
	struct log_field *log_fields;
	void		*owner;		/* the parent's */
};

/*
 * Open everything; every failure is logged with its key and what to do.
 * Sockets of "old" (NULL when there is none) are kept where the address is
 * the same.  Takes ownership of the configuration, on failure too.  NULL
 * when anything failed.
 */
struct setup	*setup_open(struct registry_conf *, const struct setup *old);
/* For -n: which of the files that it names cannot be read. */
void		 setup_note_files(const struct registry_conf *, FILE *);
void		 setup_free(struct setup *);	/* NULL is fine */
/* Send a child what its role may have; -1 with errno. */
int		 setup_send(const struct setup *, struct msg_chan *,
		    unsigned role, const unsigned char *ticket_key);
/*
 * Another registryd may have had the control socket when this was opened:
 * try again.  True: it is ours now, and collectors are to be sent it.
 */
bool		 setup_take_control(struct setup *);
int		 setup_send_control(const struct setup *, struct msg_chan *);

#endif
