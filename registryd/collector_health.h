/* SPDX-License-Identifier: ISC */
/*
 * What the collector knows of the state of the whole registry.
 */
#ifndef COLLECTOR_HEALTH_H
#define COLLECTOR_HEALTH_H

#include "collector_job.h"
#include "restarts.h"
#include "trouble.h"

/* Add what the jobs and the processes have met. */
void	 collector_health(struct trouble_list *,
	    const struct collector_jobs *, const struct restarts *);
/* {"workers", "keepers", "collectors", "verifiers", "monitors",
   "sync_failures"} */
json_t	*collector_restarts_json(const struct restarts *);

#endif
