/* SPDX-License-Identifier: ISC */
/*
 * A repository as distribution leaves it, with what its older versions lose
 * in a crash.
 */
#ifndef FOREIGN_H
#define FOREIGN_H

#include "world.h"

enum store_result foreign_make(struct world *, enum repo_id);

#endif
