/* SPDX-License-Identifier: ISC */
/*
 * Decides a token request.  Runs in the broker, which is the one place
 * where users, services and access rules meet; a worker only asks.  Writes
 * one audit line for each token and each refusal.
 */
#include "broker_step.h"

#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "log.h"
#include "random.h"
#include "str.h"

#include "broker_audit.h"
#include "rights.h"

/* Whatever comes next holds up no other check of this source. */
void
issue_end_check(struct issue *issue)
{
	if (issue->checking)
		throttle_end(issue->env->throttle, issue->peer);
	issue->checking = false;
}

static void
issue_free(struct issue *issue)
{
	struct issue_env	*env = issue->env;

	issue_end_check(issue);
	if (issue->counted)
		throttle_close(env->throttle, issue->peer);
	loop_timer_free(issue->timer);
	token_request_done(&issue->req);
	secret_wipe(issue->refresh, sizeof(issue->refresh));
	free(issue->credential);
	cred_answer_done(&issue->who);
	scope_set_done(&issue->granted);
	free(issue);
	if (--env->open == 0)
		env->idle(env->arg);
}

static void
audit(const struct issue *issue, enum token_result result, const char *jti)
{
	const struct vault_credential	*c = issue->credential;
	const struct conf_backend	*backend;
	struct audit_record		 record = {
		.result = result,
		.reason = issue->reason,
		.user = issue->who.user,
		.claimed = *issue->req.user != '\0' || c == NULL ?
		    issue->req.user : c->owner,
		.peer = issue->peer,
		.service = issue->service != NULL ? issue->service :
		    issue->req.service,
		.asked = &issue->req.scopes,
		.granted = &issue->granted,
		.rules = issue->rules,
		.nrules = issue->nrules,
		.jti = jti,
		.credential = c == NULL ? NULL : c->id,
		.refresh = *issue->refresh_id != '\0' ? issue->refresh_id :
		    NULL
	};

	backend = conf_backend_of_role(issue->role);
	record.backend = backend == NULL ? NULL : backend->name;
	broker_audit(issue->env->audit_fd, issue->env->acl, &record);
}

/* ---- the steps, from the last to the first ---- */

void
issue_refuse(struct issue *issue, enum token_result result)
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

void
issue_set_reason(struct issue *issue, const char *reason)
{
	str_copy(issue->reason, sizeof(issue->reason), reason);
}

void
issue_refuse_throttled(struct issue *issue, uint64_t wait_ms)
{
	issue->retry_after = (uint32_t)(wait_ms / 1000 + 1);
	issue_refuse(issue, TOKEN_THROTTLED);
}

/* Go on with fn after a while. */
void
issue_wait(struct issue *issue, uint64_t ms, loop_timer_fn *fn)
{
	loop_timer_free(issue->timer);
	issue->timer = loop_timer_new(issue->env->loop, fn, issue);
	if (issue->timer == NULL || loop_timer_start(issue->timer, ms) == -1)
		issue_refuse(issue, TOKEN_UNAVAILABLE);
}

static void
on_refusal_due(void *arg)
{
	issue_refuse(arg, TOKEN_BAD_CREDENTIALS);
}

/*
 * What it took to find out that a password is wrong may tell who exists, or
 * how far the check came: the answer waits for the next full multiple of the
 * floor, and a moment of chance.
 */
void
issue_refuse_late(struct issue *issue)
{
	uint64_t	 floor = issue->env->floor_ms, elapsed;
	unsigned char	 chance;

	secret_free(issue->req.password);
	issue->req.password = NULL;
	if (floor == 0) {
		issue_refuse(issue, TOKEN_BAD_CREDENTIALS);
		return;
	}
	random_bytes(&chance, sizeof(chance));
	elapsed = clock_monotonic_ms() - issue->start;
	issue_wait(issue, floor - elapsed % floor + floor * chance / 8192,
	    on_refusal_due);
}

