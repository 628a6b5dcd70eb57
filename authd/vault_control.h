/* SPDX-License-Identifier: ISC */
/*
 * Administrators at the control socket of the vault.
 */
#ifndef VAULT_CONTROL_H
#define VAULT_CONTROL_H

#include <stdbool.h>
#include <stdint.h>

#include "loop.h"

#include "vault_command.h"
#include "vault_db.h"

struct vault_control;

/*
 * forget: what was good may not be any more; tell whoever remembers it, with
 * this number.  False: nobody does.
 */
typedef bool vault_forget_fn(uint64_t number, void *arg);

/* Takes ownership of fd, on failure too.  NULL: errno. */
struct vault_control *vault_control_new(struct loop *, int fd,
		    struct vault_db *, const struct vault_limits *,
		    vault_forget_fn *, void *arg);
void		 vault_control_free(struct vault_control *); /* NULL is fine */
/*
 * All that was to be forgotten up to this number is; UINT64_MAX: whoever
 * remembered has gone.
 */
void		 vault_control_forgotten(struct vault_control *,
		    uint64_t number);

#endif
