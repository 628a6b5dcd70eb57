/* SPDX-License-Identifier: ISC */
/*
 * The control socket of registryd, served by the collector: registryctl asks
 * for jobs, lists, removals and the state.
 */
#ifndef COLLECTOR_CONTROL_H
#define COLLECTOR_CONTROL_H

#include "collector_job.h"

struct collector_control;

struct restarts;

/*
 * Takes ownership of fd, on failure too; the rest is borrowed.  NULL: errno.
 */
struct collector_control *collector_control_new(struct loop *, int fd,
		    struct store *, const struct registry_conf *,
		    struct collector_jobs *, const struct restarts *);
void		 collector_control_free(struct collector_control *);

#endif
