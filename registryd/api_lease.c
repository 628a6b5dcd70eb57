/* SPDX-License-Identifier: ISC */
/*
 * What may be answered about something that a lease was to be taken on.  Runs
 * in the worker; looks at nothing itself.
 *
 * A client that is told by HEAD that a blob is there does not push it, and
 * refers to it later: without a lease collection may remove it in between,
 * and all that it pushed since is refused.  So it is told to come again
 * instead.  Who asks for bytes gets them, whatever becomes of the lease.
 */
#include "api_lease.h"

/*
 * A young lease holds whoever took it.  READONLY is the file system's word or
 * the administrator's, not that of a keeper that failed (messages.h): nothing
 * is removed, and nothing that would refer to it can be pushed either.
 */
static bool
lease_holds(const struct lease_look *l)
{
	if (!l->due)
		return true;
	return l->asked && (l->lease == STORE_OK ||
	    l->lease == STORE_READONLY);
}

enum lease_verdict
api_lease_judge(const struct lease_look *l, bool hidden)
{
	if (!l->asked && (hidden || (l->found == STORE_OK && l->due)))
		return LEASE_ASK;
	if (l->found == STORE_OK)
		return !l->promise || lease_holds(l) ? LEASE_ANSWER :
		    LEASE_UNAVAILABLE;
	if (l->found != STORE_NOTFOUND)
		return LEASE_FAILED;
	/* Only the keeper's word that it has gone counts. */
	if (l->asked && l->lease != STORE_NOTFOUND &&
	    l->lease != STORE_READONLY)
		return LEASE_UNAVAILABLE;
	return LEASE_ABSENT;
}
