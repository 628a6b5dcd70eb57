/* SPDX-License-Identifier: ISC */
/*
 * The broker process.
 */
#ifndef BROKER_H
#define BROKER_H

#include "proc.h"

/* The life of the process; returns its exit status. */
int	 broker_main(const struct proc_args *);

#endif
