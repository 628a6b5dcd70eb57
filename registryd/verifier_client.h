/* SPDX-License-Identifier: ISC */
/*
 * A worker's channels to the verifiers of auth.htpasswd.
 */
#ifndef VERIFIER_CLIENT_H
#define VERIFIER_CLIENT_H

#include "conf.h"
#include "loop.h"
#include "verifiers.h"

struct verifier_client;

/* on_changed: the users are others now.  NULL: out of memory. */
struct verifier_client *verifier_client_new(struct loop *,
		    const struct registry_conf *, void (*on_changed)(void *),
		    void *arg);
void		 verifier_client_free(struct verifier_client *);
/* Takes fd; replaces an older channel to that instance.  -1 with errno. */
int		 verifier_client_add(struct verifier_client *,
		    unsigned instance, int fd);
/* To ask them; borrowed. */
struct verifiers *verifier_client_pool(struct verifier_client *);

#endif
