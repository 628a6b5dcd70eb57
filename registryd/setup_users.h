/* SPDX-License-Identifier: ISC */
/*
 * The htpasswd file of auth.htpasswd in the parent.
 */
#ifndef SETUP_USERS_H
#define SETUP_USERS_H

#include "loop.h"
#include "msg.h"
#include "watch.h"

struct setup_users;

/* Open and check; failures are logged with what to do.  NULL on failure. */
struct setup_users *setup_users_open(const char *path);
/* NULL is fine. */
void		 setup_users_free(struct setup_users *);
/*
 * From now on look whether the file changes.  When it does, and what is
 * there now is sound, the callback comes.
 */
void		 setup_users_watch(struct setup_users *, struct loop *,
		    void (*changed)(void *), void *arg);
/* Send the file to a verifier; -1 with errno. */
int		 setup_users_send(const struct setup_users *,
		    struct msg_chan *);

#endif
