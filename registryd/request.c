/* SPDX-License-Identifier: ISC */
/*
 * The life of a request: the step table below, walked until a step answers
 * or waits for a keeper.  Runs in the worker.  Knows no storage paths, no
 * HTTP syntax and no status of an error.
 */
#include "request.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "access.h"
#include "api.h"
#include "clock.h"
#include "layout.h"
#include "log.h"
#include "manifest_types.h"
#include "random.h"
#include "reference.h"
#include "request_log.h"
#include "request_password.h"
#include "route.h"
#include "str.h"

#define PREFIX_SIZE	256
#define MANIFEST_TYPES	1024		/* kept by a worker */

struct request_ctx {
	struct request_env env;
	struct access	*access;
	struct manifest_types *types;
	char		 prefix[PREFIX_SIZE];
	uint64_t	 counts[METRIC_WORKER_N];
};

static enum step step_route(struct api_request *);
static enum step step_access(struct api_request *);
static enum step step_handle(struct api_request *);
static void request_run(struct api_request *);

static const struct {
	const char	*name;
	enum step	(*run)(struct api_request *);
} steps[] = {
	{ "route",	step_route },
	{ "access",	step_access },
	{ "handle",	step_handle },
};
#define NSTEPS	(sizeof(steps) / sizeof(steps[0]))

static enum step
fail_method(struct api_request *r)
{
	struct http_response resp;
	char allow[64];

	http_response_init(&resp, 405);
	http_response_header(&resp, "Allow", "%s",
	    route_allow(r->match.endpoint, allow, sizeof(allow)));
	return api_fail_with(r, &resp, API_UNSUPPORTED, NULL, false);
}

static enum step
redirect_base(struct api_request *r)
{
	struct http_response resp;

	http_response_init(&resp, 301);
	api_location(r, &resp, "/v2/");
	api_respond(r, &resp);
	return STEP_DONE;
}

static enum step
step_route(struct api_request *r)
{
	if (uri_parse(&r->uri, r->head->target,
	    strlen(r->head->target)) == -1)
		return errno == ENOMEM ? api_fail(r, API_UNAVAILABLE) :
		    api_fail_text(r, API_BAD_REQUEST, "request target");
	switch (route_find(r->head->method, r->uri.path, r->prefix,
	    &r->match)) {
	case ROUTE_UNKNOWN:
		return api_fail(r, API_NO_ENDPOINT);
	case ROUTE_NAME:
		return api_fail(r, API_NAME_INVALID);
	case ROUTE_METHOD:
		return fail_method(r);
	case ROUTE_REDIRECT:
		return redirect_base(r);
	case ROUTE_FOUND:
		break;
	}
	return STEP_NEXT;
}

/* The repository that a mount would read from: its access counts too. */
static const char *
mount_source(const struct api_request *r)
{
	const char *from = uri_param(&r->uri, "from");

	if (r->match.endpoint != ENDPOINT_UPLOADS || from == NULL ||
	    uri_param(&r->uri, "mount") == NULL || !repo_name_ok(from))
		return NULL;
	return from;
}

static enum step
fail_unauthorized(struct api_request *r)
{
	struct http_response resp;
	json_t *detail = r->grant.detail;

	if (r->grant.reason != NULL)
		(void)str_copy(r->detail, sizeof(r->detail),
		    r->grant.reason);
	r->grant.detail = NULL;
	http_response_init(&resp, 401);
	http_response_header(&resp, "WWW-Authenticate", "%s",
	    buf_str(&r->grant.challenge));
	return api_fail_with(r, &resp, API_UNAUTHORIZED, detail, false);
}

/* The password was checked: the decision is made anew, knowing that. */
static void
decide_again(struct api_request *r)
{
	r->step--;
	request_run(r);
}

static enum step
step_access(struct api_request *r)
{
	const char *encoding = http_request_header(r->exchange,
	    "Content-Encoding");
	struct access_query query;

	if (r->penalty_ms > 0)
		return request_password_refuse(r);
	query.route = r->match.route;
	query.name = r->match.name;
	query.from = mount_source(r);
	query.authorization = http_request_header(r->exchange,
	    "Authorization");
	query.nauthorization = http_request_header_count(r->exchange,
	    "Authorization");
	query.now = (int64_t)clock_wall();
	query.marked = r->match.route->effect != EFFECT_READ &&
	    store_stat(r->store, LAYOUT_READONLY, NULL) == STORE_OK;
	query.verdict = r->checked ? &r->verdict : NULL;
	query.why = r->why;
	switch (access_check(r->access, &query, &r->grant)) {
	case ACCESS_ALLOWED:
		break;
	case ACCESS_UNAUTHORIZED:
		return fail_unauthorized(r);
	case ACCESS_MALFORMED:
		return api_fail_text(r, API_BAD_REQUEST,
		    "several Authorization headers");
	case ACCESS_READONLY:
		(void)str_copy(r->detail, sizeof(r->detail),
		    "the registry is read-only");
		return fail_method(r);
	case ACCESS_NODELETE:
		(void)str_copy(r->detail, sizeof(r->detail),
		    "deleting is disabled");
		return fail_method(r);
	case ACCESS_ASK:
		return request_password_ask(r, decide_again);
	case ACCESS_UNCHECKED:
		return api_fail_text(r, API_UNAVAILABLE,
		    "the password could not be checked");
	case ACCESS_NOMEM:
		return api_fail(r, API_UNAVAILABLE);
	}
	/* What is stored under a digest must be what was sent. */
	if (r->head->has_body && encoding != NULL &&
	    !str_equal_nocase(encoding, "identity"))
		return api_fail(r, API_ENCODING);
	return STEP_NEXT;
}

