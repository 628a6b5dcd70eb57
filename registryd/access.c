/* SPDX-License-Identifier: ISC */
/*
 * Who may do what: the token's rights against what the route needs, or with
 * auth.htpasswd everything for every user, then what the configuration
 * forbids to everyone.  Runs in the worker; looks at the head of a request
 * only, never at the store, so that an answer tells nothing of what exists.
 *
 * Hashes are the verifiers' alone.  Clients of Basic send the password with
 * each request, so good ones are remembered for a moment, here and not in a
 * verifier: a stranger's wrong passwords then keep verifiers busy and nobody
 * who is known waiting.  What is kept is an HMAC under a key that dies with
 * the process; it gives who takes a worker over no more than the passwords
 * that come in, which he sees anyway.
 */
#include "access.h"

#include <stdlib.h>
#include <string.h>

#include "access_bearer.h"
#include "cred_cache.h"
#include "http_auth.h"
#include "scope.h"
#include "str.h"

#define CHALLENGE_MAX	4096

struct access {
	const struct registry_conf *conf;
	struct bearer	*bearer;	/* of auth.token, or NULL */
	struct cred_cache *known;	/* of auth.htpasswd, or NULL */
};

struct access *
access_new(const struct registry_conf *conf, const struct jwks *jwks)
{
	struct access *a;
	struct bearer_rules rules;

	if ((a = calloc(1, sizeof(*a))) == NULL)
		return NULL;
	a->conf = conf;
	if (conf->htpasswd_path != NULL &&
	    (a->known = cred_cache_new((size_t)conf->user_cache,
	    conf->user_cache_ttl_ms)) == NULL) {
		free(a);
		return NULL;
	}
	if (conf->token_realm == NULL)
		return a;
	rules.jwks = jwks;
	rules.issuer = conf->token_issuer;
	rules.audience = conf->token_service;
	rules.leeway = (int64_t)conf->leeway_s;
	rules.max_lifetime = (int64_t)conf->max_lifetime_s;
	rules.algorithms = (const char *const *)conf->token_algorithms.items;
	rules.nalgorithms = conf->token_algorithms.n;
	rules.cache = (size_t)conf->token_cache;
	if ((a->bearer = bearer_new(&rules)) == NULL) {
		access_free(a);
		return NULL;
	}
	return a;
}

void
access_set_keys(struct access *a, const struct jwks *jwks)
{
	if (a->bearer != NULL)
		bearer_set_keys(a->bearer, jwks);
}

void
access_free(struct access *a)
{
	if (a == NULL)
		return;
	bearer_free(a->bearer);
	cred_cache_free(a->known);
	free(a);
}

void
access_forget_users(struct access *a)
{
	if (a->known != NULL)
		cred_cache_flush(a->known);
}

void
access_answer_done(struct access_answer *answer)
{
	buf_done(&answer->challenge);
	json_decref(answer->detail);
	answer->detail = NULL;
	if (answer->claimed != NULL)
		secret_wipe(answer->claimed, strlen(answer->claimed));
	free(answer->claimed);
	answer->claimed = NULL;
	secret_free(answer->password);
	answer->password = NULL;
}

/* ---- what is asked for, as a challenge names it ---- */

static int
detail_add(json_t *detail, const char *type, const char *name,
    unsigned actions)
{
	static const struct {
		unsigned	 action;
		const char	*name;
	} all[] = {
		{ ACTION_PULL, "pull" }, { ACTION_PUSH, "push" },
		{ ACTION_DELETE, "delete" }, { ACTION_ALL, "*" },
	};
	size_t i;

	for (i = 0; i < sizeof(all) / sizeof(all[0]); i++)
		if ((actions & all[i].action) != 0 &&
		    json_array_append_new(detail,
		    json_pack("{s:s, s:s, s:s, s:s}", "Type", type, "Class",
		    "", "Name", name, "Action", all[i].name)) == -1)
			return -1;
	return 0;
}

static int
ask(struct buf *scope, json_t *detail, const char *type, const char *name,
    unsigned actions)
{
	if (scope->len > 0 && buf_addc(scope, ' ') == -1)
		return -1;
	if (scope_format(scope, type, name, actions) == -1)
		return -1;
	return detail_add(detail, type, name, actions);
}

static int
ask_all(const struct access_query *q, struct buf *scope, json_t *detail)
{
	switch (q->route->need) {
	case NEED_REPOSITORY:
		if (ask(scope, detail, "repository", q->name,
		    q->route->asked) == -1)
			return -1;
		if (q->from == NULL)
			return 0;
		return ask(scope, detail, "repository", q->from, ACTION_PULL);
	case NEED_CATALOG:
		return ask(scope, detail, "registry", "catalog",
		    q->route->asked);
	default:
		return 0;
	}
}

static int
challenge_basic(const struct access *a, struct buf *text)
{
	(void)buf_addstr(text, "Basic ");
	return http_auth_add_param(text, "realm", a->conf->htpasswd_realm);
}

static int
challenge_bearer(const struct access *a, const char *scope, const char *error,
    struct buf *text)
{
	(void)buf_addstr(text, "Bearer ");
	(void)http_auth_add_param(text, "realm", a->conf->token_realm);
	(void)http_auth_add_param(text, "service", a->conf->token_service);
	if (*scope != '\0')
		(void)http_auth_add_param(text, "scope", scope);
	if (error != NULL)
		(void)http_auth_add_param(text, "error", error);
	return buf_failed(text) ? -1 : 0;
}

