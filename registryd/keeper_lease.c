/* SPDX-License-Identifier: ISC */
/*
 * Leases that workers ask for before they say that something is there.  Runs
 * in keepers.  Nothing of it needs to be durable: what a crash undoes comes
 * back in the same way.  While an administrator lets nothing be written there
 * are none: nothing is removed either, and workers read what is condemned
 * under the name that it has.
 */
#include "keeper_msg.h"
#include "keeper_worker.h"
#include "messages.h"
#include "repo.h"

static enum store_result
acquire(struct keeper *k, const char *repo, const struct digest *d,
    uint8_t kind)
{
	return kind == KEEPER_LEASE_BLOB ?
	    repo_acquire_blob(k->store, repo, d, k->renew_ms) :
	    repo_acquire_manifest(k->store, repo, d, k->renew_ms);
}

int
keeper_on_lease(struct msg_chan *chan, struct msg *m, void *arg)
{
	struct keeper_worker *w = arg;
	struct keeper *k = w->keeper;
	char repo[REPO_NAME_SIZE];
	enum store_result r;
	struct digest d;
	uint8_t kind;

	(void)chan;
	if (keeper_get_repo(m, repo) == -1 || keeper_get_digest(m, &d) == -1)
		return -1;
	kind = msg_get_u8(m);
	if (msg_end(m) == -1)
		return -1;
	if (kind != KEEPER_LEASE_BLOB && kind != KEEPER_LEASE_MANIFEST)
		return -1;
	if ((r = keeper_may_write(k)) == STORE_OK)
		r = acquire(k, repo, &d, kind);
	/* Only we write no more; others still remove. */
	if (r == STORE_READONLY && store_failure(k->store) != 0)
		r = STORE_GONE;
	/* Each pull would say so. */
	keeper_reply(w, m->id, r == STORE_READONLY ? NULL : "lease in", repo,
	    r, 0);
	return 0;
}
