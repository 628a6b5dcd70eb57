/* SPDX-License-Identifier: ISC */
/*
 * The monitor process.
 */
#ifndef MONITOR_H
#define MONITOR_H

#include "proc.h"

/* The life of the process; returns its exit status. */
int	 monitor_main(const struct proc_args *);

#endif