/* Exactly one challenge; "error" only when a token was sent. */
static enum access_result
challenge(const struct access *a, const struct access_query *q,
    const char *error, struct access_answer *answer)
{
	struct buf scope;
	int failed = -1;

	buf_init(&scope, CHALLENGE_MAX);
	if ((answer->detail = json_array()) != NULL &&
	    ask_all(q, &scope, answer->detail) == 0)
		failed = a->known != NULL ?
		    challenge_basic(a, &answer->challenge) :
		    challenge_bearer(a, buf_str(&scope), error,
		    &answer->challenge);
	buf_done(&scope);
	if (json_array_size(answer->detail) == 0) {
		json_decref(answer->detail);
		answer->detail = NULL;
	}
	return failed == -1 ? ACCESS_NOMEM : ACCESS_UNAUTHORIZED;
}

/* ---- the decision ---- */

static bool
verdict_allows(const struct bearer_verdict *v, const struct access_query *q)
{
	switch (q->route->need) {
	case NEED_LOGIN:
		return true;
	case NEED_REPOSITORY:
		return scope_set_allows(&v->access, "repository", q->name,
		    q->route->actions);
	case NEED_CATALOG:
		return scope_set_allows(&v->access, "registry", "catalog",
		    q->route->actions);
	default:
		return false;
	}
}

static enum access_result
check_token(struct access *a, const struct access_query *q, const char *token,
    struct access_answer *answer)
{
	const struct bearer_verdict *v;

	v = bearer_verify(a->bearer, token, q->now, &answer->reason);
	if (v == NULL && answer->reason == NULL)
		return ACCESS_NOMEM;
	if (v == NULL)
		return challenge(a, q, "invalid_token", answer);
	(void)str_vis(answer->user, sizeof(answer->user), v->user,
	    strlen(v->user));
	(void)str_vis(answer->jti, sizeof(answer->jti), v->jti,
	    strlen(v->jti));
	if (!verdict_allows(v, q)) {
		answer->reason = "the token does not allow this";
		return challenge(a, q, "insufficient_scope", answer);
	}
	answer->from_allowed = q->from != NULL && scope_set_allows(&v->access,
	    "repository", q->from, ACTION_PULL);
	return ACCESS_ALLOWED;
}

/* auth.htpasswd, as in distribution: who is a user may do everything. */
static enum access_result
allow_user(const struct access_query *q, const char *user,
    struct access_answer *answer)
{
	(void)str_vis(answer->user, sizeof(answer->user), user, strlen(user));
	answer->from_allowed = q->from != NULL;
	return ACCESS_ALLOWED;
}

static enum access_result
check_password(struct access *a, const struct access_query *q,
    struct http_auth *auth, struct access_answer *answer)
{
	const struct cred_key key = { auth->user, "", auth->password };
	const struct cred_answer *known;
	struct cred_answer good;

	known = cred_cache_find(a->known, &key);
	if (known != NULL)
		return allow_user(q, known->user, answer);
	if (q->verdict == NULL) {
		answer->claimed = auth->user;
		answer->password = auth->password;
		auth->user = NULL;
		auth->password = NULL;
		return ACCESS_ASK;
	}
	if (*q->verdict == CRED_UNAVAILABLE)
		return ACCESS_UNCHECKED;
	if (*q->verdict != CRED_OK) {
		answer->reason = *q->verdict == CRED_UNKNOWN ? "unknown user" :
		    *q->why != '\0' ? q->why : "wrong password";
		return challenge(a, q, NULL, answer);
	}
	memset(&good, 0, sizeof(good));
	if (str_copy(good.user, sizeof(good.user), auth->user) == 0)
		cred_cache_put(a->known, &key, &good);
	return allow_user(q, auth->user, answer);
}

static enum access_result
check_basic(struct access *a, const struct access_query *q,
    struct access_answer *answer)
{
	struct http_auth auth;
	enum access_result result;

	if (q->nauthorization > 1)
		return ACCESS_MALFORMED;
	http_auth_parse(&auth, q->authorization);
	if (auth.scheme == HTTP_AUTH_BASIC && *auth.user != '\0' &&
	    secret_len(auth.password) > 0) {
		result = check_password(a, q, &auth, answer);
	} else {
		answer->reason = auth.scheme == HTTP_AUTH_NONE ?
		    "no password" : "no user and password";
		result = challenge(a, q, NULL, answer);
	}
	http_auth_done(&auth);
	return result;
}

static enum access_result
check_authorization(struct access *a, const struct access_query *q,
    struct access_answer *answer)
{
	struct http_auth auth;
	enum access_result result;

	if (q->nauthorization > 1)
		return ACCESS_MALFORMED;
	http_auth_parse(&auth, q->authorization);
	if (auth.scheme == HTTP_AUTH_BEARER && auth.token != NULL) {
		result = check_token(a, q, auth.token, answer);
	} else {
		answer->reason = auth.scheme == HTTP_AUTH_NONE ? "no token" :
		    "no bearer token";
		result = challenge(a, q, NULL, answer);
	}
	http_auth_done(&auth);
	return result;
}

enum access_result
access_check(struct access *a, const struct access_query *q,
    struct access_answer *answer)
{
	enum access_result result;

	memset(answer, 0, sizeof(*answer));
	buf_init(&answer->challenge, CHALLENGE_MAX);
	if (q->route->need != NEED_NOTHING &&
	    (a->bearer != NULL || a->known != NULL)) {
		result = a->bearer != NULL ?
		    check_authorization(a, q, answer) :
		    check_basic(a, q, answer);
		if (result != ACCESS_ALLOWED)
			return result;
	} else {
		answer->from_allowed = q->from != NULL;
	}
	if (q->route->effect != EFFECT_READ &&
	    (a->conf->readonly || q->marked))
		return ACCESS_READONLY;
	if (q->route->effect == EFFECT_DELETE && !a->conf->delete_enabled)
		return ACCESS_NODELETE;
	return ACCESS_ALLOWED;
}
