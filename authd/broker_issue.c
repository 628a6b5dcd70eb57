/* SPDX-License-Identifier: ISC */
/*
 * Decides a token request.  Runs in the broker, which is the one place
 * where users, services and access rules meet; a worker only asks.  Writes
 * one audit line for each token and each refusal.
 */
#include "broker_issue.h"

#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "listener.h"
#include "log.h"
#include "broker_audit.h"
#include "messages.h"
#include "random.h"
#include "str.h"
#include "token_request.h"

#define RETRY_AFTER	2		/* seconds, with 503 */
#define DOWN_TIME	5000		/* ms without asking for who is kept */

struct issue {
	struct issue_env	*env;
	unsigned		 instance;	/* the worker's */
	uint64_t		 serial;
	uint64_t		 id;		/* the worker's, echoed */
	char			 peer[PEER_SIZE];
	struct token_request	 req;
	const char		*service;	/* of the configuration */
	struct cred_answer	 who;		/* user "": anonymous */
	unsigned		 role;		/* of the verifier, 0: none */
	char			 reason[CRED_REASON_SIZE]; /* or "" */
	struct scope_set	 granted;
	int			 rules[SCOPE_MAX];	/* -1: none matched */
	size_t			 nrules;
	uint64_t		 start;		/* monotonic, ms */
	uint32_t		 retry_after;	/* seconds */
	struct loop_timer	*timer;		/* NULL: waits for none */
	bool			 checking;	/* counted by the throttle */
};

/* Whatever comes next holds up no other check of this source. */
static void
end_check(struct issue *issue)
{
	if (issue->checking)
		throttle_end(issue->env->throttle, issue->peer);
	issue->checking = false;
}

static void
issue_free(struct issue *issue)
{
	struct issue_env	*env = issue->env;

	end_check(issue);
	loop_timer_free(issue->timer);
	token_request_done(&issue->req);
	cred_answer_done(&issue->who);
	scope_set_done(&issue->granted);
	free(issue);
	if (--env->open == 0)
		env->idle(env->arg);
}

static void
audit(const struct issue *issue, enum token_result result, const char *jti)
{
	const struct conf_backend	*backend;
	struct audit_record		 record = {
		.result = result,
		.reason = issue->reason,
		.user = issue->who.user,
		.claimed = issue->req.user,
		.peer = issue->peer,
		.service = issue->service != NULL ? issue->service :
		    issue->req.service,
		.asked = &issue->req.scopes,
		.granted = &issue->granted,
		.rules = issue->rules,
		.nrules = issue->nrules,
		.jti = jti
	};

	backend = conf_backend_of_role(issue->role);
	record.backend = backend == NULL ? NULL : backend->name;
	broker_audit(issue->env->audit_fd, issue->env->acl, &record);
}

/* ---- the steps, from the last to the first ---- */

static void
refuse(struct issue *issue, enum token_result result)
{
	struct msg_out	 out;

	/* Nobody hears of anything that is not recorded. */
	audit(issue, result, NULL);
	msg_begin(&out, MSG_TOKEN_REPLY, issue->id);
	msg_put_u8(&out, (uint8_t)result);
	msg_put_u32(&out, issue->retry_after);
	msg_put_str(&out, issue->who.user);
	issue->env->reply(issue->instance, issue->serial, &out,
	    issue->env->arg);
	issue_free(issue);
}

static void
refuse_throttled(struct issue *issue, uint64_t wait_ms)
{
	issue->retry_after = (uint32_t)(wait_ms / 1000 + 1);
	refuse(issue, TOKEN_THROTTLED);
}

/* Go on with fn after a while. */
static void
wait_for(struct issue *issue, uint64_t ms, loop_timer_fn *fn)
{
	loop_timer_free(issue->timer);
	issue->timer = loop_timer_new(issue->env->loop, fn, issue);
	if (issue->timer == NULL || loop_timer_start(issue->timer, ms) == -1)
		refuse(issue, TOKEN_UNAVAILABLE);
}

