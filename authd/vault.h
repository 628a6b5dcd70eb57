/* SPDX-License-Identifier: ISC */
/*
 * The vault: the one process that has the database of credentials.
 */
#ifndef VAULT_H
#define VAULT_H

#include "proc.h"

int		 vault_main(const struct proc_args *);

#endif
