/* SPDX-License-Identifier: ISC */
/*
 * The collector process.
 */
#ifndef COLLECTOR_H
#define COLLECTOR_H

#include "proc.h"

/* Never returns but at its end: exit status. */
int	 collector_main(const struct proc_args *);

#endif