static void
on_refusal_due(void *arg)
{
	refuse(arg, TOKEN_BAD_CREDENTIALS);
}

/*
 * What it took to find out that a password is wrong may tell who exists, or
 * how far the check came: the answer waits for the next full multiple of the
 * floor, and a moment of chance.
 */
static void
refuse_late(struct issue *issue)
{
	uint64_t	 floor = issue->env->floor_ms, elapsed;
	unsigned char	 chance;

	secret_free(issue->req.password);
	issue->req.password = NULL;
	if (floor == 0) {
		refuse(issue, TOKEN_BAD_CREDENTIALS);
		return;
	}
	random_bytes(&chance, sizeof(chance));
	elapsed = clock_monotonic_ms() - issue->start;
	wait_for(issue, floor - elapsed % floor + floor * chance / 8192,
	    on_refusal_due);
}

static void
on_signed(const struct signed_token *token, void *arg)
{
	struct issue	*issue = arg;
	struct msg_out	 out;

	if (token == NULL) {
		refuse(issue, TOKEN_UNAVAILABLE);
		return;
	}
	audit(issue, TOKEN_GRANTED, token->jti);
	msg_begin(&out, MSG_TOKEN_REPLY, issue->id);
	msg_put_u8(&out, TOKEN_GRANTED);
	msg_put_str(&out, token->jwt);
	msg_put_u32(&out, token->expires_in);
	msg_put_u64(&out, token->issued_at);
	token_scopes_put(&out, &issue->granted);
	msg_put_u32(&out, 0);
	msg_put_str(&out, issue->who.user);
	issue->env->reply(issue->instance, issue->serial, &out,
	    issue->env->arg);
	issue_free(issue);
}

/* What of the asked scopes the rules give; a part, or nothing, is fine. */
static int
decide(struct issue *issue)
{
	const struct scope_set	*asked = &issue->req.scopes;
	struct acl_subject	 subject = {
		.user = issue->who.user,
		.groups = (const char *const *)issue->who.groups,
		.ngroups = issue->who.ngroups,
		.peer = issue->peer,
		.service = issue->service
	};
	struct scope		 scope;
	size_t			 i;

	for (i = 0; i < asked->n; i++) {
		scope = asked->items[i];
		scope.actions = acl_decide(issue->env->acl, &subject,
		    &asked->items[i], &issue->rules[i]);
		issue->nrules = i + 1;
		if (scope.actions != 0 &&
		    scope_set_add(&issue->granted, &scope) == -1)
			return -1;
	}
	return 0;
}

static void
decide_and_sign(struct issue *issue)
{
	if (decide(issue) == -1 || broker_signer_sign(issue->env->signer,
	    issue->service, issue->who.user, &issue->granted, on_signed,
	    issue) == -1)
		refuse(issue, TOKEN_UNAVAILABLE);
}

/* Go on as somebody who was found good; false: NULL, nobody. */
static bool
accept_known(struct issue *issue, const struct cred_answer *known)
{
	if (known == NULL)
		return false;
	issue->role = known->role;
	if (cred_answer_copy(&issue->who, known) == -1)
		refuse(issue, TOKEN_UNAVAILABLE);
	else
		decide_and_sign(issue);
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
		str_copy(issue->reason, sizeof(issue->reason),
		    "grace: could not be checked");
	return accept_known(issue, kept);
}

static void
refuse_bad(struct issue *issue)
{
	const struct cred_key	 key = key_of(issue);
	struct issue_env	*env = issue->env;

	cred_cache_drop(env->cache, &key);
	throttle_failed(env->throttle, issue->peer, issue->req.user,
	    issue->req.password, clock_monotonic_ms());
	refuse_late(issue);
}

