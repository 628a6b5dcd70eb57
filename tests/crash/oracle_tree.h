/* SPDX-License-Identifier: ISC */
/*
 * The judge's look at the files of a store.
 */
#ifndef ORACLE_TREE_H
#define ORACLE_TREE_H

#include "world.h"

/* Bytes match their names, links can be read and lead somewhere. */
bool	 oracle_tree(struct world *);
/* fsck finds nothing but what a crash may leave. */
bool	 oracle_fsck(struct world *);
/*
 * It is there, or collection has only renamed it: then it is brought back
 * when somebody asks for it.
 */
bool	 oracle_can_return(const struct world *, const char *path);
/* Nothing is left over after a sweep. */
bool	 oracle_sweep(struct world *);

#endif
