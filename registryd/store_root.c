/* SPDX-License-Identifier: ISC */
/*
 * Access to the directory of a store, for checks in registryctl and tests;
 * nothing that serves clients uses it.
 */
#include "store_root.h"

#include "store_fs.h"

int
store_root_fd(const struct store *s)
{
	const struct fs *fs = (const struct fs *)s;

	return fs->root;
}
