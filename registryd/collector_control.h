/* SPDX-License-Identifier: ISC */
/*
 * The control socket of registryd, served by the collector: registryctl asks
 * for jobs, lists, removals and the state.
 */
#ifndef COLLECTOR_CONTROL_H
#define COLLECTOR_CONTROL_H

#include "collector_job.h"

struct collector_control;

/* Takes ownership of fd, on failure too.  NULL: errno. */
struct collector_control *collector_control_new(struct loop *, int fd,
		    struct store *, const struct registry_conf *,
		    struct collector_jobs *);
void		 collector_control_free(struct collector_control *);

#endif