static void
on_verdict(enum cred_verdict verdict, const struct cred_answer *answer,
    void *arg)
{
	struct issue		*issue = arg;
	const struct cred_key	 key = key_of(issue);
	struct issue_env	*env = issue->env;
	uint64_t		 penalty;

	end_check(issue);
	if (answer != NULL)
		issue->role = answer->role;
	if (answer != NULL && verdict != CRED_OK)
		str_copy(issue->reason, sizeof(issue->reason),
		    verdict == CRED_UNKNOWN ? "unknown user" :
		    answer->reason);
	if (verdict == CRED_UNAVAILABLE) {
		env->down_until = clock_monotonic_ms() + DOWN_TIME;
		if (!accept_kept(issue))
			refuse(issue, TOKEN_UNAVAILABLE);
		return;
	}
	if (verdict == CRED_OK)
		cred_cache_put(env->cache, &key, answer);
	/* Many guesses at once get no further than one after the other. */
	penalty = throttle_penalty(env->throttle, issue->peer,
	    clock_monotonic_ms());
	if (penalty > 0)
		refuse_throttled(issue, penalty);
	else if (verdict != CRED_OK)
		refuse_bad(issue);
	else
		accept_known(issue, answer);
}

static void
ask_verifiers(void *arg)
{
	struct issue	*issue = arg;

	if (verifiers_check(issue->env->verifiers, issue->req.user,
	    issue->req.password, issue->peer, on_verdict, issue) == 0)
		return;
	if (!accept_kept(issue))
		refuse(issue, TOKEN_UNAVAILABLE);
}

static void
check_credential(struct issue *issue)
{
	const struct cred_key	 key = key_of(issue);
	struct issue_env	*env = issue->env;
	uint64_t		 now = issue->start, wait;

	wait = throttle_penalty(env->throttle, issue->peer, now);
	if (wait > 0) {
		refuse_throttled(issue, wait);
		return;
	}
	if (accept_known(issue, cred_cache_find(env->cache, &key)) ||
	    (now < env->down_until && accept_kept(issue)))
		return;
	/* To wait for the answer to another's question takes no place. */
	if (!verifiers_asked(env->verifiers, issue->req.user,
	    issue->req.password, issue->peer)) {
		if (throttle_begin(env->throttle, issue->peer, now) == -1) {
			refuse_throttled(issue, RETRY_AFTER * 1000);
			return;
		}
		issue->checking = true;
	}
	wait = throttle_delay(env->throttle, issue->req.user, now);
	if (wait > 0)
		wait_for(issue, wait, ask_verifiers);
	else
		ask_verifiers(issue);
}

/* A client's service becomes an audience only by being configured. */
static const char *
find_service(const struct conf_list *services, const char *name)
{
	size_t	 i;

	if (*name == '\0')
		return services->n == 1 ? services->items[0] : NULL;
	for (i = 0; i < services->n; i++)
		if (strcmp(services->items[i], name) == 0)
			return services->items[i];
	return NULL;
}

static void
run(struct issue *issue)
{
	struct issue_env	*env = issue->env;

	issue->service = find_service(env->services, issue->req.service);
	if (issue->service == NULL)
		refuse(issue, TOKEN_UNKNOWN_SERVICE);
	else if (env->open > BROKER_MAX_ISSUES)
		refuse(issue, TOKEN_UNAVAILABLE);
	else if (issue->req.kind == CRED_PASSWORD)
		check_credential(issue);
	else if (issue->req.asked && acl_has_anonymous(env->acl))
		decide_and_sign(issue);
	else
		refuse(issue, TOKEN_ANONYMOUS_REFUSED);
}

int
issue_start(struct issue_env *env, unsigned instance, uint64_t serial,
    struct msg *msg)
{
	struct issue	*issue;

	if ((issue = calloc(1, sizeof(*issue))) == NULL)
		return -1;
	env->open++;
	issue->env = env;
	issue->start = clock_monotonic_ms();
	issue->retry_after = RETRY_AFTER;
	issue->instance = instance;
	issue->serial = serial;
	issue->id = msg->id;
	if (token_request_get(msg, &issue->req, issue->peer,
	    sizeof(issue->peer)) == -1) {
		issue_free(issue);
		return -1;
	}
	run(issue);
	return 0;
}