static enum step
step_handle(struct api_request *r)
{
	return r->match.route->handler(r);
}

static void
request_run(struct api_request *r)
{
	enum step step = STEP_NEXT;

	while (step == STEP_NEXT && r->step < NSTEPS) {
		log_debug("request %s: %s", r->id, steps[r->step].name);
		step = steps[r->step++].run(r);
	}
}

static void
request_on_request(struct http_exchange *exchange, void *arg)
{
	struct request_ctx *ctx = arg;
	struct http_response resp;
	struct api_request *r;

	if ((r = calloc(1, sizeof(*r))) == NULL) {
		http_response_init(&resp, api_error_status(API_UNAVAILABLE));
		http_respond(exchange, &resp);
		return;
	}
	r->loop = ctx->env.loop;
	r->exchange = exchange;
	r->head = http_request(exchange);
	r->conf = ctx->env.conf;
	r->store = ctx->env.store;
	r->keepers = ctx->env.keepers;
	r->throttle = ctx->env.throttle;
	r->verifiers = ctx->env.verifiers;
	r->access = ctx->access;
	r->types = ctx->types;
	r->prefix = ctx->prefix;
	r->match.arg = "";
	random_hex(r->id, (REQUEST_ID_SIZE - 1) / 2);
	http_set_data(exchange, r);
	request_run(r);
}

static void
count(struct request_ctx *ctx, const struct http_exchange *exchange)
{
	ctx->counts[metric_request(http_request(exchange)->method_name,
	    http_status(exchange))]++;
	ctx->counts[METRIC_BODY_IN] += http_body_received(exchange);
	ctx->counts[METRIC_BODY_OUT] += http_sent(exchange);
}

/* Sent, or the client is gone: whatever still runs for it is called off. */
static void
request_on_done(struct http_exchange *exchange, void *arg)
{
	struct api_request *r = http_data(exchange);

	count(arg, exchange);
	if (r == NULL)
		return;
	if (r->call != NULL)
		keeper_call_cancel(r->call);
	request_password_cancel(r);
	request_log(r);
	if (r->state != NULL)
		r->state_free(r->state);
	access_answer_done(&r->grant);
	uri_done(&r->uri);
	free(r);
}

static void
request_on_bad_request(const struct peer *peer, int status,
    const char *reason, struct buf *body, const char **content_type,
    void *arg)
{
	struct request_ctx *ctx = arg;

	ctx->counts[metric_request("", status)]++;
	request_log_refused(peer, status, reason,
	    !ctx->env.conf->accesslog_disabled);
	api_error_format_status(body, status, reason);
	*content_type = "application/json";
}

const struct http_server_ops request_ops = {
	.on_request = request_on_request,
	.on_done = request_on_done,
	.on_bad_request = request_on_bad_request,
};

/* http.prefix with a slash in front and none behind. */
static void
prefix_set(struct request_ctx *ctx, const char *prefix)
{
	size_t len;

	if (prefix == NULL)
		return;
	while (*prefix == '/')
		prefix++;
	len = strlen(prefix);
	while (len > 0 && prefix[len - 1] == '/')
		len--;
	if (len == 0 || len + 2 > sizeof(ctx->prefix))
		return;
	ctx->prefix[0] = '/';
	memcpy(ctx->prefix + 1, prefix, len);
	ctx->prefix[len + 1] = '\0';
}

struct request_ctx *
request_ctx_new(const struct request_env *env)
{
	struct request_ctx *ctx;
	const char *wrong;

	if ((wrong = route_check()) != NULL) {
		log_error("route table: %s", wrong);
		return NULL;
	}
	if ((ctx = calloc(1, sizeof(*ctx))) == NULL)
		return NULL;
	ctx->env = *env;
	prefix_set(ctx, env->conf->prefix);
	ctx->access = access_new(env->conf, env->jwks);
	ctx->types = manifest_types_new(MANIFEST_TYPES);
	if (ctx->access == NULL || ctx->types == NULL) {
		request_ctx_free(ctx);
		return NULL;
	}
	return ctx;
}

void
request_forget_users(struct request_ctx *ctx)
{
	access_forget_users(ctx->access);
}

void
request_set_keys(struct request_ctx *ctx, const struct jwks *jwks)
{
	ctx->env.jwks = jwks;
	access_set_keys(ctx->access, jwks);
}

void
request_counts(const struct request_ctx *ctx, uint64_t v[METRIC_WORKER_N])
{
	memcpy(v, ctx->counts, sizeof(ctx->counts));
}

void
request_ctx_free(struct request_ctx *ctx)
{
	if (ctx == NULL)
		return;
	access_free(ctx->access);
	manifest_types_free(ctx->types);
	free(ctx);
}
