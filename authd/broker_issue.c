/* SPDX-License-Identifier: ISC */
/*
 * Decides a token request.  Runs in the broker, which is the one place
 * where users, services and access rules meet; a worker only asks.  Writes
 * one audit line for each token and each refusal.
 */
#include "broker_issue.h"

#include <stdlib.h>
#include <string.h>

#include "listener.h"
#include "log.h"
#include "messages.h"
#include "str.h"
#include "token_request.h"

#define RETRY_AFTER	2		/* seconds, with 503 */
#define MAX_AUDIT	4096		/* bytes of a list of scopes */

struct issue {
	struct issue_env	*env;
	unsigned		 instance;	/* the worker's */
	uint64_t		 serial;
	uint64_t		 id;		/* the worker's, echoed */
	char			 peer[PEER_SIZE];
	struct token_request	 req;
	const char		*service;	/* of the configuration */
	struct cred_answer	 who;		/* user "": anonymous */
	struct scope_set	 granted;
	int			 rules[SCOPE_MAX];	/* -1: none matched */
	size_t			 nrules;
};

static void
issue_free(struct issue *issue)
{
	struct issue_env	*env = issue->env;

	token_request_done(&issue->req);
	cred_answer_done(&issue->who);
	scope_set_done(&issue->granted);
	free(issue);
	if (--env->open == 0)
		env->idle(env->arg);
}

/* ---- the audit line ---- */

static void
format_scopes(struct buf *text, const struct scope_set *set)
{
	size_t	 i;

	buf_init(text, MAX_AUDIT);
	for (i = 0; i < set->n; i++) {
		if (i > 0)
			buf_addc(text, ' ');
		scope_format(text, set->items[i].type, set->items[i].name,
		    set->items[i].actions);
	}
}

/* Rules as people count them, from 1; "-" where none matched. */
static void
format_rules(struct buf *text, const struct issue *issue)
{
	size_t	 i;

	buf_init(text, MAX_AUDIT);
	for (i = 0; i < issue->nrules; i++) {
		if (i > 0)
			buf_addc(text, ',');
		if (issue->rules[i] == -1)
			buf_addc(text, '-');
		else
			buf_addf(text, "%d", issue->rules[i] + 1);
	}
}

static void
audit(const struct issue *issue, enum token_result result)
{
	static const char *const	 results[] = {
		[TOKEN_GRANTED] = "granted",
		[TOKEN_BAD_CREDENTIALS] = "bad credentials",
		[TOKEN_ANONYMOUS_REFUSED] = "no credentials",
		[TOKEN_UNKNOWN_SERVICE] = "unknown service",
		[TOKEN_THROTTLED] = "throttled",
		[TOKEN_UNAVAILABLE] = "unavailable"
	};
	struct buf			 asked, granted, rules;
	struct log_field		 fields[7];

	format_scopes(&asked, &issue->req.scopes);
	format_scopes(&granted, &issue->granted);
	format_rules(&rules, issue);
	/* Before it is authenticated a name is only what somebody claims. */
	fields[0] = (struct log_field){ "auth.user.name",
	    issue->who.user[0] != '\0' ? issue->who.user : issue->req.user };
	fields[1] = (struct log_field){ "peer", issue->peer };
	fields[2] = (struct log_field){ "service", issue->service != NULL ?
	    issue->service : issue->req.service };
	fields[3] = (struct log_field){ "asked", buf_str(&asked) };
	fields[4] = (struct log_field){ "granted", buf_str(&granted) };
	fields[5] = (struct log_field){ "rule", buf_str(&rules) };
	fields[6] = (struct log_field){ "result", results[result] };
	log_event(result == TOKEN_UNAVAILABLE ? LOG_LEVEL_ERROR :
	    LOG_LEVEL_INFO, result == TOKEN_GRANTED ? "token issued" :
	    "token refused", fields, 7);
	buf_done(&asked);
	buf_done(&granted);
	buf_done(&rules);
}

/* ---- the steps, from the last to the first ---- */

static void
refuse(struct issue *issue, enum token_result result)
{
	struct msg_out	 out;

	msg_begin(&out, MSG_TOKEN_REPLY, issue->id);
	msg_put_u8(&out, (uint8_t)result);
	msg_put_u32(&out, RETRY_AFTER);
	msg_put_str(&out, issue->who.user);
	issue->env->reply(issue->instance, issue->serial, &out,
	    issue->env->arg);
	audit(issue, result);
	issue_free(issue);
}

static void
on_signed(const char *jwt, uint32_t expires_in, uint64_t issued_at, void *arg)
{
	struct issue	*issue = arg;
	struct msg_out	 out;

	if (jwt == NULL) {
		refuse(issue, TOKEN_UNAVAILABLE);
		return;
	}
	msg_begin(&out, MSG_TOKEN_REPLY, issue->id);
	msg_put_u8(&out, TOKEN_GRANTED);
	msg_put_str(&out, jwt);
	msg_put_u32(&out, expires_in);
	msg_put_u64(&out, issued_at);
	token_scopes_put(&out, &issue->granted);
	msg_put_u32(&out, 0);
	msg_put_str(&out, issue->who.user);
	issue->env->reply(issue->instance, issue->serial, &out,
	    issue->env->arg);
	audit(issue, TOKEN_GRANTED);
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

static void
on_verdict(enum cred_verdict verdict, const struct cred_answer *answer,
    void *arg)
{
	struct issue	*issue = arg;

	if (verdict == CRED_BAD) {
		refuse(issue, TOKEN_BAD_CREDENTIALS);
		return;
	}
	if (verdict != CRED_OK ||
	    cred_answer_copy(&issue->who, answer) == -1) {
		refuse(issue, TOKEN_UNAVAILABLE);
		return;
	}
	broker_cache_put(issue->env->cache, issue->req.user,
	    issue->req.password, answer);
	decide_and_sign(issue);
}

static void
check_credential(struct issue *issue)
{
	const struct cred_answer	*known;

	known = broker_cache_find(issue->env->cache, issue->req.user,
	    issue->req.password);
	if (known != NULL) {
		if (cred_answer_copy(&issue->who, known) == -1)
			refuse(issue, TOKEN_UNAVAILABLE);
		else
			decide_and_sign(issue);
		return;
	}
	if (broker_verifiers_check(issue->env->verifiers, issue->req.user,
	    issue->req.password, issue->peer, on_verdict, issue) == -1)
		refuse(issue, TOKEN_UNAVAILABLE);
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
