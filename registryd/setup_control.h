/* SPDX-License-Identifier: ISC */
/*
 * The control socket, opened by the parent.
 */
#ifndef SETUP_CONTROL_H
#define SETUP_CONTROL_H

#include "conf.h"
#include "supervise.h"

/*
 * Listen at conf_control_path() as the user of the role; old (-1: none) is
 * the socket of the configuration before, kept when the path is the same.  A
 * descriptor, or -1: there is none, which is logged and no reason to end.
 */
int	 setup_control_open(const struct registry_conf *,
	    const struct supervise_role *keeper,
	    const struct registry_conf *oldconf, int old);
/*
 * Try once more, silently; when it is had, which is logged, a descriptor.
 * Else -1, also when there is to be none.
 */
int	 setup_control_retry(const struct registry_conf *,
	    const struct supervise_role *keeper);

#endif
