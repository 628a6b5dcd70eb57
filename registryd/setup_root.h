/* SPDX-License-Identifier: ISC */
/*
 * The root directory of the store, opened by the parent.
 */
#ifndef SETUP_ROOT_H
#define SETUP_ROOT_H

#include "conf.h"
#include "supervise.h"

/*
 * Open the root directory, making it when it is not there, and see that
 * keepers can write and workers can read in it.  A descriptor, or -1 when
 * not; the reason and the command that helps are logged.
 */
int	 setup_root_open(const struct registry_conf *,
	    const struct supervise_role *keeper,
	    const struct supervise_role *worker);

#endif
