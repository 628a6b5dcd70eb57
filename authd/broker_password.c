/* SPDX-License-Identifier: ISC */
/*
 * Who shows a password: the cache of good ones, the throttle, and the
 * verifiers say whether he is who he says.  Runs in the broker.
 */
#include "broker_step.h"

#include "clock.h"
#include "str.h"

bool
issue_is_reserved(const struct issue *issue, const char *user)
{
	return issue->env->vault != NULL &&
	    str_starts(user, CREDENTIAL_ROBOT_PREFIX);
}

/* Go on as somebody who was found good; false: NULL, nobody. */
static bool
accept_known(struct issue *issue, const struct cred_answer *known,
    bool proven)
{
	if (known == NULL)
		return false;
	issue->proven = proven;
	issue->role = known->role;
	if (cred_answer_copy(&issue->who, known) == -1)
		issue_refuse(issue, TOKEN_UNAVAILABLE);
	else
		issue_grant(issue);
	return true;
}

/* What is remembered, with the address where a backend looks at it. */
static struct cred_key
key_of(const struct issue *issue)
{
	const struct cred_key	 key = {
		.user = issue->req.user,
		.where = issue->env->by_peer ? issue->peer : "",
		.password = issue->req.password
	};

	return key;
}

/* Nobody can check: who was good within the grace time is let through. */
static bool
accept_kept(struct issue *issue)
{
	const struct cred_key		 key = key_of(issue);
	const struct cred_answer	*kept;

	kept = cred_cache_find_kept(issue->env->cache, &key);
	if (kept != NULL)
		issue_set_reason(issue, "grace: could not be checked");
	return accept_known(issue, kept, false);
}

static void
refuse_bad(struct issue *issue)
{
	const struct cred_key	 key = key_of(issue);
	struct issue_env	*env = issue->env;

	cred_cache_drop(env->cache, &key);
	throttle_failed(env->throttle, issue->peer, issue->req.user,
	    issue->req.password, clock_monotonic_ms());
	issue_refuse_late(issue);
}

static void
on_verdict(enum cred_verdict verdict, const struct cred_answer *answer,
    void *arg)
{
	struct issue		*issue = arg;
	const struct cred_key	 key = key_of(issue);
	struct issue_env	*env = issue->env;
	uint64_t		 penalty;

	issue_end_check(issue);
	if (answer != NULL)
		issue->role = answer->role;
	if (answer != NULL && verdict != CRED_OK)
		issue_set_reason(issue, verdict == CRED_UNKNOWN ?
		    "unknown user" : answer->reason);
	if (verdict == CRED_UNAVAILABLE) {
		env->down_until = clock_monotonic_ms() +
		    ISSUE_DOWN_TIME;
		if (!accept_kept(issue))
			issue_refuse(issue, TOKEN_UNAVAILABLE);
		return;
	}
	if (verdict == CRED_OK && issue_is_reserved(issue, answer->user)) {
		issue_set_reason(issue, "a robot's name");
		verdict = CRED_BAD;
	}
	if (verdict == CRED_OK)
		cred_cache_put(env->cache, &key, answer);
	/* Many guesses at once get no further than one after the other. */
	penalty = throttle_penalty(env->throttle, issue->peer,
	    clock_monotonic_ms());
	if (penalty > 0)
		issue_refuse_throttled(issue, penalty);
	else if (verdict != CRED_OK)
		refuse_bad(issue);
	else
		accept_known(issue, answer, true);
}

static void
ask_verifiers(void *arg)
{
	struct issue	*issue = arg;

	if (verifiers_check(issue->env->verifiers, issue->req.user,
	    issue->req.password, issue->peer, on_verdict, issue) == 0)
		return;
	if (!accept_kept(issue))
		issue_refuse(issue, TOKEN_UNAVAILABLE);
}

void
issue_check_password(struct issue *issue)
{
	const struct cred_key	 key = key_of(issue);
	struct issue_env	*env = issue->env;
	uint64_t		 now = issue->start, wait;

	wait = throttle_penalty(env->throttle, issue->peer, now);
	if (wait > 0) {
		issue_refuse_throttled(issue, wait);
		return;
	}
	if (issue_is_reserved(issue, issue->req.user)) {
		issue_set_reason(issue, "a robot has no password");
		refuse_bad(issue);
		return;
	}
	if (accept_known(issue, cred_cache_find(env->cache, &key), true) ||
	    (now < env->down_until && accept_kept(issue)))
		return;
	/* To wait for the answer to another's question takes no place. */
	if (!verifiers_asked(env->verifiers, issue->req.user,
	    issue->req.password, issue->peer)) {
		if (throttle_begin(env->throttle, issue->peer, now) == -1) {
			issue_refuse_throttled(issue, ISSUE_RETRY_AFTER * 1000);
			return;
		}
		issue->checking = true;
	}
	wait = throttle_delay(env->throttle, issue->req.user, now);
	if (wait > 0)
		issue_wait(issue, wait, ask_verifiers);
	else
		ask_verifiers(issue);
}
