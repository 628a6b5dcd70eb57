/* SPDX-License-Identifier: ISC */
/*
 * The signer process.
 */
#ifndef SIGNER_H
#define SIGNER_H

#include "proc.h"

/* The life of the process; returns its exit status. */
int	 signer_main(const struct proc_args *);

#endif
