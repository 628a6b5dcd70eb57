/* SPDX-License-Identifier: ISC */
/*
 * Access rules that can never decide anything.
 */
#ifndef ACL_LINT_H
#define ACL_LINT_H

#include <stdbool.h>
#include <stddef.h>

#include "acl.h"
#include "buf.h"
#include "conf.h"

/*
 * True when rule i can never decide; why is appended.  When a rule before it
 * hides it, *by is its index, else -1.  What cannot be told is false.
 */
bool		 acl_lint(const struct authd_conf *, const struct acl *,
		    size_t i, struct buf *why, int *by);

#endif