static void
on_signed(const struct signed_token *token, void *arg)
{
	struct issue	*issue = arg;
	struct msg_out	 out;

	if (token == NULL) {
		issue_refuse(issue, TOKEN_UNAVAILABLE);
		return;
	}
	audit(issue, TOKEN_GRANTED, token->jti);
	msg_begin(&out, MSG_TOKEN_REPLY, issue->id);
	msg_put_u8(&out, TOKEN_GRANTED);
	msg_put_str(&out, token->jwt);
	msg_put_u32(&out, token->expires_in);
	msg_put_u64(&out, token->issued_at);
	msg_put_str(&out, issue->refresh);
	token_scopes_put(&out, &issue->granted);
	msg_put_u32(&out, 0);
	msg_put_str(&out, issue->who.user);
	issue->env->reply(issue->instance, issue->serial, &out,
	    issue->env->arg);
	issue_free(issue);
}

/*
 * What is left of what the rules give to a user when he comes with a token.
 * Rules are about users; for robots, who have only their own rights, those
 * that deny count and no others.
 */
static unsigned
narrow(const struct issue *issue, const struct scope *asked, int *rule,
    unsigned actions)
{
	const struct vault_credential	*c = issue->credential;
	const struct acl_names		 names = { issue->who.user,
	    issue->service };

	if (c == NULL || (*c->rights == '\0' && c->kind != CREDENTIAL_ROBOT))
		return actions;
	if (c->kind != CREDENTIAL_ROBOT)
		return actions & rights_grant(c->rights, &names, asked);
	if (*rule != -1 &&
	    acl_rule_at(issue->env->acl, (size_t)*rule)->actions == 0)
		return 0;
	*rule = -1;
	return rights_grant(c->rights, &names, asked);
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
		scope.actions = narrow(issue, &asked->items[i],
		    &issue->rules[i], scope.actions);
		issue->nrules = i + 1;
		if (scope.actions != 0 &&
		    scope_set_add(&issue->granted, &scope) == -1)
			return -1;
	}
	return 0;
}

static void
sign(struct issue *issue)
{
	if (broker_signer_sign(issue->env->signer, issue->service,
	    issue->who.user, &issue->granted, on_signed, issue) == -1)
		issue_refuse(issue, TOKEN_UNAVAILABLE);
}

void
issue_grant(struct issue *issue)
{
	if (decide(issue) == -1)
		issue_refuse(issue, TOKEN_UNAVAILABLE);
	else
		issue_make_refresh(issue, sign);
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

/* One source cannot take every place, though all its requests wait. */
static bool
take_place(struct issue *issue)
{
	issue->counted = throttle_open(issue->env->throttle, issue->peer,
	    issue->start) == 0;
	return issue->counted;
}

static void
run(struct issue *issue)
{
	struct issue_env	*env = issue->env;

	issue->service = find_service(env->services, issue->req.service);
	if (issue->service == NULL)
		issue_refuse(issue, TOKEN_UNKNOWN_SERVICE);
	else if (env->open > BROKER_MAX_ISSUES)
		issue_refuse(issue, TOKEN_UNAVAILABLE);
	else if (issue->req.kind != CRED_NONE && !take_place(issue))
		issue_refuse_throttled(issue, ISSUE_RETRY_AFTER * 1000);
	else if (issue->req.kind == CRED_REFRESH && env->vault == NULL)
		issue_refuse(issue, TOKEN_BAD_CREDENTIALS);
	else if (issue->req.kind != CRED_NONE && issue_is_secret(issue))
		issue_check_secret(issue);
	else if (issue->req.kind == CRED_PASSWORD)
		issue_check_password(issue);
	else if (issue->req.asked && acl_has_anonymous(env->acl))
		issue_grant(issue);
	else
		issue_refuse(issue, TOKEN_ANONYMOUS_REFUSED);
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
	issue->retry_after = ISSUE_RETRY_AFTER;
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
