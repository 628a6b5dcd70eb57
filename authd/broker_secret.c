/* SPDX-License-Identifier: ISC */
/*
 * Who brings a token of ours: the vault says whose it is, his directory
 * whether he is still there.  A text with our prefix that cannot be one costs
 * no question; so much chance needs no throttle, but wrong ones count as
 * wrong passwords do.  Runs in the broker.
 */
#include "broker_step.h"

#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "log.h"
#include "secret.h"
#include "str.h"

#include "rights.h"

/* ---- refusals ---- */

static void
refuse(struct issue *issue, const char *reason)
{
	struct issue_env	*env = issue->env;
	uint64_t		 now = clock_monotonic_ms(), wait;

	if (reason != NULL)
		issue_set_reason(issue, reason);
	wait = throttle_penalty(env->throttle, issue->peer, now);
	throttle_failed(env->throttle, issue->peer, issue->req.user,
	    issue->req.password, now);
	if (wait > 0)
		issue_refuse_throttled(issue, wait);
	else
		issue_refuse_late(issue);
}

/* ---- the owner ---- */

/* In the cache of owners, where there are no passwords. */
static struct cred_key
key_of(const struct issue *issue)
{
	const struct cred_key	 key = {
		.user = issue->credential->owner,
		.where = issue->env->by_peer ? issue->peer : "",
		.password = issue->env->no_password
	};

	return key;
}

/* It may have been revoked while its owner was looked up. */
static bool
is_old_news(const struct issue *issue)
{
	return !issue->asked_again && issue->forgotten !=
	    broker_vault_forgotten(issue->env->vault);
}

static void
ask_again(struct issue *issue)
{
	issue->asked_again = true;
	issue_set_reason(issue, "");
	free(issue->credential);
	issue->credential = NULL;
	issue_check_secret(issue);
}

static void
accept_owner(struct issue *issue, const struct cred_answer *owner)
{
	const struct vault_credential	*c = issue->credential;

	if (is_old_news(issue)) {
		ask_again(issue);
		return;
	}
	/*
	 * A refresh token ends with the password that it was given for, and
	 * when a directory begins or ceases to tell of it.
	 */
	if (c->kind == CREDENTIAL_REFRESH &&
	    strcmp(c->stamp, owner->stamp) != 0) {
		refuse(issue, "token: the password was changed");
		return;
	}
	if (issue_is_reserved(issue, owner->user)) {
		refuse(issue, "token: its owner has a reserved name");
		return;
	}
	issue->role = owner->role;
	if (cred_answer_copy(&issue->who, owner) == -1) {
		issue_refuse(issue, TOKEN_UNAVAILABLE);
		return;
	}
	broker_vault_used(issue->env->vault, issue->hash, c->id);
	issue_grant(issue);
}

/* No backend can say: with a grace time, who was there within it. */
static void
accept_kept_owner(struct issue *issue)
{
	const struct cred_key		 key = key_of(issue);
	const struct cred_answer	*kept;

	kept = cred_cache_find_kept(issue->env->owners, &key);
	if (kept == NULL) {
		issue_refuse(issue, TOKEN_UNAVAILABLE);
		return;
	}
	issue_set_reason(issue, "grace: could not be checked");
	accept_owner(issue, kept);
}

static void
on_owner(enum cred_verdict verdict, const struct cred_answer *answer,
    void *arg)
{
	struct issue		*issue = arg;
	struct issue_env	*env = issue->env;
	const struct cred_key	 key = key_of(issue);

	issue_end_check(issue);
	if (verdict == CRED_UNAVAILABLE) {
		env->down_until = clock_monotonic_ms() +
		    ISSUE_DOWN_TIME;
		if (answer != NULL)
			issue_set_reason(issue, answer->reason);
		accept_kept_owner(issue);
		return;
	}
	if (verdict == CRED_OK) {
		cred_cache_put(env->owners, &key, answer);
		accept_owner(issue, answer);
		return;
	}
	cred_cache_drop(env->owners, &key);
	issue->role = answer->role;
	if (verdict == CRED_UNKNOWN)
		refuse(issue, "token: its owner is not there any more");
	else
		refuse(issue, *answer->reason == '\0' ?
		    "token: its owner may not come in" : answer->reason);
}

/* A lookup takes a verifier's time as a check does. */
static void
look_up(struct issue *issue)
{
	struct issue_env	*env = issue->env;
	const char		*owner = issue->credential->owner;

	if (!verifiers_asked(env->verifiers, owner, NULL, issue->peer)) {
		if (throttle_begin(env->throttle, issue->peer,
		    clock_monotonic_ms()) == -1) {
			issue_refuse_throttled(issue, ISSUE_RETRY_AFTER * 1000);
			return;
		}
		issue->checking = true;
	}
	if (verifiers_look_up(env->verifiers, owner, issue->peer, on_owner,
	    issue) == -1)
		accept_kept_owner(issue);
}

static void
check_owner(struct issue *issue)
{
	struct issue_env		*env = issue->env;
	const struct cred_key		 key = key_of(issue);
	const struct cred_answer	*known;

	if ((known = cred_cache_find(env->owners, &key)) != NULL)
		accept_owner(issue, known);
	else if (clock_monotonic_ms() < env->down_until &&
	    cred_cache_find_kept(env->owners, &key) != NULL)
		accept_kept_owner(issue);
	else
		look_up(issue);
}

