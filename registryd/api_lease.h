/* SPDX-License-Identifier: ISC */
/*
 * What may be answered about something that a lease was to be taken on.
 */
#ifndef API_LEASE_H
#define API_LEASE_H

#include <stdbool.h>

#include "store.h"

struct lease_look {
	/* 200 promises that it stays: who asked need not push it again */
	bool		 promise;
	enum store_result found;	/* at the last look */
	bool		 due;		/* found, but its lease is old */
	bool		 asked;		/* a keeper was, before that look */
	enum store_result lease;	/* what it said; GONE: nothing */
};

enum lease_verdict {
	LEASE_ASK,			/* a keeper first; then look again */
	LEASE_ANSWER,			/* with what was found */
	LEASE_ABSENT,			/* "not there" is the truth */
	LEASE_UNAVAILABLE,		/* nobody knows: try again later */
	LEASE_FAILED			/* by "found" */
};
/* "hidden": absent, but collection may only have renamed it. */
enum lease_verdict api_lease_judge(const struct lease_look *, bool hidden);

#endif
