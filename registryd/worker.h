/* SPDX-License-Identifier: ISC */
/*
 * The worker process.
 */
#ifndef WORKER_H
#define WORKER_H

#include "proc.h"

/* Never returns but at its end: exit status. */
int	 worker_main(const struct proc_args *);

#endif
