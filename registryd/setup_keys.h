/* SPDX-License-Identifier: ISC */
/*
 * The keys of auth.token in the parent: rootcertbundle and jwks.
 */
#ifndef SETUP_KEYS_H
#define SETUP_KEYS_H

#include "conf.h"
#include "loop.h"
#include "msg.h"

struct setup_keys;

/* Open and check; failures are logged with their key.  NULL on failure. */
struct setup_keys *setup_keys_open(const struct registry_conf *);
void		 setup_keys_free(struct setup_keys *);	/* NULL is fine */
/*
 * From now on look whether the files change.  When one does, and what is
 * there now is sound, the callback comes.
 */
void		 setup_keys_watch(struct setup_keys *, struct loop *,
		    void (*changed)(void *), void *arg);
/* Send the files to a worker; -1 with errno. */
int		 setup_keys_send(const struct setup_keys *, struct msg_chan *);

#endif