/* ---- the token ---- */

/* NULL: it is good for this request as far as it says itself. */
static const char *
what_is_wrong(const struct issue *issue)
{
	const struct vault_credential	*c = issue->credential;

	if (c->expires != 0 && c->expires <= (int64_t)clock_wall())
		return "token: expired";
	if (c->disabled)
		return "token: the robot is disabled";
	if (*c->networks != '\0' &&
	    !rights_has_network(c->networks, issue->peer))
		return "token: not from this network";
	if (issue->req.kind == CRED_REFRESH) {
		if (c->kind != CREDENTIAL_REFRESH || !issue->env->refresh)
			return "token: not a refresh token";
		if (strcmp(c->service, issue->service) != 0)
			return "token: for another service";
		return NULL;
	}
	if (c->kind == CREDENTIAL_REFRESH)
		return "token: a refresh token is no password";
	return strcmp(c->owner, issue->req.user) == 0 ? NULL :
	    "token: of another user";
}

static void
judge(struct issue *issue, const struct vault_credential *found)
{
	struct vault_credential	*c;
	const char		*wrong;

	if ((c = malloc(sizeof(*c))) == NULL) {
		issue_refuse(issue, TOKEN_UNAVAILABLE);
		return;
	}
	*c = *found;
	issue->credential = c;
	issue->forgotten = broker_vault_forgotten(issue->env->vault);
	if ((wrong = what_is_wrong(issue)) != NULL) {
		refuse(issue, wrong);
	} else if (c->kind == CREDENTIAL_ROBOT) {
		str_copy(issue->who.user, sizeof(issue->who.user), c->owner);
		broker_vault_used(issue->env->vault, issue->hash, c->id);
		issue_grant(issue);
	} else {
		check_owner(issue);
	}
}

static void
on_found(enum find_result result, const struct vault_credential *found,
    void *arg)
{
	struct issue	*issue = arg;

	if (result == FIND_FOUND) {
		judge(issue, found);
	} else if (result == FIND_UNKNOWN) {
		refuse(issue, "token: unknown or revoked");
	} else {
		issue_set_reason(issue, "the vault did not answer");
		issue_refuse(issue, TOKEN_UNAVAILABLE);
	}
}

static enum credential_form
form_of(const struct issue *issue)
{
	enum credential_kind	 kind;

	return credential_recognise(secret_data(issue->req.password),
	    secret_len(issue->req.password), &kind);
}

bool
issue_is_secret(const struct issue *issue)
{
	return issue->env->vault != NULL &&
	    (issue->req.kind == CRED_REFRESH ||
	    form_of(issue) != CREDENTIAL_FOREIGN);
}

void
issue_check_secret(struct issue *issue)
{
	struct issue_env		*env = issue->env;
	const struct vault_credential	*known;

	if (form_of(issue) != CREDENTIAL_GOOD) {
		refuse(issue, "token: its checksum is wrong");
		return;
	}
	if (credential_hash(secret_data(issue->req.password),
	    secret_len(issue->req.password), issue->hash) == -1) {
		issue_refuse(issue, TOKEN_UNAVAILABLE);
		return;
	}
	known = broker_vault_cached(env->vault, issue->hash);
	if (known != NULL)
		judge(issue, known);
	else if (broker_vault_find(env->vault, issue->hash, on_found,
	    issue) == -1)
		on_found(FIND_FAILED, NULL, issue);
}

/* ---- refresh tokens ---- */

struct making {
	struct issue	*issue;
	void		(*next)(struct issue *);
};

static void
on_kept(const char *id, void *arg)
{
	struct making	*making = arg;
	struct issue	*issue = making->issue;
	void		(*next)(struct issue *) = making->next;

	free(making);
	/* Without one the client goes on with the password. */
	if (id == NULL)
		secret_wipe(issue->refresh, sizeof(issue->refresh));
	else
		str_copy(issue->refresh_id, sizeof(issue->refresh_id), id);
	next(issue);
}

/* For a password that was shown now, not for a token with less rights. */
static bool
is_wanted(const struct issue *issue)
{
	return issue->env->vault != NULL && issue->env->refresh &&
	    issue->req.offline && issue->proven;
}

void
issue_make_refresh(struct issue *issue, void (*next)(struct issue *))
{
	struct broker_refresh	 refresh = {
		.user = issue->who.user,
		.service = issue->service,
		.client = issue->req.client,
		.stamp = issue->who.stamp
	};
	struct making		*making;

	if (!is_wanted(issue) || (making = malloc(sizeof(*making))) == NULL) {
		next(issue);
		return;
	}
	making->issue = issue;
	making->next = next;
	credential_make(CREDENTIAL_REFRESH, issue->refresh);
	if (credential_hash(issue->refresh, CREDENTIAL_LEN,
	    refresh.hash) == -1 || broker_vault_keep(issue->env->vault,
	    &refresh, on_kept, making) == -1)
		on_kept(NULL, making);
}
