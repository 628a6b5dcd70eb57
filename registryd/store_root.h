/* SPDX-License-Identifier: ISC */
/*
 * The directory behind a store on a file system, for those who look at all
 * that is in it and not only at what belongs there.
 */
#ifndef STORE_ROOT_H
#define STORE_ROOT_H

#include "store.h"

/* Stays the store's. */
int	 store_root_fd(const struct store *);

#endif
