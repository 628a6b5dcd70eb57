/* SPDX-License-Identifier: ISC */
/*
 * Turns an exchange into one call of an endpoint, and writes the access
 * line when it is over.  Runs in the worker.
 */
#include "request.h"

#include <stdlib.h>
#include <string.h>

#include "log.h"

static const struct route {
	const char	*path;
	const char	*allow;
	void		(*get)(struct request *);
	void		(*post)(struct request *);
	bool		 head;		/* HEAD is GET without its body */
} routes[] = {
	/* Clients and other registries know the endpoint by any of these. */
	{ "/token", "GET, POST", api_token_get, api_token_post, false },
	{ "/auth", "GET, POST", api_token_get, api_token_post, false },
	{ "/auth/token", "GET, POST", api_token_get, api_token_post, false },
	{ "/service/token", "GET, POST", api_token_get, api_token_post,
	    false },
	{ "/v2/token", "GET, POST", api_token_get, api_token_post, false },
	{ "/jwks", "GET, HEAD", api_keys_get, NULL, true },
	{ "/", "GET, HEAD", api_health_get, NULL, true }
};

static const struct route *
find_route(const char *path)
{
	size_t	 i;

	for (i = 0; i < sizeof(routes) / sizeof(routes[0]); i++)
		if (strcmp(routes[i].path, path) == 0)
			return &routes[i];
	return NULL;
}

static void
refuse_method(struct request *r, const struct route *route)
{
	struct api_error_args	 args = { NULL, route->allow, 0 };

	r->answered = true;
	r->error = API_METHOD;
	api_error_respond(r->ex, API_METHOD, &args);
}

static void
dispatch(struct request *r)
{
	const struct http_request	*req = http_request(r->ex);
	const struct route		*route;

	if (uri_parse(&r->uri, req->target, strlen(req->target)) == -1) {
		api_refuse(r, API_BAD_REQUEST, 0);
		return;
	}
	if ((route = find_route(r->uri.path)) == NULL)
		api_refuse(r, API_NOT_FOUND, 0);
	else if (req->method == HTTP_GET ||
	    (req->method == HTTP_HEAD && route->head))
		route->get(r);
	else if (req->method == HTTP_POST && route->post != NULL)
		route->post(r);
	else
		refuse_method(r, route);
}

static void
on_request(struct http_exchange *ex, void *arg)
{
	const struct request_env	*env = arg;
	struct api_error_args		 args = { env->conf->realm, "", 1 };
	struct request			*r;

	if ((r = calloc(1, sizeof(*r))) == NULL) {
		api_error_respond(ex, API_UNAVAILABLE, &args);
		return;
	}
	r->ex = ex;
	r->env = env;
	buf_init(&r->body, 0);
	random_uuid(r->id);
	proxies_client(env->proxies, http_request(ex), r->client);
	http_set_data(ex, r);
	dispatch(r);
}

/* ---- the log ---- */

/* A password in a query is no place for one, but it must not be logged. */
static const char *
logged_uri(const struct request *r)
{
	if (uri_param(&r->uri, "password") != NULL ||
	    uri_param(&r->uri, "refresh_token") != NULL)
		return r->uri.path;
	return http_request(r->ex)->target;
}

static void
log_access(const struct request *r)
{
	const struct http_request	*req = http_request(r->ex);
	char				 status[16], written[32];
	char				 duration[32];
	struct log_field		 fields[] = {
		{ "http.request.id", r->id },
		{ "http.request.method", req->method_name },
		{ "http.request.uri", logged_uri(r) },
		{ "http.request.remoteaddr", r->client },
		{ "http.request.useragent",
		    http_request_header(r->ex, "User-Agent") },
		{ "http.response.status", status },
		{ "http.response.written", written },
		{ "http.response.duration", duration },
		{ "auth.user.name", *r->user == '\0' ? NULL : r->user }
	};

	snprintf(status, sizeof(status), "%d", http_status(r->ex));
	snprintf(written, sizeof(written), "%llu",
	    (unsigned long long)http_sent(r->ex));
	snprintf(duration, sizeof(duration), "%.3f",
	    (double)http_elapsed_us(r->ex) / 1e6);
	log_event(LOG_LEVEL_INFO, "response completed", fields,
	    sizeof(fields) / sizeof(fields[0]));
}

static void
log_error_event(const struct request *r)
{
	char			 status[16], remote[PEER_TEXT_SIZE];
	struct log_field	 fields[] = {
		{ "http.request.id", r->id },
		{ "http.request.remoteaddr",
		    peer_format(&http_request(r->ex)->peer, remote) },
		{ "http.response.status", status },
		{ "err.code", api_error_code(r->error) },
		{ "err.message", api_error_message(r->error) }
	};

	snprintf(status, sizeof(status), "%d", http_status(r->ex));
	log_event(api_error_level(r->error), "response completed with error",
	    fields, sizeof(fields) / sizeof(fields[0]));
}

static void
on_done(struct http_exchange *ex, void *arg)
{
	const struct request_env	*env = arg;
	struct request			*r = http_data(ex);

	if (r == NULL)
		return;
	if (r->question != 0)
		broker_client_cancel(env->broker, r->question);
	if (r->error != API_OK)
		log_error_event(r);
	if (env->conf->accesslog)
		log_access(r);
	uri_done(&r->uri);
	buf_wipe(&r->body);
	free(r);
}

static void
on_bad_request(const struct peer *peer, int status, const char *reason,
    struct buf *body, const char **content_type, void *arg)
{
	const struct request_env	*env = arg;
	char				 id[UUID_SIZE], text[16];
	char				 remote[PEER_TEXT_SIZE];
	struct log_field		 fields[] = {
		{ "http.request.id", id },
		{ "http.request.remoteaddr", peer_format(peer, remote) },
		{ "http.response.status", text },
		{ "err.message", reason }	/* of the error only */
	};
	const size_t			 n = sizeof(fields) / sizeof(fields[0]);

	random_uuid(id);
	snprintf(text, sizeof(text), "%d", status);
	log_event(LOG_LEVEL_INFO, "response completed with error", fields, n);
	if (env->conf->accesslog)
		log_event(LOG_LEVEL_INFO, "response completed", fields, n - 1);
	api_error_bad_request(status, reason, body, content_type);
}

const struct http_server_ops	request_ops = {
	on_request, on_done, on_bad_request
};
