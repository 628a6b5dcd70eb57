/* SPDX-License-Identifier: ISC */
/*
 * The verifier process.
 */
#ifndef VERIFIER_H
#define VERIFIER_H

#include "proc.h"

/* The life of the process; returns its exit status. */
int	 verifier_main(const struct proc_args *);

#endif
