/* SPDX-License-Identifier: ISC */
/*
 * The keeper process.
 */
#ifndef KEEPER_H
#define KEEPER_H

#include "proc.h"

/* Never returns but at its end: exit status. */
int	 keeper_main(const struct proc_args *);

#endif
