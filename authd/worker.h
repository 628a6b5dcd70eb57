/* SPDX-License-Identifier: ISC */
/*
 * The worker process.
 */
#ifndef WORKER_H
#define WORKER_H

#include "proc.h"

/* The life of the process; returns its exit status. */
int	 worker_main(const struct proc_args *);

#endif
