/* SPDX-License-Identifier: ISC */
/*
 * The token endpoint: GET with Basic credentials or none, and POST of an
 * OAuth2 grant, by password or refresh token.  Runs in the worker: parses,
 * asks the broker and writes its answer down; decides nothing about users or
 * repositories.
 */
#include "api_request.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "str.h"

void
api_refuse(struct request *r, enum api_error error, uint32_t retry_after)
{
	struct api_error_args	 args = { r->env->conf->realm, "",
	    retry_after };

	r->answered = true;
	r->error = error;
	api_error_respond(r->ex, error, &args);
}

/* The granted scopes as a list with spaces, for the POST answer. */
static json_t *
scope_list(const struct scope_set *set)
{
	struct buf	 text;
	json_t		*string = NULL;
	size_t		 i;

	buf_init(&text, 64 * 1024);
	for (i = 0; i < set->n; i++) {
		if (i > 0)
			buf_addc(&text, ' ');
		scope_format(&text, set->items[i].type, set->items[i].name,
		    set->items[i].actions);
	}
	if (!buf_failed(&text))
		string = json_string(buf_str(&text));
	buf_done(&text);
	return string;
}

static char *
grant_text(const struct token_answer *answer, bool with_scope)
{
	json_t	*root;
	char	*text = NULL;

	root = json_pack("{s:s,s:s,s:i}", "token", answer->jwt,
	    "access_token", answer->jwt, "expires_in",
	    (int)answer->expires_in);
	if (root != NULL && (!with_scope || (json_object_set_new(root,
	    "token_type", json_string("Bearer")) == 0 &&
	    json_object_set_new(root, "scope",
	    scope_list(&answer->granted)) == 0)))
		text = json_dumps(root, JSON_COMPACT);
	json_decref(root);
	return text;
}

/*
 * The answer, with a refresh token at its end.  That lives long and is put
 * into no other memory than what is wiped, as a JSON library's is not; it
 * has only letters that need no escape.
 */
static void
add_body(struct http_response *res, const char *text, const char *refresh)
{
	char	 member[CREDENTIAL_SIZE + 32];
	size_t	 len = strlen(text);

	res->secret = true;
	if (*refresh == '\0') {
		http_response_body(res, text, len);
		return;
	}
	/* All at once, so that nothing is moved and left behind. */
	buf_reserve(&res->body, len + sizeof(member));
	http_response_body(res, text, len - 1);
	snprintf(member, sizeof(member), ",\"refresh_token\":\"%s\"}",
	    refresh);
	http_response_body(res, member, strlen(member));
	secret_wipe(member, sizeof(member));
}

static void
respond_granted(struct request *r, const struct token_answer *answer)
{
	struct http_response	 res;
	char			*text;

	text = grant_text(answer, http_request(r->ex)->method == HTTP_POST);
	if (text == NULL) {
		api_refuse(r, API_UNAVAILABLE, 1);
		return;
	}
	http_response_init(&res, 200);
	http_response_header(&res, "Content-Type", "application/json");
	http_response_header(&res, "Cache-Control", "no-store");
	http_response_header(&res, "Pragma", "no-cache");
	add_body(&res, text, answer->refresh);
	secret_wipe(text, strlen(text));
	free(text);
	r->answered = true;
	http_respond(r->ex, &res);
}

static void
on_answer(const struct token_answer *answer, void *arg)
{
	static const enum api_error	 errors[] = {
		[TOKEN_BAD_CREDENTIALS] = API_BAD_CREDENTIALS,
		[TOKEN_ANONYMOUS_REFUSED] = API_NO_CREDENTIALS,
		[TOKEN_UNKNOWN_SERVICE] = API_UNKNOWN_SERVICE,
		[TOKEN_THROTTLED] = API_THROTTLED,
		[TOKEN_UNAVAILABLE] = API_UNAVAILABLE
	};
	struct request			*r = arg;

	r->question = 0;
	str_copy(r->user, sizeof(r->user), answer->user);
	if (answer->result == TOKEN_GRANTED)
		respond_granted(r, answer);
	else
		api_refuse(r, errors[answer->result], answer->retry_after);
}

/* Ask the broker, or refuse what could not be parsed. */
static void
ask(struct request *r, enum token_parse parsed,
    const struct token_request *req)
{
	static const enum api_error	 errors[] = {
		[TOKEN_PARSE_BAD] = API_BAD_REQUEST,
		[TOKEN_PARSE_GRANT_TYPE] = API_GRANT_TYPE,
		[TOKEN_PARSE_SERVICE] = API_UNKNOWN_SERVICE,
		[TOKEN_PARSE_SCOPES] = API_TOO_MANY_SCOPES,
		[TOKEN_PARSE_CREDENTIALS] = API_BAD_CREDENTIALS,
		[TOKEN_PARSE_NOMEM] = API_UNAVAILABLE
	};

	if (parsed != TOKEN_PARSE_OK) {
		api_refuse(r, errors[parsed], 1);
		return;
	}
	r->question = broker_client_ask(r->env->broker, req,
	    r->client, on_answer, r);
	if (r->question == 0)
		api_refuse(r, API_UNAVAILABLE, 1);
}

static bool
has_refresh(const struct request *r)
{
	return r->env->conf->credentials.refresh_ms > 0;
}

void
api_token_get(struct request *r)
{
	struct token_request	 req;
	enum token_parse	 parsed;

	if (http_request_header_count(r->ex, "Authorization") > 1) {
		api_refuse(r, API_BAD_REQUEST, 0);
		return;
	}
	memset(&req, 0, sizeof(req));
	parsed = token_request_from_query(&req, &r->uri,
	    http_request_header(r->ex, "Authorization"), has_refresh(r));
	ask(r, parsed, &req);
	token_request_done(&req);
}

static ssize_t
on_body(struct http_exchange *ex, const void *data, size_t len, bool end,
    void *arg)
{
	struct request		*r = arg;
	struct token_request	 req;
	enum token_parse	 parsed;

	(void)ex;
	/* Without data before the end the connection is lost. */
	if (r->answered || (data == NULL && !end))
		return (ssize_t)len;
	if (len > 0 && buf_add(&r->body, data, len) == -1) {
		api_refuse(r, API_TOO_LARGE, 0);
		return (ssize_t)len;
	}
	if (!end)
		return (ssize_t)len;
	memset(&req, 0, sizeof(req));
	parsed = token_request_from_form(&req, buf_str(&r->body),
	    r->body.len, has_refresh(r));
	buf_wipe(&r->body);
	ask(r, parsed, &req);
	token_request_done(&req);
	return (ssize_t)len;
}

static bool
is_form(const char *content_type)
{
	static const char	 form[] = "application/x-www-form-urlencoded";
	size_t			 n = sizeof(form) - 1;

	return content_type != NULL &&
	    strncasecmp(content_type, form, n) == 0 &&
	    strchr("; \t", content_type[n]) != NULL;
}

void
api_token_post(struct request *r)
{
	const struct http_request	*req = http_request(r->ex);

	if (!is_form(http_request_header(r->ex, "Content-Type"))) {
		api_refuse(r, API_BAD_REQUEST, 0);
		return;
	}
	if (req->content_length > r->env->conf->max_body) {
		api_refuse(r, API_TOO_LARGE, 0);
		return;
	}
	if (uri_param(&r->uri, "password") != NULL)
		log_warnx("request %s: credentials in the query of a POST "
		    "are ignored", r->id);
	r->body.max = (size_t)r->env->conf->max_body;
	http_body_read(r->ex, on_body, r);
}
